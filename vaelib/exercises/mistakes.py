"""Hold the exercises in code: the property of a right function, and the mistakes that one makes, each with a hint.

A hint leads to the mistake and never states the solution.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp

from ..experiment.properties import assert_draws_posterior, assert_kl
from ..schedules import Linear
from ..theory import collapse_threshold

__all__ = ["TASKS", "Task"]

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


def _close(name: str, got: Any, expected: np.ndarray, rtol: float) -> None:
    got = np.asarray(got, "float64")
    if got.shape != expected.shape:
        raise AssertionError(f"The {name} should have the shape {expected.shape}, got {got.shape}.")
    if not np.allclose(got, expected, rtol=rtol):
        raise AssertionError(f"The {name} should be {expected.ravel()[:3].round(4)}, got {got.ravel()[:3].round(4)}.")


# Chapter 2: the KL divergence in closed form. Sixteen posteriors in three dimensions tell the mistakes apart.
_MEAN, _LOG_VAR = np.random.default_rng(5).normal(size=(2, 16, 3))


def _per_dim(mean: np.ndarray, log_var: np.ndarray) -> np.ndarray:
    return mean**2 + np.exp(log_var) - 1 - log_var


_KL = Task(
    hold=assert_kl,
    probe=lambda kl: kl(_MEAN.astype("float32"), _LOG_VAR.astype("float32")),
    mistakes=(
        (
            "Your function takes `z_log_var` for the logarithm of a standard deviation. What does its name say?",
            lambda m, v: 0.5 * _per_dim(m, 2 * v).sum(axis=1),
        ),
        (
            "You average over the latent dimensions. What do the KLs of independent dimensions do?",
            lambda m, v: 0.5 * _per_dim(m, v).mean(axis=1),
        ),
        (
            "Every number is twice too large: look at what stands before the bracket.",
            lambda m, v: _per_dim(m, v).sum(axis=1),
        ),
        (
            "Your KL has the wrong sign: a divergence is never negative.",
            lambda m, v: -0.5 * _per_dim(m, v).sum(axis=1),
        ),
        (
            "Something is missing: what does your function say of a posterior that is the prior?",
            lambda m, v: 0.5 * (_per_dim(m, v) + 1).sum(axis=1),
        ),
        (
            "You return a number for each latent dimension. What does an image pay for all of them together?",
            lambda m, v: 0.5 * _per_dim(m, v),
        ),
        (
            "You return one number for the whole batch. The mean over images comes last, and not here.",
            lambda m, v: 0.5 * _per_dim(m, v).sum(axis=1).mean(),
        ),
        (
            "This is the divergence of the prior from the posterior. Under which of the two is the mean taken?",
            lambda m, v: 0.5 * ((1 + m**2) * np.exp(-v) - 1 + v).sum(axis=1),
        ),
        (
            "The variance itself is missing: `z_log_var` is only its logarithm, and the bracket has both.",
            lambda m, v: 0.5 * (m**2 - 1 - v).sum(axis=1),
        ),
    ),
    reason="A wide posterior, a narrow one and one far out all pay, and only the prior itself pays nothing.",
)

# Chapter 3: a draw from a posterior. The mean and the spread of many draws tell the mistakes apart.
_CENTRES, _WIDTHS = np.array([-1.0, 0.5, 2.0]), np.array([0.2, 1.5, 3.0])


def _spread(sample: Function) -> Any:
    rows = np.ones((20_000, 1), "float32")
    mean, log_var = rows * _CENTRES.astype("float32"), rows * (2 * np.log(_WIDTHS)).astype("float32")
    z = sample(mean, log_var)
    if z is None or z is Ellipsis:
        return z
    z = np.asarray(z, "float64")
    return [z.mean(axis=0), z.std(axis=0)]


def _noise(mean: np.ndarray) -> np.ndarray:
    return np.random.default_rng(6).standard_normal(mean.shape)


_SAMPLE = Task(
    hold=assert_draws_posterior,
    probe=_spread,
    mistakes=(
        (
            "The draws have the variance where the standard deviation is meant. How do you get from one to the other?",
            lambda m, v: m + np.exp(v) * _noise(m),
        ),
        ("All draws of a posterior are the same: where is the noise?", lambda m, v: m + 0 * v),
        (
            "The noise is multiplied by a logarithm, which may even be negative. How do you undo a logarithm?",
            lambda m, v: m + v * _noise(m),
        ),
        (
            "The draws have the right spread, around 0. What should they lie around?",
            lambda m, v: np.exp(v / 2) * _noise(m),
        ),
        (
            "Your noise is never negative: it is uniform, between 0 and 1. Which distribution has the posterior?",
            lambda m, v: m + np.exp(v / 2) * np.random.default_rng(6).random(m.shape),
        ),
        ("All draws have the same spread, 1. Where does `z_log_var` come in?", lambda m, v: m + _noise(m)),
    ),
    reason="The noise has a fixed distribution, and the mean and the width are ordinary inputs: gradients pass.",
    rtol=0.1,
)

# Chapter 4: the linear schedule, from the first step to beyond the warm-up.
_BETA, _WARM_UP, _STEPS = 0.784, 10, (0, 1, 4, 9, 10, 11, 50)


def _weights(schedule: Function) -> Any:
    found = [schedule(step, _WARM_UP, _BETA) for step in _STEPS]
    unwritten = [each for each in found if each is None or each is Ellipsis]
    return unwritten[0] if unwritten else [float(each) for each in found]


def _hold_linear(schedule: Function) -> None:
    expected = np.array([float(Linear(_BETA, _WARM_UP)(step)) for step in _STEPS])
    _close(f"weights at the steps {_STEPS} of a warm-up of {_WARM_UP}", _weights(schedule), expected, 1e-5)


_LINEAR = Task(
    hold=_hold_linear,
    probe=_weights,
    mistakes=(
        (
            "At the first step, number 0, your weight is 0: nothing holds the codes near the prior there.",
            lambda t, num, beta: beta * min(t / num, 1),
        ),
        (
            "Your weight goes on growing after the warm-up, and the loss is another one at every step.",
            lambda t, num, beta: beta * (t + 1) / (num + 1),
        ),
        (
            "Your weight arrives a step too early. Count the steps from 0 to the warm-up's last, and the one after it.",
            lambda t, num, beta: beta * min((t + 1) / num, 1),
        ),
        (
            "Your weight stops at 1, or not at all. It should stop at the target, whatever that is.",
            lambda t, num, beta: min(beta * (t + 1) / (num + 1), 1),
        ),
        (
            "Your weight is a share, from 0 to 1. What is it a share of?",
            lambda t, num, beta: min((t + 1) / (num + 1), 1),
        ),
        ("Your weight is the same at every step: this is no warm-up.", lambda t, num, beta: beta),
    ),
    reason="It weighs the KL a little from the first step on, and stands at its target for the rest of the training.",
)

# Chapter 6: what lies inside of an ellipse. Draws around the ellipse tell the mistakes apart.
_AT, _AXES = np.array([1.0, -2.0]), np.array([0.4, 2.5])
_POINTS = _AT + 1.5 * _AXES * np.random.default_rng(7).standard_normal((500, 2))


def _hold_inside(inside: Function) -> None:
    expected = (((_POINTS - _AT) / _AXES) ** 2).sum(axis=1) <= 1
    _close("answers for 500 points", _answers(inside), expected.astype("float64"), 0)


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

# Chapter 8: the critical weight. Grey images, with a pixel that is always 0.
_GREY = np.random.default_rng(8).random((400, 1)) * np.linspace(0.1, 0.9, 8) + 0.1 * np.random.default_rng(9).random(
    (400, 8)
)
_GREY[:, 3] = 0.0


def _hold_critical(critical: Function) -> None:
    expected = np.asarray(collapse_threshold(_GREY.reshape(400, 2, 4, 1))[:1])
    # Divide by the number of images or by one less, as you like.
    _close("critical weight", np.reshape(critical(_GREY), -1), expected, 0.01)


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
    _close("bound", bound(_LOG_P, _LOG_Q), expected, 1e-6)


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
    "02-kl": _KL,
    "03-sample": _SAMPLE,
    "04-linear": _LINEAR,
    "06-inside": _INSIDE,
    "08-critical": _CRITICAL,
    "09-bound": _BOUND,
}
"""The exercises in code, by their names."""
