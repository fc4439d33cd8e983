"""Put exercises on the book's pages: where a cell with the tag `exercise` asks, the reader finds fields to answer.

What the cell displayed, the questions as text, stays inside for whoever has no scripts. The cell's code goes, unless it
is code for the reader to complete.
"""

import json
from pathlib import Path

from docutils import nodes

from vaelib.exercises.questions import CALL, exercise_data, script, style

FOLDER = "exercises"


class exercise(nodes.General, nodes.Element):  # noqa: N801 (docutils finds the visitor by this name)
    """Mark the place of an exercise, with its attributes `kind` and `chapter`; what it holds is its text."""


def setup(app):
    """Register it with Sphinx."""
    app.add_node(exercise, html=(_visit_html, _depart_html), latex=(_pass, _pass), text=(_pass, _pass))
    app.connect("builder-inited", _write_files)
    app.connect("doctree-read", _follow_tags)
    app.connect("html-page-context", _add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write_files(app):
    if app.builder.format != "html":
        return
    static = Path(app.outdir).parent / FOLDER
    folder = static / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "exercise.js").write_text(script("page"), encoding="utf-8")
    (folder / "exercise.css").write_text(style(), encoding="utf-8")
    app.config.html_static_path.append(str(static))


def _follow_tags(app, doctree):
    for cell in list(doctree.findall(nodes.container)):
        call = CALL.search(cell.astext()) if "tag_exercise" in cell["classes"] else None
        if call:
            shown = [part for part in cell.children if "cell_output" in part["classes"]]
            cell.replace_self(exercise("", *shown, kind=call[1], chapter=call[2]))


def _add_files(app, pagename, templatename, context, doctree):
    # Load them on such pages only, after the first paint.
    if doctree is not None and any(doctree.findall(exercise)):
        app.add_css_file(f"{FOLDER}/exercise.css")
        app.add_js_file(f"{FOLDER}/exercise.js", loading_method="defer")


def _visit_html(self, node):
    data = json.dumps(exercise_data(node["kind"], node["chapter"]), ensure_ascii=False)
    # Nothing in a text may end the element.
    data = data.replace("<", "\\u003c")
    self.body.append(f'<div data-exercise="{node["kind"]}">\n<script type="application/json">{data}</script>\n')


def _depart_html(self, node):
    self.body.append("</div>\n")


def _pass(self, node):
    pass
