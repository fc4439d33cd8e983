"""Translate docstrings, written like the notebooks with `code`, $math$ and links, into reStructuredText for autodoc."""

import re

# Python writes this for a field of a named tuple that has no docstring.
_NO_DOCSTRING = "Alias for field number"


def setup(app):
    """Register the translation with Sphinx."""
    app.connect("autodoc-process-docstring", _translate_lines)
    return {"parallel_read_safe": True}


def translate(text):
    """Return Markdown as reStructuredText."""
    text = re.sub(r"(?<!`)`([^`\n]+)`(?!`)", r"``\1``", text)
    text = re.sub(r"\[([^]\n]+)\]\((https?:[^)\s]+)\)", r"`\1 <\2>`__", text)
    # A formula may run over a line break.
    return re.sub(r"\$([^$]+)\$", lambda match: f":math:`{' '.join(match[1].split())}`", text)


def _translate_lines(app, what, name, obj, options, lines):
    text = "\n".join(lines)
    lines[:] = [] if text.startswith(_NO_DOCSTRING) else translate(text).split("\n")
