"""Compute log p(x), exactly by quadrature over a latent plane or from below by importance sampling, and its ELBO."""

import numpy as np
from keras import ops
from numpy.typing import ArrayLike
from scipy import special

from .._progress import progress_bar
from .._types import Tensor
from ..losses import gaussian_kl, negative_elbo
from ..models import VAE
from .grids import QUARTERS, gauss_hermite, lattice, log_joints
from .posteriors import encode_all

__all__ = ["elbo", "exact_log_likelihood", "importance_log_likelihood"]

# Decode the nodes of this many images at once.
_IMAGES_OF_NODES = 16
# Start with a spacing of at most this many standard deviations of an image's posterior, in its narrower dimension.
_SPACING = 0.6
_MAX_HALVINGS = 4
# Widen the plane up to this factor where a posterior reaches beyond its border.
_MAX_GROWTH = 4
# Ask a schedule for its beta at a step after any warm-up.
_LATE = 2**31


def exact_log_likelihood(
    model: VAE, x: ArrayLike, beta: float = 1.0, tolerance: float = 1e-3, verbose: bool = True
) -> np.ndarray:
    r"""Return the log-likelihood of images, by the trapezoidal rule over the whole latent plane.

    For smooth integrands on the whole plane the rule converges faster than any power of the spacing (Trefethen &
    Weideman 2014): once the nodes are as dense as the posterior is wide, it is exact for all purposes. So every image
    has a spacing of its own, a power of 1/2 of at most 0.6 standard deviations of its posterior; where the four grids
    of twice the spacing that are in it disagree by more than the tolerance, it is halved.

    With another beta the result is the best that any posterior, of any shape, could reach in training: minus the
    smallest loss for this decoder, $\beta \log \int p(z)\, p(x|z)^{1/\beta} dz$.

    Args:
        model: a `VAE` with Bernoulli pixels and two latent dimensions.
        x: (n, height, width, channels), images in [0, 1]; grey pixels count as probabilities of being white.
        beta: 1 for log p(x); otherwise the weight of the rate, > 0.
        tolerance: nats by which the four grids may disagree; the result itself is much more accurate.
        verbose: whether to show a progress bar.

    Returns:
        (n,) nats, float64.

    Raises:
        ValueError: if the model or a number does not fit.
        ArithmeticError: if the grids still disagree at a sixteenth of the first spacing, or an image's posterior
            reaches the border of a grid that is four times as wide as it should be.

    Derived in chapter 09.
    """
    x = model.checked_images(x)
    _check_plane(model, beta, tolerance)
    mean, std = encode_all(model, x)
    first = np.floor(np.log2(_SPACING * _expected_std(model, std, beta).min(axis=1)))
    # Start where neither the prior nor any of these posteriors has mass beyond; those of another beta may have some.
    extent = np.full(len(x), max(6.0, float(np.max(np.abs(mean) + 8 * std))))
    furthest = _MAX_GROWTH * extent[0]
    result, level, left = np.empty(len(x)), first.copy(), np.ones(len(x), bool)
    while left.any():
        now = np.flatnonzero(left & (level == level[left].max()))
        spacing = 2.0 ** float(level[now[0]])
        by_grid, border = _integrate(model, x[now], beta, spacing, extent[now].max(), verbose)
        whole = special.logsumexp(by_grid, axis=0)
        result[now] = beta * (whole + 2 * np.log(spacing))
        inside, agree = border <= whole + np.log(tolerance), _agree(beta * by_grid, tolerance)
        left[now[inside & agree]] = False
        extent[now[~inside]] = 1.5 * extent[now].max()
        level[now[inside & ~agree]] -= 1
        _check_progress(extent, furthest, np.sum(level < first - _MAX_HALVINGS), spacing, tolerance)
    return result


def importance_log_likelihood(
    model: VAE, x: ArrayLike, num_samples: int = 5000, seed: int = 0, verbose: bool = True
) -> np.ndarray:
    r"""Return a lower bound of the log-likelihood of images that is tighter the more samples it is made of.

    $L_k = \log \frac1k \sum_i p(x, z_i) / q(z_i|x)$ with $z_i \sim q(z|x)$ (Burda et al. 2015, equation 8), for any
    number of latent dimensions. One sample is the ELBO.

    Args:
        model: a `VAE`.
        x: (n, height, width, channels), images in [0, 1].
        num_samples: k, 1 or more.
        seed: decides the samples; those of an image depend on its number in x, too.
        verbose: whether to show a progress bar.

    Returns:
        (n,) nats, float64.

    Raises:
        ValueError: if x are not images, or num_samples is less than 1.

    Derived in chapter 09.
    """
    x = model.checked_images(x)
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}.")
    mean, std = encode_all(model, x)
    result = np.empty(len(x))
    for i in progress_bar(range(len(x)), "Importance samples", unit="image", verbose=verbose):
        noise = np.random.default_rng((seed, i)).standard_normal((num_samples, model.latent_dim), "float32")
        z = mean[i] + std[i] * noise
        log_weights = 0.5 * (noise**2 - z**2).sum(axis=1, dtype="float64") + np.log(std[i], dtype="float64").sum()
        log_weights -= _distortion(model, x[i : i + 1], z[np.newaxis])[0]
        result[i] = special.logsumexp(log_weights) - np.log(num_samples)
    return result


def elbo(
    model: VAE,
    x: ArrayLike,
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    beta: float = 1.0,
    num_nodes: int = 20,
) -> np.ndarray:
    r"""Return the ELBO of images without sampling noise: the expectation over q(z|x) by Gauss-Hermite quadrature.

    Args:
        model: a `VAE` with one or two latent dimensions.
        x: (n, height, width, channels), images in [0, 1].
        mean: (n, latent_dim), means of other Gaussian posteriors than the encoder's; given with std.
        std: (n, latent_dim), their standard deviations.
        beta: weight of the rate; with another than 1 it is minus the loss.
        num_nodes: nodes of the quadrature in every dimension.

    Returns:
        (n,) nats, float64.

    Raises:
        ValueError: if x are not images, or the model has more than two latent dimensions.

    Derived in chapter 09.
    """
    x = model.checked_images(x)
    if model.latent_dim > 2:
        raise ValueError(
            f"elbo expects a model with one or two latent dimensions, got {model.latent_dim}: "
            "use importance_log_likelihood with one sample."
        )
    if mean is None or std is None:
        mean, std = encode_all(model, x)
    noise, weights = gauss_hermite(num_nodes, model.latent_dim)
    mean, std = np.asarray(mean, "float64"), np.asarray(std, "float64")
    z = (mean[:, np.newaxis] + std[:, np.newaxis] * noise).astype("float32")
    blocks = [slice(start, start + _IMAGES_OF_NODES) for start in range(0, len(x), _IMAGES_OF_NODES)]
    distortion = np.concatenate([_distortion(model, x[block], z[block]) @ weights for block in blocks])
    return -negative_elbo(distortion, np.array(gaussian_kl(mean, 2 * np.log(std))), beta)


def _check_plane(model: VAE, beta: float, tolerance: float) -> None:
    if model.latent_dim != 2 or model.likelihood != "bernoulli":
        raise ValueError(
            "exact_log_likelihood expects a model with two latent dimensions and Bernoulli pixels, "
            f"got latent_dim={model.latent_dim}, likelihood={model.likelihood!r}: "
            "use importance_log_likelihood, which is a lower bound."
        )
    if not beta > 0 or not tolerance > 0:
        raise ValueError(f"beta and tolerance must be positive, got {beta} and {tolerance}.")


def _expected_std(model: VAE, std: np.ndarray, beta: float) -> np.ndarray:
    """Return the standard deviations that the posterior for a beta should have, (n, 2), from those of the encoder.

    The best posterior has the precision 1 + H / beta, where H, the decoder's part, does not depend on beta. For a
    Gaussian posterior, whatever its direction, the rule's error is at most that of a round one as narrow as the
    narrower of these two.
    """
    trained = float(model.beta(_LATE)) or beta
    return 1 / np.sqrt(1 + np.maximum(1 / std**2 - 1, 0) * trained / beta)


def _agree(by_grid: np.ndarray, tolerance: float) -> np.ndarray:
    """Tell for each image whether its four grids, each a quarter of the nodes, agree within the tolerance.

    They could agree by accident: their errors have opposite signs, and vanish together where a posterior lies in the
    right place. Then what is left is the error of the whole grid, the fourth power of theirs,
    2 exp(-2 (pi std / spacing)^2): below 1e-3 up to a spacing of 1.6 std. To go unnoticed, a posterior must be three
    times as narrow as expected, and its place right to a thousandth of the spacing.
    """
    return np.ptp(by_grid, axis=0) <= tolerance


def _check_progress(
    extent: np.ndarray, furthest: float, num_stuck: int | np.integer, spacing: float, tolerance: float
) -> None:
    """Raise an ArithmeticError where the plane, or the density of the nodes, has grown too much."""
    if extent.max() > furthest:
        raise ArithmeticError(
            f"The posterior of an image reaches beyond {furthest:.1f} from the origin, the border of the grid: "
            "is the model trained, and on such images?"
        )
    if num_stuck:
        raise ArithmeticError(
            f"The grids of {num_stuck} images disagree by more than {tolerance} nats even {spacing:.2g} apart: their "
            "posteriors are narrower than the encoder says. Raise the tolerance, or leave them out."
        )


def _integrate(
    model: VAE, x: np.ndarray, beta: float, spacing: float, extent: float, verbose: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return log-sums of p(z) p(x|z)^(1/beta): over four interleaved grids, (4, n), and over the border, (n,)."""
    half = int(np.ceil(extent / spacing))
    ticks = (spacing * np.arange(-half, half + 1)).astype("float32")
    by_grid, border = np.full((4, len(x)), -np.inf), np.full(len(x), -np.inf)
    edge = ticks[-1] - 0.5
    grids = [lattice((ticks[rows], ticks[columns])) for rows, columns in QUARTERS]
    name = f"Quadrature, {len(x)} images, nodes 1/{1 / spacing:g} apart"
    with progress_bar(total=len(x) * len(ticks) ** 2, desc=name, unit_scale=True, verbose=verbose) as bar:
        for grid, nodes in enumerate(grids):
            outside = np.abs(nodes).max(axis=1) > edge
            for some, block, log_joint in log_joints(model, x, nodes, beta):
                _add_nodes(by_grid[grid, block], log_joint)
                _add_nodes(border[block], ops.take(log_joint, np.flatnonzero(outside[some]), axis=0))
                bar.update(np.prod(log_joint.shape))
    return by_grid, border


def _add_nodes(log_sum: np.ndarray, log_joint: Tensor) -> None:
    """Add the nodes of a matrix (m, n) to log-sums (n,), in place; none if m is 0."""
    np.logaddexp(log_sum, np.array(ops.logsumexp(log_joint, axis=0), "float64"), out=log_sum)


def _distortion(model: VAE, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return -log p(x|z) of images (n, ...), each with points of its own, z (n, m, latent_dim), as (n, m)."""
    x_logits = model.decode(z.reshape(-1, z.shape[-1]))
    return np.array(model.distortion(np.repeat(x, z.shape[1], axis=0), x_logits), "float64").reshape(z.shape[:2])
