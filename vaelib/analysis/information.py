"""Split the rate: how much z tells of the image, and how far the cloud of posteriors is from the prior."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ..losses import gaussian_kl
from .grids import QUARTERS

__all__ = ["ELBOSurgery", "elbo_surgery"]

# Compute the densities of this many posteriors at once.
_POSTERIORS = 4000
# Start with this spacing, in standard deviations of the narrowest posterior.
_SPACING = 1.0
_MAX_HALVINGS = 3


class ELBOSurgery(NamedTuple):
    """Hold the rate and its two parts, in nats."""

    rate: float
    """The mean KL from the posteriors to the prior; the sum of the other two."""
    mutual_information: float
    """The information of z about which image it is from, at most log n."""
    marginal_kl: float
    """The KL from the aggregate posterior to the prior, by which draws from the prior differ from encoded images."""


def elbo_surgery(mean: ArrayLike, std: ArrayLike, tolerance: float = 1e-3) -> ELBOSurgery:
    r"""Split the rate of a data set into mutual information and the KL of the aggregate posterior.

    $\frac1n \sum_i \mathrm{KL}(q(z|x_i)\,\|\,p(z)) = I_q(i; z) + \mathrm{KL}(q(z)\,\|\,p(z))$ with the aggregate
    posterior $q(z) = \frac1n \sum_i q(z|x_i)$ (Hoffman & Johnson 2016). In two dimensions the density of q(z) on a grid
    is one product of two matrices, and the last KL an integral over the plane, by the trapezoidal rule.

    Args:
        mean: (n, 2), posterior means of all images.
        std: (n, 2), their standard deviations.
        tolerance: nats by which the four grids of twice the spacing may disagree; where they do, the spacing is halved.

    Returns:
        An `ELBOSurgery`.

    Raises:
        ValueError: if the shapes are not (n, 2), or a standard deviation is not positive.
        ArithmeticError: if the grids still disagree at an eighth of the first spacing.

    Derived in chapter 08.
    """
    mean, std = np.asarray(mean, "float64"), np.asarray(std, "float64")
    if mean.shape != std.shape or mean.ndim != 2 or mean.shape[1] != 2:
        raise ValueError(f"elbo_surgery expects mean and std of one shape (n, 2), got {mean.shape} and {std.shape}.")
    if not np.all(std > 0):
        raise ValueError(f"elbo_surgery expects positive standard deviations, got {std.min():.3g} among them.")
    rate = float(np.mean(gaussian_kl(mean, 2 * np.log(std))))
    extent, spacing = float(np.max(np.abs(mean) + 8 * std)), _SPACING * float(std.min())
    for _ in range(_MAX_HALVINGS + 1):
        by_grid = _marginal_kl(mean, std, extent, spacing)
        if np.ptp(by_grid) < tolerance:
            marginal_kl = float(by_grid.mean())
            return ELBOSurgery(rate, rate - marginal_kl, marginal_kl)
        spacing /= 2
    raise ArithmeticError(f"The grids disagree by {np.ptp(by_grid):.2g} nats even {2 * spacing:.2g} apart.")


def _marginal_kl(mean: np.ndarray, std: np.ndarray, extent: float, spacing: float) -> np.ndarray:
    """Return KL(q(z)||p(z)) by each of the four interleaved grids of twice the spacing, (4,)."""
    half = int(np.ceil(extent / spacing))
    ticks = spacing * np.arange(-half, half + 1)
    density = np.zeros((len(ticks), len(ticks)))
    for start in range(0, len(mean), _POSTERIORS):
        block = slice(start, start + _POSTERIORS)
        # Multiply the densities along the axes: the covariances are diagonal.
        along, across = (_normal(ticks, mean[block, j], std[block, j]) for j in (0, 1))
        density += along.T @ across
    density /= len(mean)
    log_prior = -0.5 * ticks**2 - 0.5 * np.log(2 * np.pi)
    integrand = special.xlogy(density, density) - density * (log_prior[:, np.newaxis] + log_prior)
    return np.array([(2 * spacing) ** 2 * integrand[quarter].sum() for quarter in QUARTERS])


def _normal(ticks: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return the densities (n, num_ticks) of normal distributions."""
    standard = (ticks - mean[:, np.newaxis]) / std[:, np.newaxis]
    return np.exp(-0.5 * standard**2) / (std[:, np.newaxis] * np.sqrt(2 * np.pi))
