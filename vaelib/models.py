"""A VAE: an encoder, a sample from its posterior, a decoder, and the weighted objective that trains them."""

from typing import NamedTuple

import keras
from keras import ops

from .layers import IMAGE_SHAPE, ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, Sampling
from .losses import bernoulli_distortion, gaussian_distortion, gaussian_kl, gaussian_kl_per_dim
from .schedules import constant

__all__ = ["VAE", "VAEOutput", "conv_vae", "dense_vae"]


class VAEOutput(NamedTuple):
    """What a VAE makes of a batch of images; tensors, or arrays from `model.predict`."""

    z_mean: object
    """(batch, latent_dim), the posterior means."""
    z_log_var: object
    """(batch, latent_dim), the logarithms of the posterior variances."""
    z: object
    """(batch, latent_dim), one draw from each posterior."""
    x_logits: object
    """(batch, 28, 28, 1), the decoder's logits at z; of Gaussian pixels, their means."""


class Objective(NamedTuple):
    """The objective of a batch and its parts, in nats: `loss` = mean(distortion + beta * rate) + weight decay.

    With free bits, the rate in the loss is what they leave of it; `rate` is always the whole.
    """

    loss: object
    distortion: object
    """(batch,)"""
    rate: object
    """(batch,)"""
    beta: object


@keras.saving.register_keras_serializable("vaelib")
class VAE(keras.Model):
    r"""A variational autoencoder with a Gaussian posterior, a standard normal prior and Bernoulli or Gaussian pixels.

    Minimises $\mathbb{E}_q[-\log p(x|z)] + \beta\,\mathrm{KL}(q(z|x)\,\|\,p(z))$ plus any weight decay of its layers
    (Kingma & Welling 2013, equation 10; beta: Higgins et al. 2017, equation 4). Train it with `vaelib.fit` or with
    Keras' own `fit`: both use `objective` and count steps by `optimizer.iterations`. `compile` takes no loss. For more
    than one device, make it under a `tf.distribute.MirroredStrategy` and use Keras' `fit`.

    Args:
        encoder: maps images (batch, 28, 28, 1) to z_mean and z_log_var, each (batch, latent_dim).
        decoder: maps z (batch, latent_dim) to logits (batch, 28, 28, 1).
        beta: weight of the rate, a number >= 0 or a schedule `step -> beta`; 1 is the ELBO.
        free_bits: nats of rate that every latent dimension has for free, >= 0: in the loss, its mean rate over the
            batch counts as at least this much (Kingma et al. 2016).
        noise_variance: None for Bernoulli pixels; a number > 0 for Gaussian ones of this variance, whose decoder
            returns means instead of logits.
        seed: None or an integer, for the draws of z under Keras' `fit`, `predict` and plain calls.

    Raises:
        ValueError: if beta or free_bits is a negative number, or noise_variance not a positive one.

    Written in chapter 03.
    """

    def __init__(self, encoder, decoder, beta=1.0, free_bits=0.0, noise_variance=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not free_bits >= 0:
            raise ValueError(f"free_bits must be zero (none) or positive, in nats, got {free_bits}.")
        if noise_variance is not None and not noise_variance > 0:
            raise ValueError(f"noise_variance must be None (Bernoulli pixels) or positive, got {noise_variance}.")
        self.encoder, self.decoder, self.free_bits, self.seed = encoder, decoder, free_bits, seed
        self.noise_variance = noise_variance
        self.sampling = Sampling(seed)
        self.beta = beta if callable(beta) else constant(beta)
        self.distortion_tracker = keras.metrics.Mean("distortion")
        self.rate_tracker = keras.metrics.Mean("rate")
        self.beta_tracker = keras.metrics.Mean("beta")

    def build(self, input_shape):
        """Create the weights of both halves, for images of this shape, batch first."""
        z_mean, _ = self.encoder(keras.KerasTensor(input_shape, dtype=self.input_dtype))
        self.latent_dim = z_mean.shape[-1]
        self.decoder(keras.KerasTensor(z_mean.shape, dtype=self.compute_dtype))

    def encode(self, x):
        """Return (z_mean, z_log_var), each (batch, latent_dim), for images (batch, 28, 28, 1)."""
        return self.encoder(x)

    def decode(self, z):
        """Return logits (batch, 28, 28, 1) for z (batch, latent_dim); their sigmoid is `x_mean`."""
        return self.decoder(z)

    def call(self, x, noise=None):
        """Return a `VAEOutput`; noise, if given, is standard normal (batch, latent_dim) and makes z reproducible."""
        z_mean, z_log_var = self.encode(x)
        z = self.sampling(z_mean, z_log_var, noise=noise)
        return VAEOutput(z_mean, z_log_var, z, self.decode(z))

    def distortion(self, x, x_logits):
        """Return -log p(x|z), (batch,) nats, of images x from the decoder's output for z, both of one shape."""
        if self.noise_variance is None:
            return bernoulli_distortion(x, x_logits)
        return gaussian_distortion(x, x_logits, self.noise_variance)

    def objective(self, x, output, weights=None):
        """The objective of a batch at the optimizer's present step.

        Args:
            x: (batch, 28, 28, 1), images in [0, 1].
            output: the `VAEOutput` of x.
            weights: None, or (batch,) relative weights of the images in the mean.

        Returns:
            An `Objective`, nats per image.
        """
        # Flat, for speed: XLA's inner loops run over the last axis, which of images is a single channel.
        x, x_logits = (ops.reshape(images, (ops.shape(images)[0], -1)) for images in (x, output.x_logits))
        distortion = self.distortion(x, x_logits)
        rate = gaussian_kl(output.z_mean, output.z_log_var)
        beta = self.beta(self.optimizer.iterations)
        if self.free_bits:
            per_dim = ops.average(gaussian_kl_per_dim(output.z_mean, output.z_log_var), axis=0, weights=weights)
            weighed_rate = ops.sum(ops.maximum(per_dim, self.free_bits))
            loss = ops.average(distortion, weights=weights) + beta * weighed_rate
        else:
            loss = ops.average(distortion + beta * rate, weights=weights)
        for decay in self.losses:
            loss = loss + decay
        return Objective(loss, distortion, rate, beta)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Keras' hook for `fit` and `evaluate`; y is not used: a VAE predicts its input."""
        objective = self.objective(x, y_pred, sample_weight)
        self.distortion_tracker.update_state(objective.distortion, sample_weight)
        self.rate_tracker.update_state(objective.rate, sample_weight)
        self.beta_tracker.update_state(objective.beta)
        # Under a distribution strategy every replica has its part of the batch, and Keras adds up their gradients.
        return objective.loss / self.distribute_strategy.num_replicas_in_sync

    def get_config(self):
        """The arguments, for `keras.saving`."""
        parts = {"encoder": self.encoder, "decoder": self.decoder, "beta": self.beta}
        return {
            **super().get_config(),
            "free_bits": self.free_bits,
            "noise_variance": self.noise_variance,
            "seed": self.seed,
            **{name: keras.saving.serialize_keras_object(part) for name, part in parts.items()},
        }

    @classmethod
    def from_config(cls, config):
        """The model of a `get_config`, weights not included."""
        parts = ("encoder", "decoder", "beta")
        return cls(**{k: keras.saving.deserialize_keras_object(v) if k in parts else v for k, v in config.items()})


def dense_vae(latent_dim=2, hidden_dim=500, beta=1.0, l2=0.0, free_bits=0.0, num_hidden=1):
    """The network of Kingma & Welling (2013, section 5): one hidden tanh layer each way, or more.

    Args:
        latent_dim: dimensions of z.
        hidden_dim: units of every hidden layer; 500 in the paper.
        beta: weight of the rate, a number >= 0 or a schedule `step -> beta`; 1 is the ELBO.
        l2: weight decay on the kernels, see `DenseEncoder`.
        free_bits: nats of rate that every latent dimension has for free, see `VAE`.
        num_hidden: hidden layers each way, >= 1.

    Returns:
        A built `VAE`, not compiled.

    Raises:
        ValueError: if beta, l2 or free_bits is negative, or a dimension is not positive.

    >>> dense_vae(latent_dim=2, hidden_dim=500).count_params()
    788788

    Written in chapter 03.
    """
    encoder = DenseEncoder(latent_dim, hidden_dim, l2, num_hidden)
    decoder = DenseDecoder(hidden_dim, l2, num_hidden)
    return _built(VAE(encoder, decoder, beta, free_bits, name="dense_vae"))


def conv_vae(latent_dim=2, beta=1.0):
    """The network of Chollet (2017, section 8.4): convolutions down, a transposed convolution up.

    Args:
        latent_dim: dimensions of z.
        beta: weight of the rate, a number >= 0 or a schedule `step -> beta`; 1 is the ELBO.

    Returns:
        A built `VAE`, not compiled.

    Raises:
        ValueError: if beta is negative, or latent_dim is not positive.

    Built in chapter 01.
    """
    return _built(VAE(ConvEncoder(latent_dim), ConvDecoder(), beta, name="conv_vae"))


def _built(model):
    model.build((None, *IMAGE_SHAPE))
    return model
