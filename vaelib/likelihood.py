"""What the bound is a bound of: log p(x), by quadrature over a latent plane, or from below by importance sampling."""

import numpy as np
from keras import ops
from scipy import special
from tqdm import tqdm

from .data import check_images
from .quadrature import gauss_hermite

__all__ = ["elbo", "exact_log_likelihood", "importance_log_likelihood"]

# Images and nodes whose log-likelihoods are computed at once: a matrix of 40 MB.
_IMAGES, _NODES = 5000, 2048
# Images that each have nodes of their own.
_IMAGES_OF_NODES = 16
# Spacing of the first grid, in standard deviations of the narrowest posterior. The true posterior may be narrower.
_SPACING = 0.5
_MAX_HALVINGS = 4


def exact_log_likelihood(model, x, beta=1.0, tolerance=1e-3, verbose=True):
    r"""The log-likelihood of images, by the trapezoidal rule over the whole latent plane.

    For smooth integrands on the whole plane the rule converges faster than any power of the spacing (Trefethen &
    Weideman 2014): once the nodes are as dense as the narrowest posterior is wide, it is exact for all purposes. The
    first spacing is half of the narrowest posterior's standard deviation; where the four grids of twice the spacing
    that are in it disagree by more than the tolerance, it is halved.

    With another beta it is the best that any posterior, of any shape, could reach in training: minus the smallest loss
    for this decoder, $\beta \log \int p(z)\, p(x|z)^{1/\beta} dz$.

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
            reaches the border of the grid.

    Derived in chapter 09.
    """
    x = check_images(x)
    if model.latent_dim != 2 or model.noise_variance is not None:
        raise ValueError(
            "exact_log_likelihood expects a model with two latent dimensions and Bernoulli pixels, "
            f"got latent_dim={model.latent_dim}, noise_variance={model.noise_variance}: "
            "use importance_log_likelihood, which is a lower bound."
        )
    if not beta > 0 or not tolerance > 0:
        raise ValueError(f"beta and tolerance must be positive, got {beta} and {tolerance}.")
    mean, std = (np.array(part) for part in _posteriors(model, x))
    # Beyond, neither the prior nor any of these posteriors has mass.
    extent = max(6.0, float(np.max(np.abs(mean) + 8 * std)))
    spacing = _SPACING * float(std.min())
    result, left = np.empty(len(x)), np.arange(len(x))
    for _ in range(_MAX_HALVINGS + 1):
        by_grid, border = _integrate(model, x[left], beta, spacing, extent, verbose)
        result[left] = beta * (special.logsumexp(by_grid, axis=0) + 2 * np.log(spacing))
        if np.any(border > special.logsumexp(by_grid, axis=0) + np.log(tolerance)):
            raise ArithmeticError(
                f"The posterior of an image reaches beyond {extent:.1f} from the origin, the border of the grid: "
                "is the model trained, and on such images?"
            )
        # Each of the four has a quarter of the nodes.
        left = left[beta * np.ptp(by_grid, axis=0) > tolerance]
        spacing /= 2
        if not len(left):
            return result
    raise ArithmeticError(
        f"The grids of {len(left)} images disagree by more than {tolerance} nats even {2 * spacing:.2g} apart: "
        "their posteriors are narrower than the encoder says. Raise the tolerance, or leave them out."
    )


def importance_log_likelihood(model, x, num_samples=5000, seed=0, verbose=True):
    r"""A lower bound of the log-likelihood of images that is tighter the more samples it is made of.

    $L_k = \log \frac1k \sum_i p(x, z_i) / q(z_i|x)$ with $z_i \sim q(z|x)$ (Burda et al. 2015, equation 8), for any
    number of latent dimensions. One sample is the ELBO.

    Args:
        model: a `VAE`.
        x: (n, height, width, channels), images in [0, 1].
        num_samples: k, 1 or more.
        seed: decides the samples; those of an image depend on its number in x too.
        verbose: whether to show a progress bar.

    Returns:
        (n,) nats, float64.

    Raises:
        ValueError: if x are not images, or num_samples is less than 1.

    Derived in chapter 09.
    """
    x = check_images(x)
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}.")
    mean, std = _posteriors(model, x)
    result = np.empty(len(x))
    for i in tqdm(range(len(x)), "Importance samples", unit="image", disable=not verbose):
        noise = np.random.default_rng((seed, i)).standard_normal((num_samples, model.latent_dim), "float32")
        z = mean[i] + std[i] * noise
        log_weights = 0.5 * (noise**2 - z**2).sum(axis=1, dtype="float64") + np.log(std[i], dtype="float64").sum()
        log_weights -= _distortion(model, x[i : i + 1], z[np.newaxis])[0]
        result[i] = special.logsumexp(log_weights) - np.log(num_samples)
    return result


def elbo(model, x, mean=None, std=None, beta=1.0, num_nodes=20):
    r"""The ELBO of images without sampling noise: the expectation over q(z|x) by Gauss-Hermite quadrature.

    Args:
        model: a `VAE` with one or two latent dimensions.
        x: (n, height, width, channels), images in [0, 1].
        mean: (n, latent_dim), of other Gaussian posteriors than the encoder's; then std too.
        std: (n, latent_dim), their standard deviations.
        beta: weight of the rate; with another than 1 it is minus the loss.
        num_nodes: of the quadrature, in every dimension.

    Returns:
        (n,) nats, float64.

    Raises:
        ValueError: if x are not images, or the model has more than two latent dimensions.

    Derived in chapter 09.
    """
    x = check_images(x)
    if model.latent_dim > 2:
        raise ValueError(
            f"elbo expects a model with one or two latent dimensions, got {model.latent_dim}: "
            "use importance_log_likelihood with one sample."
        )
    if mean is None or std is None:
        mean, std = _posteriors(model, x)
    noise, weights = gauss_hermite(num_nodes, model.latent_dim)
    mean, std = np.asarray(mean, "float64"), np.asarray(std, "float64")
    z = (mean[:, np.newaxis] + std[:, np.newaxis] * noise).astype("float32")
    blocks = [slice(start, start + _IMAGES_OF_NODES) for start in range(0, len(x), _IMAGES_OF_NODES)]
    distortion = np.concatenate([_distortion(model, x[block], z[block]) @ weights for block in blocks])
    rate = 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(axis=1)
    return -(distortion + beta * rate)


def _integrate(model, x, beta, spacing, extent, verbose):
    """Log-sums of p(z) p(x|z)^(1/beta) over four interleaved grids, (4, n), and over all nodes at the border, (n,)."""
    half = int(np.ceil(extent / spacing))
    ticks = spacing * np.arange(-half, half + 1)
    by_grid, border = np.full((4, len(x)), -np.inf), np.full(len(x), -np.inf)
    edge = ticks[-1] - 0.5
    grids = [np.stack(np.meshgrid(ticks[i::2], ticks[j::2]), axis=-1).reshape(-1, 2) for i in (0, 1) for j in (0, 1)]
    num_blocks = -(-len(x) // _IMAGES)
    with tqdm(total=num_blocks * len(ticks) ** 2, desc="Quadrature", unit="node", disable=not verbose) as bar:
        for block in np.array_split(np.arange(len(x)), num_blocks):
            for grid, nodes in enumerate(grids):
                for start in range(0, len(nodes), _NODES):
                    z = nodes[start : start + _NODES]
                    prior = -0.5 * (z**2).sum(axis=1) - np.log(2 * np.pi)
                    log_joint = prior - _all_distortions(model, x[block], z.astype("float32")) / beta
                    by_grid[grid, block] = np.logaddexp(by_grid[grid, block], special.logsumexp(log_joint, axis=1))
                    outside = np.abs(z).max(axis=1) > edge
                    if outside.any():
                        there = special.logsumexp(log_joint[:, outside], axis=1)
                        border[block] = np.logaddexp(border[block], there)
                    bar.update(len(z))
    return by_grid, border


def _all_distortions(model, x, z):
    """-log p(x|z) of every image (n, ...) with every z (m, latent_dim), for Bernoulli pixels, as (n, m)."""
    x_logits = ops.reshape(model.decode(z), (len(z), -1))
    # Softplus summed over pixels depends on z only; what is left is a matrix product.
    constant = ops.sum(ops.softplus(x_logits), axis=1)
    return np.array(constant - ops.matmul(ops.reshape(x, (len(x), -1)), ops.transpose(x_logits)), "float64")


def _distortion(model, x, z):
    """-log p(x|z) of images (n, ...), each with points of its own, z (n, m, latent_dim), as (n, m)."""
    x_logits = model.decode(z.reshape(-1, z.shape[-1]))
    return np.array(model.distortion(np.repeat(x, z.shape[1], axis=0), x_logits), "float64").reshape(z.shape[:2])


def _posteriors(model, x):
    mean, log_var = model.encode(x)
    return np.array(mean), np.exp(0.5 * np.array(log_var))
