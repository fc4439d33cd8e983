"""Hold the exercises in code of chapters 10 to 14: the property of a right function, and the mistakes that one makes.

A hint leads to the mistake and never states the solution.
"""

from typing import Any

import numpy as np
from scipy.ndimage import center_of_mass
from scipy.stats import norm, sem, t

from .task import Function, Task, close, collected

__all__ = ["TASKS"]

# Chapter 10: the centre of mass by which a drawing is put in the middle. Ink that is heavier at one side.
_INK = np.outer([0, 0.1, 0.9, 0.4, 0, 0.2], [0, 0.3, 0.8, 1, 0.7, 0, 0.1, 0])


def _hold_centre(centre: Function) -> None:
    close("centre of mass, row and column,", centre(_INK), np.array(center_of_mass(_INK)), 1e-4)


def _places(image: np.ndarray) -> np.ndarray:
    return np.indices(image.shape)


_CENTRE = Task(
    hold=_hold_centre,
    probe=lambda centre: centre(_INK),
    mistakes=(
        (
            "Row and column are the wrong way round.",
            lambda image: (_places(image) * image).sum(axis=(1, 2))[::-1] / image.sum(),
        ),
        (
            "You add up the places and do not average them: more ink would push the centre out of the picture.",
            lambda image: (_places(image) * image).sum(axis=(1, 2)),
        ),
        (
            "You divide by the number of pixels. Most of them have no ink, and no weight.",
            lambda image: (_places(image) * image).mean(axis=(1, 2)),
        ),
        (
            "Every pixel with ink counts the same in yours. A grey one weighs less than a white one.",
            lambda image: (_places(image) * (image > 0)).sum(axis=(1, 2)) / (image > 0).sum(),
        ),
        (
            "This is the brightest pixel. Where is the balance of them all?",
            lambda image: np.array(np.unravel_index(image.argmax(), image.shape)),
        ),
        (
            "This is the middle of the picture, wherever the ink is.",
            lambda image: (np.array(image.shape) - 1) / 2,
        ),
        (
            "You count rows and columns from 1. `np.indices` begins at 0.",
            lambda image: ((_places(image) + 1) * image).sum(axis=(1, 2)) / image.sum(),
        ),
    ),
    reason="MNIST's digits were placed by it, so a drawing must be, before a network of MNIST sees it.",
)

# Chapter 11: pixels drawn anew. Six levels of grey, two of them alike, tell the mistakes apart.
_LEVELS = np.array([0, 0.1, 0.35, 0.35, 0.65, 1])
_GREY_ROWS = np.tile(_LEVELS, (20_000, 1))


def _statistics(draw: Function) -> Any:
    """Return the mean of each level, the covariance of the two that are alike, and the share of grey pixels."""
    drawn = draw(_GREY_ROWS, np.random.default_rng(14))
    if drawn is None or drawn is Ellipsis:
        return drawn
    drawn = np.asarray(drawn, "float64")
    if drawn.shape != _GREY_ROWS.shape:
        return drawn
    together = np.cov(drawn[:, 2], drawn[:, 3])[0, 1]
    return np.array([*drawn.mean(axis=0), together, np.mean((drawn != 0) & (drawn != 1))])


def _hold_draw(draw: Function) -> None:
    name = f"share of ones at the greys {_LEVELS}, with a covariance and a share of grey pixels,"
    close(name, _statistics(draw), np.array([*_LEVELS, 0, 0]), 0, atol=0.03)


_DRAW = Task(
    hold=_hold_draw,
    probe=_statistics,
    mistakes=(
        (
            "This is a threshold: a grey pixel is always the same. How often should one of brightness 0.35 be white?",
            lambda x, rng: x > 0.5,
        ),
        (
            "Dark pixels are white more often than bright ones. Which way round is the comparison?",
            lambda x, rng: rng.random(x.shape) > x,
        ),
        (
            "The pixels of an image go up and down together. How many numbers must be drawn for an image?",
            lambda x, rng: rng.random((len(x), 1)) < x,
        ),
        ("You return grey pixels. A draw is 0 or 1.", lambda x, rng: x),
        (
            "You toss a fair coin for each pixel, whatever its brightness.",
            lambda x, rng: rng.integers(2, size=x.shape),
        ),
        (
            "Your noise is normal. Which random number lies below x with the probability x?",
            lambda x, rng: rng.standard_normal(x.shape) < x,
        ),
    ),
    reason="Every epoch sees other pixels, so a network cannot learn the draws by heart.",
    rtol=0.05,
)

# Chapter 12: where one more seed ends. Five results, and the quantile of Student's t for 99 of 100 cases.
_RESULTS, _QUANTILE = np.array([154.2, 155.1, 153.8, 156.0, 154.9]), float(t.ppf(0.995, 4))


def _around(half: float) -> np.ndarray:
    return _RESULTS.mean() + np.array([-half, half])


def _hold_interval(interval: Function) -> None:
    # The difference of a new value and the mean of n has the variances of both.
    half = _QUANTILE * np.hypot(_RESULTS.std(ddof=1), sem(_RESULTS))
    close("interval", interval(_RESULTS, _QUANTILE), _around(half), 1e-5)


_INTERVAL = Task(
    hold=_hold_interval,
    probe=lambda interval: interval(_RESULTS, _QUANTILE),
    mistakes=(
        (
            "This is where the mean of all seeds lies. Where does a single one end?",
            lambda values, quantile: _around(quantile * sem(values)),
        ),
        (
            "You take the mean of the five for the true one, but it has been estimated, and has an error too.",
            lambda values, quantile: _around(quantile * values.std(ddof=1)),
        ),
        (
            "Your standard deviation is of these five alone. What stands below the sum when the mean is estimated?",
            lambda values, quantile: _around(quantile * values.std() * np.sqrt(1 + 1 / len(values))),
        ),
        (
            "The quantile is missing: one standard deviation holds about two of three seeds.",
            lambda values, quantile: _around(values.std(ddof=1) * np.sqrt(1 + 1 / len(values))),
        ),
        (
            "These are the smallest and the largest of the five. More than one seed in a hundred ends outside of them.",
            lambda values, quantile: np.array([values.min(), values.max()]),
        ),
        (
            "This is the half width. Around which number?",
            lambda values, quantile: quantile * values.std(ddof=1) * np.sqrt(1 + 1 / len(values)),
        ),
    ),
    reason="The book's “You should see” is this interval: two numbers, fixed before your run.",
    rtol=1e-5,
)

# Chapter 13: a test that the KLs of independent dimensions add up. Six programs, of which three pass.
_POSTERIORS = np.random.default_rng(15).normal(size=(2, 16, 3))


def _kl_terms(m: np.ndarray, v: np.ndarray) -> np.ndarray:
    return 0.5 * (m**2 + np.exp(v) - 1 - v)


def _rounded_kl(m: np.ndarray, v: np.ndarray) -> np.ndarray:
    m, v = m.astype("float32"), v.astype("float32")
    return 0.5 * ((m**2).sum(axis=1) + np.exp(v).sum(axis=1) - m.shape[1] - v.sum(axis=1))


_PROGRAMS: dict[str, tuple[bool, Function]] = {
    "right": (True, lambda m, v: _kl_terms(m, v).sum(axis=1)),
    "right, in single precision": (True, _rounded_kl),
    "twice the KL": (True, lambda m, v: 2 * _kl_terms(m, v).sum(axis=1)),
    "a mean over dimensions": (False, lambda m, v: _kl_terms(m, v).mean(axis=1)),
    "the largest dimension": (False, lambda m, v: _kl_terms(m, v).max(axis=1)),
    "a constant more": (False, lambda m, v: _kl_terms(m, v).sum(axis=1) + 1),
}


def _verdicts(adds_up: Function) -> Any:
    return collected([adds_up(kl, *_POSTERIORS) for _, kl in _PROGRAMS.values()])


def _hold_adds_up(adds_up: Function) -> None:
    name = f"verdicts of your test on {', '.join(_PROGRAMS)}"
    close(name, _verdicts(adds_up), np.array([float(passes) for passes, _ in _PROGRAMS.values()]), 0)


def _parts(kl: Function, m: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.array([kl(m[:, [i]], v[:, [i]]) for i in range(m.shape[1])])


_ADDS_UP = Task(
    hold=_hold_adds_up,
    probe=_verdicts,
    mistakes=(
        (
            "Every program passes, also one that averages over the dimensions. See it fail once, then trust it.",
            lambda kl, m, v: bool(np.all(kl(m, v) >= 0)),
        ),
        (
            "No program passes, not even a right one. What do you compare with what?",
            lambda kl, m, v: np.array_equal(kl(m, v), kl(2 * m, v)),
        ),
        (
            "A right program in single precision fails: it rounds. How equal is equal?",
            lambda kl, m, v: np.array_equal(kl(m, v), _parts(kl, m, v).sum(axis=0)),
        ),
        (
            "The mean over dimensions passes and the right program fails: what should the parts do together?",
            lambda kl, m, v: np.allclose(kl(m, v), _parts(kl, m, v).mean(axis=0)),
        ),
        (
            "Your verdict is upside down: True is for a program that passes.",
            lambda kl, m, v: not np.allclose(kl(m, v), _parts(kl, m, v).sum(axis=0)),
        ),
        (
            "You return an answer for each image. A program passes with all of them, or it fails.",
            lambda kl, m, v: np.isclose(kl(m, v), _parts(kl, m, v).sum(axis=0)),
        ),
    ),
    reason="It needs no closed form. But a KL counted twice adds up as well: one property is not all of them.",
)

# Chapter 14: Gaussian pixels with the optimal variance. Errors that differ from image to image.
_X_MEAN = np.random.default_rng(16).random((5, 8))
_COLOUR = _X_MEAN + np.linspace(0.1, 0.5, 5)[:, None] * np.random.default_rng(17).standard_normal((5, 8))


def _density(x: np.ndarray, x_mean: np.ndarray, variance: Any) -> np.ndarray:
    return 0.5 * (np.log(2 * np.pi * variance) + (x - x_mean) ** 2 / variance).sum(axis=1)


def _mean_square(x: np.ndarray, x_mean: np.ndarray) -> float:
    return float(np.mean((x - x_mean) ** 2))


def _hold_gaussian(distortion: Function) -> None:
    std = norm.fit(_COLOUR - _X_MEAN, floc=0)[1]
    close("distortion", distortion(_COLOUR, _X_MEAN), -norm.logpdf(_COLOUR, _X_MEAN, std).sum(axis=1), 1e-4)


_GAUSSIAN = Task(
    hold=_hold_gaussian,
    probe=lambda distortion: distortion(_COLOUR, _X_MEAN),
    mistakes=(
        (
            "You put the root of the mean squared error where the variance belongs.",
            lambda x, mean: _density(x, mean, np.sqrt(_mean_square(x, mean))),
        ),
        (
            "Each image has a variance of its own in yours. How many variances has this likelihood?",
            lambda x, mean: _density(x, mean, np.mean((x - mean) ** 2, axis=1, keepdims=True)),
        ),
        (
            "The logarithm of the variance is missing: a wide Gaussian would fit everything, and cost nothing.",
            lambda x, mean: ((x - mean) ** 2).sum(axis=1) / (2 * _mean_square(x, mean)),
        ),
        (
            "The 2π is missing. Without it your nats cannot be compared with those of another density.",
            lambda x, mean: _density(x, mean, _mean_square(x, mean)) - x.shape[1] * 0.5 * np.log(2 * np.pi),
        ),
        (
            "Your average over pixels hides how large the image is. Which sum is the density of a whole image?",
            lambda x, mean: _density(x, mean, _mean_square(x, mean)) / x.shape[1],
        ),
        (
            "Your variance is that of the images. Which distances does a pixel's noise describe?",
            lambda x, mean: _density(x, mean, x.var()),
        ),
        (
            "Yours is negative where it should be positive: the distortion is minus a logarithm.",
            lambda x, mean: -_density(x, mean, _mean_square(x, mean)),
        ),
    ),
    reason="The variance follows from the errors, so there is no number to choose.",
)

TASKS = {
    "10-centre": _CENTRE,
    "11-draw": _DRAW,
    "12-interval": _INTERVAL,
    "13-adds-up": _ADDS_UP,
    "14-gaussian": _GAUSSIAN,
}
"""The exercises in code, by their names."""
