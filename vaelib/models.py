"""Join an encoder, a sample from its posterior and a decoder into one Keras model with its weighted objective."""

import math
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ._types import Schedule, Tensor, TensorLike
from .data import check_images, check_shape
from .halves import check_decoded, check_halves, check_known, check_posterior
from .image_model import ImageModel, target_and_weights
from .layers import Sampling
from .losses import bernoulli_distortion, gaussian_distortion, gaussian_kl, gaussian_kl_per_dim, negative_elbo
from .paths import draw_from_prior, latent_path
from .schedules import as_schedule

__all__ = ["VAE", "Objective", "PosteriorTrace", "VAEOutput"]


def _check_free_bits(free_bits: float) -> float:
    if not free_bits >= 0:
        raise ValueError(f"free_bits must be zero (none) or positive, in nats, got {free_bits}.")
    return free_bits


def _check_variance(noise_variance: float | None) -> float | None:
    if noise_variance is not None and not 0 < noise_variance < math.inf:
        raise ValueError(f"noise_variance must be None (Bernoulli pixels) or positive, got {noise_variance}.")
    return noise_variance


# Check each part of the objective when it is set.
_OF_OBJECTIVE = {"beta": as_schedule, "free_bits": _check_free_bits, "noise_variance": _check_variance}


class VAEOutput(NamedTuple):
    """Hold what a VAE makes of a batch of images; tensors, or arrays from `model.predict`."""

    z_mean: Tensor
    """(batch, latent_dim), the posterior means."""
    z_log_var: Tensor
    """(batch, latent_dim), the logarithms of the posterior variances."""
    z: Tensor
    """(batch, latent_dim), one draw from each posterior."""
    x_logits: Tensor
    """(batch, height, width, channels), the decoder's logits at z; for Gaussian pixels, their means."""


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
class VAE(ImageModel):
    r"""Train an encoder and a decoder as a variational autoencoder.

    The posterior is a diagonal Gaussian, the prior standard normal, and the pixels are Bernoulli or Gaussian. The model
    minimises $\mathbb{E}_q[-\log p(x|z)] + \beta\,\mathrm{KL}(q(z|x)\,\|\,p(z))$ plus any weight decay of its layers
    (Kingma & Welling 2013, equation 10; beta: Higgins et al. 2017, equation 4). Train it with `vaelib.fit` or with
    Keras' own `fit`: both use `objective` and count steps by `optimizer.iterations`. `compile` takes no loss. For more
    than one device, make it under a `tf.distribute.MirroredStrategy` and use Keras' `fit`. A loss that stops being a
    number stops `vaelib.fit`; Keras' `fit` trains on unless it has the callback `keras.callbacks.TerminateOnNaN`.

    Each half is a model of its own, which `export` writes, for ONNX too, and TensorFlow Lite converts. The whole model
    draws z at random, which they refuse.

    Args:
        encoder: maps images (batch, height, width, channels) to z_mean and z_log_var, each (batch, latent_dim).
        decoder: maps z (batch, latent_dim) to logits (batch, height, width, channels).
        beta: weight of the rate, a number >= 0, a schedule `step -> beta`, or a variable; 1 is the ELBO.
        free_bits: nats of rate that each latent dimension has for free, >= 0: in the loss, its mean rate over the
            batch counts as at least this much (Kingma et al. 2016).
        noise_variance: None for Bernoulli pixels; a number > 0 for Gaussian ones of this variance, whose decoder
            returns means instead of logits. For other pixels, see `vaelib.likelihoods`. Bernoulli pixels are black or
            white; grey ones, as the book's, count as probabilities of ink, and the distortion is then a
            cross-entropy, no density of grey (Loaiza-Ganem & Cunningham 2019).
        seed: None or an integer, for the draws of z under Keras' `fit`, `predict` and plain calls.

    Raises:
        ValueError: if beta or free_bits is a negative number, or noise_variance not a positive one; or, at once or when
            the model is built, if the encoder and the decoder do not fit together.

    Written in chapter 03.
    """

    # Name what is saved as a number, and what decides the objective besides the weights.
    _numbers: ClassVar[tuple[str, ...]] = ("free_bits", "noise_variance", "seed")
    _objective_parts: ClassVar[tuple[str, ...]] = tuple(_OF_OBJECTIVE)

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
        check_halves(encoder, decoder)
        self.encoder, self.decoder, self.seed = encoder, decoder, seed
        self.sampling = Sampling(seed)
        self.beta, self.free_bits, self.noise_variance = as_schedule(beta), free_bits, noise_variance
        self.distortion_tracker = keras.metrics.Mean("distortion")
        self.rate_tracker = keras.metrics.Mean("rate")
        self.beta_tracker = keras.metrics.Mean("beta")

    def __setattr__(self, name: str, value: Any) -> None:
        """Check what decides the objective, and let a training that has begun follow its new value."""
        if name not in _OF_OBJECTIVE:
            super().__setattr__(name, value)
            return
        super().__setattr__(name, _OF_OBJECTIVE[name](value))
        # Make new the steps that Keras has compiled; its `fit` asks for them at every step.
        if self.train_function is not None:
            self.make_train_function(force=True)
        if self.test_function is not None:
            self.make_test_function(force=True)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights of both halves, for images of this shape, batch first."""
        image_shape = check_known(input_shape)
        z_mean, _ = check_posterior(self.encoder(keras.KerasTensor(input_shape, dtype=self.input_dtype)))
        self.latent_dim = z_mean.shape[-1]
        pixels = self.decoder(keras.KerasTensor(z_mean.shape, dtype=self.compute_dtype))
        check_decoded(pixels, image_shape)
        self.image_shape = image_shape

    @property
    def num_pixels(self) -> int:
        """The numbers in an image, over which the distortion is a sum; only a model that is built knows."""
        if self.image_shape is None:
            raise ValueError("num_pixels expects a model that is built: call model.build((None, *image_shape)) first.")
        return math.prod(self.image_shape)

    @property
    def likelihood(self) -> str:
        """Return which pixels the decoder describes: "bernoulli", "continuous_bernoulli" or "gaussian"."""
        return "bernoulli" if self.noise_variance is None else "gaussian"

    @property
    def decodes_logits(self) -> bool:
        """Whether the decoder returns logits, or else the means of pixels."""
        return self.noise_variance is None

    @property
    def compiled_in(self) -> tuple[Any, ...]:
        """What a compiled step holds fast: it must be compiled again where one of these is another object."""
        return (*(getattr(self, name) for name in self._objective_parts), *self.trainable_variables)

    def encode(self, x: TensorLike) -> tuple[Tensor, Tensor]:
        """Return (z_mean, z_log_var), each (batch, latent_dim), for images (batch, height, width, channels)."""
        return self.encoder(x)

    def decode(self, z: TensorLike) -> Tensor:
        """Return logits (batch, height, width, channels) for z (batch, latent_dim); means for Gaussian pixels."""
        return self.decoder(z)

    def generate(self, z: TensorLike | None = None, num_images: int | None = None, seed: int | None = None) -> Tensor:
        """Return the mean pixels that z stands for, or new images from the prior; pixels, not logits.

        Args:
            z: (n, latent_dim), points of the latent space; None to draw them from the prior.
            num_images: how many to draw.
            seed: None for other images every time, or an integer that decides the draw.

        Returns:
            (n, height, width, channels).

        Raises:
            ValueError: if both or neither of z and num_images are given, or z has another shape.
        """
        return self.mean_pixels(self.decode(draw_from_prior(self.latent_dim, num_images, seed, z)))

    def mean_pixels(self, output: TensorLike) -> Tensor:
        """Return the means of the pixels, (batch, height, width, channels), from what the decoder returns."""
        return ops.sigmoid(output) if self.decodes_logits else output

    def reconstruct(self, x: ArrayLike) -> Tensor:
        """Return what the model makes of images at their posterior means, as mean pixels of the same shape.

        Args:
            x: (n, height, width, channels), as many as fit in memory; pixels may leave [0, 1], as noisy ones do.

        Raises:
            ValueError: if x are not images of the model's shape.
        """
        images = check_images(check_shape(x, self.image_shape), bounded=False)
        return self.generate(self.encode(images)[0])

    def interpolate(self, x_a: ArrayLike, x_b: ArrayLike, num_steps: int = 8, path: str = "line") -> Tensor:
        """Return images on the way from one image to another, decoded between their posterior means.

        The first and the last are the reconstructions of the two. The way is the straight line, or, with path="sphere",
        the arc around the origin, which keeps to the distance at which draws from a prior of many dimensions lie; see
        `vaelib.paths.latent_path`.

        Args:
            x_a: (height, width, channels), an image.
            x_b: another one.
            num_steps: images on the way, both ends included, >= 2.
            path: "line" or "sphere".

        Returns:
            (num_steps, height, width, channels), mean pixels.

        Raises:
            ValueError: if x_a and x_b are not images of the model's shape, or the path is none.
        """
        images = [self.checked_images(np.asarray(x)[np.newaxis], name) for x, name in ((x_a, "x_a"), (x_b, "x_b"))]
        z_a, z_b = np.array(self.encode(np.concatenate(images))[0])
        return self.generate(latent_path(z_a, z_b, num_steps, path))

    def call(self, x: TensorLike, noise: TensorLike | None = None, training: bool | None = None) -> VAEOutput:
        """Return a `VAEOutput`; noise, standard normal (batch, latent_dim), makes z reproducible if given.

        Keras hands `training` on to the layers of both halves, such as dropout.
        """
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
            x: (batch, height, width, channels), images in [0, 1].
            output: the `VAEOutput` of x.
            weights: None, or (batch,) relative weights of the images in the mean.

        Returns:
            An `Objective`, nats per image.
        """
        # Flatten for speed: XLA's inner loops run over the last axis, which is a single channel in images.
        flat = (-1, math.prod(output.x_logits.shape[1:]))
        x, x_logits = (ops.reshape(images, flat) for images in (x, output.x_logits))
        distortion = self.distortion(x, x_logits)
        rate = gaussian_kl(output.z_mean, output.z_log_var)
        beta = ops.cast(self.beta(self.optimizer.iterations), rate.dtype)
        if self.free_bits:
            per_dim = ops.average(gaussian_kl_per_dim(output.z_mean, output.z_log_var), axis=0, weights=weights)
            weighed_rate = ops.sum(ops.maximum(per_dim, self.free_bits))
            loss = negative_elbo(ops.average(distortion, weights=weights), weighed_rate, beta)
        else:
            loss = ops.average(negative_elbo(distortion, rate, beta), weights=weights)
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
        """Serve Keras' `fit` and `evaluate`; a VAE predicts its input, or y if y is images of its shape."""
        target, weights = target_and_weights(x, y, sample_weight)
        # Learn nothing from a batch whose weights are all zero: an average over no images does not exist.
        counts = 1.0 if weights is None else ops.cast(ops.any(weights), "float32")
        objective = self.objective(target, y_pred, None if weights is None else weights + (1 - counts))
        self.distortion_tracker.update_state(objective.distortion, weights)
        self.rate_tracker.update_state(objective.rate, weights)
        self.beta_tracker.update_state(objective.beta)
        # Divide under a distribution strategy: each replica has a part of the batch, and Keras adds up their gradients.
        return counts * objective.loss / self.distribute_strategy.num_replicas_in_sync

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for `keras.saving`."""
        parts = {"encoder": self.encoder, "decoder": self.decoder, "beta": self.beta}
        saved = {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
        numbers = {name: getattr(self, name) for name in self._numbers}
        return {**super().get_config(), **numbers, **saved}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "VAE":
        """Return the model of a `get_config`, weights not included."""
        parts = ("encoder", "decoder", "beta")
        return cls(**{k: keras.saving.deserialize_keras_object(v) if k in parts else v for k, v in config.items()})
