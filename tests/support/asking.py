"""Write a page with the exercises of some chapters, and answer them in a browser by keyboard alone."""

import itertools
import json
from contextlib import contextmanager

import markdown_it
from pictures import opened

from vaelib.exercises.questions import exercise_data, questions_of, script, style, text_of

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Exercises</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="exercise.css">
<main><h1>Exercises</h1>{places}</main>
<script src="exercise.js"></script>
"""


def _place(kind, chapter=None):
    data = exercise_data(kind, chapter)
    content = json.dumps(data).replace("<", "\\u003c")
    return (
        f'<div data-exercise="{kind}"><script type="application/json">{content}</script>'
        f"{markdown_it.MarkdownIt().render(text_of(data))}</div>"
    )


def write_exercises(folder, *chapters):
    """Write NN.html for each chapter, with the picture of the reader's intuition at its end."""
    (folder / "exercise.js").write_text(script("page"))
    (folder / "exercise.css").write_text(style())
    for chapter in chapters:
        places = _place("predict", chapter), _place("ask", chapter), _place("intuition")
        (folder / f"{chapter}.html").write_text(PAGE.format(places="\n".join(places)))


@contextmanager
def asked(browser, address, **options):
    """Open a page with exercises; yield it when they are there."""
    with opened(browser, address, **options) as seen:
        seen.page.locator("[data-exercise][data-state=ready]").first.wait_for()
        yield seen


def form_of(page, question):
    """Return the form of a question: its field is found by the question's own words, as a screen reader finds it."""
    words = question["question"].replace("`", "")
    field = page.get_by_label(words) if question["type"] == "numeric" else page.get_by_role("group", name=words)
    return page.locator("form.vaelib-question").filter(has=field)


def reply_of(form):
    return form.get_by_role("status").inner_text()


def give(form, question, said):
    """Give an answer, and press the button, by keyboard alone."""
    page = form.page
    if question["type"] == "numeric":
        field = form.get_by_role("textbox")
        field.focus()
        page.keyboard.press("Control+a")
        page.keyboard.type(said)
        page.keyboard.press("Enter")
        return
    options = [answer["answer"] for answer in question["answers"]]
    radios = form.get_by_role("radio")
    radios.nth(options.index(said)).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def answer_in_every_way(page, question):
    """Give a question each answer that is foreseen for it, and see that each is told its own reason."""
    form = form_of(page, question)
    for said, answer in zip(all_answers(question), question["answers"], strict=True):
        give(form, question, said)
        reason = answer["feedback"].replace("`", "")
        if "predict" in question:
            assert question["predict"]["section"] in reply_of(form)
            assert reason not in reply_of(form)
            form.get_by_role("button").press("Enter")
        assert reason in reply_of(form)
        assert form.get_attribute("data-state") == ("right" if answer["correct"] else "wrong")
        if "predict" in question:
            exercise = page.locator(".vaelib-exercise").filter(has=form)
            exercise.get_by_role("button", name="Start over").press("Enter")


def all_answers(question):
    """Return something that a reader could say for each foreseen answer of a question, in their order."""
    if question["type"] == "multiple_choice":
        return [answer["answer"] for answer in question["answers"]]
    ranges = [answer["range"] for answer in question["answers"] if answer["type"] == "range"]
    inside = [_first_in(low, high, ranges[:i]) for i, (low, high) in enumerate(ranges)]
    ends = sorted({end for pair in ranges for end in pair} | {0})
    # Between two ranges, or beyond the last.
    candidates = [(low + high) / 2 for low, high in itertools.pairwise(ends)] + [2 * ends[-1] + 1, -1]
    outside = [value for value in candidates if not any(low <= value <= high for low, high in ranges)]
    return [f"{value:.6g}" for value in [*inside, outside[0]]]


def _first_in(low, high, before):
    steps = (low + (high - low) * share for share in (0.5, 0.25, 0.75, 0, 1))
    return next(value for value in steps if not any(a <= value <= b for a, b in before))


__all__ = [
    "all_answers",
    "answer_in_every_way",
    "asked",
    "form_of",
    "give",
    "questions_of",
    "reply_of",
    "write_exercises",
]
