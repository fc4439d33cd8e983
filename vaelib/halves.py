"""Check that an encoder and a decoder make a VAE, in one sentence each."""

from typing import Any

import keras

from ._types import Tensor

__all__ = ["check_decoded", "check_halves", "check_known", "check_posterior"]


def check_halves(encoder: keras.layers.Layer, decoder: keras.layers.Layer) -> None:
    """Raise a ValueError if Keras knows already that they do not fit together, as of functional models."""
    outputs, taken = _known(encoder, "outputs"), _known(decoder, "inputs")
    if outputs is None:
        return
    z_mean, _ = check_posterior(outputs)
    if taken is not None and len(taken) == 1 and taken[0].shape[-1] not in (None, z_mean.shape[-1]):
        raise ValueError(
            f"VAE expects a decoder of as many latent dimensions as the encoder has, got {z_mean.shape[-1]} from the "
            f"encoder and {taken[0].shape[-1]} for the decoder."
        )


def check_posterior(outputs: Any) -> tuple[Tensor, Tensor]:
    """Return the two outputs of an encoder, or raise a ValueError if they are no posterior."""
    parts = outputs if isinstance(outputs, list | tuple) else [outputs]
    if len(parts) != 2:
        raise ValueError(
            f"VAE expects an encoder that returns two tensors, z_mean and z_log_var, got {len(parts)}: "
            "leave out a sample of z, which the VAE draws itself."
        )
    z_mean, z_log_var = parts
    if len(z_mean.shape) != 2 or z_mean.shape[-1] != z_log_var.shape[-1]:
        raise ValueError(
            "VAE expects z_mean and z_log_var of one shape (batch, latent_dim), "
            f"got {tuple(z_mean.shape)} and {tuple(z_log_var.shape)}."
        )
    if z_mean.shape[-1] < 1:
        raise ValueError(f"latent_dim must be at least 1, got {z_mean.shape[-1]}.")
    return z_mean, z_log_var


def check_known(input_shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Return the shape of an image from that of a batch, or raise a ValueError if a size is not known."""
    sizes = tuple(size for size in input_shape[1:] if size is not None)
    if len(sizes) != len(input_shape) - 1:
        raise ValueError(
            f"VAE expects images of one known size, got the shape {tuple(input_shape)}: say it in the dataset, as "
            "tf.ensure_shape does, or call model.build((None, height, width, channels)) first."
        )
    return sizes


def check_decoded(pixels: Tensor, wanted: tuple[int, ...]) -> None:
    """Raise a ValueError if a decoder makes other images than the encoder takes."""
    made = tuple(pixels.shape[1:])
    if len(made) != len(wanted) or any(
        None not in pair and pair[0] != pair[1] for pair in zip(made, wanted, strict=True)
    ):
        raise ValueError(
            f"VAE expects a decoder that makes images of the encoder's shape {wanted}, got {made}: give a layer "
            f"of vaelib image_shape={wanted}, or end your own with a Reshape."
        )


def _known(model: keras.layers.Layer, part: str) -> list[Any] | None:
    """Return the inputs or outputs of a functional model; None for what has none before it is called."""
    try:
        return list(getattr(model, part) or []) or None
    except (AttributeError, ValueError):
        return None
