"""Check code that a reader completes: by a property, and where it fails, by the mistakes that one makes there.

A mistake is recognised by its numbers: a function that makes it returns the same as the reader's.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from .mistakes import TASKS, Task

__all__ = ["Verdict", "check", "judge"]


class Verdict(NamedTuple):
    """Hold what is said about a reader's function."""

    passed: bool
    text: str


def check(task: str, function: Callable[..., Any]) -> None:
    """Say whether a function that the reader has completed is right, and where it is not, give a hint.

    Args:
        task: the name of an exercise, such as "02-kl".
        function: what the exercise asks for, on NumPy arrays or on tensors.

    Raises:
        ValueError: if there is no such exercise, or what came is no function.
    """
    print(judge(task, function).text)


def judge(task: str, function: Callable[..., Any]) -> Verdict:
    """Return what `check` prints, and whether the function is right.

    Raises:
        ValueError: as `check`.
    """
    if task not in TASKS:
        raise ValueError(f"One of {', '.join(TASKS)} is expected, got {task!r}.")
    if not callable(function):
        raise ValueError(f"A function is expected, got {function!r}: pass its name without brackets.")
    # Let NumPy be silent about infinities: the reader is told in words.
    with np.errstate(all="ignore"):
        return _judged(TASKS[task], function)


def _judged(known: Task, function: Callable[..., Any]) -> Verdict:
    try:
        values = _numbers(known.probe(function))
    except _NotWrittenError:
        return Verdict(False, "Not written yet: there is still a `...` to replace.")
    except Exception as error:
        if "ellipsis" in str(error).lower():
            return Verdict(False, "Not finished: there is still a `...` among your lines.")
        return Verdict(False, f"It stops with {type(error).__name__}: {error}")
    complaint = _complaint(known, function)
    if complaint is None:
        return Verdict(True, f"Right. {known.reason}")
    return Verdict(False, f"Not yet. {_hint(known, values) or complaint}")


class _NotWrittenError(Exception):
    """Tell that a function returns nothing, or `...`."""


def _numbers(values: Any) -> np.ndarray:
    if values is None or values is Ellipsis:
        raise _NotWrittenError
    return np.asarray(ops.convert_to_numpy(values), "float64")


def _complaint(task: Task, function: Callable[..., Any]) -> str | None:
    try:
        task.hold(function)
    except AssertionError as error:
        return str(error)
    return None


def _hint(task: Task, values: np.ndarray) -> str | None:
    for hint, wrong in task.mistakes:
        likely = _numbers(task.probe(wrong))
        if likely.shape == values.shape and np.allclose(values, likely, rtol=task.rtol, atol=task.rtol, equal_nan=True):
            return hint
    return None
