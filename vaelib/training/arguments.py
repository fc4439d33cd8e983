"""Take the arguments of `fit` as people give them, or refuse them in one sentence before anything is compiled."""

import operator
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from ..models import VAE

__all__ = ["Recorder", "check_arguments", "list_of_callbacks", "one_set_of_images", "whole_seed"]


class Recorder(keras.callbacks.Callback):
    """Keep the logs of the last epoch, those that other callbacks have added included."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, float] = {}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keep what is a number."""
        self.numbers = {name: value for name, value in (logs or {}).items() if isinstance(value, float | int)}


def one_set_of_images(model: VAE, data: ArrayLike | tuple[ArrayLike, ...], name: str) -> np.ndarray:
    """Return the images of validation data or of a batch: images, (images, labels) or (images, images).

    Raises:
        ValueError: if they are not images of this shape in [0, 1], or are to be decoded as others.
    """
    if not isinstance(data, tuple):
        return model.checked_images(data, name)
    x, y = (*data, None)[:2]
    images = model.checked_images(x, name)
    if np.ndim(y) == 4 and not np.array_equal(x, y):
        raise ValueError(
            f"{name} must be images, or (images, labels), got (images, other images): vaelib.fit trains "
            "a model to decode the images that it encodes; for others, use Keras' own model.fit(x, y)."
        )
    if len(data) > 2 and data[2] is not None:
        raise ValueError(f"{name} must be images, or (images, labels), got weights too: leave them out.")
    return images


def list_of_callbacks(
    callbacks: Iterable[keras.callbacks.Callback] | keras.callbacks.Callback | None, checkpoint: str | Path | None
) -> list[keras.callbacks.Callback]:
    """Return callbacks as a list.

    Raises:
        ValueError: if one of them cannot do its work in `fit`.
    """
    single = isinstance(callbacks, keras.callbacks.Callback)
    listed = [callbacks] if single else list(callbacks or ())
    for callback in listed:
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            raise ValueError(
                "vaelib.fit expects no BackupAndRestore, which would bring back the weights and train all epochs "
                "again: pass checkpoint='folder', which goes on to the bit."
            )
        if checkpoint and getattr(callback, "swap_on_epoch", False):
            raise ValueError(
                "vaelib.fit expects no SwapEMAWeights(swap_on_epoch=True) beside checkpoint=, which would save the "
                "averaged weights as those to go on from: leave swap_on_epoch out; they are in place at the end."
            )
    return listed


def whole_seed(seed: Any) -> int:
    """Return a seed as a Python integer.

    Raises:
        ValueError: if it is no whole number from 0 to 2**63 - 1.
    """
    try:
        whole = operator.index(seed)
    except TypeError:
        whole = -1
    if not 0 <= whole < 2**63:
        raise ValueError(
            f"seed must be a whole number from 0 to 2**63 - 1, got {seed!r}: the same seed gives the same training."
        )
    return whole


def check_arguments(
    model: VAE,
    num_epochs: int,
    save_minutes: float,
    posterior_epochs: Collection[int] | None,
) -> None:
    """Raise a ValueError if `fit` cannot train with these arguments."""
    if getattr(model, "optimizer", None) is None:
        raise ValueError(
            "fit expects a compiled model, got one without an optimizer: "
            "call model.compile(optimizer=keras.optimizers.RMSprop()) first."
        )
    if tf.distribute.has_strategy() or model.distribute_strategy is not tf.distribute.get_strategy():
        raise ValueError(
            "vaelib.fit expects a model of one device, got one made under "
            f"{type(model.distribute_strategy).__name__}: use Keras' own model.fit there."
        )
    if getattr(model.optimizer, "gradient_accumulation_steps", None):
        raise ValueError(
            "vaelib.fit expects an optimizer that steps after every batch, got gradient_accumulation_steps="
            f"{model.optimizer.gradient_accumulation_steps}: it draws its noise by the number of the step, so batches "
            "of one step would share it. Use a larger batch_size, or Keras' own model.fit."
        )
    if num_epochs != int(num_epochs) or num_epochs < 1:
        raise ValueError(f"num_epochs must be a whole number of at least 1, got {num_epochs}.")
    if not save_minutes >= 0:
        raise ValueError(
            f"save_minutes must be zero (after every stretch of an epoch) or positive, got {save_minutes}."
        )
    if posterior_epochs is not None and any(epoch < 1 for epoch in posterior_epochs):
        raise ValueError(
            f"posterior_epochs must be None (all) or numbers of epochs, from 1, got {sorted(posterior_epochs)}."
        )
