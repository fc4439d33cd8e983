"""Check the code that readers complete: the answers of the chapters pass, and every mistake gets its own hint."""

import re
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest
from keras import ops
from scipy.special import logsumexp

from vaelib import exercises
from vaelib.exercises.mistakes import TASKS
from vaelib.exercises.tasks import judge

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
NAMES = {"keras": keras, "np": np, "ops": ops, "logsumexp": logsumexp}
MISTAKES = [(name, hint, wrong) for name, task in TASKS.items() for hint, wrong in task.mistakes]

each_task = pytest.mark.parametrize("name", TASKS)


def cells_of(name):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(name[:3].replace("-", "_")))
    return nbformat.read(path, as_version=4).cells


def defined_by(code):
    """Return the one function that a piece of code defines."""
    names = dict(NAMES)
    exec(code, names)  # noqa: S102
    (function,) = (thing for key, thing in names.items() if key not in NAMES and callable(thing))
    return function


def skeleton_of(name):
    """Return the cell with the exercise, and its code without the last line, which checks it."""
    (cell,) = (cell for cell in cells_of(name) if f'vaelib.exercises.check("{name}"' in cell.source)
    return cell, cell.source.rpartition("vaelib.exercises.check")[0]


def answer_of(name):
    """Return the code of the folded answer that follows."""
    cells = cells_of(name)
    cell, _ = skeleton_of(name)
    after = "\n".join(each.source for each in cells[cells.index(cell) + 1 :] if each.cell_type == "markdown")
    return re.search(r"<details><summary>Answer</summary>\n\n```python\n(.*?)\n```", after, re.DOTALL)[1]


@each_task
def test_the_answer_of_the_chapter_passes(name):
    passed, text = judge(name, defined_by(answer_of(name)))
    assert passed, text
    assert text == f"Right. {TASKS[name].reason}"


@each_task
def test_the_answer_completes_the_code_of_the_chapter(name):
    _, skeleton = skeleton_of(name)
    # What the reader finds stands in the answer too, except for the dots and the comments.
    code = [re.sub(r"\s*#.*", "", line) for line in skeleton.splitlines()]
    given = [line.partition("...")[0].rstrip() for line in code if line.strip()]
    answer = answer_of(name).splitlines()
    assert [line for line, found in zip(given, answer, strict=True) if not found.startswith(line)] == []
    assert skeleton.count("...") >= 2


@each_task
def test_what_is_not_written_yet_is_said_to_be(name, capsys):
    cell, skeleton = skeleton_of(name)
    exercises.check(name, defined_by(skeleton))
    assert capsys.readouterr().out == cell.outputs[0].text
    assert "Not written yet" in cell.outputs[0].text
    assert judge(name, lambda *_: None).text == judge(name, lambda *_: ...).text
    assert "exercise" in cell.metadata.tags


@pytest.mark.parametrize(
    ("name", "hint", "wrong"), MISTAKES, ids=[f"{name}: {hint[:30]}" for name, hint, _ in MISTAKES]
)
def test_every_mistake_gets_its_own_hint(name, hint, wrong):
    assert judge(name, wrong) == (False, f"Not yet. {hint}")


def test_no_hint_is_given_twice():
    hints = [hint for _, hint, _ in MISTAKES]
    assert len(set(hints)) == len(hints)


@each_task
def test_a_mistake_that_nobody_foresaw_is_refused_too(name):
    right = defined_by(answer_of(name))
    if name == "06-inside":
        passed, text = judge(name, lambda z, *rest: right(z[:10], *rest))
    else:
        passed, text = judge(name, lambda *args: 1.37 * np.array(right(*args)))
    assert not passed
    assert re.match(r"Not yet\. The .* should ", text)
    assert "got" in text


def test_a_half_finished_function_is_no_error():
    def half(z_mean, z_log_var):
        return z_mean + ... * z_log_var

    assert judge("03-sample", half).text == "Not finished: there is still a `...` among your lines."


def test_an_error_of_the_readers_is_shown_and_raises_nothing():
    def broken(z_mean, z_log_var):
        return ops.sum(z_means)  # noqa: F821

    assert judge("02-kl", broken).text.startswith("It stops with NameError: name 'z_means' is not defined")


def test_a_warning_of_numpys_stays_out_of_the_notebook(recwarn):
    assert not judge("09-bound", lambda log_p, log_q: np.log(np.exp(log_p - log_q).mean(axis=1))).passed
    assert len(recwarn) == 0


@pytest.mark.parametrize(
    ("name", "function", "message"),
    [
        ("02-kI", len, "One of 01-distortion, 02-kl, .* is expected, got '02-kI'"),
        ("02-kl", np.ones(3), "A function is expected, got array"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(name, function, message):
    with pytest.raises(ValueError, match=message):
        exercises.check(name, function)
