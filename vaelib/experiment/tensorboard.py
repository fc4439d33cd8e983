"""Write TensorBoard's logs of runs that were trained elsewhere, or long ago."""

import os
from collections.abc import Iterable
from pathlib import Path

import keras

from .store import RunResult

__all__ = ["write_tensorboard_logs"]


def write_tensorboard_logs(results: Iterable[RunResult], folder: str | os.PathLike[str] = "logs") -> Path:
    """Write the histories of runs for TensorBoard, through Keras' own callback.

    Args:
        results: list of `RunResult`.
        folder: where; each run gets a folder of its name, and one that is there already is left alone.

    Returns:
        The folder, for `%tensorboard --logdir`.

    Used in chapter 06.
    """
    for result in results:
        if (place := Path(folder) / result.spec.name).exists():
            continue
        callback = keras.callbacks.TensorBoard(place, write_graph=False)
        callback.set_model(result.spec.build())
        callback.on_train_begin()
        for epoch in range(len(result.history["loss"])):
            callback.on_epoch_end(epoch, {name: values[epoch] for name, values in result.history.items()})
        callback.on_train_end()
    return Path(folder)
