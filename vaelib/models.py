"""Join an encoder, a sample from its posterior and a decoder into one Keras model with its weighted objective."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike
from scipy import special

from ._types import Schedule, Tensor, TensorLike
from .data import IMAGE_SHAPE, check_images
from .layers import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, LinearDecoder, LinearEncoder, Sampling
from .losses import bernoulli_distortion, gaussian_distortion, gaussian_kl, gaussian_kl_per_dim
from .schedules import Constant

__all__ = [
    "VAE",
    "Objective",
    "PosteriorTrace",
    "VAEOutput",
    "conv_vae",
    "dense_vae",
    "linear_vae",
    "start_at_mean_image",
]

# Keep the mean of a pixel at least this far from 0 and 1, whose log-odds are infinite.
_RAREST = 0.001


class VAEOutput(NamedTuple):
    """Hold what a VAE makes of a batch of images; tensors, or arrays from `model.predict`."""

    z_mean: Tensor
    """(batch, latent_dim), the posterior means."""
    z_log_var: Tensor
    """(batch, latent_dim), the logarithms of the posterior variances."""
    z: Tensor
    """(batch, latent_dim), one draw from each posterior."""
    x_logits: Tensor
    """(batch, 28, 28, 1), the decoder's logits at z; for Gaussian pixels, their means."""


class Objective(NamedTuple):
    """Hold the objective of a batch and its parts, in nats: `loss` = mean(distortion + beta * rate) + weight decay.

    With free bits, the loss counts what they leave of the rate; `rate` is always the whole.
    """

    loss: Tensor
    distortion: Tensor
    """(batch,)"""
    rate: Tensor
    """(batch,)"""
    beta: Tensor


class PosteriorTrace(NamedTuple):
    """Hold the posteriors q(z|x) of several images, in order.

    In a run: those of the first example of every batch of an epoch, encoded before that batch's update.
    """

    mean: np.ndarray
    """(n, latent_dim)"""
    std: np.ndarray
    """(n, latent_dim), standard deviations"""

    @property
    def radius(self) -> np.ndarray:
        """Return the distance of each mean from the origin, (n,), in standard deviations of the prior."""
        return np.linalg.norm(self.mean, axis=1)

    @property
    def width(self) -> np.ndarray:
        """Return the width of each posterior, (n,), the geometric mean of its standard deviations over dimensions."""
        return np.exp(np.log(np.asarray(self.std, "float64")).mean(axis=1))


@keras.saving.register_keras_serializable("vaelib")
class VAE(keras.Model):
    r"""Train an encoder and a decoder as a variational autoencoder.

    The posterior is a diagonal Gaussian, the prior standard normal, and the pixels are Bernoulli or Gaussian. The model
    minimises $\mathbb{E}_q[-\log p(x|z)] + \beta\,\mathrm{KL}(q(z|x)\,\|\,p(z))$ plus any weight decay of its layers
    (Kingma & Welling 2013, equation 10; beta: Higgins et al. 2017, equation 4). Train it with `vaelib.fit` or with
    Keras' own `fit`: both use `objective` and count steps by `optimizer.iterations`. `compile` takes no loss. For more
    than one device, make it under a `tf.distribute.MirroredStrategy` and use Keras' `fit`.

    Args:
        encoder: maps images (batch, 28, 28, 1) to z_mean and z_log_var, each (batch, latent_dim).
        decoder: maps z (batch, latent_dim) to logits (batch, 28, 28, 1).
        beta: weight of the rate, a number >= 0 or a schedule `step -> beta`; 1 is the ELBO.
        free_bits: nats of rate that each latent dimension has for free, >= 0: in the loss, its mean rate over the
            batch counts as at least this much (Kingma et al. 2016).
        noise_variance: None for Bernoulli pixels; a number > 0 for Gaussian ones of this variance, whose decoder
            returns means instead of logits.
        seed: None or an integer, for the draws of z under Keras' `fit`, `predict` and plain calls.

    Raises:
        ValueError: if beta or free_bits is a negative number, or noise_variance not a positive one.

    Written in chapter 03.
    """

    asked_jit_compile: bool | str = "auto"

    def __init__(
        self,
        encoder: keras.layers.Layer,
        decoder: keras.layers.Layer,
        beta: float | Schedule = 1.0,
        free_bits: float = 0.0,
        noise_variance: float | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not free_bits >= 0:
            raise ValueError(f"free_bits must be zero (none) or positive, in nats, got {free_bits}.")
        if noise_variance is not None and not noise_variance > 0:
            raise ValueError(f"noise_variance must be None (Bernoulli pixels) or positive, got {noise_variance}.")
        self.encoder, self.decoder, self.free_bits, self.seed = encoder, decoder, free_bits, seed
        self.noise_variance = noise_variance
        self.sampling = Sampling(seed)
        self.beta = beta if callable(beta) else Constant(beta)
        self.distortion_tracker = keras.metrics.Mean("distortion")
        self.rate_tracker = keras.metrics.Mean("rate")
        self.beta_tracker = keras.metrics.Mean("beta")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights of both halves, for images of this shape, batch first."""
        z_mean, _ = self.encoder(keras.KerasTensor(input_shape, dtype=self.input_dtype))
        self.latent_dim = z_mean.shape[-1]
        if self.latent_dim < 1:
            raise ValueError(f"latent_dim must be at least 1, got {self.latent_dim}.")
        self.decoder(keras.KerasTensor(z_mean.shape, dtype=self.compute_dtype))

    def compile(self, *arguments: Any, jit_compile: bool | str = "auto", **settings: Any) -> None:
        """Configure training as Keras does, without a loss; `vaelib.fit` honours jit_compile, too."""
        super().compile(*arguments, jit_compile=jit_compile, **settings)
        self.asked_jit_compile = jit_compile

    def get_compile_config(self) -> dict[str, Any]:
        """Return the arguments of `compile`, for `keras.saving`; Keras itself keeps its own reading of "auto"."""
        config = super().get_compile_config()
        return {**config, "asked_jit_compile": self.asked_jit_compile} if config else config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the arguments of a `get_compile_config`, and create the optimizer's variables."""
        config = keras.saving.deserialize_keras_object(config)
        # Take "auto" for a model of vaelib 0.1, whose `fit` knew nothing else.
        config["jit_compile"] = config.pop("asked_jit_compile", "auto")
        self.compile(**config)
        self.optimizer.build(self.trainable_variables)

    def encode(self, x: TensorLike) -> tuple[Tensor, Tensor]:
        """Return (z_mean, z_log_var), each (batch, latent_dim), for images (batch, 28, 28, 1)."""
        return self.encoder(x)

    def decode(self, z: TensorLike) -> Tensor:
        """Return logits (batch, 28, 28, 1) for z (batch, latent_dim); for Gaussian pixels, their means."""
        return self.decoder(z)

    def generate(self, z: TensorLike) -> Tensor:
        """Return the mean pixels (batch, 28, 28, 1) that z (batch, latent_dim) stands for, not logits."""
        output = self.decode(z)
        return ops.sigmoid(output) if self.noise_variance is None else output

    def call(self, x: TensorLike, noise: TensorLike | None = None) -> VAEOutput:
        """Return a `VAEOutput`; noise, standard normal (batch, latent_dim), makes z reproducible if given."""
        z_mean, z_log_var = self.encode(x)
        z = self.sampling(z_mean, z_log_var, noise=noise)
        return VAEOutput(z_mean, z_log_var, z, self.decode(z))

    def distortion(self, x: TensorLike, x_logits: TensorLike) -> Tensor:
        """Return -log p(x|z), (batch,) nats, of images x from the decoder's output for z, both of one shape."""
        if self.noise_variance is None:
            return bernoulli_distortion(x, x_logits)
        return gaussian_distortion(x, x_logits, self.noise_variance)

    def objective(self, x: TensorLike, output: VAEOutput, weights: TensorLike | None = None) -> Objective:
        """Return the objective of a batch at the optimizer's present step.

        Args:
            x: (batch, 28, 28, 1), images in [0, 1].
            output: the `VAEOutput` of x.
            weights: None, or (batch,) relative weights of the images in the mean.

        Returns:
            An `Objective`, nats per image.
        """
        # Flatten for speed: XLA's inner loops run over the last axis, which is a single channel in images.
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

    def compute_loss(
        self,
        x: TensorLike = None,
        y: TensorLike = None,
        y_pred: Any = None,
        sample_weight: TensorLike = None,
        training: bool = True,
    ) -> Tensor:
        """Serve Keras' `fit` and `evaluate`; y is not used: a VAE predicts its input."""
        objective = self.objective(x, y_pred, sample_weight)
        self.distortion_tracker.update_state(objective.distortion, sample_weight)
        self.rate_tracker.update_state(objective.rate, sample_weight)
        self.beta_tracker.update_state(objective.beta)
        # Divide under a distribution strategy: each replica has a part of the batch, and Keras adds up their gradients.
        return objective.loss / self.distribute_strategy.num_replicas_in_sync

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for `keras.saving`."""
        parts = {"encoder": self.encoder, "decoder": self.decoder, "beta": self.beta}
        saved = {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
        numbers = {"free_bits": self.free_bits, "noise_variance": self.noise_variance, "seed": self.seed}
        return {**super().get_config(), **numbers, **saved}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "VAE":
        """Return the model of a `get_config`, weights not included."""
        parts = ("encoder", "decoder", "beta")
        return cls(**{k: keras.saving.deserialize_keras_object(v) if k in parts else v for k, v in config.items()})


def dense_vae(
    latent_dim: int = 2,
    hidden_dim: int = 500,
    beta: float | Schedule = 1.0,
    l2: float = 0.0,
    free_bits: float = 0.0,
    num_hidden: int = 1,
) -> VAE:
    """Return the network of Kingma & Welling (2013, section 5): one hidden tanh layer each way, or more.

    Args:
        latent_dim: dimensions of z.
        hidden_dim: units of each hidden layer; 500 in the paper.
        beta: weight of the rate, a number >= 0 or a schedule `step -> beta`; 1 is the ELBO.
        l2: weight decay on the kernels, see `DenseEncoder`.
        free_bits: nats of rate that each latent dimension has for free, see `VAE`.
        num_hidden: hidden layers each way, >= 1.

    Returns:
        A built `VAE`, not compiled.

    Raises:
        ValueError: if beta, l2 or free_bits is negative, or a dimension is not positive.

    >>> dense_vae(latent_dim=2, hidden_dim=500).count_params()
    788788

    Written in chapter 03.
    """
    encoder, decoder = DenseEncoder(latent_dim, hidden_dim, l2, num_hidden), DenseDecoder(hidden_dim, l2, num_hidden)
    return _built(VAE(encoder, decoder, beta, free_bits, name="dense_vae"))


def conv_vae(latent_dim: int = 2, beta: float | Schedule = 1.0) -> VAE:
    """Return the network of Chollet (2017, section 8.4): convolutions down, a transposed convolution up.

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


def linear_vae(
    latent_dim: int = 2,
    noise_variance: float = 1.0,
    beta: float | Schedule = 1.0,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> VAE:
    """Return the VAE whose optimum is known: linear both ways, Gaussian pixels (Lucas et al. 2019).

    `linear_vae_optimum` says where training must end; for beta = 1 that is probabilistic PCA.

    Args:
        latent_dim: dimensions of z.
        noise_variance: variance of every pixel given z, > 0.
        beta: weight of the rate, a number >= 0 or a schedule `step -> beta`; 1 is the ELBO.
        image_shape: height, width, channels.

    Returns:
        A built `VAE`, not compiled, whose decoder returns means instead of logits.

    Raises:
        ValueError: if beta is negative, or another number not positive.

    Used in chapter 08.
    """
    encoder, decoder = LinearEncoder(latent_dim), LinearDecoder(image_shape)
    return _built(VAE(encoder, decoder, beta, noise_variance=noise_variance, name="linear_vae"), image_shape)


def start_at_mean_image(model: VAE, x: ArrayLike) -> VAE:
    """Let a model decode the mean image before its first step: set its output biases to that image's log-odds.

    With biases of zero it decodes grey at first, and the first steps, which darken the background, drive some hidden
    units of the decoder so far that they never come back (chapter 11). The program of Burda et al. (2015) does the same
    ([yburda/iwae](https://github.com/yburda/iwae), datasets.py and iwae.py), with means from 0.001 to 0.999.

    Args:
        model: a `VAE` with Bernoulli pixels and a dense output layer, such as `dense_vae` makes; changed in place.
        x: (n, 28, 28, 1), the training images, in [0, 1].

    Returns:
        The model.

    Raises:
        ValueError: if x are not images, or the model has no bias for each of their pixels.

    Used in chapter 11.
    """
    x = check_images(x)
    logits = getattr(model.decoder, "logits", None)
    if model.noise_variance is not None or logits is None or logits.bias.shape != (x[0].size,):
        raise ValueError(
            f"start_at_mean_image expects a model with Bernoulli pixels and a bias for each of {x[0].size} logits, "
            f"such as dense_vae makes, got {model.name} with noise_variance={model.noise_variance}."
        )
    logits.bias.assign(special.logit(x.mean(axis=0, dtype="float64").clip(_RAREST, 1 - _RAREST)).ravel())
    return model


def _built(model: VAE, image_shape: tuple[int, int, int] = IMAGE_SHAPE) -> VAE:
    model.build((None, *image_shape))
    return model
