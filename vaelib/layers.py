"""Build the parts of a VAE as Keras layers: sampling, and three pairs of encoder and decoder.

An encoder maps images (batch, height, width, channels) to `z_mean` and `z_log_var`, both (batch, latent_dim); a decoder
maps z (batch, latent_dim) to logits (batch, height, width, channels). An encoder takes the size of the images from
those that it is built for; a decoder is told, and makes MNIST's (28, 28, 1) otherwise.
"""

import math
from typing import Any

import keras
import ml_dtypes
from keras import layers, ops

from ._types import Tensor, TensorLike
from .data import IMAGE_SHAPE, check_sizes
from .losses import posterior_std

__all__ = [
    "ConvDecoder",
    "ConvEncoder",
    "DenseDecoder",
    "DenseEncoder",
    "LinearDecoder",
    "LinearEncoder",
    "Sampling",
]

_register = keras.saving.register_keras_serializable("vaelib")


@_register
class Sampling(layers.Layer):
    r"""Draw z from the posterior so that gradients pass: $z = \mu + \sigma \epsilon$, $\epsilon \sim N(0, I)$.

    This is the reparameterisation trick (Kingma & Welling 2013, section 2.4). The layer owns its random state; pass
    `noise` to decide it yourself.

    Args:
        seed: None or an integer; the same integer gives the same sequence of draws.

    Derived in chapter 02, written in chapter 03.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        # Switch autocast off, so that mean and log-variance arrive in the encoder's precision.
        super().__init__(autocast=False, **kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, z_mean_shape: tuple[int | None, ...], z_log_var_shape: tuple[int | None, ...]) -> None:
        """Create nothing: there are no weights."""
        self.built = True

    def call(self, z_mean: TensorLike, z_log_var: TensorLike, noise: TensorLike | None = None) -> Tensor:
        """Return z, (batch, latent_dim); noise, if given, is standard normal of the same shape."""
        if noise is None:
            noise = keras.random.normal(ops.shape(z_mean), seed=self.seed_generator)
        z_mean, z_log_var, noise = (ops.cast(values, _precise(self)) for values in (z_mean, z_log_var, noise))
        z = z_mean + posterior_std(z_log_var) * noise
        # Clip z so that float16 products, which end at 65,504, cannot overflow.
        limit = ml_dtypes.finfo(self.compute_dtype).max ** 0.5
        return ops.cast(ops.clip(z, -limit, limit), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for `keras.saving`."""
        return {**super().get_config(), "seed": self.seed}


@_register
class DenseEncoder(keras.Model):
    """Map images to a mean and a log-variance through hidden tanh layers (Kingma & Welling 2013, appendix C.2).

    Args:
        latent_dim: dimensions of z.
        hidden_dim: units of a hidden layer.
        l2: weight decay, nats per image for a squared weight: the loss gains l2 * sum(kernel ** 2). The prior
            N(0, I) on the weights is 1 / (2 * number of training images).
        num_hidden: hidden layers, >= 1; one in the paper.

    Written in chapter 03.
    """

    def __init__(
        self, latent_dim: int = 2, hidden_dim: int = 500, l2: float = 0.0, num_hidden: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.latent_dim, self.hidden_dim, self.l2, self.num_hidden = latent_dim, hidden_dim, float(l2), num_hidden
        decay = _decay(l2)
        self.flatten = layers.Flatten("channels_last")
        self.hidden = _hidden(hidden_dim, num_hidden, decay, self.dtype_policy)
        self.z_mean = layers.Dense(latent_dim, dtype=_precise(self), kernel_regularizer=decay, name="z_mean")
        self.z_log_var = layers.Dense(latent_dim, dtype=_precise(self), kernel_regularizer=decay, name="z_log_var")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights, for images of this shape, batch first."""
        self.hidden.build((None, _num_pixels(input_shape)))
        self.z_mean.build((None, self.hidden_dim))
        self.z_log_var.build((None, self.hidden_dim))

    def call(self, x: TensorLike) -> tuple[Tensor, Tensor]:
        """Return (z_mean, z_log_var), each (batch, latent_dim), for images (batch, height, width, channels)."""
        h = self.hidden(self.flatten(x))
        return self.z_mean(h), self.z_log_var(h)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for `keras.saving`."""
        return {
            **super().get_config(),
            "latent_dim": self.latent_dim,
            "hidden_dim": self.hidden_dim,
            "l2": self.l2,
            "num_hidden": self.num_hidden,
        }


@_register
class DenseDecoder(keras.Model):
    """Map z to a logit for each pixel through hidden tanh layers (Kingma & Welling 2013, appendix C.1).

    Args:
        hidden_dim: units of a hidden layer.
        l2: weight decay, as in `DenseEncoder`.
        num_hidden: hidden layers, >= 1; one in the paper.
        image_shape: height, width, channels.

    Written in chapter 03.
    """

    def __init__(
        self,
        hidden_dim: int = 500,
        l2: float = 0.0,
        num_hidden: int = 1,
        image_shape: tuple[int, int, int] = IMAGE_SHAPE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hidden_dim, self.l2, self.num_hidden = hidden_dim, float(l2), num_hidden
        self.image_shape, decay = check_sizes(image_shape), _decay(l2)
        self.hidden = _hidden(hidden_dim, num_hidden, decay, self.dtype_policy)
        num_pixels = math.prod(self.image_shape)
        self.logits = layers.Dense(num_pixels, dtype=self.dtype_policy, kernel_regularizer=decay, name="logits")
        self.reshape = layers.Reshape(self.image_shape, dtype=self.dtype_policy)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights, for latent vectors of this shape, batch first."""
        self.hidden.build(input_shape)
        self.logits.build((None, self.hidden_dim))

    def call(self, z: TensorLike) -> Tensor:
        """Return logits (batch, height, width, channels) for z (batch, latent_dim)."""
        return self.reshape(self.logits(self.hidden(z)))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for `keras.saving`."""
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "l2": self.l2,
            "num_hidden": self.num_hidden,
            "image_shape": self.image_shape,
        }


@_register
class ConvEncoder(keras.Model):
    """Map images to a mean and a log-variance by four convolutions and a dense layer (Chollet 2017, section 8.4).

    Args:
        latent_dim: dimensions of z.

    Built in chapter 01.
    """

    def __init__(self, latent_dim: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        common = {"activation": "relu", "dtype": self.dtype_policy}
        same = {"padding": "same", "data_format": "channels_last", **common}
        self.features = keras.Sequential(
            [
                layers.Conv2D(32, 3, **same),
                layers.Conv2D(64, 3, strides=2, **same),
                layers.Conv2D(64, 3, **same),
                layers.Conv2D(64, 3, **same),
                layers.Flatten("channels_last"),
                layers.Dense(32, **common),
            ],
            name="features",
        )
        self.z_mean = layers.Dense(latent_dim, dtype=_precise(self), name="z_mean")
        self.z_log_var = layers.Dense(latent_dim, dtype=_precise(self), name="z_log_var")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights, for images of this shape, batch first."""
        self.features.build(input_shape)
        self.z_mean.build(self.features.output_shape)
        self.z_log_var.build(self.features.output_shape)

    def call(self, x: TensorLike) -> tuple[Tensor, Tensor]:
        """Return (z_mean, z_log_var), each (batch, latent_dim), for images (batch, height, width, channels)."""
        h = self.features(x)
        return self.z_mean(h), self.z_log_var(h)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for `keras.saving`."""
        return {**super().get_config(), "latent_dim": self.latent_dim}


@_register
class ConvDecoder(keras.Model):
    """Map z to logits by a dense layer and a transposed convolution (Chollet 2017, section 8.4).

    The transposed convolution doubles height and width; where one of them is odd, a row or a column is cropped.

    Args:
        image_shape: height, width, channels.

    Built in chapter 01.
    """

    def __init__(self, image_shape: tuple[int, int, int] = IMAGE_SHAPE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.image_shape = check_sizes(image_shape)
        height, width, channels = self.image_shape
        half = -(-height // 2), -(-width // 2)
        odd = height % 2, width % 2
        common = {"dtype": self.dtype_policy}
        same = {"padding": "same", "data_format": "channels_last", **common}
        crop = [layers.Cropping2D(((0, odd[0]), (0, odd[1])), "channels_last", **common)] if any(odd) else []
        self.pixels = keras.Sequential(
            [
                layers.Dense(half[0] * half[1] * 64, activation="relu", **common),
                layers.Reshape((*half, 64), **common),
                layers.Conv2DTranspose(32, 3, activation="relu", strides=2, **same),
                *crop,
                layers.Conv2D(channels, 3, **same),
            ],
            name="pixels",
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights, for latent vectors of this shape, batch first."""
        self.pixels.build(input_shape)

    def call(self, z: TensorLike) -> Tensor:
        """Return logits (batch, height, width, channels) for z (batch, latent_dim)."""
        return self.pixels(z)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for `keras.saving`."""
        return {**super().get_config(), "image_shape": self.image_shape}


@_register
class LinearEncoder(keras.Model):
    """Map images linearly to a mean; the log-variance is the same for all images (Lucas et al. 2019).

    Args:
        latent_dim: dimensions of z.

    Used in chapter 08.
    """

    def __init__(self, latent_dim: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.flatten = layers.Flatten("channels_last")
        self.z_mean = layers.Dense(latent_dim, dtype=_precise(self), name="z_mean")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights, for images of this shape, batch first."""
        self.z_mean.build((None, _num_pixels(input_shape)))
        self.z_log_var = self.add_weight((self.latent_dim,), "zeros", autocast=False, name="z_log_var")

    def call(self, x: TensorLike) -> tuple[Tensor, Tensor]:
        """Return (z_mean, z_log_var), each (batch, latent_dim), for images (batch, height, width, channels)."""
        z_mean = self.z_mean(self.flatten(x))
        return z_mean, ops.zeros_like(z_mean) + self.z_log_var

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for `keras.saving`."""
        return {**super().get_config(), "latent_dim": self.latent_dim}


@_register
class LinearDecoder(keras.Model):
    """Map z linearly to the means of pixels, as probabilistic PCA does (Lucas et al. 2019).

    Args:
        image_shape: height, width, channels.

    Used in chapter 08.
    """

    def __init__(self, image_shape: tuple[int, int, int] = IMAGE_SHAPE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.image_shape = check_sizes(image_shape)
        self.pixels = layers.Dense(math.prod(self.image_shape), dtype=self.dtype_policy, name="pixels")
        self.reshape = layers.Reshape(self.image_shape, dtype=self.dtype_policy)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights, for latent vectors of this shape, batch first."""
        self.pixels.build(input_shape)

    def call(self, z: TensorLike) -> Tensor:
        """Return means (batch, height, width, channels) for z (batch, latent_dim)."""
        return self.reshape(self.pixels(z))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for `keras.saving`."""
        return {**super().get_config(), "image_shape": self.image_shape}


def _num_pixels(input_shape: tuple[int | None, ...]) -> int:
    """Return the numbers in one image of a shape, batch first."""
    return math.prod(size for size in input_shape[1:] if size is not None)


def _precise(layer: layers.Layer) -> str:
    """Return the precision of z_mean and z_log_var: the layer's own, but at least float32."""
    return keras.backend.result_type(layer.compute_dtype, "float32")


def _hidden(
    hidden_dim: int, num_hidden: int, decay: keras.regularizers.Regularizer | None, dtype: keras.DTypePolicy
) -> layers.Layer:
    """Return the hidden tanh layers as one layer."""
    if hidden_dim < 1 or num_hidden < 1:
        raise ValueError(
            f"hidden_dim and num_hidden must be at least 1, got hidden_dim={hidden_dim}, num_hidden={num_hidden}."
        )
    names = ["hidden"] if num_hidden == 1 else [f"hidden_{i + 1}" for i in range(num_hidden)]
    stack = [layers.Dense(hidden_dim, "tanh", dtype=dtype, kernel_regularizer=decay, name=name) for name in names]
    # Leave a single layer unwrapped: Keras saves weights under the names of layers.
    return stack[0] if num_hidden == 1 else keras.Sequential(stack, name="hidden")


def _decay(l2: float) -> keras.regularizers.Regularizer | None:
    """Return the Keras regularizer of a weight decay; None for 0, so that such a model has no extra loss."""
    if not l2 >= 0:
        raise ValueError(f"l2 must be zero (no weight decay) or positive, got {l2}.")
    return keras.regularizers.L2(float(l2)) if l2 else None
