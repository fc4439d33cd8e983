"""Hold what is asked: one file of JSON for each chapter, in the format of jupyterquiz with a few words more.

A question has an `id` that begins with its chapter, a `type`, "numeric" or "multiple_choice", a text, and `answers`,
each with its `feedback`. A number has a `unit`, and its answers are ranges, the first that fits counts, and at last a
"default". A question with `predict` is asked at the head of its chapter: the `section` where the answer is printed, the
id of the `cell` that prints it, and the number itself as `value`, or the numbers that decide under `prints`. `short`
names it in the picture of the reader's intuition. `numbers` says where other numbers of its text are from, as in the
metadata of the chapters' text.
"""

import json
import re
from pathlib import Path
from typing import Any

__all__ = ["CALL", "KINDS", "chapters", "exercise_data", "questions_of", "script", "style", "text_of"]

_HERE = Path(__file__).parent
_LIVE = _HERE.parent / "live/web"
# Join them in this order: each uses only what is above it.
_PARTS = ("memory", "judge", "question", "intuition", "exercise")
_HOSTS = ("page", "widget")

KINDS = {
    "predict": (
        "Predict before you read on.",
        "A guess is welcome. It is kept in this browser and nowhere else, to be compared with what comes out.",
    ),
    "ask": ("Choose, and be told why.", "A wrong answer gets a hint; try again as often as you like."),
    "intuition": (
        "What you predicted, over what came out.",
        "Every dot is a number that you predicted, marked with its chapter. On the thick line you were right.",
    ),
}
"""The title of each kind of exercise, and a sentence about it."""
CALL = re.compile(r'vaelib\.exercises\.(predict|ask|intuition)\((?:"(\d\d)")?\)')
"""What the cell of a chapter says that shows an exercise: its kind, and the chapter's number."""
_WITHOUT_SCRIPT = (
    "You can answer where there are widgets, as in JupyterLab and Colab, and on the book's page with scripts."
)


def chapters() -> list[str]:
    """Return the numbers of the chapters with questions, such as "03"."""
    return sorted(path.stem for path in (_HERE / "chapters").glob("*.json"))


def questions_of(chapter: str) -> list[dict[str, Any]]:
    """Return the questions of a chapter, in the order of its file.

    Raises:
        ValueError: if there is no such chapter.
    """
    if chapter not in chapters():
        raise ValueError(f"A chapter with questions is expected, one of {', '.join(chapters())}, got {chapter!r}.")
    return json.loads((_HERE / f"chapters/{chapter}.json").read_text(encoding="utf-8"))


def exercise_data(kind: str, chapter: str | None = None) -> dict[str, Any]:
    """Return what the browser needs to show an exercise.

    Args:
        kind: "predict", "ask" or "intuition".
        chapter: its number, such as "03"; not for "intuition", which is about all.

    Raises:
        ValueError: if there is no such kind or chapter.
    """
    if kind not in KINDS:
        raise ValueError(f"One of {', '.join(KINDS)} is expected, got {kind!r}.")
    title, note = KINDS[kind]
    asked = [
        {**{name: value for name, value in question.items() if name != "numbers"}, "chapter": number}
        for number in (chapters() if kind == "intuition" else [str(chapter)])
        for question in questions_of(number)
        if ("predict" in question) == (kind != "ask")
    ]
    return {"kind": kind, "title": title, "note": note, "questions": asked}


def text_of(data: dict[str, Any]) -> str:
    """Return an exercise as Markdown, for whoever has neither widgets nor scripts."""
    lines = [f"**{data['title']}** {_WITHOUT_SCRIPT}"]
    if data["kind"] != "intuition":
        lines += [_listed(question) for question in data["questions"]]
    return "\n\n".join(lines)


def _listed(question: dict[str, Any]) -> str:
    if question["type"] == "numeric":
        return f"- {question['question']} (in {question['unit']})"
    options = "\n".join(f"  - {answer['answer']}" for answer in question["answers"])
    return f"- {question['question']}\n{options}"


def script(host: str) -> str:
    """Return the JavaScript of the exercises for a host, "page" or "widget", as one text.

    Raises:
        ValueError: if host is neither.
    """
    if host not in _HOSTS:
        raise ValueError(f'host must be "page" or "widget", got {host!r}.')
    files = [_LIVE / "dom.js", *(_HERE / f"web/{part}.js" for part in (*_PARTS, host))]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return (
        f"{text}\nexport default {{ render }};\n" if host == "widget" else f'(() => {{\n"use strict";\n{text}\n}})();\n'
    )


def style() -> str:
    """Return the CSS of the exercises, with that of the live pictures which they share."""
    files = (_LIVE / "live.css", _HERE / "web/exercise.css")
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
