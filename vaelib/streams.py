"""Watch images that come in a stream: a `tf.data` dataset, a generator or a `keras.utils.PyDataset`."""

import contextlib
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .data import FAR_OUT, IMAGES, check_images, check_shape

__all__ = ["check_elements", "is_stream", "one_sentence", "watched"]

# Mark our own complaint in a message of TensorFlow.
_MARK = "vaelib: pixels"


def is_stream(data: Any) -> bool:
    """Tell whether images come in batches that can be asked for again: a `tf.data` dataset or a `PyDataset`."""
    return isinstance(data, tf.data.Dataset | keras.utils.PyDataset)


def check_elements(data: tf.data.Dataset, image_shape: tuple[int | None, ...] | None, name: str) -> None:
    """Raise a ValueError if a dataset says that its elements are no batches of images of a shape."""
    spec = data.element_spec[0] if isinstance(data.element_spec, tuple) else data.element_spec
    if not isinstance(spec, tf.TensorSpec):
        raise ValueError(
            f"{name} must be a dataset of {IMAGES}, got elements of {type(spec).__name__}: "
            "map it to the images, dataset.map(lambda element: element['image'])."
        )
    if not spec.dtype.is_floating:
        raise ValueError(
            f"{name} must be a dataset of {IMAGES}, got {spec.dtype.name}: "
            "map it, dataset.map(lambda x: tf.cast(x, 'float32') / 255)."
        )
    if spec.shape.rank is not None:
        _check_spec(tuple(spec.shape), image_shape, name)


def watched(data: Any, image_shape: tuple[int | None, ...] | None, name: str, pixels: bool) -> Any:
    """Return a stream of images that complains at its first bad batch; None for what is no stream.

    Args:
        data: what Keras' `fit` takes for x.
        image_shape: height, width and channels that the model expects; None for any.
        name: what to call it in a message.
        pixels: whether the pixels must lie in [0, 1], not only near it.

    Raises:
        ValueError: if a dataset says that its elements have another shape or are no floating-point numbers.
    """
    if isinstance(data, tf.data.Dataset):
        return _watched_dataset(data, image_shape, name, pixels)

    def check(batch: Any) -> Any:
        _check_batch(batch, image_shape, name, pixels)
        return batch

    if inspect.isgenerator(data):
        # Keras takes tuples only.
        return (checked if isinstance(checked, tuple) else (checked,) for checked in map(check, data))
    if isinstance(data, keras.utils.PyDataset):
        return _WatchedPyDataset(data, check)
    # Leave to Keras what it knows and we do not, such as a DataLoader.
    is_array = hasattr(data, "__array__") or isinstance(data, list | tuple | dict | str)
    return None if is_array or not hasattr(data, "__iter__") else data


@contextlib.contextmanager
def one_sentence() -> Iterator[None]:
    """Turn TensorFlow's report of a bad batch into the ValueError that it is about."""
    try:
        yield
    except tf.errors.OpError as error:
        message = str(error)
        bad = re.search(rf"\[{_MARK} of (.+?)\] \[(\S+)\] \[(\S+)\]", message)
        said = re.search(r"ValueError: (.+ must be .+)", message)
        if bad:
            name, low, high = bad.groups()
            raise ValueError(
                f"{name} must be {IMAGES}, got a batch with values from {low} to {high}: "
                "rescale them, x / 255 for 8-bit images, and remove those that are not numbers."
            ) from None
        if said:
            raise ValueError(said[1]) from None
        raise


class _WatchedPyDataset(keras.utils.PyDataset):
    """Check every batch of another dataset when it is asked for."""

    def __init__(self, data: keras.utils.PyDataset, check: Callable[[Any], Any]) -> None:
        super().__init__(data.workers, data.use_multiprocessing, data.max_queue_size)
        self.data, self.check = data, check

    @property
    def num_batches(self) -> int | None:
        """Return how many batches an epoch has, or None."""
        return self.data.num_batches

    def __getitem__(self, index: int) -> Any:
        return self.check(self.data[index])

    def on_epoch_begin(self) -> None:
        """Tell the dataset."""
        self.data.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the dataset."""
        self.data.on_epoch_end()


def _watched_dataset(data: tf.data.Dataset, image_shape: Any, name: str, pixels: bool) -> tf.data.Dataset:
    """Check what a dataset says of its elements, and let it check their pixels as they come."""
    check_elements(data, image_shape, name)

    def check(*element: Any) -> Any:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(element)
        target = y if y is not None and y.shape.rank is not None and y.shape.rank == x.shape.rank else x
        low, high = tf.reduce_min(target), tf.reduce_max(target)
        further = 0.0 if pixels else FAR_OUT
        is_good = (low >= -further) & (high <= 1 + further)
        with tf.control_dependencies([tf.debugging.Assert(is_good, [f"{_MARK} of {name}", low, high])]):
            element = tuple(tf.nest.map_structure(tf.identity, part) for part in element)
        return element if isinstance(data.element_spec, tuple) else element[0]

    return data.map(check, num_parallel_calls=tf.data.AUTOTUNE)


def _check_spec(shape: tuple[int | None, ...], image_shape: Any, name: str) -> None:
    """Raise a ValueError if the elements of a dataset cannot be batches of images of a shape."""
    if len(shape) == 3:
        raise ValueError(
            f"{name} must be a dataset of batches (batch, height, width, channels), got single images {shape}: "
            "batch it, dataset.batch(128)."
        )
    known = np.empty([1 if size is None else size for size in (0, *shape[1:])], "float32")
    if image_shape is not None and None not in shape[1:]:
        check_shape(known, image_shape, name)


def _check_batch(batch: Any, image_shape: Any, name: str, pixels: bool) -> None:
    """Raise a ValueError if a batch is not one of images."""
    x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
    image = check_shape(x, image_shape, name)
    if y is not None and np.ndim(y) == np.ndim(image):
        check_images(y, f"the targets of {name}", bounded=pixels)
        pixels = False
    check_images(image, name, bounded=pixels)
