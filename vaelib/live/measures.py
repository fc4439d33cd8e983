"""Measure what the live pictures set beside an answer: prices of test digits, their distances, sums over pixels."""

import numpy as np
from keras import ops

from .._types import Tensor
from ..analysis.grids import lattice
from ..losses import bernoulli_distortion, gaussian_kl, negative_elbo
from ..models import VAE, PosteriorTrace

__all__ = ["LATTICE_LIMIT", "price_quartiles", "reach", "softplus_sums"]

LATTICE_LIMIT = 7.0
"""The lattice of `softplus_sums` covers the plane so far to each side."""
_LATTICE_SIDE = 113
# Handle this many images or nodes, or distances between images, at once.
_BATCH, _DISTANCES = 2000, 4_000_000


def price_quartiles(model: VAE, x: np.ndarray, labels: np.ndarray, posteriors: PosteriorTrace) -> list:
    """Return the quartiles of what images cost, class by class, in nats.

    The distortion of an image is that of one z from its posterior, as on the pad.

    Args:
        model: a `VAE`.
        x: (n, 28, 28, 1), images in [0, 1].
        labels: (n,) integers from 0 to 9.
        posteriors: their posteriors.

    Returns:
        11 lists, for the classes 0 to 9 and for all images, of three quartiles each of the distortion, the rate and the
        ELBO; None for a class that no image has.
    """
    noise = np.random.default_rng(0).standard_normal(posteriors.mean.shape, "float32")
    z = posteriors.mean + posteriors.std * noise
    batches = [slice(start, start + _BATCH) for start in range(0, len(x), _BATCH)]
    distortion = np.concatenate([np.array(bernoulli_distortion(x[some], model.decode(z[some]))) for some in batches])
    rate = np.array(gaussian_kl(posteriors.mean, 2 * np.log(posteriors.std)))
    prices = np.stack([distortion, rate, -negative_elbo(distortion, rate)], axis=1)
    classes = [labels == digit for digit in range(10)] + [np.ones(len(x), bool)]
    return [
        np.quantile(prices[some], [0.25, 0.5, 0.75], axis=0).T.round(2).tolist() if some.any() else None
        for some in classes
    ]


def reach(posteriors: PosteriorTrace) -> float:
    """Return how far the posterior of another image is at most, for 99 % of the z that are drawn for an image.

    The distance from a posterior is measured in its own standard deviations; it is the least over all other images.
    One image alone has no other: there it is the distance from its own.
    """
    mean, std = posteriors
    z = mean + std * np.random.default_rng(0).standard_normal(mean.shape, "float32")
    nearest, batch = np.empty(len(z)), max(1, _DISTANCES // len(z))
    for start in range(0, len(z), batch):
        some = slice(start, start + batch)
        distances = np.linalg.norm((z[some, np.newaxis] - mean) / std, axis=2)
        if len(z) > 1:
            rows = np.arange(len(distances))
            distances[rows, start + rows] = np.inf
        nearest[some] = distances.min(axis=1)
    return float(np.quantile(nearest, 0.99))


def softplus_sums(model: VAE) -> np.ndarray:
    """Return the part of -log p(x|z) that is the same for all images, on a lattice of the plane.

    It is the softplus of the decoder's logits, summed over pixels: what is left of the likelihood is linear in the
    image (see `log_joints`), so that the page can add it up itself.

    Args:
        model: a `VAE` with Bernoulli pixels and two latent dimensions.

    Returns:
        (side, side) float32, nats, rows from z_2 = -LATTICE_LIMIT up and columns from z_1 = -LATTICE_LIMIT on.
    """
    ticks = np.linspace(-LATTICE_LIMIT, LATTICE_LIMIT, _LATTICE_SIDE)
    nodes = lattice((ticks, ticks))
    batches = [_softplus_sum(model.decode(nodes[start : start + _BATCH])) for start in range(0, len(nodes), _BATCH)]
    return np.concatenate([np.array(batch) for batch in batches]).reshape(_LATTICE_SIDE, _LATTICE_SIDE)


def _softplus_sum(logits: Tensor) -> Tensor:
    return ops.sum(ops.softplus(ops.reshape(logits, (logits.shape[0], -1))), axis=1)
