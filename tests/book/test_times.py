"""Each chapter says how long it takes, from its own words and its last execution, and a page adds them up."""

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
import times
from docutils import nodes

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


class Words(HTMLParser):
    """Count the words in the paragraphs of a page, but for code and formulas."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.skipped, self.count = 0, 0, 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.inside += tag == "p"
        self.skipped += tag in ("code", "span", "script")

    def handle_endtag(self, tag):
        self.inside -= tag == "p"
        self.skipped -= tag in ("code", "span", "script")

    def handle_data(self, data):
        if self.inside and not self.skipped:
            self.count += len(re.findall(r"\S*\w\S*", data))


def said(html, path):
    """Return the minutes that a chapter's page names."""
    page = (html / f"notebooks/{path.stem}.html").read_text()
    found = re.findall(r'<p class="vaelib-times">(\d+) minutes? to read\.(?: (\d+) minutes? to run on two)?', page)
    assert len(found) == 1
    return page, *(int(minutes or 0) for minutes in found[0])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_says_how_long_it_takes(path, html):
    page, reading, running = said(html, path)
    article = page.partition("<article")[2].partition("</article>")[0]
    # Counted in another way, links and bold words may fall on the other side: a tenth, or a minute.
    assert abs(reading - Words(article).count / times.WORDS_PER_MINUTE) < max(1, 0.1 * reading)
    seconds = nbformat.read(path, as_version=4).metadata.get("vaelib", {}).get("run_seconds", 0)
    assert running == math.ceil(seconds / 60)


def test_the_page_for_teachers_adds_them_up(html):
    page = (html / "book/teach.html").read_text()
    rows = [re.findall(r"<td><p>(.*?)</p></td>", row, re.DOTALL) for row in page.split("<tr ")[1:]]
    rows = [row[1:] for row in rows if len(row) == 4 and row[1].isdigit()]
    numbers = [[0 if cell == "not timed" else int(cell) for cell in row] for row in rows]
    *chapters, total = numbers
    assert [row[:2] for row in chapters] == [list(said(html, path)[1:]) for path in NOTEBOOKS]
    assert total == [sum(column) for column in zip(*chapters, strict=True)]
    assert all(row[2] for row in chapters)
    for path in NOTEBOOKS:
        assert f'href="../notebooks/{path.stem}.html"' in page


def test_what_counts_as_a_word_and_as_an_exercise():
    words = nodes.paragraph("", "", nodes.Text("two words – and "), nodes.literal("", "code"), nodes.math("", "a + b"))
    stressed = nodes.paragraph("", "", nodes.strong("", "Not a number."))
    assert times.num_words(nodes.container("", words, stressed)) == 3 + 3
    cells = [
        {"cell_type": "markdown", "source": ["**1.** Try it.\n", "\n", "**2.** Not **3.** of them."]},
        {"cell_type": "code", "source": ["**4.**"]},
    ]
    assert times.num_exercises(cells) == 2
