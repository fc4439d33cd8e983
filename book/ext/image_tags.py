"""Load the pictures of a page when the reader gets to them, and keep their room until they come."""

import re
from pathlib import Path

from docutils import nodes
from sphinx.util.images import get_image_size
from sphinx.writers.html5 import HTML5Translator


def setup(app):
    """Register it with Sphinx."""
    app.add_node(nodes.image, override=True, html=(_visit, HTML5Translator.depart_image))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _visit(self, node):
    # Ask before the visit, which puts the path in the built book in place of that of the file.
    size = None if node["uri"].startswith("data:") else get_image_size(Path(self.builder.srcdir, node["uri"]))
    first = next(iter(self.document.findall(nodes.image))) is node
    HTML5Translator.visit_image(self, node)
    self.body[-1] = roomy(self.body[-1], size, lazy=not first)


def roomy(tag, size, lazy):
    """Return an <img> whose width and height are attributes: from those a browser knows the shape before it loads.

    Args:
        tag: as docutils writes it, with what the page asks for in a style.
        size: (width, height) of the file in pixels, or None if it is not known.
        lazy: whether it may wait until the reader gets near.
    """
    asked = re.search(r' style="width: (\d+)px; height: (\d+)px;"', tag)
    if asked:
        tag, size = tag.replace(asked[0], ""), asked.groups()
    attributes = ' loading="lazy"' if lazy else ""
    if size:
        attributes += ' width="{}" height="{}"'.format(*size)
    return tag.replace("<img", f"<img{attributes}", 1)
