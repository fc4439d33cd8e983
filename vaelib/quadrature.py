"""Expectations over a Gaussian as weighted sums."""

import numpy as np
from scipy import special

__all__ = ["gauss_hermite"]


def gauss_hermite(num_nodes, latent_dim):
    """Nodes and weights of the Gauss-Hermite rule for the standard normal distribution.

    It is exact for polynomials of a degree below 2 * num_nodes in every dimension.

    Args:
        num_nodes: in every dimension.
        latent_dim: number of dimensions.

    Returns:
        Nodes (num_nodes ** latent_dim, latent_dim) and weights (num_nodes ** latent_dim,), which add up to 1.
    """
    nodes, weights = special.roots_hermitenorm(num_nodes)
    weights = weights / weights.sum()
    noise = np.stack([axis.ravel() for axis in np.meshgrid(*[nodes] * latent_dim)], axis=1)
    return noise, np.prod([axis.ravel() for axis in np.meshgrid(*[weights] * latent_dim)], axis=0)
