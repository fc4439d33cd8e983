"""Say what an exercise in code is made of, and compare a reader's numbers with what is expected."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Function", "Task", "close", "collected"]

Function = Callable[..., Any]


class Task(NamedTuple):
    """Hold what an exercise in code is checked by."""

    hold: Callable[[Function], None]
    """Raises an AssertionError if the function is not right."""
    probe: Callable[[Function], Any]
    """Returns numbers of the function that tell the mistakes apart."""
    mistakes: tuple[tuple[str, Function], ...]
    """A hint, and a function that makes the mistake."""
    reason: str
    """What is said when it is right."""
    rtol: float = 1e-4


def close(name: str, got: Any, expected: np.ndarray, rtol: float, atol: float = 0.0) -> None:
    """Compare numbers of a reader's function with what is expected.

    Raises:
        AssertionError: if the shape is another one, or a number is; the message says what was expected and what came.
    """
    got = np.asarray(got, "float64")
    if got.shape != expected.shape:
        raise AssertionError(f"The {name} should have the shape {expected.shape}, got {got.shape}.")
    if not np.allclose(got, expected, rtol=rtol, atol=atol):
        raise AssertionError(f"The {name} should be {expected.ravel()[:3].round(4)}, got {got.ravel()[:3].round(4)}.")


def collected(found: list[Any]) -> Any:
    """Return what several calls of a reader's function return, or the first that is not written yet."""
    unwritten = [each for each in found if each is None or each is Ellipsis]
    return unwritten[0] if unwritten else np.array([np.asarray(each, "float64") for each in found])
