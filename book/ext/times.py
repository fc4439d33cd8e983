"""Say under the title of each chapter how long it takes, and in the directive `times` of all chapters at once.

Reading is counted: the words of the text, at 200 a minute; code, formulas, tables and pictures are not counted. Running
was measured when the chapter was last executed: `make run` writes the seconds into the notebook's metadata. Where they
are missing, nothing is said about it.
"""

import json
import math
import re
from typing import NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

WORDS_PER_MINUTE = 200
NOT_WORDS = (nodes.math, nodes.literal, nodes.raw)
EXERCISE = re.compile(r"^\*\*\d+\.", re.MULTILINE)
HEAD = ("Chapter", "Minutes to read", "Minutes to run", "Exercises with worked answers")


class Times(NamedTuple):
    """Hold how long a chapter takes."""

    title: str
    num_words: int
    run_seconds: int
    num_exercises: int

    @property
    def reading(self):
        """Return the minutes that reading takes, rounded up."""
        return math.ceil(self.num_words / WORDS_PER_MINUTE)

    @property
    def running(self):
        """Return the minutes that the last execution took, rounded up; 0 if it was not measured."""
        return math.ceil(self.run_seconds / 60)


class _Table(nodes.General, nodes.Element):
    """Stand where the table of all chapters will be, until all of them have been read."""


class TimesDirective(SphinxDirective):
    """Place a table of the times of all chapters."""

    def run(self):
        """Return a place for it."""
        return [_Table()]


def setup(app):
    """Register it with Sphinx."""
    app.add_node(_Table)
    app.add_directive("times", TimesDirective)
    app.connect("doctree-read", _read)
    app.connect("doctree-resolved", _resolve)
    return {"parallel_read_safe": False, "parallel_write_safe": True}


def num_words(doctree):
    """Count the words in paragraphs and lists."""
    texts = (text for paragraph in doctree.findall(nodes.paragraph) for text in paragraph.findall(nodes.Text))
    return sum(
        any(letter.isalnum() for letter in word)
        for text in texts
        if not isinstance(text.parent, NOT_WORDS)
        for word in text.split()
    )


def num_exercises(cells):
    """Count the open exercises of a notebook's cells, which open with a number in bold."""
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return sum(len(EXERCISE.findall(text)) for text in texts)


def sentence(times):
    """Return the line under a chapter's title."""
    text = f"{_minutes(times.reading)} to read."
    if times.running:
        text += (
            f" {_minutes(times.running)} to run on two CPU cores, with the trained networks that come with the book."
        )
    return text


def _minutes(count):
    return f"{count} minute{'s' if count != 1 else ''}"


def _read(app, doctree):
    """Count a chapter when it has been read, and put the line under its title."""
    docname = app.env.docname
    path = app.env.doc2path(docname)
    if not path.endswith(".ipynb"):
        return
    with open(path, encoding="utf-8") as file:
        notebook = json.load(file)
    seconds = notebook["metadata"].get("vaelib", {}).get("run_seconds", 0)
    title = next(iter(doctree.findall(nodes.title)))
    times = Times(title.astext(), num_words(doctree), seconds, num_exercises(notebook["cells"]))
    _all_times(app)[docname] = times
    line = nodes.paragraph("", sentence(times), classes=["vaelib-times"])
    title.parent.insert(title.parent.index(title) + 1, line)


def _all_times(app):
    """Return what was counted, by the name of the page."""
    if not hasattr(app.env, "vaelib_times"):
        app.env.vaelib_times = {}
    return app.env.vaelib_times


def _resolve(app, doctree, docname):
    """Write the table, now that all chapters have been read."""
    for place in list(doctree.findall(_Table)):
        place.replace_self(_table(app, docname))


def _table(app, docname):
    counted = sorted(_all_times(app).items())
    total = [sum(getattr(times, name) for _, times in counted) for name in ("reading", "running", "num_exercises")]
    rows = [
        [_link(app, docname, target, times.title), times.reading, times.running or "not timed", times.num_exercises]
        for target, times in counted
    ]
    group = nodes.tgroup("", *[nodes.colspec(colwidth=width) for width in (4, 1, 1, 1)], cols=len(HEAD))
    group += nodes.thead("", _row(HEAD))
    group += nodes.tbody("", *map(_row, [*rows, ["All", *total]]))
    return nodes.table("", group)


def _link(app, docname, target, title):
    uri = app.builder.get_relative_uri(docname, target)
    return nodes.reference("", title, refuri=uri, internal=True)


def _row(cells):
    contents = [cell if isinstance(cell, nodes.Node) else nodes.Text(str(cell)) for cell in cells]
    return nodes.row("", *[nodes.entry("", nodes.paragraph("", "", content)) for content in contents])
