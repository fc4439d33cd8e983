"""Set a reader's numbers beside those that other seeds of the same run ended with."""

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy import stats

from ..training.fit import bound_of
from .spec import RunSpec
from .store import RunResult, load_run

__all__ = ["causes", "compared", "prediction_interval", "you_should_see"]

# Look for results of these seeds.
_SEEDS = range(1, 21)
# Compare with at least so many.
_FEWEST = 3
_SHARE = 0.99
_HEADER = "| {what} | yours | {count} other seeds | 99 of 100 seeds | yours is |\n|---|---|---|---|---|\n"
_UNSEEN = (
    "another number of training images, or other images: look at what `digits.source` says",
    "another optimizer, learning rate, batch size or order of the images",
    "bad luck, which one new seed in a hundred has: train another",
)
# Call a β another one if it differs by more than rounding.
_SAME = 1e-3


def you_should_see(
    history: Mapping[str, Sequence[float]], spec: RunSpec, folder: str | os.PathLike[str] | None = None
) -> str:
    """Return a table in Markdown: what a training ended with, beside kept runs of the same spec and other seeds.

    Args:
        history: of the training, with validation: `Run.history` or `RunResult.history`.
        spec: the `RunSpec` that the training follows; its seed is the one that is not compared with.
        folder: where kept runs are looked for, as in `load_run`.

    Returns:
        One line for −ELBO, one for the distortion and one for the rate, in nats per image. Where a number of yours is
        off, the likely causes follow, those first that can be told from the history. Where fewer than three other seeds
        were kept, a sentence that says so.

    Raises:
        ValueError: if the history has no validation.

    Used in chapters 02, 03, 04, 05, 06 and 07.
    """
    kept = [load_run(dataclasses.replace(spec, seed=seed), folder) for seed in _SEEDS if seed != spec.seed]
    others = [result for result in kept if result is not None]
    yours = _ends(history)
    if len(others) < _FEWEST:
        return (
            f"The book keeps {len(others)} other seeds of this run, too few to say how far runs lie apart: "
            "it has them at full scale, with the parameters as they came."
        )
    ends = [_ends(other.history) for other in others]
    table, is_off = compared(yours, {name: [end[name] for end in ends] for name in yours}, "last epoch, test images")
    return table + (causes(_seen(history, spec, others)) if is_off else "")


def compared(yours: Mapping[str, float], others: Mapping[str, Sequence[float]], what: str) -> tuple[str, bool]:
    """Return a table of numbers beside those of other seeds, and whether one is farther off than a new seed would be.

    Args:
        yours: a number by its name.
        others: by the same names, the number of each other seed.
        what: the heading of the names.
    """
    rows, is_off = [], False
    for name, value in yours.items():
        low, high = prediction_interval(others[name], _SHARE)
        # What never was below zero, such as a rate, cannot be, though an interval may.
        low = max(low, 0.0) if min(others[name]) >= 0 else low
        n = 2 if name.endswith("nats") or np.max(np.abs(others[name])) >= 1 else 3  # decimals
        # Judge what is shown: 0.001 nats more than 0.00 ± 0.00 is no difference.
        within = round(low, n) <= round(value, n) <= round(high, n)
        is_off |= not within
        spread = f"{np.mean(others[name]):.{n}f} ± {np.std(others[name], ddof=1):.{n}f}"
        verdict = "within" if within else "**off**"
        rows.append(f"| {name} | {value:.{n}f} | {spread} | from {low:.{n}f} to {high:.{n}f} | {verdict} |")
    count = len(next(iter(others.values())))
    return _HEADER.format(what=what, count=count) + "\n".join(rows), is_off


def prediction_interval(values: Iterable[float], share: float = _SHARE) -> tuple[float, float]:
    """Return the ends between which one more value lies with a probability, for values from one normal distribution.

    That is mean ± t · s · √(1 + 1/n), with Student's t of n − 1 degrees of freedom (Hahn & Meeker 1991, section 4.2).

    Args:
        values: at least two numbers.
        share: the probability.

    Raises:
        ValueError: if there are fewer than two values.

    >>> prediction_interval([1.0, 2.0, 3.0], share=0.5)
    (1.057..., 2.942...)
    """
    numbers = np.array([*values], dtype="float64")
    if len(numbers) < 2:
        raise ValueError(f"prediction_interval expects two values or more, got {len(numbers)}.")
    spread = numbers.std(ddof=1) * np.sqrt(1 + 1 / len(numbers))
    low, high = stats.t.interval(share, len(numbers) - 1, loc=numbers.mean(), scale=spread)
    return float(low), float(high)


def _ends(history: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the numbers of the last epoch that are compared, by name."""
    bound = bound_of(history)
    ends = {"−ELBO": float(bound[-1]), "distortion": history["val_distortion"][-1], "rate": history["val_rate"][-1]}
    return {f"{name}, nats": value for name, value in ends.items()}


def _seen(history: Mapping[str, Sequence[float]], spec: RunSpec, others: Sequence[RunResult]) -> list[str]:
    """Return the causes of a number that is off which can be seen in the history."""
    seen = []
    num_epochs = len(history["val_rate"])
    if num_epochs != spec.num_epochs:
        seen.append(f"yours has {num_epochs} epochs, and these have {spec.num_epochs}")
    betas = history.get("beta", others[0].history["beta"])[-1], others[0].history["beta"][-1]
    if abs(betas[0] - betas[1]) > _SAME * max(betas):
        seen.append(f"yours ends at β = {betas[0]:.3g}, and these at {betas[1]:.3g}")
    return seen


def causes(seen: Sequence[str] = ()) -> str:
    """Return three likely causes of a number that is off, as a list in Markdown; those that can be seen come first."""
    lines = [*(f"{cause} (this is so)" for cause in seen), *_UNSEEN]
    return "\n\nThe usual causes:\n\n" + "\n".join(
        f"{number}. {line}" for number, line in enumerate(lines[:3], start=1)
    )
