"""Leave MathJax, a third of all that a page loads, out of pages without formulas."""

from docutils import nodes


def setup(app):
    """Register it with Sphinx, after MathJax has."""
    app.connect("html-page-context", _without_mathjax, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _without_mathjax(app, pagename, templatename, context, doctree):
    # Look at the page alone: Sphinx counts the formulas of the pages that it leads to, too.
    formula = (nodes.math, nodes.math_block)
    if doctree is not None and not any(isinstance(node, formula) for node in doctree.findall()):
        scripts = context["script_files"]
        scripts[:] = [file for file in scripts if app.config.mathjax_path not in str(file.filename)]
