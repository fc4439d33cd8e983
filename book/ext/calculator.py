"""Put the calculator of beta on a page: where it stands, and the script and style that make it.

In a page of `book/`, ```{calculator}``` with `:collapse:` and `:eigenvalue:` puts it where it stands. The two options
are numbers of MNIST's training images: the first of `vaelib.collapse_threshold`, and the largest eigenvalue of the
covariance of the pixels. A test holds them to the library.
"""

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

WITHOUT_SCRIPT = "The calculator needs JavaScript, which is switched off here. The line of code above does the same."


class calculator(nodes.General, nodes.Element):  # noqa: N801 (docutils finds the visitor by this name)
    """Mark the place of the calculator, with MNIST's two numbers."""


class CalculatorDirective(SphinxDirective):
    """Mark the place of the calculator in a page."""

    option_spec = {"collapse": directives.unchanged_required, "eigenvalue": directives.unchanged_required}  # noqa: RUF012

    def run(self):
        """Put the place into the page."""
        missing = [name for name in self.option_spec if name not in self.options]
        if missing:
            raise self.error(f"The calculator needs the options {', '.join(self.option_spec)}, missing: {missing}.")
        return [calculator(**{name: float(self.options[name]) for name in self.option_spec})]


def setup(app):
    """Register it with Sphinx."""
    app.add_node(calculator, html=(_visit_html, _depart), latex=(_skip, None), text=(_skip, None))
    app.add_directive("calculator", CalculatorDirective)
    app.connect("html-page-context", _add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _add_files(app, pagename, templatename, context, doctree):
    if doctree is not None and any(doctree.findall(calculator)):
        app.add_css_file("calculator.css")
        app.add_js_file("calculator.js", loading_method="defer")


def _visit_html(self, node):
    self.body.append(
        f'<div class="beta-calculator" data-collapse="{node["collapse"]:g}" data-eigenvalue="{node["eigenvalue"]:g}">\n'
        f"<noscript><p>{WITHOUT_SCRIPT}</p></noscript>\n</div>\n"
    )


def _depart(self, node):
    pass


def _skip(self, node):
    raise nodes.SkipNode
