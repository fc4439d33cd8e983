"""The page of questions answers each in a few lines, leads to the section that proves it, and says its numbers."""

import re
from pathlib import Path

import nbformat
import pytest
from myst_parser.mdit_to_docutils.base import default_slugify
from prose_numbers import numbers_in, prints

BOOK = Path(__file__).parents[2] / "book"
MAX_WORDS = 90
LINK = re.compile(r"\[([^]]+)\]\(([^)]+)\)", re.DOTALL)


def questions():
    """Return, by question, the answer and the line below it that says where it was measured."""
    _, *sections = (BOOK / "questions.md").read_text().split("\n## ")
    found = {}
    for section in sections:
        question, answer, proof = section.strip().split("\n\n")
        found[question] = answer, proof
    return found


QUESTIONS = questions()
each_question = pytest.mark.parametrize("question", QUESTIONS)


def proofs(question):
    """Return the name, the notebook and the anchor of each section that a question leads to."""
    links = LINK.findall(QUESTIONS[question][1])
    return [(" ".join(name.split()), *link.split("#")) for name, link in links if not link.startswith("https://")]


def headings(notebook):
    """Return the headings of a chapter by their anchors."""
    cells = nbformat.read(notebook, as_version=4).cells
    found = [re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE) for cell in cells if cell.cell_type == "markdown"]
    return {default_slugify(heading): heading for headings in found for heading in headings}


def test_there_are_twenty_five_questions():
    assert len(QUESTIONS) == 25
    assert "Twenty-five questions" in (BOOK / "questions.md").read_text()
    assert all(question.endswith("?") for question in QUESTIONS)


@each_question
def test_an_answer_is_a_few_lines(question):
    answer = LINK.sub(r"\1", QUESTIONS[question][0])
    assert 30 <= len(answer.split()) <= MAX_WORDS


@each_question
def test_an_answer_leads_to_a_section_of_a_chapter(question):
    assert proofs(question)
    for name, notebook, anchor in proofs(question):
        there = headings(BOOK / notebook)
        number, heading = re.fullmatch(r"chapter (\d+), \*(.+)\*", name).groups()
        assert Path(notebook).name.startswith(f"{int(number):02}_")
        assert there[anchor] == heading


@each_question
def test_an_answer_says_what_the_cells_of_its_chapters_print(question):
    answer, _ = QUESTIONS[question]
    cells = [
        cell
        for _, notebook, _ in proofs(question)
        for cell in nbformat.read(BOOK / notebook, as_version=4).cells
        if cell.cell_type == "code"
    ]
    # What an answer takes from the page on beta stands there, held to the programs by a test of its own.
    other = (BOOK / "beta.md").read_text() if "(beta.md)" in answer else ""
    unknown = [n for n in numbers_in(answer) if not any(prints(cell, n) for cell in cells) and n not in other]
    assert unknown == []


@each_question
def test_a_forum_is_a_thread(question):
    threads = [link for _, link in LINK.findall(QUESTIONS[question][1]) if link.startswith("https://")]
    for thread in threads:
        assert re.search(r"/(issues|questions)/\d+", thread)


def test_no_thread_is_named_twice_and_most_questions_have_one():
    threads = re.findall(r"https://\S+?(?=\))", (BOOK / "questions.md").read_text())
    assert len(threads) == len(set(threads)) >= 12
