"""Read a stream of images ahead of the training: a `tf.data` dataset or a `keras.utils.PyDataset`."""

import collections
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .._progress import progress_bar
from .._warnings import warn
from ..models import VAE
from .arguments import one_set_of_images
from .sources import MIN_ROWS, STRETCHES_PER_EPOCH, Draw, Stretch

__all__ = ["StreamSource"]

# Share the memory among a stretch that trains, one that is read, and the tensor that is made of it.
_NUM_STRETCHES_HELD = 3
_NUM_FILES_SHOWN = 3


class StreamSource:
    """Hand out images of a stream, in its order; a thread reads the next stretch while one trains.

    Args:
        model: the `VAE` that decides what a batch must look like.
        data: a `tf.data.Dataset` of batches, or a `keras.utils.PyDataset`.
        name: what to call it in a message.
        draw: None, or what draws the pixels of a batch.
        buffer_megabytes: room for the images that are held at a time.
        steps_per_epoch: None for a pass over the data, or how many batches an epoch has.
        verbose: whether to show a bar where batches must be counted.

    Raises:
        ValueError: if there is no batch, no end, or the first batch is not one of images.
    """

    def __init__(
        self,
        model: VAE,
        data: tf.data.Dataset | keras.utils.PyDataset,
        name: str,
        draw: Draw | None = None,
        buffer_megabytes: float = 128.0,
        steps_per_epoch: int | None = None,
        verbose: bool = True,
    ) -> None:
        self._model, self._data, self._name, self._draw = model, data, name, draw
        self._has_warned = False
        is_dataset = isinstance(data, tf.data.Dataset)
        self._stream = (_Dataset if is_dataset else _PyDataset)(data, steps_per_epoch)
        num_batches = _num_batches(data, name, steps_per_epoch)
        first = self._next(self._stream.first(), 0, 0)
        self.image_shape, self.batch_size = first.shape[1:], len(first)
        self.first_batch: int | None = _digest(first)
        self.num_steps = steps_per_epoch or num_batches or self._count(verbose)
        fitting = int(buffer_megabytes * 1e6 / _NUM_STRETCHES_HELD // first.nbytes)
        self._steps_per_stretch = max(1, min(fitting, -(-self.num_steps // STRETCHES_PER_EPOCH)))

    @property
    def identity(self) -> str:
        """Which images these are, as far as it can be known before they come."""
        shape = " x ".join(map(str, (self.batch_size, *self.image_shape)))
        return f"a stream of {self.num_steps} batches of {shape} pixels"

    def stretches(self, epoch: int, first_step: int, done: int = 0, last_batch: int = 0) -> Iterator[Stretch]:
        """Yield the stretches of an epoch that are still to run, and read the next one meanwhile."""
        # Read again the last batch that was trained on, to see whether the stream is the same.
        batches = self._stream.batches(epoch, max(done - 1, 0))
        if done and _digest(self._next(batches, epoch, done - 1)) != last_batch:
            self._warn_of_others(f"batch {done} of {self._name} in epoch {epoch + 1}")

        def read(start: int) -> Stretch:
            return self._read(batches, epoch, start, first_step)

        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(read, done)
            for _ in range(done, self.num_steps, self._steps_per_stretch):
                stretch = ahead.result()
                if stretch.stop < self.num_steps:
                    ahead = reader.submit(read, stretch.stop)
                yield stretch
        self._stream.end_epoch(epoch)

    def warn_if_other(self, first_batch: int | None) -> None:
        """Warn if the stream of a training that goes on begins with another batch than before."""
        if first_batch is not None and first_batch != self.first_batch:
            self._warn_of_others(f"the first batch of {self._name}")

    def _warn_of_others(self, what: str) -> None:
        """Warn once that these are not the images of before the interruption, however many batches differ."""
        if not self._has_warned:
            warn(
                f"Not the images of before the interruption: {what} differs. Training goes on with what comes now, and "
                "does not end with the bits of an undisturbed one. Make the stream anew for every call, and give what "
                "is random in it a seed, dataset.shuffle(1000, seed=1)."
            )
        self._has_warned = True

    def warn_if_unordered(self) -> None:
        """Warn of a dataset that says itself that its order may change."""
        if isinstance(self._data, tf.data.Dataset) and self._data.options().deterministic is False:
            warn(
                f"{self._name} is a dataset whose order is left to chance (options().deterministic is False): after "
                "an interruption, training goes on, but does not end with the same bits."
            )

    def _read(self, batches: Iterator[Any], epoch: int, start: int, first_step: int) -> Stretch:
        """Read the batches of one stretch into a tensor, as many rows for each as the first batch has."""
        stop, size = min(start + self._steps_per_stretch, self.num_steps), self.batch_size
        num_rows = max(self._steps_per_stretch, MIN_ROWS)
        rows = np.arange(num_rows * size, dtype="int32").reshape(-1, size)
        rows[self._steps_per_stretch :] = 0
        weights, parts = np.zeros(rows.shape, "float32"), []
        for i, step in enumerate(range(start, stop)):
            batch = self._pull(batches, self._name_of(epoch, step))
            x = self._checked(batch, epoch, step)
            parts.append(tf.constant(self._draw(x, first_step + step)) if self._draw else _as_tensor(batch, x))
            # Fill up a smaller batch: its other rows lead to its first image, and count nothing.
            parts.append(self._nothing(size - len(x)))
            weights[i, : len(x)], rows[i, len(x) :] = 1, i * size
        parts.append(self._nothing((self._steps_per_stretch - (stop - start)) * size))
        return Stretch(tf.concat(parts, axis=0), rows, weights, start, stop, _digest(x))

    def _nothing(self, num_images: int) -> tf.Tensor:
        return tf.zeros((num_images, *self.image_shape))

    def _next(self, batches: Iterator[Any], epoch: int, step: int) -> np.ndarray:
        """Return the images of the next batch, or raise a ValueError that names it."""
        return self._checked(self._pull(batches, self._name_of(epoch, step)), epoch, step)

    def _name_of(self, epoch: int, step: int) -> str:
        return f"batch {step + 1} of {self._name}" + (f" in epoch {epoch + 1}" if epoch else "")

    def _checked(self, batch: Any, epoch: int, step: int) -> np.ndarray:
        """Return the images of a batch as it came, or raise a ValueError that names it."""
        if batch is None:
            raise ValueError(self._too_short(epoch, step))
        name = self._name_of(epoch, step)
        images = one_set_of_images(self._model, batch, name)
        if len(images) > getattr(self, "batch_size", len(images)):
            raise ValueError(
                f"{name} must have at most the {self.batch_size} images of the first batch, got {len(images)}: "
                f"batch them anew, dataset.unbatch().batch({self.batch_size})."
            )
        return images

    def _too_short(self, epoch: int, step: int) -> str:
        """Say that an epoch has ended too early."""
        if not step:
            return f"{self._name} must have batches of images, got none in epoch {epoch + 1}: check how it was made."
        return (
            f"{self._name} must have {self.num_steps} batches in every epoch, got {step} in epoch {epoch + 1}: make it "
            "begin again with every pass, or say by steps_per_epoch how many batches an epoch has."
        )

    def _pull(self, batches: Iterator[Any], name: str) -> Any:
        """Return the next batch as it comes, or None at the end."""
        try:
            return next(batches, None)
        except Exception as error:  # a pipeline of the reader's own raises almost anything
            if "was expected to contain" in str(error):
                return None
            raise ValueError(f"{name} cannot be read: {_reason(error)}{_damaged_files(self._data)}.") from error

    def _count(self, verbose: bool) -> int:
        """Return how many batches a pass has, after a pass; they are looked at when they train."""
        batches, count = self._stream.first(), 0
        desc = f"counting the batches of {self._name}; steps_per_epoch saves this"
        with progress_bar(desc=desc, unit="batch", verbose=verbose) as bar:
            while self._pull(batches, f"batch {count + 1} of {self._name}") is not None:
                count += 1
                bar.update()
        return count


class _Dataset:
    """Give the batches of a `tf.data.Dataset` from any step of any epoch on.

    A dataset that shuffles takes a new order for every iterator, the n-th order for the n-th one. So a training that
    goes on makes, without reading from them, as many iterators as the epochs behind it had.
    """

    def __init__(self, data: tf.data.Dataset, steps_per_epoch: int | None) -> None:
        self._data, self._steps_per_epoch = data, steps_per_epoch
        self._num_passes = 0
        self._endless: Iterator[Any] | None = None

    def first(self) -> Iterator[Any]:
        return iter(self._data)

    def batches(self, epoch: int, step: int) -> Iterator[Any]:
        if self._steps_per_epoch:
            # Go on where the epoch before has ended, through one pass after the other.
            if self._endless is None:
                self._endless = iter(self._data.repeat().skip(epoch * self._steps_per_epoch + step))
            return self._endless
        for _ in range(self._num_passes, epoch):
            iter(self._data)
        self._num_passes = epoch + 1
        return iter(self._data.skip(step))

    def end_epoch(self, epoch: int) -> None:
        """Do nothing: a dataset keeps no count of epochs."""


class _PyDataset:
    """Give the batches of a `keras.utils.PyDataset` from any step of any epoch on, read by as many threads as it asks.

    It is told of the beginning and the end of every epoch, those before a training that goes on included.
    """

    def __init__(self, data: keras.utils.PyDataset, steps_per_epoch: int | None) -> None:
        self._data, self._steps_per_epoch, self._num_ended = data, steps_per_epoch, 0

    def first(self) -> Iterator[Any]:
        return (self._data[0] for _ in range(1))

    def batches(self, epoch: int, step: int) -> Iterator[Any]:
        for past in range(self._num_ended, epoch):
            self._data.on_epoch_begin()
            self.end_epoch(past)
        self._data.on_epoch_begin()
        num_batches = self._data.num_batches
        steps = self._steps_per_epoch or num_batches
        first = epoch * self._steps_per_epoch if self._steps_per_epoch else 0
        numbers = range(first + step, first + steps)
        return _in_order(
            self._data.__getitem__, [i % num_batches if num_batches else i for i in numbers], self._data.workers
        )

    def end_epoch(self, epoch: int) -> None:
        self._data.on_epoch_end()
        self._num_ended = epoch + 1


def _in_order(get: Callable[[int], Any], numbers: Iterable[int], num_threads: int) -> Iterator[Any]:
    """Yield get(number) in order, while threads work on the next ones, one each."""
    with ThreadPoolExecutor(max(1, num_threads)) as pool:
        waiting: collections.deque = collections.deque()
        for number in numbers:
            waiting.append(pool.submit(get, number))
            if len(waiting) >= max(1, num_threads):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _num_batches(data: tf.data.Dataset | keras.utils.PyDataset, name: str, steps_per_epoch: int | None) -> int | None:
    """Return how many batches a stream says that it has; None if it does not know.

    Raises:
        ValueError: if there are none; or endlessly many, and nothing says how many make an epoch.
    """
    if isinstance(data, tf.data.Dataset):
        number = int(data.cardinality())
        is_endless, known = number == tf.data.INFINITE_CARDINALITY, None if number < 0 else number
    else:
        known = data.num_batches
        is_endless = known is None
    if known == 0:
        raise ValueError(f"{name} must have batches of images, got none: check how it was made.")
    if is_endless and steps_per_epoch is None:
        how = "say how many batches make an epoch, steps_per_epoch=1000, or cut it" if name == "x" else "cut it"
        raise ValueError(f"{name} must have an end, got a stream without one: {how}, dataset.take(1000).")
    return known


def _as_tensor(batch: Any, images: np.ndarray) -> tf.Tensor:
    """Return the images of a batch as a tensor: the batch's own where it has float32 ones, which saves a copy."""
    x = batch[0] if isinstance(batch, tuple) else batch
    return x if tf.is_tensor(x) and x.dtype == tf.float32 else tf.constant(images)


def _digest(x: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(x).data)


def _reason(error: Exception) -> str:
    """Return what an error says, without what TensorFlow says of itself."""
    said = str(getattr(error, "message", error) or error).strip() or type(error).__name__
    said = re.sub(r"\{\{function_node .*?\}\}\s*", "", said).splitlines()[0].rstrip(". ")
    return f"{said} (repair or remove it, or leave out what cannot be read, dataset.ignore_errors())"


def _damaged_files(data: Any) -> str:
    """Name the damaged files of a dataset that `keras.utils.image_dataset_from_directory` began."""
    while data is not None and not hasattr(data, "file_paths"):
        data = getattr(data, "_input_dataset", None)
    damaged = [path for path in getattr(data, "file_paths", ()) if not _is_readable(path)]
    if not damaged:
        return ""
    more = f" and {len(damaged) - _NUM_FILES_SHOWN} more" if len(damaged) > _NUM_FILES_SHOWN else ""
    return f"; damaged: {', '.join(damaged[:_NUM_FILES_SHOWN])}{more}"


def _is_readable(path: str) -> bool:
    try:
        tf.io.decode_image(tf.io.read_file(path), expand_animations=False)
    except tf.errors.OpError:
        return False
    return True
