"""Leave out of a page what it does not use: MathJax, a third of all that a page loads, and the style of cards."""

from docutils import nodes

FORMULAS = (nodes.math, nodes.math_block)
# Name the style of sphinx-design, whose classes all begin alike.
DESIGN, DESIGNED = "sphinx-design", "sd-"


def setup(app):
    """Register it with Sphinx, after MathJax has."""
    app.connect("html-page-context", _without_the_unused, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _without_the_unused(app, pagename, templatename, context, doctree):
    if doctree is None:
        return
    # Look at the page alone: Sphinx counts the formulas of the pages that it leads to, too.
    if not any(isinstance(node, FORMULAS) for node in doctree.findall()):
        _leave_out(context["script_files"], app.config.mathjax_path)
    if not any(_is_designed(node) for node in doctree.findall(nodes.Element)):
        _leave_out(context["css_files"], DESIGN)


def _is_designed(node):
    return any(name.startswith(DESIGNED) for name in node.get("classes", ()))


def _leave_out(files, name):
    """Remove from a list of Sphinx' own the files whose address holds a name."""
    files[:] = [file for file in files if name not in str(file.filename)]
