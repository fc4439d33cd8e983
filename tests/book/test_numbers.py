"""Look up the numbers of a chapter's prose in what its cells print, so that a re-run cannot leave the text behind.

A Markdown cell says in its metadata where its numbers come from. By `"numbers": {"cell-29": ["1.3"], "given": ["206"]}`
the cell of this id prints 1.3, perhaps with more digits, and 206 is quoted, set, or worked out in the text.
"""

from pathlib import Path

import nbformat
import pytest
from prose_numbers import numbers_in, prints

CHAPTERS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It is 3.81, or 3.8.", ["3.81", "3.8"]),
        ("206 nats and 96 % of 10,000 digits", ["206", "96"]),
        ("1e-3 in chapter 7, at 784, `0.5`, $1.5$ and [2.5](3.5)", ["2.5"]),
        ("−115.3 nats; 1,234.5 of them", ["115.3", "1,234.5"]),
    ],
)
def test_numbers_are_found_in_prose(text, numbers):
    assert numbers_in(text) == numbers


@pytest.mark.parametrize(
    ("number", "found"), [("3.8", True), ("3.81", True), ("3.80", False), ("4", True), ("5", False)]
)
def test_a_number_is_printed_if_one_is_rounded_to_it(number, found):
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("stream", text="μ is -3.806 of 1,000 images\n")])
    assert prints(cell, number) is found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem[:2])
def test_the_prose_of_a_chapter_says_what_its_cells_print(path):
    cells = nbformat.read(path, as_version=4).cells
    by_id = {cell.id: cell for cell in cells}
    wrong = []
    for cell in cells:
        if cell.cell_type != "markdown" or "cover" in cell.metadata.get("tags", []):
            continue
        sources = cell.metadata.get("numbers", {})
        named = [number for numbers in sources.values() for number in numbers]
        wrong += [f"{cell.id}: nobody says where {n} is from" for n in numbers_in(cell.source) if n not in named]
        wrong += [f"{cell.id}: its text has no {n}" for n in named if n not in numbers_in(cell.source)]
        wrong += [
            f"{cell.id}: {source} does not print {number}"
            for source, numbers in sources.items()
            for number in numbers
            if source != "given" and not (source in by_id and prints(by_id[source], number))
        ]
    assert not wrong, "\n".join(wrong)
