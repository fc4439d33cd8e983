"""Write the questions of vaelib/exercises into the chapters that ask them, as text, without executing anything.

`python tools/write_questions.py [CHAPTER]`; CHAPTER is a number such as 02. A chapter that is executed as a whole has
them anyway.
"""

import sys
from pathlib import Path

import nbformat

from vaelib.exercises.questions import CALL, exercise_data, text_of

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def refreshed(text):
    """Return the text of a chapter whose exercises show the questions of today."""
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        call = CALL.fullmatch(cell.source) if cell.cell_type == "code" else None
        if call:
            data = exercise_data(*call.groups())
            shown = {"text/markdown": text_of(data), "text/plain": data["title"]}
            count = cell.execution_count
            cell.outputs = [nbformat.v4.new_output("execute_result", data=shown, execution_count=count)]
    return nbformat.writes(notebook) + "\n"


def main(chapter=""):
    """Write what has changed, and say where."""
    for path in sorted(NOTEBOOKS.glob(f"{chapter}*.ipynb")):
        before = path.read_text(encoding="utf-8")
        after = refreshed(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"{path.name}: its exercises show the questions of today")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
