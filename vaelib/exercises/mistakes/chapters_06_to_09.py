"""Hold the exercises in code of chapters 6 to 9: the property of a right function, and the mistakes that one makes.

A hint leads to the mistake and never states the solution.
"""

from typing import Any

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from ...theory import collapse_threshold
from .task import Function, Task, close

__all__ = ["TASKS"]

# Chapter 6: what lies inside of an ellipse. Draws around the ellipse tell the mistakes apart.
_AT, _AXES = np.array([1.0, -2.0]), np.array([0.4, 2.5])
_POINTS = _AT + 1.5 * _AXES * np.random.default_rng(7).standard_normal((500, 2))


def _hold_inside(inside: Function) -> None:
    expected = (((_POINTS - _AT) / _AXES) ** 2).sum(axis=1) <= 1
    close("answers for 500 points", _answers(inside), expected.astype("float64"), 0)


def _answers(inside: Function) -> Any:
    found = inside(_POINTS, _AT, _AXES)
    return found if found is None or found is Ellipsis else np.asarray(found, "float64")


_INSIDE = Task(
    hold=_hold_inside,
    probe=_answers,
    mistakes=(
        (
            "You test each axis by itself: that is a rectangle, and its corners lie outside of the ellipse.",
            lambda z, mean, std: (np.abs(z - mean) <= std).all(axis=1),
        ),
        (
            "This is a circle of radius 1, whatever the widths. In which unit is a distance measured along each axis?",
            lambda z, mean, std: ((z - mean) ** 2).sum(axis=1) <= 1,
        ),
        (
            "The distance is squared and the width is not: they are in different units.",
            lambda z, mean, std: ((z - mean) ** 2 / std).sum(axis=1) <= 1,
        ),
        (
            "The ellipse stands at the origin. Where does this posterior lie?",
            lambda z, mean, std: ((z / std) ** 2).sum(axis=1) <= 1,
        ),
        (
            "You return an answer for each axis. A point is inside or not, by both together.",
            lambda z, mean, std: ((z - mean) / std) ** 2 <= 1,
        ),
        (
            "These are the points outside of the ellipse.",
            lambda z, mean, std: (((z - mean) / std) ** 2).sum(axis=1) > 1,
        ),
    ),
    reason="Of draws from the posterior itself only 39 % lie inside, and not the 68 % of one dimension.",
)

# Chapter 7: the second moment of the cloud of posteriors, for each latent dimension.
_CLOUD_MEAN, _CLOUD_LOG_VAR = np.random.default_rng(13).normal(size=(2, 40, 3)) + 0.5


def _hold_moment(moment: Function) -> None:
    squares = norm(_CLOUD_MEAN, np.exp(_CLOUD_LOG_VAR / 2)).moment(2)
    close("second moment of each dimension", moment(_CLOUD_MEAN, _CLOUD_LOG_VAR), squares.mean(axis=0), 1e-4)


_MOMENT = Task(
    hold=_hold_moment,
    probe=lambda moment: moment(_CLOUD_MEAN, _CLOUD_LOG_VAR),
    mistakes=(
        (
            "You add a standard deviation to a square. What is the expectation of z² under one posterior?",
            lambda m, v: (m**2 + np.exp(v / 2)).mean(axis=0),
        ),
        (
            "You add the logarithm of the variance, which may be negative.",
            lambda m, v: (m**2 + v).mean(axis=0),
        ),
        (
            "You subtract the mean of the cloud: that is its variance. Around which point does the prior's moment go?",
            lambda m, v: m.var(axis=0) + np.exp(v).mean(axis=0),
        ),
        (
            "You take the centres alone. A posterior is a cloud itself, and has a width.",
            lambda m, v: (m**2).mean(axis=0),
        ),
        (
            "You average over the dimensions too. Each of them is in balance, or not, by itself.",
            lambda m, v: (m**2 + np.exp(v)).mean(),
        ),
        (
            "You return numbers for each image. The cloud is made of all images together.",
            lambda m, v: m**2 + np.exp(v),
        ),
        (
            "You average over the dimensions, and keep the images apart. It is the other way round.",
            lambda m, v: (m**2 + np.exp(v)).mean(axis=1),
        ),
    ),
    reason="At a minimum it is 1 in every dimension, as for the prior, and a measurement says how far away you are.",
)

# Chapter 8: the critical weight. Grey images, with a pixel that is always 0.
_GREY = np.random.default_rng(8).random((400, 1)) * np.linspace(0.1, 0.9, 8) + 0.1 * np.random.default_rng(9).random(
    (400, 8)
)
_GREY[:, 3] = 0.0


def _hold_critical(critical: Function) -> None:
    expected = np.asarray(collapse_threshold(_GREY.reshape(400, 2, 4, 1))[:1])
    # Divide by the number of images or by one less, as you like.
    close("critical weight", np.reshape(critical(_GREY), -1), expected, 0.01)


def _whitened(x: np.ndarray, scale: np.ndarray, used: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(np.cov((x[:, used] / scale[used]).T, bias=True))


def _bernoulli_std(x: np.ndarray) -> np.ndarray:
    p = x.mean(axis=0)
    return np.sqrt(p * (1 - p))


_CRITICAL = Task(
    hold=_hold_critical,
    probe=lambda critical: critical(_GREY),
    mistakes=(
        (
            "This is an eigenvalue of the plain covariance, as for Gaussian pixels. How uncertain is each pixel?",
            lambda x: _whitened(x, np.ones(x.shape[1]), x.std(axis=0) > 0)[-1],
        ),
        (
            "You divide by how much each pixel varies. A grey pixel varies less than a coin: which one is modelled?",
            lambda x: _whitened(x, x.std(axis=0), x.std(axis=0) > 0)[-1],
        ),
        (
            "It is not a number: for a pixel that never changes you divide by 0. Which pixels can tell anything?",
            lambda x: np.nan,
        ),
        (
            "This is the smallest eigenvalue. The collapsed state is left along the direction that pays most.",
            lambda x: _whitened(x, _bernoulli_std(x), x.std(axis=0) > 0)[0],
        ),
        (
            "This is the sum of all eigenvalues, but a single direction is enough to leave the collapsed state.",
            lambda x: _whitened(x, _bernoulli_std(x), x.std(axis=0) > 0).sum(),
        ),
        (
            "You divide by the variance on both sides. Which power of P stands on each side of C?",
            lambda x: _whitened(x, _bernoulli_std(x) ** 2, x.std(axis=0) > 0)[-1],
        ),
    ),
    reason="It asks nothing but the images: no network, no training.",
    rtol=0.005,
)

# Chapter 9: the importance-weighted bound, of probabilities that a float can hold and of some that it cannot.
_LOG_Q = np.random.default_rng(10).normal(size=(4, 50))
_LOG_P = np.array([[-3.0], [-20.0], [-150.0], [-1200.0]]) + 2 * np.random.default_rng(11).normal(size=(4, 50))

_LOG_K = np.log(_LOG_Q.shape[1])


def _underflowing(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    return np.log(np.exp(log_p - log_q).mean(axis=1))


def _hold_bound(bound: Function) -> None:
    expected = logsumexp(_LOG_P - _LOG_Q - _LOG_K, axis=1)
    close("bound", bound(_LOG_P, _LOG_Q), expected, 1e-6)


_BOUND = Task(
    hold=_hold_bound,
    probe=lambda bound: bound(_LOG_P, _LOG_Q),
    mistakes=(
        (
            "This is the mean of the logarithms, an estimate of the ELBO. Which comes first, mean or logarithm?",
            lambda log_p, log_q: (log_p - log_q).mean(axis=1),
        ),
        (
            "You add the ratios up and do not average them: the bound would grow with every sample.",
            lambda log_p, log_q: logsumexp(log_p - log_q, axis=1),
        ),
        (
            "For improbable images your bound is infinite: to a computer e to the −1200 is 0. Where could you stay?",
            _underflowing,
        ),
        (
            "You average over the images too. Each image has a bound of its own.",
            lambda log_p, log_q: logsumexp(log_p - log_q - _LOG_K),
        ),
        (
            "The weights are upside down. Where q draws too often, a point must count less.",
            lambda log_p, log_q: logsumexp(log_q - log_p - _LOG_K, axis=1),
        ),
        (
            "You count every point alike. A point must count less where q draws more often.",
            lambda log_p, log_q: logsumexp(log_p - _LOG_K, axis=1),
        ),
        ("You keep the best sample alone, and forget the others.", lambda log_p, log_q: (log_p - log_q).max(axis=1)),
    ),
    reason="With one sample it is an estimate of the ELBO; with more it rises towards log p(x).",
)

TASKS = {
    "06-inside": _INSIDE,
    "07-moment": _MOMENT,
    "08-critical": _CRITICAL,
    "09-bound": _BOUND,
}
"""The exercises in code, by their names."""
