"""Hold the exercises in code of chapters 1 to 5: the property of a right function, and the mistakes that one makes.

A hint leads to the mistake and never states the solution.
"""

from typing import Any

import numpy as np
from scipy.stats import bernoulli, norm

from ...experiment.properties import assert_draws_posterior, assert_kl
from ...schedules import Linear
from .task import Function, Task, close, collected

__all__ = ["TASKS"]

# Chapter 1: the distortion of grey pixels. Images of 5 by 4 pixels, of every brightness.
_X, _P = np.random.default_rng(3).uniform(0.05, 0.95, size=(2, 6, 5, 4, 1))


def _per_pixel(x: np.ndarray, p: np.ndarray) -> np.ndarray:
    return -(x * np.log(p) + (1 - x) * np.log(1 - p))


def _hold_distortion(distortion: Function) -> None:
    surprise = -_X * bernoulli.logpmf(1, _P) - (1 - _X) * bernoulli.logpmf(0, _P)
    close("distortion", distortion(_X, _P), surprise.sum(axis=(1, 2, 3)), 1e-4)


_DISTORTION = Task(
    hold=_hold_distortion,
    probe=lambda distortion: distortion(_X, _P),
    mistakes=(
        (
            "You average over the pixels. What does an image pay for all of its pixels together?",
            lambda x, p: _per_pixel(x, p).mean(axis=(1, 2, 3)),
        ),
        (
            "A black pixel costs nothing, however bright the decoder draws it. Which probability does it have?",
            lambda x, p: -(x * np.log(p)).sum(axis=(1, 2, 3)),
        ),
        (
            "Your cost is negative: a logarithm of a probability is never above zero, and a price is not below it.",
            lambda x, p: -_per_pixel(x, p).sum(axis=(1, 2, 3)),
        ),
        (
            "You add up the whole batch. Each image has a distortion of its own.",
            lambda x, p: _per_pixel(x, p).sum(),
        ),
        ("You return a price for each pixel. What do the pixels of an image pay together?", _per_pixel),
        (
            "This is a squared error. It is minus the logarithm of another density, not of a coin's probability.",
            lambda x, p: ((x - p) ** 2).sum(axis=(1, 2, 3)),
        ),
        (
            "These are bits. Which logarithm gives nats?",
            lambda x, p: _per_pixel(x, p).sum(axis=(1, 2, 3)) / np.log(2),
        ),
    ),
    reason="It is lowest where the decoder draws the pixel's own grey, and even there it is not zero.",
)

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
    return collected([schedule(step, _WARM_UP, _BETA) for step in _STEPS])


def _hold_linear(schedule: Function) -> None:
    expected = np.array([float(Linear(_BETA, _WARM_UP)(step)) for step in _STEPS])
    close(f"weights at the steps {_STEPS} of a warm-up of {_WARM_UP}", _weights(schedule), expected, 1e-5)


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

# Chapter 5: the prior on the weights. A kernel and a second one, and two sizes of the data set.
_KERNELS = [np.random.default_rng(12).normal(size=size) for size in ((4, 3), (3, 2))]
_NUM_IMAGES = (500, 60_000)


def _squares(kernels: list[np.ndarray]) -> float:
    return float(sum((kernel**2).sum() for kernel in kernels))


def _costs(prior_cost: Function) -> Any:
    return collected([prior_cost(_KERNELS, num) for num in _NUM_IMAGES])


def _hold_prior_cost(prior_cost: Function) -> None:
    surprise = sum((norm.logpdf(0) - norm.logpdf(kernel)).sum() for kernel in _KERNELS)
    close(f"costs with {_NUM_IMAGES} images", _costs(prior_cost), surprise / np.array(_NUM_IMAGES), 1e-4)


_PRIOR_COST = Task(
    hold=_hold_prior_cost,
    probe=_costs,
    mistakes=(
        (
            "Your cost is twice too large. What stands before the square in the exponent of a Gaussian?",
            lambda kernels, num: _squares(kernels) / num,
        ),
        (
            "This is the price for the whole data set. What is the share of an image?",
            lambda kernels, num: _squares(kernels) / 2,
        ),
        (
            "You average over the weights. They are independent under the prior: what becomes of their densities?",
            lambda kernels, num: _squares(kernels) / sum(kernel.size for kernel in kernels) / (2 * num),
        ),
        (
            "You add up the sizes of the weights. A Gaussian counts their squares.",
            lambda kernels, num: sum(np.abs(kernel).sum() for kernel in kernels) / (2 * num),
        ),
        (
            "A kernel is left out: every one of the list has the prior.",
            lambda kernels, num: _squares(kernels[:1]) / (2 * num),
        ),
        (
            "You take the root of the sum of squares, a length. What is the logarithm of a product of Gaussians?",
            lambda kernels, num: np.sqrt(_squares(kernels)) / (2 * num),
        ),
    ),
    reason="With ten times as many images it is a tenth: data outweigh a prior.",
)

TASKS = {
    "01-distortion": _DISTORTION,
    "02-kl": _KL,
    "03-sample": _SAMPLE,
    "04-linear": _LINEAR,
    "05-prior": _PRIOR_COST,
}
"""The exercises in code, by their names."""
