"""Docstrings are written as the notebooks are, `code` and $math$; autodoc reads reStructuredText."""

import re


def setup(app):
    """Register the translation with Sphinx."""
    app.connect("autodoc-process-docstring", _translate)
    return {"parallel_read_safe": True}


def _translate(app, what, name, obj, options, lines):
    # A span may run over a line break, so the lines are joined; doctests are left alone by their prompt.
    text = re.sub(r"(?<!`)`([^`\n]+)`(?!`)", r"``\1``", "\n".join(lines))
    text = re.sub(r"\$([^$]+)\$", lambda match: f":math:`{' '.join(match[1].split())}`", text)
    lines[:] = text.split("\n")
