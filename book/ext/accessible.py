"""Mend what docutils writes that a screen reader stumbles over."""

from docutils import nodes
from sphinx.writers.html5 import HTML5Translator


def setup(app):
    """Register it with Sphinx."""
    app.add_node(nodes.citation, override=True, html=(_visit_citation, HTML5Translator.depart_citation))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _visit_citation(self, node):
    # The list of references has the role of a list, which may hold nothing but items.
    HTML5Translator.visit_citation(self, node)
    self.body[-1] = self.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')
