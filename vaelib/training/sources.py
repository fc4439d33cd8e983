"""Hand the images of an epoch to the compiled loop, stretch by stretch."""

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import tensorflow as tf

from .._types import Tensor
from .checkpoint import digest

__all__ = ["MIN_ROWS", "STRETCHES_PER_EPOCH", "ArraySource", "Draw", "Source", "Stretch", "epoch_order"]

STRETCHES_PER_EPOCH = 10
# Give a table of batches two rows at least: XLA compiles the only row of a table into other last digits.
MIN_ROWS = 2
"""Come back to Python at least this often in an epoch: for the progress bar, for callbacks and to save."""
Draw: TypeAlias = Callable[[np.ndarray, int], np.ndarray]
"""Draw black-and-white images from grey ones and the step at which they are shown first."""


class Stretch(NamedTuple):
    """Hold the images of some steps of an epoch."""

    images: Tensor
    """(n, height, width, channels), those of these steps among them."""
    rows: Tensor
    """(m, batch) int32, the rows of images that each step takes, from `start` on; more steps than these may follow."""
    weights: Tensor
    """(m, batch) float32, weights of these images in the mean, 0 for those that fill up a smaller batch."""
    start: int
    """The first step, counted from 0 in the epoch."""
    stop: int
    """The step after the last one."""
    last_batch: int = 0
    """A digest of the images of the last step, if they come in a stream."""


class Source(Protocol):
    """Hand out the images of one epoch after the other: `ArraySource` or `StreamSource`."""

    image_shape: tuple[int, ...]
    num_steps: int
    batch_size: int
    first_batch: int | None
    """A digest of the first batch of a stream; None for an array, of which `identity` says all."""

    @property
    def identity(self) -> str:
        """Which images these are, in words, for the fingerprint of a training."""
        ...

    def stretches(self, epoch: int, first_step: int, done: int = 0, last_batch: int = 0) -> Iterator[Stretch]:
        """Yield the stretches of an epoch that are still to run; those of one source have tensors of one shape.

        Args:
            epoch: counted from 0.
            first_step: the optimizer's step at its start.
            done: steps of this epoch that were taken already.
            last_batch: the `Stretch.last_batch` of the last of these.
        """
        ...

    def warn_if_other(self, first_batch: int | None) -> None:
        """Warn if a training that goes on had another first batch before."""
        ...

    def warn_if_unordered(self) -> None:
        """Warn of images whose order is left to chance."""
        ...


class ArraySource:
    """Hand out images of an array, in an order of every epoch's own or in that of the array."""

    first_batch: int | None = None

    def __init__(
        self,
        x: np.ndarray,
        batch_size: int,
        seed: int,
        shuffle: bool = False,
        draw: Draw | None = None,
        sample_weight: np.ndarray | None = None,
    ) -> None:
        self.image_shape, self.batch_size, self.num_steps = x.shape[1:], batch_size, -(-len(x) // batch_size)
        self._x, self._grey, self._sample_weight = x, None if draw else tf.constant(x), sample_weight
        self._seed, self._shuffle, self._draw = seed, shuffle, draw

    @property
    def identity(self) -> str:
        """Which images these are, with their checksum."""
        return digest(self._x)

    def stretches(self, epoch: int, first_step: int, done: int = 0, last_batch: int = 0) -> Iterator[Stretch]:
        """Yield the stretches of an epoch that are still to run."""
        order = epoch_order(len(self._x), self._shuffle, self._seed, first_step)
        rows, weights = _batches(order, self.batch_size)
        if self._sample_weight is not None:
            weights *= self._sample_weight[rows]
        # Draw pixels here: a pass shows every image once, and XLA would draw many times slower.
        images = tf.constant(self._draw(self._x, first_step)) if self._draw else self._grey
        size = max(-(-self.num_steps // STRETCHES_PER_EPOCH), MIN_ROWS)
        rows, weights = (np.pad(table, ((0, size), (0, 0))) for table in (rows, weights))
        for start, stop in _stretches(self.num_steps, done):
            own = slice(start, start + size)
            yield Stretch(images, rows[own], weights[own], start, stop)

    def warn_if_other(self, first_batch: int | None) -> None:
        """Say nothing: a training with other images has another fingerprint."""

    def warn_if_unordered(self) -> None:
        """Say nothing: the seed decides the order."""


def epoch_order(num_images: int, shuffle: bool, seed: int, step: int) -> np.ndarray:
    """Return the rows of the images, (num_images,), in the order of an epoch that starts at a step, counted from 0."""
    if not shuffle:
        return np.arange(num_images)
    return np.random.default_rng((seed, step)).permutation(num_images)


def _batches(rows: np.ndarray, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows as (num_steps, batch_size), filled up with row 0 at the end, and weights that are 0 where filled."""
    num_steps = -(-len(rows) // batch_size)
    filled, weights = np.zeros((2, num_steps * batch_size))
    filled[: len(rows)], weights[: len(rows)] = rows, 1
    shape = (num_steps, batch_size)
    return filled.reshape(shape).astype("int32"), weights.reshape(shape).astype("float32")


def _stretches(num_steps: int, done: int) -> list[tuple[int, int]]:
    """Return (start, stop) of the pieces of an epoch that are still to run, none longer than its tenth rounded up."""
    bounds = np.unique(np.linspace(0, num_steps, STRETCHES_PER_EPOCH + 1).round().astype(int)).tolist()
    return [(start, stop) for start, stop in itertools.pairwise(bounds) if start >= done]
