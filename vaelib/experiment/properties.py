"""Hold the pieces of any VAE to properties that they must have, whoever wrote them.

Each function takes a piece of a program as a plain function, tries it on numbers of its own, and compares it with SciPy
or with a closed form. It returns nothing, or raises an `AssertionError` that says what was expected and what came.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike
from scipy.special import expit
from scipy.stats import bernoulli, norm

from .._types import TensorLike
from ..analysis import elbo
from ..data import IMAGE_SHAPE
from ..losses import negative_elbo, posterior_std
from ..models import VAE

__all__ = [
    "assert_apart",
    "assert_beta",
    "assert_bound",
    "assert_distortion",
    "assert_draws_pixels",
    "assert_draws_posterior",
    "assert_grid",
    "assert_history",
    "assert_kl",
    "assert_weight_acts",
]

_RTOL = 1e-3
# Let a mean of draws be off by so many standard errors: chance goes further twice in a thousand million times.
_ERRORS = 6.0
_BATCH = 16


def assert_draws_posterior(sample: Callable[..., TensorLike], num_draws: int = 20_000) -> None:
    """Check that a sampling function draws from N(z_mean, exp(z_log_var)): its mean and its standard deviation.

    Args:
        sample: maps z_mean and z_log_var, each (num_draws, 3), to z of the same shape.
        num_draws: draws of each of three posteriors; the limits are six standard errors of that many.

    Raises:
        AssertionError: if the mean or the standard deviation of the draws is another one.

    Used in chapter 13.
    """
    mean, std = np.array([-1.0, 0.0, 2.0]), np.array([0.2, 1.0, 3.0])
    rows = np.ones((num_draws, 1))
    z = _numbers(sample((rows * mean).astype("float32"), (rows * 2 * np.log(std)).astype("float32")))
    if z.shape != (num_draws, 3):
        raise AssertionError(f"The draws should have the shape of z_mean, {(num_draws, 3)}, got {z.shape}.")
    for name, expected, got, error in (
        ("mean", mean, z.mean(axis=0), std / num_draws**0.5),
        ("standard deviation", std, z.std(axis=0), std / (2 * num_draws) ** 0.5),
    ):
        if not np.all(np.abs(got - expected) <= _ERRORS * error):
            cause = ""
            if np.allclose(got, std**2, rtol=0.1):
                cause = " These are the variances: a log-variance is twice the log of a standard deviation."
            elif np.all(np.abs(z.std(axis=0)) < _RTOL * std):
                cause = " All draws of a posterior are the same: there is no noise."
            raise AssertionError(f"The draws should have the {name} {_row(expected)}, got {_row(got)}.{cause}")


def assert_kl(kl: Callable[..., TensorLike], latent_dim: int = 3) -> None:
    """Check that a function is the KL divergence of a diagonal Gaussian from N(0, I), in nats per image.

    What is expected is the mean of log q(z) - log p(z) over q, by SciPy's densities; two nodes of the Gauss-Hermite
    rule are exact, since the difference is quadratic in z.

    Args:
        kl: maps z_mean and z_log_var, each (batch, latent_dim), to (batch,) nats.
        latent_dim: latent dimensions to try it with.

    Raises:
        AssertionError: if it returns other numbers; where one factor explains them, the message says which.

    Used in chapter 13.
    """
    z_mean, z_log_var = _posteriors(latent_dim)
    causes = {1 / latent_dim: "a mean over the latent dimensions instead of a sum", -1: "a flipped sign"}
    _same(kl(z_mean, z_log_var), _exact_kl(z_mean, z_log_var), "KL", causes)


def assert_distortion(distortion: Callable[..., TensorLike], image_shape: tuple[int, int, int] = IMAGE_SHAPE) -> None:
    """Check that a function is minus the log-likelihood of black-and-white images under logits, in nats per image.

    What is expected is SciPy's `bernoulli.logpmf`, added up over the pixels.

    Args:
        distortion: maps x and x_logits, each (batch, height, width, channels), to (batch,) nats.
        image_shape: height, width, channels to try it with.

    Raises:
        AssertionError: if it returns other numbers; where one factor explains them, the message says which.

    Used in chapter 13.
    """
    x, x_logits = _images(image_shape)
    causes = {1 / math.prod(image_shape): "a mean over the pixels instead of a sum", -1: "a flipped sign"}
    _same(distortion(x, x_logits), _exact_distortion(x, x_logits), "distortion", causes)


def assert_beta(
    loss: Callable[..., TensorLike],
    beta: float = 1.0,
    latent_dim: int = 2,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> None:
    """Check the weight that a whole loss gives to a nat of rate, beside a nat of distortion.

    The loss is taken at two posteriors and at two outputs. What it gains per nat of KL, over what it gains per nat of
    distortion, is its beta, whatever it calls its weight and whatever constant is added.

    Args:
        loss: maps x, x_logits, z_mean and z_log_var to a number, or to (batch,).
        beta: the weight that is meant, > 0; 1 is the ELBO.
        latent_dim: latent dimensions to try it with.
        image_shape: height, width, channels to try it with.

    Raises:
        AssertionError: if the loss has another beta; where an average or a second KL explains it, the message says so.

    Used in chapter 13.
    """
    (x, x_logits), (z_mean, z_log_var) = _images(image_shape), _posteriors(latent_dim)
    start = (x, x_logits, z_mean, z_log_var)
    further = (x, x_logits, 2 * z_mean, z_log_var - 1)
    brighter = (x, 2 * x_logits, z_mean, z_log_var)
    base, more_kl, more_distortion = (_numbers(loss(*values)).mean() for values in (start, further, brighter))
    gained_kl = (_exact_kl(*further[2:]) - _exact_kl(*start[2:])).mean()
    gained_distortion = (_exact_distortion(*brighter[:2]) - _exact_distortion(*start[:2])).mean()
    got = (more_kl - base) / gained_kl / ((more_distortion - base) / gained_distortion)
    pixels = math.prod(image_shape)
    causes = {
        2: "the KL is counted twice",
        1 / latent_dim: "the KL is averaged over the latent dimensions",
        pixels: "the distortion is averaged over the pixels",
        pixels / latent_dim: "both terms are averaged, each over a number of its own",
    }
    if not np.isclose(got, beta, rtol=_RTOL):
        raise AssertionError(f"The loss should have beta {beta:.4g}, got {got:.4g}{_cause(got / beta, causes)}")


def assert_bound(evaluate: Callable[[int], float], model: VAE, x: ArrayLike, num_repeats: int = 10) -> None:
    """Check that an evaluation returns minus the ELBO of images, up to the noise of its draws.

    What is expected is `vaelib.elbo`, which needs no draws. The noise is measured, by evaluating with several seeds.

    Args:
        evaluate: maps a seed to the mean of minus the ELBO over x, in nats per image.
        model: the `VAE` that it evaluates, of one or two latent dimensions.
        x: (n, height, width, channels), the images that it evaluates on.
        num_repeats: seeds to try, >= 2.

    Raises:
        AssertionError: if the mean over the seeds is another number.

    Used in chapter 13.
    """
    expected = -elbo(model, x).mean()
    values = np.array([float(evaluate(seed)) for seed in range(num_repeats)])
    error = values.std(ddof=1) / num_repeats**0.5
    if abs(values.mean() - expected) > _ERRORS * error + 1e-4 * abs(expected):
        cause = ": all seeds give one number, as they do where the posterior mean is decoded" if not error else ""
        raise AssertionError(f"Minus the ELBO should be {expected:.2f} nats, got {values.mean():.2f}{cause}.")


def assert_weight_acts(loss_at: Callable[[float], float], weights: Sequence[float] = (0.0, 1.0)) -> None:
    """Check that a loss follows its KL weight when the weight changes after the first, compiling, call.

    Args:
        loss_at: sets the weight and returns the loss of always the same images, whose rate is not zero.
        weights: rising weights to set, one after the other.

    Raises:
        AssertionError: if the loss does not rise with the weight.

    Used in chapter 13.
    """
    losses = [float(loss_at(weight)) for weight in weights]
    if not np.all(np.diff(losses) > 0):
        frozen = ": the weight was read once, when the step was compiled" if np.ptp(losses) == 0 else ""
        raise AssertionError(f"The loss should rise at the weights {_row(weights)}, got {_row(losses)}{frozen}.")


def assert_history(history: Mapping[str, Sequence[float]], beta: float | Sequence[float] = 1.0) -> None:
    """Check that what a training reports adds up: loss = distortion + beta * rate, with no rate below zero.

    Args:
        history: lists under "loss", "distortion" and "rate", and for other images under "val_loss" and so on if there
            are any, in nats per image and without weight decay.
        beta: the weight, one for all epochs or one for each. A mean over an epoch in which it changes is no sum of two.

    Raises:
        AssertionError: if a curve does not add up, or a rate is negative.

    Used in chapter 13.
    """
    for kind in [kind for kind in ("", "val_") if f"{kind}loss" in history]:
        loss, distortion, rate = (np.array(history[kind + name]) for name in ("loss", "distortion", "rate"))
        if rate.min() < 0:
            raise AssertionError(f"{kind}rate should be a KL, never negative, got {rate.min():.4g}.")
        expected = negative_elbo(distortion, rate, np.asarray(beta))
        if not np.allclose(loss, expected, rtol=1e-4):
            worst = np.abs(loss - expected).argmax()
            used = (loss[worst] - distortion[worst]) / rate[worst]
            raise AssertionError(
                f"{kind}loss of epoch {worst + 1} should be {kind}distortion + beta * {kind}rate = "
                f"{expected[worst]:.2f}, got {loss[worst]:.2f}: the sum of a beta of {used:.4g}."
            )


def assert_grid(z: ArrayLike) -> None:
    """Check that points of a latent plane are finite, and at equal steps of prior probability along each axis.

    Args:
        z: (n, 2), a whole grid.

    Raises:
        AssertionError: if a point lies at infinity, or the steps differ.

    Used in chapter 13.
    """
    z = np.asarray(z, "float64")
    if not np.isfinite(z).all():
        outside = int((~np.isfinite(z)).any(axis=1).sum())
        raise AssertionError(
            f"The grid should be finite, got {outside} of {len(z)} points at infinity: "
            "the quantiles of the probabilities 0 and 1 lie there."
        )
    for axis in z.T:
        steps = np.diff(norm.cdf(np.unique(axis.round(5))))
        if np.ptp(steps) > _RTOL:
            raise AssertionError(
                f"The steps should be equal in probability, got {steps.min():.3g} to {steps.max():.3g}."
            )


def assert_apart(x_train: ArrayLike, x_test: ArrayLike) -> None:
    """Check that no test image is among the training images, pixel by pixel.

    Args:
        x_train: (n, ...), the images that were trained on.
        x_test: (m, ...), the images that are tested on, of the same shape and type.

    Raises:
        AssertionError: if some are in both.

    Used in chapter 13.
    """
    known = {image.tobytes() for image in np.asarray(x_train)}
    both = sum(image.tobytes() in known for image in np.asarray(x_test))
    if both:
        raise AssertionError(f"No test image should be trained on, got {both} of {len(np.asarray(x_test))}.")


def assert_draws_pixels(x: ArrayLike, grey: ArrayLike) -> None:
    """Check that images are black and white, and draws from the grey ones: a pixel is 1 as often as it is bright.

    Args:
        x: (n, ...), the images.
        grey: (n, ...), the brightness of their pixels, in [0, 1].

    Raises:
        AssertionError: if a pixel is neither 0 nor 1, or if dark or bright pixels are 1 too often or too seldom.

    Used in chapter 13.
    """
    x, grey = np.asarray(x, "float64"), np.asarray(grey, "float64")
    between = np.mean((x != 0) & (x != 1))
    if between:
        raise AssertionError(f"Pixels should be 0 or 1, got {100 * between:.1f} % in between: a density is no share.")
    for name, pixels in (("dark", (grey > 0) & (grey < 0.5)), ("bright", (grey >= 0.5) & (grey < 1))):
        expected, got = grey[pixels].sum(), x[pixels].sum()
        if abs(got - expected) > _ERRORS * np.sqrt((grey[pixels] * (1 - grey[pixels])).sum()):
            raise AssertionError(
                f"Of {pixels.sum()} {name} grey pixels {expected:.0f} should be 1, got {got:.0f}: "
                "draws keep the brightness, a threshold does not."
            )


def _numbers(values: Any) -> np.ndarray:
    return np.array(ops.convert_to_numpy(values), "float64")


def _posteriors(latent_dim: int) -> tuple[np.ndarray, np.ndarray]:
    z_mean, z_log_var = np.random.default_rng(0).normal(size=(2, _BATCH, latent_dim)).astype("float32")
    return z_mean, z_log_var


def _images(image_shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    x_logits = np.random.default_rng(1).normal(size=(_BATCH, *image_shape)).astype("float32")
    x = np.random.default_rng(2).integers(2, size=x_logits.shape).astype("float32")
    return x, x_logits


def _exact_kl(z_mean: np.ndarray, z_log_var: np.ndarray) -> np.ndarray:
    mean, std = z_mean.astype("float64"), posterior_std(z_log_var.astype("float64"))
    ends = (mean - std, mean + std)
    return np.mean([norm.logpdf(z, mean, std) - norm.logpdf(z) for z in ends], axis=0).sum(axis=1)


def _exact_distortion(x: np.ndarray, x_logits: np.ndarray) -> np.ndarray:
    return -bernoulli.logpmf(x, expit(x_logits.astype("float64"))).reshape(len(x), -1).sum(axis=1)


def _same(values: Any, expected: np.ndarray, name: str, causes: Mapping[float, str]) -> None:
    """Raise an AssertionError if numbers per image are other ones, and name a factor if one explains them."""
    got = _numbers(values)
    if got.shape != expected.shape:
        raise AssertionError(f"The {name} should be one number per image, {expected.shape}, got shape {got.shape}.")
    if not np.allclose(got, expected, rtol=_RTOL):
        ratio = got / expected
        cause = _cause(ratio.mean(), causes) if np.ptp(ratio) <= _RTOL * abs(ratio.mean()) else "."
        raise AssertionError(f"The {name} should be {_row(expected[:3])} nats, got {_row(got[:3])}{cause}")


def _cause(ratio: float, causes: Mapping[float, str]) -> str:
    known = [f", {cause}" for factor, cause in causes.items() if np.isclose(ratio, factor, rtol=10 * _RTOL)]
    return f": {ratio:.4g} times as much{''.join(known)}."


def _row(values: Any) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
