"""Make models whose likelihood is known, by hand or in closed form."""

import itertools

import keras
import numpy as np
from scipy import special, stats

import vaelib

# List all images of four black or white pixels.
PATTERNS = np.array(list(itertools.product([0.0, 1.0], repeat=4)), "float32").reshape(16, 2, 2, 1)


def tiny_vae(std=0.5, scale=2.0, latent_dim=2, shift=0.0):
    """Return a VAE of four pixels with a tanh decoder; its encoder says mean shift and std to all images."""
    rng = np.random.default_rng(0)
    x, z = keras.Input((2, 2, 1)), keras.Input((latent_dim,))
    h = keras.layers.Flatten()(x)
    mean, log_var = keras.initializers.Constant(shift), keras.initializers.Constant(2 * np.log(std))
    means = keras.layers.Dense(latent_dim, kernel_initializer="zeros", bias_initializer=mean)
    log_vars = keras.layers.Dense(latent_dim, kernel_initializer="zeros", bias_initializer=log_var)
    hidden, logits = keras.layers.Dense(5, "tanh"), keras.layers.Dense(4)
    decoder = keras.Model(z, keras.layers.Reshape((2, 2, 1))(logits(hidden(z))))
    hidden.set_weights([scale * rng.standard_normal((latent_dim, 5)), rng.standard_normal(5)])
    logits.set_weights([scale * rng.standard_normal((5, 4)), rng.standard_normal(4)])
    model = vaelib.VAE(keras.Model(x, [means(h), log_vars(h)]), decoder)
    model.build((None, 2, 2, 1))
    return model


def log_likelihood(model, image, z):
    """Return log p(x|z) by hand, in double precision."""
    *_, hidden, hidden_bias, logits, bias = (weight.astype("float64") for weight in model.decoder.get_weights())
    a = np.tanh(z @ hidden + hidden_bias) @ logits + bias
    pixels = image.ravel().astype("float64")
    return (pixels * special.log_expit(a) + (1 - pixels) * special.log_expit(-a)).sum(-1)


def probabilistic_pca(noise_variance=0.3):
    """Return a linear VAE at its optimum, where the posterior is exact, and the Gaussian of its images."""
    rng = np.random.default_rng(0)
    vectors = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    eigenvalues, mean = np.array([2.0, 1.0, 0.2, 0.1]), np.full(4, 0.5)
    best = vaelib.linear_vae_optimum(eigenvalues, 2, noise_variance)
    encoder, decoder = vectors[:, :2] * best.encoder_norm, vectors[:, :2] * best.decoder_norm
    model = vaelib.linear_vae(2, noise_variance, image_shape=(2, 2, 1))
    model.encoder.z_mean.kernel.assign(encoder)
    model.encoder.z_mean.bias.assign(-mean @ encoder)
    model.encoder.z_log_var.assign(np.log(best.posterior_variance))
    model.decoder.pixels.kernel.assign(decoder.T)
    model.decoder.pixels.bias.assign(mean)
    return model, stats.multivariate_normal(mean, decoder @ decoder.T + noise_variance * np.eye(4))
