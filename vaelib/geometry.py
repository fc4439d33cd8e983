"""How strongly the decoded pixels change as z moves: the metric that a decoder gives its latent space."""

import numpy as np
import tensorflow as tf

from .quadrature import gauss_hermite

__all__ = ["fisher_metric"]

# Points that are decoded at once.
_POINTS = 4096


def fisher_metric(model, mean, std=None, num_nodes=5):
    r"""The Fisher information of the pixels about z, at points or as a mean over Gaussian posteriors.

    $G_{ij} = \sum_k \frac{\partial l_k}{\partial z_i} P_k \frac{\partial l_k}{\partial z_j}$, where for Bernoulli
    pixels of logits $l$ and means $y$, $P_k = y_k (1 - y_k)$, and for Gaussian ones of means $l$ one over the variance.
    A step $dz$ changes the decoded distribution by $\frac12 dz^\top G\, dz$ nats, and the best diagonal posterior has
    about $1 / \sigma_j^2 = 1 + G_{jj} / \beta$: about, for a curvature of the logits themselves is left out.

    Args:
        model: a `VAE` with one or two latent dimensions.
        mean: (n, latent_dim), points, or means of posteriors.
        std: None for the points themselves; or (n, latent_dim), the posteriors' standard deviations.
        num_nodes: of the Gauss-Hermite quadrature over a posterior, in every dimension.

    Returns:
        (n, latent_dim, latent_dim) float64, nats per squared unit of z.

    Raises:
        ValueError: if mean and std are not of such a shape.

    Derived in chapter 08.
    """
    mean = np.asarray(mean, "float32")
    std = np.zeros_like(mean) if std is None else np.asarray(std, "float32")
    if mean.ndim != 2 or mean.shape[1] != model.latent_dim or std.shape != mean.shape or model.latent_dim > 2:
        raise ValueError(
            "fisher_metric expects one or two latent dimensions, and mean and std of shape "
            f"(n, {model.latent_dim}), got {mean.shape} and {std.shape}."
        )
    if np.any(std):
        noise, weights = gauss_hermite(num_nodes, model.latent_dim)
    else:
        noise, weights = np.zeros((1, model.latent_dim)), np.ones(1)
    z = (mean[:, np.newaxis] + std[:, np.newaxis] * noise.astype("float32")).reshape(-1, model.latent_dim)
    metrics = np.concatenate([_metric(model, z[start : start + _POINTS]) for start in range(0, len(z), _POINTS)])
    return np.tensordot(metrics.reshape(len(mean), len(noise), *metrics.shape[1:]), weights, axes=(1, 0))


def _metric(model, z):
    """The metric at points (n, latent_dim), as (n, latent_dim, latent_dim)."""
    z, columns = tf.constant(z), []
    for direction in np.eye(model.latent_dim, dtype="float32"):
        # Forward mode: one pass per latent dimension instead of one per pixel.
        with tf.autodiff.ForwardAccumulator(z, tf.zeros_like(z) + direction) as forward:
            pixels = model.decode(z)
        columns.append(np.array(forward.jvp(pixels), "float64").reshape(len(z), -1))
    if model.noise_variance is None:
        y = np.array(tf.sigmoid(pixels), "float64").reshape(len(z), -1)
        information = y * (1 - y)
    else:
        information = np.full((1, 1), 1 / model.noise_variance)
    jacobian = np.stack(columns, axis=2)
    return np.swapaxes(jacobian * information[:, :, np.newaxis], 1, 2) @ jacobian
