"""The one VAE whose optimum is known in closed form: linear both ways, with Gaussian pixels."""

import math

import keras
from keras import layers, ops

from .layers import IMAGE_SHAPE
from .models import VAE

__all__ = ["LinearDecoder", "LinearEncoder", "linear_vae"]


@keras.saving.register_keras_serializable("vaelib")
class LinearEncoder(layers.Layer):
    """A mean that is linear in the image, and a log-variance that is the same for all (Lucas et al. 2019).

    Args:
        latent_dim: dimensions of z.

    Used in chapter 08.
    """

    def __init__(self, latent_dim=2, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.flatten = layers.Flatten()
        self.z_mean = layers.Dense(latent_dim, name="z_mean")

    def build(self, input_shape):
        """Create the weights, for images of this shape, batch first."""
        self.z_mean.build((None, math.prod(input_shape[1:])))
        self.z_log_var = self.add_weight((self.latent_dim,), "zeros", name="z_log_var")

    def call(self, x):
        """Return (z_mean, z_log_var), each (batch, latent_dim), for images (batch, height, width, channels)."""
        z_mean = self.z_mean(self.flatten(x))
        return z_mean, ops.zeros_like(z_mean) + self.z_log_var

    def get_config(self):
        """The arguments, for `keras.saving`."""
        return {**super().get_config(), "latent_dim": self.latent_dim}


@keras.saving.register_keras_serializable("vaelib")
class LinearDecoder(layers.Layer):
    """Pixels that are linear in z (Lucas et al. 2019): the means of probabilistic PCA.

    Args:
        image_shape: height, width, channels.

    Used in chapter 08.
    """

    def __init__(self, image_shape=IMAGE_SHAPE, **kwargs):
        super().__init__(**kwargs)
        self.image_shape = tuple(image_shape)
        self.pixels = layers.Dense(math.prod(self.image_shape), name="pixels")
        self.reshape = layers.Reshape(self.image_shape)

    def build(self, input_shape):
        """Create the weights, for latent vectors of this shape, batch first."""
        self.pixels.build(input_shape)

    def call(self, z):
        """Return means (batch, height, width, channels) for z (batch, latent_dim)."""
        return self.reshape(self.pixels(z))

    def get_config(self):
        """The arguments, for `keras.saving`."""
        return {**super().get_config(), "image_shape": self.image_shape}


def linear_vae(latent_dim=2, noise_variance=1.0, beta=1.0, image_shape=IMAGE_SHAPE):
    """The one VAE whose optimum is known in closed form: linear both ways, Gaussian pixels (Lucas et al. 2019).

    `linear_vae_optimum` says where training must end; for beta = 1 that is probabilistic PCA.

    Args:
        latent_dim: dimensions of z.
        noise_variance: of every pixel given z, > 0.
        beta: weight of the rate, a number >= 0 or a schedule `step -> beta`; 1 is the ELBO.
        image_shape: height, width, channels.

    Returns:
        A built `VAE`, not compiled, whose decoder returns means instead of logits.

    Raises:
        ValueError: if beta is negative, or another number not positive.

    Used in chapter 08.
    """
    encoder, decoder = LinearEncoder(latent_dim), LinearDecoder(image_shape)
    model = VAE(encoder, decoder, beta, noise_variance=noise_variance, name="linear_vae")
    model.build((None, *image_shape))
    return model
