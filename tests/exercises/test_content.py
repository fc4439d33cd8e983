"""Hold the questions to their form and to the chapters: what is said to come out is what a cell prints."""

import json
from pathlib import Path

import nbformat
import pytest
import write_questions
from asking import all_answers
from prose_numbers import numbers_in, prints, value

from vaelib.exercises import questions

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
ASKED = [(number, each) for number in questions.chapters() for each in questions.questions_of(number)]

each_chapter = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem[:2])
each_question = pytest.mark.parametrize(("chapter", "question"), ASKED, ids=[each["id"] for _, each in ASKED])


def cells_of(chapter):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(f"{chapter}_"))
    return nbformat.read(path, as_version=4).cells


def section_of(cells, cell):
    """Return the last heading before a cell."""
    before = "\n".join(each.source for each in cells[: cells.index(cell)] if each.cell_type == "markdown")
    return [line.lstrip("# ") for line in before.splitlines() if line.startswith("##")][-1]


def texts_of(question):
    """Return all that a reader may read of a question."""
    unit = f" ({question['unit']})" if "unit" in question else ""
    answers = [text for each in question["answers"] for text in (each.get("answer", ""), each["feedback"])]
    return [question["question"] + unit, question.get("short", ""), *answers]


@each_chapter
def test_every_chapter_has_questions_of_both_kinds(path):
    asked = questions.questions_of(path.name[:2])
    assert 3 <= len(asked) <= 5
    assert 1 <= sum("predict" in question for question in asked) < len(asked)


def test_no_two_questions_have_one_name():
    names = [question["id"] for _, question in ASKED]
    assert len(set(names)) == len(names)
    assert all(name.startswith(f"{chapter}-") for (chapter, _), name in zip(ASKED, names, strict=True))


@each_question
def test_a_question_has_what_its_kind_needs(chapter, question):
    needed = {"id", "type", "question", "answers"}
    needed |= {"unit"} if question["type"] == "numeric" else set()
    needed |= {"predict", "short"} if "predict" in question else set()
    assert question.keys() - {"numbers"} == needed
    if question["type"] == "numeric":
        assert "predict" in question
        assert {each["type"] for each in question["answers"][:-1]} == {"range"}
        assert question["answers"][-1]["type"] == "default"
    else:
        options = [each["answer"] for each in question["answers"]]
        assert 2 <= len(set(options)) == len(options)
    assert sum(each["correct"] for each in question["answers"]) == 1
    feedback = [each["feedback"] for each in question["answers"]]
    assert all(text.endswith((".", "?")) for text in feedback)
    assert len(set(feedback)) == len(feedback)


@each_question
def test_what_comes_out_is_what_the_cell_prints(chapter, question):
    if "predict" not in question:
        return
    cells, predict = cells_of(chapter), question["predict"]
    (cell,) = (cell for cell in cells if cell.id == predict["cell"])
    assert section_of(cells, cell) == predict["section"]
    if question["type"] == "numeric":
        assert prints(cell, str(predict["value"]))
        (right,) = (each["range"] for each in question["answers"] if each["correct"])
        assert right[0] <= predict["value"] <= right[1]
        # The truth is the first range that fits it.
        first = next(each for each in question["answers"] if each["range"][0] <= predict["value"] <= each["range"][1])
        assert first["correct"]
    else:
        assert predict["prints"]
        assert [number for number in predict["prints"] if not prints(cell, number.lstrip("-"))] == []
        # The reasons name the numbers that decide.
        said = " ".join(texts_of(question)).replace("−", "-")
        assert [number for number in predict["prints"] if number not in said and value(number.lstrip("-")) > 1e-4] == []


@each_question
def test_every_number_of_a_text_says_where_it_is_from(chapter, question):
    by_id = {cell.id: cell for cell in cells_of(chapter)}
    found = sorted({number for text in texts_of(question) for number in numbers_in(text)})
    sources = question.get("numbers", {})
    assert found == sorted(number for numbers in sources.values() for number in numbers)
    for source, numbers in sources.items():
        assert source == "given" or [number for number in numbers if not prints(by_id[source], number)] == []


@each_question
def test_a_hint_does_not_give_the_answer_away(chapter, question):
    if "predict" in question:
        return
    (right,) = (each["answer"].replace("`", "") for each in question["answers"] if each["correct"])
    hints = [each["feedback"].replace("`", "") for each in question["answers"] if not each["correct"]]
    assert [hint for hint in hints if len(right) > 3 and right.lower() in hint.lower()] == []


@each_question
def test_every_answer_that_is_foreseen_can_be_given(chapter, question):
    assert len(all_answers(question)) == len(question["answers"])


@each_chapter
def test_a_chapter_shows_the_questions_of_today(path):
    """A cell of a chapter holds its questions as text, for whoever has neither widgets nor scripts."""
    cells = {cell.source: cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"}
    for kind in ("predict", "ask"):
        cell = cells[f'vaelib.exercises.{kind}("{path.name[:2]}")']
        (output,) = cell.outputs
        assert output.data["text/markdown"] == questions.text_of(questions.exercise_data(kind, path.name[:2]))
        assert {"exercise", "nbval-ignore-output"} <= set(cell.metadata.tags)


@each_chapter
def test_the_tool_that_renews_the_questions_finds_nothing_to_do(path):
    text = path.read_text(encoding="utf-8")
    assert write_questions.refreshed(text) == text
    old = text.replace("**Predict before you read on.**", "**Guess.**")
    assert write_questions.refreshed(old) == text != old


def test_the_last_chapter_shows_the_readers_intuition():
    cells = {cell.source: cell for cell in cells_of(questions.chapters()[-1])}
    (output,) = cells["vaelib.exercises.intuition()"].outputs
    assert output.data["text/markdown"] == questions.text_of(questions.exercise_data("intuition"))


def test_the_files_are_written_as_the_chapters_are():
    folder = Path(questions.__file__).parent / "chapters"
    for file in folder.glob("*.json"):
        text = file.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: questions.questions_of("3"), "A chapter with questions is expected, one of 01, 02, .*, got '3'"),
        (lambda: questions.exercise_data("ask", None), "A chapter with questions is expected"),
        (lambda: questions.exercise_data("guess", "03"), "One of predict, ask, intuition is expected, got 'guess'"),
        (lambda: questions.script("paper"), "host must be"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
