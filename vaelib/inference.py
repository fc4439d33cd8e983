"""The best posterior of each image for a given decoder: what the encoder would say if it need not hurry."""

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from .data import check_images
from .losses import gaussian_kl
from .quadrature import gauss_hermite

__all__ = ["best_posteriors"]

# Images that are optimised at once.
_IMAGES = 100


def best_posteriors(model, x, beta=1.0, num_steps=300, learning_rate=0.05, num_nodes=10, verbose=True):
    r"""The Gaussian posterior of every image that minimises its own $D + \beta R$, the decoder left as it is.

    An encoder has to serve all images with one network; here each image has a mean and a standard deviation of its own,
    which gradient descent (Adam, with a step that shrinks to zero) moves from where the encoder puts them. What that
    gains is the amortisation gap, and what is still missing to the log-likelihood the approximation gap (Cremer et al.
    2018).

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

    def loss(images, mean, log_std):
        z = mean[:, None] + tf.exp(log_std)[:, None] * noise
        x_logits = model.decode(tf.reshape(z, (-1, model.latent_dim)))
        distortion = model.distortion(tf.repeat(images, len(weights), axis=0), x_logits)
        expected = tf.linalg.matvec(tf.reshape(distortion, (-1, len(weights))), weights)
        return tf.reduce_sum(expected + beta * gaussian_kl(mean, 2 * log_std))

    @tf.function(jit_compile=True)
    def gradients(images, mean, log_std):
        with tf.GradientTape() as tape:
            tape.watch([mean, log_std])
            value = loss(images, mean, log_std)
        return tape.gradient(value, [mean, log_std])

    found = []
    blocks = [x[start : start + _IMAGES] for start in range(0, len(x), _IMAGES)]
    with tqdm(total=len(blocks) * num_steps, desc="Best posteriors", unit="step", disable=not verbose) as bar:
        for images in blocks:
            mean, log_var = model.encode(images)
            posterior = [tf.Variable(mean), tf.Variable(0.5 * log_var)]
            optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, num_steps))
            for _ in range(num_steps):
                optimizer.apply(gradients(images, *posterior), posterior)
                bar.update()
            found.append([variable.numpy() for variable in posterior])
    mean, log_std = (np.concatenate(part) for part in zip(*found, strict=True))
    return mean, np.exp(log_std)
