"""Take the images of a training as people give them, arrays or streams, or refuse them in one sentence."""

import math
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from ..data import binarize as draw_pixels
from ..models import VAE
from ..streams import check_elements, is_stream
from .arguments import one_set_of_images
from .checkpoint import checksum
from .reading import StreamSource
from .sources import ArraySource, Draw, Source

__all__ = ["sources_of"]

# Show this many images of an array in a step, unless another number is given.
_BATCH_SIZE = 128
# Add these to the seed, so that the order, the pixels and those of the validation are drawn independently.
_PIXELS, _VALIDATION = (0, 1), (0, 2)


def sources_of(
    model: VAE,
    x: Any,
    validation_data: Any,
    batch_size: int | None,
    shuffle: bool | None,
    seed: int,
    binarize: bool,
    sample_weight: ArrayLike | None,
    steps_per_epoch: int | None,
    buffer_megabytes: float,
    verbose: bool,
) -> tuple[Source, Source | None, dict[str, Any]]:
    """Return the images to train on, those of the validation if there are any, and the choices that decide numbers.

    The arguments are those of `fit`. A stream is read only after everything else was checked.

    Raises:
        ValueError: if images are no images in [0, 1] of the model's shape, or a choice cannot act on them.
    """
    x = _checked(model, x, "x")
    validation_data = None if validation_data is None else _checked(model, validation_data, "validation_data")
    size, weights = 0, None
    if is_stream(x):
        _check_stream_choices(batch_size, shuffle, sample_weight, steps_per_epoch)
    else:
        size, weights = _array_choices(len(x), batch_size, sample_weight, steps_per_epoch)
    if not 0 < buffer_megabytes < math.inf:
        raise ValueError(f"buffer_megabytes must be a positive number of megabytes, got {buffer_megabytes}.")

    def read(data: Any, name: str, purpose: tuple[int, ...], num_steps: int | None = None) -> StreamSource:
        draw = _draw(seed, purpose) if binarize else None
        return StreamSource(model, data, name, draw, buffer_megabytes, num_steps, verbose)

    source: Source
    if is_stream(x):
        shuffle, source = False, read(x, "x", _PIXELS, None if steps_per_epoch is None else int(steps_per_epoch))
    else:
        shuffle = shuffle is None or bool(shuffle)
        source = ArraySource(x, size, seed, shuffle, _draw(seed, _PIXELS) if binarize else None, weights)
    choices: dict[str, Any] = {
        "batch_size": source.batch_size,
        "shuffle": shuffle,
        "seed": seed,
        "binarize": bool(binarize),
    }
    if weights is not None:
        choices["sample_weight"] = checksum(weights)
    if validation_data is None:
        return source, None, choices
    if is_stream(validation_data):
        return source, read(validation_data, "validation_data", _VALIDATION), choices
    drawn = draw_pixels(validation_data, (seed, *_VALIDATION)) if binarize else None
    show = None if drawn is None else lambda x, step: drawn
    return source, ArraySource(validation_data, source.batch_size, seed, draw=show), choices


def _checked(model: VAE, data: Any, name: str) -> Any:
    """Return an array as float32, and a stream as it is, if they can be images of the model."""
    if isinstance(data, tf.data.Dataset):
        check_elements(data, model.image_shape, name)
    if is_stream(data):
        return data
    return model.checked_images(data, name) if name == "x" else one_set_of_images(model, data, name)


def _draw(seed: int, purpose: tuple[int, ...]) -> Draw:
    """Return what draws the pixels of the images that are shown first at a step."""
    return lambda x, step: draw_pixels(x, (seed, *purpose, step))


def _array_choices(
    num_images: int, batch_size: int | None, sample_weight: ArrayLike | None, steps_per_epoch: int | None
) -> tuple[int, np.ndarray | None]:
    """Return the batch size and the weights of the images of an array.

    Raises:
        ValueError: if they cannot be used, or something is asked for that is for streams only.
    """
    batch_size = _BATCH_SIZE if batch_size is None else batch_size
    if batch_size != int(batch_size) or not 1 <= batch_size <= num_images:
        raise ValueError(
            f"batch_size must be a whole number from 1 to the number of images, {num_images}, got {batch_size}."
        )
    if steps_per_epoch is not None:
        raise ValueError(
            f"steps_per_epoch is for streams, got {steps_per_epoch} and an array, of which an epoch shows every image "
            "once: leave it out."
        )
    if sample_weight is None:
        return int(batch_size), None
    weights = np.asarray(sample_weight)
    if weights.shape not in ((num_images,), (num_images, 1)) or not np.all(np.isfinite(weights) & (weights > 0)):
        raise ValueError(
            f"sample_weight must be {num_images} positive numbers, one for each image, got the shape {weights.shape}"
            f"{f', from {weights.min():g} to {weights.max():g}' if weights.size else ''}: leave images without weight "
            "out of x."
        )
    return int(batch_size), weights.reshape(num_images).astype("float32")


def _check_stream_choices(
    batch_size: int | None,
    shuffle: bool | None,
    sample_weight: ArrayLike | None,
    steps_per_epoch: int | None,
) -> None:
    """Raise a ValueError if something is asked of a stream that only its maker can do."""
    if batch_size is not None:
        raise ValueError(
            f"batch_size is for arrays, got {batch_size} and a stream, which has batches of its own: leave it out, and "
            "batch them as they shall be, dataset.unbatch().batch(128)."
        )
    if shuffle:
        raise ValueError(
            "shuffle=True is for arrays, got a stream, which comes in its own order: leave it out, and shuffle the "
            "images where the stream is made, dataset.unbatch().shuffle(10_000, seed=1).batch(128)."
        )
    if sample_weight is not None:
        raise ValueError("sample_weight is for arrays, got a stream too: use Keras' own model.fit for weights there.")
    if steps_per_epoch is not None and (steps_per_epoch != int(steps_per_epoch) or steps_per_epoch < 1):
        raise ValueError(f"steps_per_epoch must be a whole number of at least 1, got {steps_per_epoch}.")
