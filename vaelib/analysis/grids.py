"""Sum over the latent space: nodes of lattices and of quadrature rules, and every image at every node."""

from collections.abc import Iterator, Sequence

import numpy as np
from keras import ops
from scipy import special

from .._types import Tensor
from ..models import VAE

__all__ = ["QUARTERS", "gauss_hermite", "lattice", "log_joints"]

QUARTERS = tuple((slice(i, None, 2), slice(j, None, 2)) for i in (0, 1) for j in (0, 1))
"""Rows and columns of the four interleaved grids of twice the spacing that make up a grid; where the trapezoidal rule
gives one number on all four, it has converged."""

# Handle this many nodes and images at once: a matrix of 40 MB.
_NODES, _IMAGES = 2048, 5000


def lattice(axes: Sequence[np.ndarray]) -> np.ndarray:
    """Return all nodes (m, len(axes)) float32 whose coordinates are on these axes, each (k,)."""
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes)], axis=1).astype("float32")


def gauss_hermite(num_nodes: int, latent_dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the Gauss-Hermite rule for the standard normal distribution.

    The rule is exact for polynomials of a degree below 2 * num_nodes in every dimension.

    Args:
        num_nodes: nodes in every dimension.
        latent_dim: number of dimensions.

    Returns:
        Nodes (num_nodes ** latent_dim, latent_dim) and weights (num_nodes ** latent_dim,), which add up to 1.
    """
    nodes, weights = special.roots_hermitenorm(num_nodes)
    weights = weights / weights.sum()
    noise = np.stack([axis.ravel() for axis in np.meshgrid(*[nodes] * latent_dim)], axis=1)
    return noise, np.prod([axis.ravel() for axis in np.meshgrid(*[weights] * latent_dim)], axis=0)


def log_joints(model: VAE, x: np.ndarray, nodes: np.ndarray, beta: float) -> Iterator[tuple[slice, slice, Tensor]]:
    """Compute log p(z) p(x|z)^(1/beta) at nodes, block by block.

    Args:
        model: a `VAE`.
        x: (n, height, width, channels), images in [0, 1].
        nodes: (m, latent_dim) float32, points z.
        beta: 1 for the joint distribution; see `exact_log_likelihood`.

    Yields:
        The slice of the nodes and the slice of the images, and a tensor of values, nodes down and images across.
    """
    pixels = x.reshape(len(x), -1)
    blocks = [slice(start, start + _IMAGES) for start in range(0, len(x), _IMAGES)]
    # Split log p(x|z) into a part of the node alone (for Bernoulli pixels the softplus, for Gaussian ones the squared
    # mean, summed over pixels), a part of the image alone, and a matrix product.
    variance = model.noise_variance or 1.0
    of_images = np.zeros(len(x), "float32")
    if model.noise_variance is not None:
        of_images -= 0.5 * (pixels**2).sum(axis=1) / variance + 0.5 * pixels.shape[1] * np.log(2 * np.pi * variance)
    columns = [ops.convert_to_tensor(pixels[block].T) for block in blocks]
    for start in range(0, len(nodes), _NODES):
        some = slice(start, start + _NODES)
        z = nodes[some]
        output = ops.cast(ops.reshape(model.decode(z), (len(z), -1)), "float32")
        cost = ops.softplus(output) if model.noise_variance is None else 0.5 * ops.square(output) / variance
        log_prior = -0.5 * np.sum(z**2, axis=1) - 0.5 * z.shape[1] * np.log(2 * np.pi)
        of_nodes = (log_prior - ops.sum(cost, axis=1) / beta)[:, None]
        for block, images in zip(blocks, columns, strict=True):
            product = ops.matmul(output, images) / variance
            yield some, block, of_nodes + (product + of_images[block]) / beta
