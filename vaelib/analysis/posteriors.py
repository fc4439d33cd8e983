"""Look at posteriors: encode data sets, count active units, and compare with the best posterior of each image."""

import functools
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import ArrayLike
from tqdm import tqdm

from .._progress import progress_bar
from .._types import Tensor
from ..losses import gaussian_kl, negative_elbo, posterior_std
from ..models import VAE, PosteriorTrace
from .grids import gauss_hermite, lattice, log_joints

__all__ = ["active_units", "best_posteriors", "encode_all", "fisher_metric", "posterior_moments"]

_BATCH = 1000
# Optimise this many images at once, each from both starts.
_IMAGES = 50
# Look for a second start among points this far apart, about a posterior's width.
_SPACING = 1 / 16
# Decode this many points at once.
_POINTS = 4096


def active_units(z_mean: ArrayLike, threshold: float = 0.01) -> int:
    """Count the latent dimensions that a model uses: those whose posterior mean varies from image to image.

    A dimension is active if Var_x(E_q[z_j]) > threshold (Burda et al. 2015, section 5).

    Args:
        z_mean: (n, latent_dim), the posterior means of n >= 2 images.
        threshold: variance, in units of the prior's.

    Returns:
        An integer from 0 to latent_dim.

    Raises:
        ValueError: if z_mean has another shape.

    >>> active_units([[1.0, 0.001], [-1.0, 0.002], [0.5, 0.0]])
    1

    Used in chapter 04.
    """
    z_mean = np.asarray(z_mean, "float64")
    if z_mean.ndim != 2 or len(z_mean) < 2:
        raise ValueError(f"active_units expects z_mean (n, latent_dim) of at least 2 images, got {z_mean.shape}.")
    return int(np.sum(z_mean.var(axis=0) > threshold))


def encode_all(model: VAE, x: ArrayLike) -> PosteriorTrace:
    """Return the posteriors of any number of images, encoded in batches that fit into memory.

    Args:
        model: a `VAE`.
        x: (n, height, width, channels), images in [0, 1].

    Returns:
        A `PosteriorTrace`, with posterior means and standard deviations, each (n, latent_dim) float32.

    Raises:
        ValueError: if x are not images in [0, 1].

    Used in chapter 07.
    """
    x = model.checked_images(x)
    batches = [model.encode(x[i : i + _BATCH]) for i in range(0, len(x), _BATCH)]
    mean, log_var = (
        np.concatenate([np.array(part, "float32") for part in parts]) for parts in zip(*batches, strict=True)
    )
    return PosteriorTrace(mean, posterior_std(log_var))


def posterior_moments(model: VAE, x: ArrayLike, seed: int = 0) -> tuple[np.ndarray, np.ndarray, float]:
    """Return what must be 0, 1 and 0 of these images wherever training without weight decay has converged.

    The first and last layers can shift and scale z and the pixels, so at any stationary point E[z_j] = 0 and
    E[mean_j^2 + std_j^2] = 1 over images and posteriors, and the mean decoded image is the mean image.

    Args:
        model: a `VAE`.
        x: (n, height, width, channels), the training images.
        seed: decides the draw of z for every image.

    Returns:
        E[mean_j], (latent_dim,); E[mean_j^2 + std_j^2], (latent_dim,); and the absolute difference between the mean
        decoded and the mean image, averaged over pixels, ().

    Raises:
        ValueError: if x are not images in [0, 1].

    Derived in chapter 07.
    """
    x = model.checked_images(x)
    mean, std = encode_all(model, x)
    z = mean + std * np.random.default_rng(seed).standard_normal(mean.shape, "float32")
    batches = (np.array(model.generate(z[i : i + _BATCH])) for i in range(0, len(z), _BATCH))
    decoded = sum(batch.sum(axis=0, dtype="float64") for batch in batches)
    error = np.abs(decoded / len(x) - x.mean(axis=0, dtype="float64")).mean()
    return mean.mean(axis=0, dtype="float64"), (mean**2 + std**2).mean(axis=0, dtype="float64"), error


def best_posteriors(
    model: VAE,
    x: ArrayLike,
    beta: float = 1.0,
    num_steps: int = 150,
    learning_rate: float = 0.05,
    num_nodes: int = 5,
    verbose: bool = True,
) -> PosteriorTrace:
    r"""Return the Gaussian posterior of every image that minimises its own $D + \beta R$, with the decoder as it is.

    An encoder has to serve all images with one network; here each image has a mean and a standard deviation of its own,
    which gradient descent (Adam, with a step that shrinks to zero) moves. It starts twice, from the encoder's posterior
    and from the point of a lattice over the latent space where $p(x, z)$ is highest, and keeps the better end: from the
    encoder's place alone, it may climb a hill that is not the highest. The gain over the encoder is the amortisation
    gap, and what is still missing to the log-likelihood the approximation gap (Cremer et al. 2018).

    Args:
        model: a `VAE` with one or two latent dimensions.
        x: (n, height, width, channels), images in [0, 1].
        beta: weight of the rate, > 0; 1 for the ELBO.
        num_steps: steps of gradient descent, >= 1.
        learning_rate: the first step, in units of z and of log std, > 0.
        num_nodes: nodes of the Gauss-Hermite quadrature of the distortion, in every dimension.
        verbose: whether to show a progress bar.

    Returns:
        A `PosteriorTrace`, with means and standard deviations, each (n, latent_dim) float32.

    Raises:
        ValueError: if x are not images, the model has more than two latent dimensions, its pixels are continuous
            Bernoulli or of an optimal variance, or a number is out of range.

    Derived in chapter 09.
    """
    x = model.checked_images(x)
    if model.latent_dim > 2:
        raise ValueError(f"best_posteriors expects one or two latent dimensions, got {model.latent_dim}.")
    _check_pixels(model, "best_posteriors")
    if not (beta > 0 and learning_rate > 0 and num_steps >= 1):
        raise ValueError(
            "beta, learning_rate and num_steps must be positive, "
            f"got beta={beta}, learning_rate={learning_rate}, num_steps={num_steps}."
        )
    losses = functools.partial(_losses, model, beta, gauss_hermite(num_nodes, model.latent_dim))
    gradients = _compiled_gradients(losses)
    mean, std = encode_all(model, x)
    starts, found = np.stack([mean, _highest_points(model, x, mean, beta)]), []
    blocks = [slice(start, start + _IMAGES) for start in range(0, len(x), _IMAGES)]
    with progress_bar(total=len(blocks) * num_steps, desc="Best posteriors", unit="step", verbose=verbose) as bar:
        for block in blocks:
            # Descend from both starts of every image at once.
            first = PosteriorTrace(np.concatenate(starts[:, block]), np.tile(std[block], (2, 1)))
            images = np.concatenate([x[block]] * 2)
            ends = _descend(losses, gradients, images, first, num_steps, learning_rate, bar)
            loss, means, log_stds = (np.stack(np.split(part, 2)) for part in ends)
            better = np.argmin(loss, axis=0), np.arange(loss.shape[1])
            found.append((means[better], log_stds[better]))
    mean, log_std = (np.concatenate(part) for part in zip(*found, strict=True))
    return PosteriorTrace(mean, np.exp(log_std))


def fisher_metric(model: VAE, mean: ArrayLike, std: ArrayLike | None = None, num_nodes: int = 5) -> np.ndarray:
    r"""Return the Fisher information of the pixels about z, at points or as a mean over Gaussian posteriors.

    $G_{ij} = \sum_k \frac{\partial l_k}{\partial z_i} P_k \frac{\partial l_k}{\partial z_j}$, where for Bernoulli
    pixels of logits $l$ and means $y$, $P_k = y_k (1 - y_k)$, and for Gaussian ones of means $l$ one over the variance.
    A step $dz$ changes the decoded distribution by $\frac12 dz^\top G\, dz$ nats, and the best diagonal posterior has
    about $1 / \sigma_j^2 = 1 + G_{jj} / \beta$; this neglects the curvature of the logits themselves.

    Args:
        model: a `VAE` with one or two latent dimensions.
        mean: (n, latent_dim), points, or means of posteriors.
        std: None for the points themselves; or (n, latent_dim), the posteriors' standard deviations.
        num_nodes: nodes of the Gauss-Hermite quadrature over a posterior, in every dimension.

    Returns:
        (n, latent_dim, latent_dim) float64, nats per squared unit of z.

    Raises:
        ValueError: if mean and std have other shapes, or the pixels are continuous Bernoulli or of an optimal variance.

    Derived in chapter 08.
    """
    mean = np.asarray(mean, "float32")
    std = np.zeros_like(mean) if std is None else np.asarray(std, "float32")
    if mean.ndim != 2 or mean.shape[1] != model.latent_dim or std.shape != mean.shape or model.latent_dim > 2:
        raise ValueError(
            "fisher_metric expects one or two latent dimensions, and mean and std of shape "
            f"(n, {model.latent_dim}), got {mean.shape} and {std.shape}."
        )
    _check_pixels(model, "fisher_metric")
    if np.any(std):
        noise, weights = gauss_hermite(num_nodes, model.latent_dim)
    else:
        noise, weights = np.zeros((1, model.latent_dim)), np.ones(1)
    z = (mean[:, np.newaxis] + std[:, np.newaxis] * noise.astype("float32")).reshape(-1, model.latent_dim)
    metrics = np.concatenate([_metric(model, z[start : start + _POINTS]) for start in range(0, len(z), _POINTS)])
    return np.tensordot(metrics.reshape(len(mean), len(noise), *metrics.shape[1:]), weights, axes=(1, 0))


def _check_pixels(model: VAE, name: str) -> None:
    """Raise a ValueError for pixels that are neither Bernoulli nor Gaussian of one variance."""
    # Ask for the variance first: an optimal one belongs to no model, and says so.
    if model.noise_variance is None and model.likelihood != "bernoulli":
        raise ValueError(f"{name} expects Bernoulli or Gaussian pixels, got likelihood={model.likelihood!r}.")


def _losses(
    model: VAE, beta: float, rule: tuple[np.ndarray, np.ndarray], images: Tensor, mean: Tensor, log_std: Tensor
) -> Tensor:
    """Return D + beta R of images, (n,) nats, for posteriors of their own, with D by a rule of nodes and weights."""
    noise, weights = (part.astype("float32") for part in rule)
    z = mean[:, None] + tf.exp(log_std)[:, None] * noise
    x_logits = model.decode(tf.reshape(z, (-1, model.latent_dim)))
    distortion = tf.cast(model.distortion(tf.repeat(images, len(weights), axis=0), x_logits), weights.dtype)
    expected = tf.linalg.matvec(tf.reshape(distortion, (-1, len(weights))), weights)
    return negative_elbo(expected, gaussian_kl(mean, 2 * log_std), beta)


def _compiled_gradients(losses: Callable) -> Callable:
    """Return the gradient of the summed losses by mean and log_std, as one compiled function."""

    @tf.function(jit_compile=True)
    def gradients(images: Tensor, mean: Tensor, log_std: Tensor) -> list[Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([mean, log_std])
            value = tf.reduce_sum(losses(images, mean, log_std))
        return tape.gradient(value, [mean, log_std])

    return gradients


def _descend(
    losses: Callable,
    gradients: Callable,
    images: np.ndarray,
    first: PosteriorTrace,
    num_steps: int,
    learning_rate: float,
    bar: tqdm,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the losses, means and log standard deviations that gradient descent ends with."""
    posterior = [tf.Variable(first.mean), tf.Variable(np.log(first.std))]
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, num_steps))
    for _ in range(num_steps):
        optimizer.apply(gradients(images, *posterior), posterior)
        bar.update()
    return np.array(losses(images, *posterior)), posterior[0].numpy(), posterior[1].numpy()


def _highest_points(model: VAE, x: np.ndarray, mean: np.ndarray, beta: float) -> np.ndarray:
    """Return for each image the node, (n, latent_dim), at which p(z) p(x|z)^(1/beta) is highest."""
    half = int(np.ceil(max(6.0, np.abs(mean).max() + 1) / _SPACING))
    nodes = lattice([_SPACING * np.arange(-half, half + 1)] * model.latent_dim)
    highest, where = np.full(len(x), -np.inf), np.zeros_like(mean)
    for some, block, log_joint in log_joints(model, x, nodes, beta):
        best, value = np.array(ops.argmax(log_joint, axis=0)), np.array(ops.max(log_joint, axis=0))
        higher = value > highest[block]
        where[block][higher] = nodes[some][best[higher]]
        highest[block] = np.maximum(highest[block], value)
    return where


def _metric(model: VAE, z: np.ndarray) -> np.ndarray:
    """Return the metric at points (n, latent_dim), as (n, latent_dim, latent_dim)."""
    z, columns = tf.constant(z), []
    for direction in np.eye(model.latent_dim, dtype="float32"):
        # Differentiate forward: one pass per latent dimension instead of one per pixel.
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
