"""Look beyond the collapsed state: the best state with one latent dimension, what a second adds, and distant codes."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, special
from scipy.sparse.linalg import LinearOperator, eigsh

from ..data import check_images
from ..losses import gaussian_kl, negative_elbo

__all__ = ["Code", "OneUnitState", "best_code", "one_unit_state", "second_threshold"]

# Decode z at these nodes; posteriors are kept at least as wide as the spacing, where sums over nodes are integrals.
_NODES = np.arange(-5, 5.01, 0.25)
_LEAST_STD, _MOST_STD = 0.25, 1.5
_LEAST_PROBABILITY = 1e-6
# Stop when the loss falls by less than this, in nats per image.
_TOLERANCE = 1e-5


class OneUnitState(NamedTuple):
    """Hold a VAE with one latent dimension, whose encoder and decoder are as flexible as can be."""

    gain: float
    """Nats per image by which distortion + beta * rate is below that of the collapsed state."""
    rate: float
    """Nats per image."""
    mean: np.ndarray
    """(n,), the posterior mean of each image."""
    std: np.ndarray
    """(n,), the posterior standard deviation of each image."""
    decoded: np.ndarray
    """(num_nodes, num_pixels), probabilities at z from -5 to 5, of the pixels that are not always black or white."""


class Code(NamedTuple):
    """Hold a discrete code of images, each value of which stands for one decoded image."""

    gain: float
    """Nats per image by which distortion + beta * rate is below that of the mean image."""
    rate: float
    """Nats per image, the mutual information of code and image."""
    share: np.ndarray
    """(n, num_values), the probability of each value given each image."""


def one_unit_state(x: ArrayLike, beta: float, start: OneUnitState | None = None, steps: int = 100) -> OneUnitState:
    r"""Return a VAE with Bernoulli pixels and one latent dimension at a minimum of its objective, without a network.

    Every image has a mean and a width of its own, and the decoder is free at every z of a grid, where its best value is
    the mean of the images, each weighted by its posterior. The two are improved in turn: the posteriors by Newton
    steps, with $\partial_\mu \mathbb{E}_q h = \mathbb{E}_q h'$ and $\partial_{\sigma^2} \mathbb{E}_q h = \frac12
    \mathbb{E}_q h''$. The minimum is the one that the start leads to.

    Args:
        x: (n, height, width, channels), n >= 2 floating-point images in [0, 1].
        beta: weight of the rate, > 0.
        start: where to begin, such as the state at a nearby beta; None for the steepest direction out of the collapsed
            state.
        steps: at most so many rounds.

    Returns:
        A `OneUnitState`.

    Raises:
        ValueError: if x are not such images, or all alike, or beta is not positive, or start is of other images.

    Derived in chapter 08.
    """
    pixels, p = _varying_pixels(x)
    if not (beta > 0 and np.isfinite(beta)):
        raise ValueError(f"beta must be a positive number, got {beta}.")
    if start is not None and len(start.mean) != len(pixels):
        raise ValueError(f"start must be a state of the same {len(pixels)} images, got one of {len(start.mean)}.")
    mean, std = (start.mean, start.std) if start else (_steepest_means(pixels, p), np.full(len(pixels), 0.8))
    last, weights, rate = np.inf, _weights(mean, std), _rate(mean, std)
    for _ in range(steps):
        energy = _energy(pixels, p, _decode(_weights(mean, std), pixels))
        for _ in range(3):
            mean, std = _newton(mean, std, energy, beta)
        weights = _weights(mean, std)
        rate = _rate(mean, std)
        loss = negative_elbo((weights * energy).sum(axis=1).mean(dtype="float64"), rate, beta)
        if last - loss < _TOLERANCE:
            break
        last = loss
    decoded = _decode(weights, pixels)
    distortion = (weights * _energy(pixels, p, decoded)).sum(axis=1).mean(dtype="float64")
    return OneUnitState(float(-negative_elbo(distortion, rate, beta)), float(rate), mean, std, decoded)


def second_threshold(x: ArrayLike, state: OneUnitState, constant: bool = False) -> float:
    r"""Return the beta below which a second latent dimension lowers the loss, to second order around one in use.

    Let the second dimension tilt the logits by $z_2\,u(z_1)$ and have the means f(x). With $g_u(x) =
    \mathbb{E}_{q(z_1|x)}[u(z_1)^\top (x - p(z_1))]$ the loss changes by $-\mathbb{E}[f g_u] + \frac12 \mathbb{E}[u^\top
    P u] + \frac\beta2 \mathbb{E}[f^2]$, with $P(z_1) = \mathrm{diag}(p (1 - p))$; with the best f it is negative for
    some u if beta is below the largest eigenvalue of $\mathbb{E}[g_u^2]$ against $\mathbb{E}[u^\top P u]$. It is the
    threshold if the state is the one at this very beta.

    Args:
        x: the images of the state.
        state: what `one_unit_state` returned for them.
        constant: whether u is the same at every z_1; otherwise it may be another at each.

    Returns:
        The eigenvalue, a beta.

    Raises:
        ValueError: if x are not images of the state.

    Derived in chapter 08.
    """
    pixels, _ = _varying_pixels(x)
    if len(state.mean) != len(pixels) or state.decoded.shape[1] != pixels.shape[1]:
        raise ValueError(f"state must be of the same images, got {len(state.mean)} posteriors of {len(pixels)} images.")
    weights = _weights(state.mean, state.std)
    usage = weights.mean(axis=0, dtype="float64")
    variance = usage[:, np.newaxis] * state.decoded * (1 - state.decoded)
    if constant:
        left = pixels - weights @ state.decoded.astype("float32")
        left /= np.sqrt(variance.sum(axis=0)).astype("float32")
        return float(linalg.eigvalsh(left.T @ left / len(left))[-1])
    used = usage > 1e-7
    operator = LinearOperator(
        (pixels.shape[1] * used.sum(),) * 2,
        _second_variation(pixels, weights[:, used], state.decoded[used], np.sqrt(variance[used])),
        dtype="float64",
    )
    start = np.ones(operator.shape[0])  # ARPACK's own start is random
    return float(eigsh(operator, k=1, tol=1e-4, v0=start, return_eigenvectors=False)[0])


def best_code(x: ArrayLike, beta: float, share: ArrayLike, steps: int = 60) -> Code:
    r"""Return a discrete code of images at a minimum of distortion + beta * rate, whatever an encoder could do.

    The algorithm of Blahut (1972) with decoded images that move too: $q(k|x) \propto q(k)\,p(x|k)^{1/\beta}$, then q(k)
    and the decoded images are means under q. No step raises the loss; which minimum it ends in depends on the start.

    Args:
        x: (n, height, width, channels), n >= 2 floating-point images in [0, 1].
        beta: weight of the rate, > 0.
        share: (n, num_values), the probability of each value given each image, to start from; such as 0 or 1 for
            classes, or those of the code at a nearby beta.
        steps: at most so many rounds.

    Returns:
        A `Code`.

    Raises:
        ValueError: if x are not such images, or all alike, or share is not of as many.

    Derived in chapter 08.
    """
    pixels, p = _varying_pixels(x)
    told = np.asarray(share, "float32")
    if told.ndim != 2 or len(told) != len(pixels) or not np.allclose(told.sum(axis=1), 1, atol=1e-3):
        raise ValueError(f"share must be ({len(pixels)}, num_values) with rows of sum 1, got the shape {told.shape}.")
    last = np.inf
    for _ in range(steps):
        used = told.mean(axis=0, dtype="float64") > 1e-7
        told = told[:, used]
        usage = told.mean(axis=0, dtype="float64")
        scores = np.log(usage) - _energy(pixels, p, _decode(told, pixels)) / beta
        total = special.logsumexp(scores, axis=1, keepdims=True)
        told = np.exp(scores - total).astype("float32")
        loss = -beta * total.mean()
        if last - loss < _TOLERANCE:
            break
        last = loss
    usage = told.mean(axis=0, dtype="float64")
    rate = special.xlogy(told, told / usage).sum(axis=1).mean(dtype="float64")
    distortion = (told * _energy(pixels, p, _decode(told, pixels))).sum(axis=1).mean(dtype="float64")
    return Code(float(-negative_elbo(distortion, rate, beta)), float(rate), told)


def _varying_pixels(x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, num_pixels) of the pixels that are not always black or always white, and their means."""
    x = check_images(x)
    pixels = x.reshape(len(x), -1)
    varying = pixels.min(axis=0) < pixels.max(axis=0)
    if not varying.any():
        raise ValueError(f"The images must differ, got {len(x)} alike.")
    pixels = np.ascontiguousarray(pixels[:, varying])
    return pixels, pixels.mean(axis=0, dtype="float64")


def _rate(mean: np.ndarray, std: np.ndarray) -> float:
    return float(np.mean(gaussian_kl(mean[:, np.newaxis], 2 * np.log(std)[:, np.newaxis])))


def _weights(mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return (n, num_nodes), the posterior of each image on the nodes."""
    weights = np.exp(-0.5 * ((_NODES - mean[:, np.newaxis]) / std[:, np.newaxis]) ** 2).astype("float32")
    return weights / weights.sum(axis=1, keepdims=True)


def _decode(weights: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Return the best decoded image of each node or value: the mean of all images, weighted."""
    usage = np.maximum(weights.sum(axis=0, dtype="float64"), 1e-30)
    return np.clip((weights.T @ pixels) / usage[:, np.newaxis], _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)


def _energy(pixels: np.ndarray, p: np.ndarray, decoded: np.ndarray) -> np.ndarray:
    """Return (n, num_nodes), the nats that each decoded image costs each image more than the mean image does."""
    p = np.clip(p, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    tilt = (special.logit(decoded) - special.logit(p)).astype("float32")
    offset = (np.log1p(-decoded) - np.log1p(-p)).sum(axis=1)
    return -(pixels @ tilt.T) - offset.astype("float32")


def _newton(mean: np.ndarray, std: np.ndarray, energy: np.ndarray, beta: float) -> tuple[np.ndarray, np.ndarray]:
    """Move each posterior towards the minimum of its own expected energy + beta * KL."""
    weights = _weights(mean, std)
    away = _NODES - mean[:, np.newaxis]
    slope = (weights * energy * away).sum(axis=1) / std**2
    bend = (weights * energy * ((away / std[:, np.newaxis]) ** 2 - 1)).sum(axis=1) / std**2
    # Keep the step downhill where the energy bends the other way, and short.
    curvature = np.maximum(bend + beta, 0.3 * beta)
    mean = np.clip(mean - np.clip((slope + beta * mean) / curvature, -0.5, 0.5), -4, 4)
    std = np.sqrt((std**2 + beta / curvature) / 2)
    return mean, np.clip(std, _LEAST_STD, _MOST_STD)


def _steepest_means(pixels: np.ndarray, p: np.ndarray) -> np.ndarray:
    scaled = (pixels - p) / np.sqrt(p * (1 - p))
    last = len(p) - 1
    _, vectors = linalg.eigh(scaled.T @ scaled / len(scaled), subset_by_index=[last, last])
    mean = scaled @ vectors[:, 0]
    return 0.5 * mean / mean.std()


def _second_variation(
    pixels: np.ndarray, weights: np.ndarray, decoded: np.ndarray, scale: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the map of u, times scale at each node, to the derivative of half of E[g_u ** 2]."""

    def apply(flat: np.ndarray) -> np.ndarray:
        u = flat.reshape(decoded.shape) / scale
        # Multiply large matrices in single precision: NumPy would copy all pixels to double.
        seen = pixels @ u.T.astype("float32") - (u * decoded).sum(axis=1)
        told = (weights * seen).sum(axis=1, dtype="float64").astype("float32")
        shared = told[:, np.newaxis] * weights
        return ((shared.T @ pixels - shared.sum(axis=0)[:, np.newaxis] * decoded) / scale).ravel() / len(pixels)

    return apply
