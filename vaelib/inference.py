"""The best posterior of each image for a given decoder: what the encoder would say if it need not hurry."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from .data import check_images
from .lattice import lattice, log_joints
from .losses import gaussian_kl
from .progress import progress_bar
from .quadrature import gauss_hermite

__all__ = ["best_posteriors"]

# Images that are optimised at once.
_IMAGES = 100
# Spacing of the points of the latent space among which a second start is sought, about a posterior's width.
_SPACING = 1 / 16


def best_posteriors(model, x, beta=1.0, num_steps=150, learning_rate=0.05, num_nodes=5, verbose=True):
    r"""The Gaussian posterior of every image that minimises its own $D + \beta R$, the decoder left as it is.

    An encoder has to serve all images with one network; here each image has a mean and a standard deviation of its own,
    which gradient descent (Adam, with a step that shrinks to zero) moves. It starts twice, where the encoder says, and
    where on a lattice over the whole latent space $p(x, z)$ is highest, and the better end counts: from the encoder's
    place alone, it may be kept by a hill that is not the highest. What that gains is the amortisation gap, and what is
    still missing to the log-likelihood the approximation gap (Cremer et al. 2018).

    Args:
        model: a `VAE` with one or two latent dimensions.
        x: (n, height, width, channels), images in [0, 1].
        beta: weight of the rate, > 0; 1 for the ELBO.
        num_steps: of gradient descent, >= 1.
        learning_rate: the first step, in units of z and of log std, > 0.
        num_nodes: of the Gauss-Hermite quadrature of the distortion, in every dimension.
        verbose: whether to show a progress bar.

    Returns:
        Means and standard deviations, each (n, latent_dim) float32.

    Raises:
        ValueError: if x are not images, the model has more than two latent dimensions, or a number is out of range.

    Derived in chapter 09.
    """
    x = check_images(x)
    if model.latent_dim > 2:
        raise ValueError(f"best_posteriors expects one or two latent dimensions, got {model.latent_dim}.")
    if not (beta > 0 and learning_rate > 0 and num_steps >= 1):
        raise ValueError(
            "beta, learning_rate and num_steps must be positive, "
            f"got beta={beta}, learning_rate={learning_rate}, num_steps={num_steps}."
        )
    noise, weights = (part.astype("float32") for part in gauss_hermite(num_nodes, model.latent_dim))

    def losses(images, mean, log_std):
        z = mean[:, None] + tf.exp(log_std)[:, None] * noise
        x_logits = model.decode(tf.reshape(z, (-1, model.latent_dim)))
        distortion = model.distortion(tf.repeat(images, len(weights), axis=0), x_logits)
        expected = tf.linalg.matvec(tf.reshape(distortion, (-1, len(weights))), weights)
        return expected + beta * gaussian_kl(mean, 2 * log_std)

    @tf.function(jit_compile=True)
    def gradients(images, mean, log_std):
        with tf.GradientTape() as tape:
            tape.watch([mean, log_std])
            value = tf.reduce_sum(losses(images, mean, log_std))
        return tape.gradient(value, [mean, log_std])

    def descend(images, mean, log_std, bar):
        posterior = [tf.Variable(mean), tf.Variable(log_std)]
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, num_steps))
        for _ in range(num_steps):
            optimizer.apply(gradients(images, *posterior), posterior)
            bar.update()
        return np.array(losses(images, *posterior)), *(variable.numpy() for variable in posterior)

    mean, log_var = (np.array(part) for part in model.encode(x))
    starts, found = (mean, _highest_points(model, x, mean, beta)), []
    blocks = [slice(start, start + _IMAGES) for start in range(0, len(x), _IMAGES)]
    with progress_bar(total=2 * len(blocks) * num_steps, desc="Best posteriors", unit="step", verbose=verbose) as bar:
        for block in blocks:
            ends = [descend(x[block], start[block], 0.5 * log_var[block], bar) for start in starts]
            loss, means, log_stds = (np.stack(part) for part in zip(*ends, strict=True))
            better = np.argmin(loss, axis=0), np.arange(loss.shape[1])
            found.append((means[better], log_stds[better]))
    mean, log_std = (np.concatenate(part) for part in zip(*found, strict=True))
    return mean, np.exp(log_std)


def _highest_points(model, x, mean, beta):
    """For each image the node, (n, latent_dim), at which p(z) p(x|z)^(1/beta) is highest."""
    half = int(np.ceil(max(6.0, np.abs(mean).max() + 1) / _SPACING))
    nodes = lattice([_SPACING * np.arange(-half, half + 1)] * model.latent_dim)
    highest, where = np.full(len(x), -np.inf), np.zeros_like(mean)
    for some, block, log_joint in log_joints(model, x, nodes, beta):
        best, value = np.array(ops.argmax(log_joint, axis=0)), np.array(ops.max(log_joint, axis=0))
        higher = value > highest[block]
        where[block][higher] = nodes[some][best[higher]]
        highest[block] = np.maximum(highest[block], value)
    return where
