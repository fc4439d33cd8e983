"""Write the losses of well-known programs again, from what they say they do, to evaluate them on the same tensors.

Each takes x and what is decoded, (batch, pixels), and mean and log_var, (batch, latents), and returns the loss of the
batch as the program reduces it. What is decoded is logits for cross-entropy, pixels for a squared error, and the
logarithms of expected counts for counts.
"""

from typing import NamedTuple

import tensorflow as tf

DISPERSION = 2.0


class Program(NamedTuple):
    """Describe a program: its loss, what it trains on, and the likelihood behind its reconstruction error."""

    loss: object
    num_pixels: int
    latent_dim: int
    likelihood: str


def cross_entropies(x, logits):
    """Return minus the log-probability of each pixel as a coin: that of the ink, and that of the paper."""
    return -x * tf.math.log_sigmoid(logits) - (1 - x) * tf.math.log_sigmoid(-logits)


def divergences(mean, log_var):
    """Return the KL of each latent dimension from the standard normal distribution."""
    return -0.5 * (1 + log_var - mean**2 - tf.exp(log_var))


def mean_and_kl_without_half(x, logits, mean, log_var):
    """Average the cross-entropy over all pixels of the batch; weigh the mean of twice the KL with 5e-4."""
    twice = -(1 + log_var - mean**2 - tf.exp(log_var))
    return tf.reduce_mean(tf.reduce_mean(cross_entropies(x, logits)) + 5e-4 * tf.reduce_mean(twice, axis=-1))


def sum_and_mean_kl(x, logits, mean, log_var):
    """Add up the pixels of an image; average the KL over images and dimensions alike."""
    error = tf.reduce_sum(cross_entropies(x, logits), axis=1)
    return tf.reduce_mean(error) + tf.reduce_mean(divergences(mean, log_var))


def sum_and_sum(x, logits, mean, log_var):
    """Add up pixels and dimensions; average over images."""
    by_image = tf.reduce_sum(cross_entropies(x, logits), axis=1) + tf.reduce_sum(divergences(mean, log_var), axis=1)
    return tf.reduce_mean(by_image)


def sum_over_the_batch(x, logits, mean, log_var):
    """Add up everything, the images too."""
    return tf.reduce_sum(cross_entropies(x, logits)) + tf.reduce_sum(divergences(mean, log_var))


def one_draw(x, logits, mean, log_var):
    """Take log q(z|x) - log p(z) at the z that was drawn for the KL.

    The noise is 1 and then -1, which has the mean and the variance of a draw, so that the mean of the two is exact.
    """

    def log_normal(z, center, log_variance):
        return -0.5 * tf.reduce_sum((z - center) ** 2 / tf.exp(log_variance) + log_variance, axis=1)

    def loss(noise):
        z = mean + tf.exp(log_var / 2) * noise
        kl = log_normal(z, mean, log_var) - log_normal(z, tf.zeros_like(z), tf.zeros_like(z))
        return tf.reduce_mean(tf.reduce_sum(cross_entropies(x, logits), axis=1) + kl)

    return (loss(1) + loss(-1)) / 2


def weighed_mean(x, logits, mean, log_var):
    """Weigh the cross-entropy's mean over the pixels of an image with 500."""
    error = 500 * tf.reduce_mean(cross_entropies(x, logits), axis=1)
    return tf.reduce_mean(error) + tf.reduce_mean(tf.reduce_sum(divergences(mean, log_var), axis=1))


def four_times_kl(x, logits, mean, log_var):
    """Add up the cross-entropy and divide it by the batch; weigh the KL, added up over dimensions, with 4."""
    error = tf.reduce_sum(cross_entropies(x, logits)) / len(x)
    return error + 4 * tf.reduce_sum(tf.reduce_mean(divergences(mean, log_var), axis=0))


def kl_weight(kl_wt):
    """Return this book's loss: the mean error per pixel plus kl_wt times the KL of the image."""

    def loss(x, logits, mean, log_var):
        rate = tf.reduce_sum(divergences(mean, log_var), axis=1)
        return tf.reduce_mean(tf.reduce_mean(cross_entropies(x, logits), axis=1) + kl_wt * rate)

    return loss


def mean_square_and_mean_kl(x, decoded, mean, log_var):
    """Average squares and KL over all that there is."""
    return tf.reduce_mean((x - decoded) ** 2) + tf.reduce_mean(divergences(mean, log_var))


def half_squares(x, decoded, mean, log_var):
    """Take half the sum of squares of an image, and the KL's sum."""
    by_image = tf.reduce_sum((x - decoded) ** 2, axis=1) / 2 + tf.reduce_sum(divergences(mean, log_var), axis=1)
    return tf.reduce_mean(by_image)


def mean_square(kl_wt):
    """Return the mean over all squares plus kl_wt times the KL's sum."""

    def loss(x, decoded, mean, log_var):
        rate = tf.reduce_mean(tf.reduce_sum(divergences(mean, log_var), axis=1))
        return tf.reduce_mean((x - decoded) ** 2) + kl_wt * rate

    return loss


def mean_square_and_tenth_of_mean_kl(x, decoded, mean, log_var):
    """Average squares and KL over all that there is, and weigh the KL with 0.1."""
    return tf.reduce_mean((x - decoded) ** 2) + 0.1 * tf.reduce_mean(divergences(mean, log_var))


def squares_and_ten_kl(x, decoded, mean, log_var):
    """Add up all squares and divide them by the batch; weigh the KL's sum with 10."""
    error = tf.reduce_sum((x - decoded) ** 2) / len(x)
    return error + 10 * tf.reduce_mean(tf.reduce_sum(divergences(mean, log_var), axis=1))


def squares_and_kl_with_floor(x, decoded, mean, log_var):
    """Add up the squares of an image; count its KL as half a nat per dimension at least."""
    rate = tf.reduce_sum(divergences(mean, log_var), axis=1)
    floor = 0.5 * mean.shape[1]
    return tf.reduce_mean(tf.reduce_sum((x - decoded) ** 2, axis=1)) + tf.reduce_mean(tf.maximum(rate, floor))


def weighed_mean_square(x, decoded, mean, log_var):
    """Weigh the mean over all squares with 2,000."""
    rate = tf.reduce_mean(tf.reduce_sum(divergences(mean, log_var), axis=1))
    return tf.reduce_mean(2000 * (x - decoded) ** 2) + rate


def counts(x, log_rates, mean, log_var):
    """Add up minus the log-probabilities of the counts under negative binomials, with the full weight of the KL."""
    total = tf.exp(log_rates) + DISPERSION
    log_p = DISPERSION * tf.math.log(DISPERSION / total) + x * tf.math.log(tf.exp(log_rates) / total)
    # Leave out what depends on the count alone.
    return tf.reduce_mean(tf.reduce_sum(divergences(mean, log_var), axis=1) - tf.reduce_sum(log_p, axis=1))


# Name the programs as the page names them, without its links. Where a loss only adds up, its sizes do not matter.
PROGRAMS = {
    "Chollet, Deep Learning with Python, 1st edition, 8.4": Program(mean_and_kl_without_half, 784, 2, "coin"),
    "Chollet, Deep Learning with Python, 2nd edition and 3rd": Program(sum_and_mean_kl, 784, 2, "coin"),
    "keras.io, Variational AutoEncoder": Program(sum_and_sum, 784, 2, "coin"),
    "TensorFlow's tutorial, Convolutional VAE": Program(one_draw, 784, 2, "coin"),
    "Foster, Generative Deep Learning, 2nd edition, fashion": Program(weighed_mean, 1024, 2, "coin"),
    "PyTorch's example": Program(sum_over_the_batch, 784, 20, "coin"),
    "Pyro's example with its Trace_ELBO": Program(one_draw, 784, 50, "coin"),
    "Flax's example": Program(sum_and_sum, 784, 20, "coin"),
    "disentangling-vae, BetaHLoss as it comes": Program(four_times_kl, 1024, 10, "coin"),
    "this book, kl_wt 1e-3": Program(kl_weight(1e-3), 784, 2, "coin"),
    "this book, kl_wt 1e-2": Program(kl_weight(1e-2), 784, 2, "coin"),
    "this book, kl_wt 1e-1": Program(kl_weight(1e-1), 784, 2, "coin"),
    "Keras' guide to subclassing, the VAE at its end": Program(mean_square_and_mean_kl, 784, 32, "Gaussian"),
    "pythae, VAE as it comes": Program(half_squares, 784, 16, "Gaussian"),
    "AntixK's PyTorch-VAE, configs/vae.yaml": Program(mean_square(0.00025), 64 * 64 * 3, 128, "Gaussian"),
    "Lightning Bolts, VAE on CIFAR-10": Program(mean_square_and_tenth_of_mean_kl, 32 * 32 * 3, 256, "Gaussian"),
    "1Konny's Beta-VAE, CelebA with β 10": Program(squares_and_ten_kl, 64 * 64 * 3, 32, "Gaussian"),
    "Ha and Schmidhuber, World Models, car racing": Program(squares_and_kl_with_floor, 64 * 64 * 3, 32, "Gaussian"),
    "Foster, Generative Deep Learning, 2nd edition, faces": Program(weighed_mean_square, 32 * 32 * 3, 200, "Gaussian"),
    "scvi-tools, VAE with its TrainingPlan": Program(counts, 2000, 10, "count"),
}
# These are no lines of the tables: their betas stand in the text.
ASIDES = {
    "6,144": Program(mean_square(1.0), 64 * 64 * 3, 128, "Gaussian"),
    "3.072": Program(weighed_mean_square, 64 * 64 * 3, 200, "Gaussian"),
}
