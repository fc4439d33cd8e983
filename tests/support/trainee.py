"""Train a small model that saves after every stretch of every epoch, in processes that may be killed."""

import os
import signal
import time

import keras
import numpy as np
import tensorflow as tf

import vaelib
from vaelib import _files

NUM_EPOCHS = 20
"""Epochs of ten saves each: more than twenty kills can use up."""


def train(result, folder=None, num_epochs=NUM_EPOCHS, jit_compile="auto", pause=0.0, death=None, stream=False):
    """Train to the end and write all numbers to a file, unless death comes first.

    Args:
        result: the file.
        folder: None, or the folder of the checkpoints.
        num_epochs: passes over 330 images.
        jit_compile: whether to use XLA, which takes seconds to compile.
        pause: seconds to wait after every stretch, to be killed in between saves too.
        death: None; a place in a save and how many saves to survive; or seconds to live after the first save.
        stream: whether the images come in a stream that is shuffled anew for every epoch.
    """
    np.savez(result, **numbers(folder, num_epochs, jit_compile, pause, death, stream))


def numbers(folder=None, num_epochs=NUM_EPOCHS, jit_compile="auto", pause=0.0, death=None, stream=False):
    """Train to the end, and return all numbers by name."""
    if death:
        _arrange(death)
    x = np.random.default_rng(0).random((330, 28, 28, 1), "float32")
    # Let a stream hold one batch at a time, and so save after every batch.
    data, settings = (_shuffled(x), {"buffer_megabytes": 0.001}) if stream else (x, {"batch_size": 32})
    run = vaelib.fit(
        _model(jit_compile),
        data,
        x[:50],
        num_epochs=num_epochs,
        seed=7,
        verbose=False,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(pause))],
        checkpoint=folder,
        save_minutes=0,
        **settings,
    )
    history = {f"history/{name}": values for name, values in run.history.items() if name != "seconds"}
    posteriors = {f"posteriors/{epoch}": trace for epoch, trace in run.posteriors.items()}
    weights = {f"weights/{i:02d}": weight for i, weight in enumerate(run.model.get_weights())}
    optimizer = {f"optimizer/{i:02d}": variable.numpy() for i, variable in enumerate(run.model.optimizer.variables)}
    return {**history, **posteriors, **weights, **optimizer}


def _shuffled(x):
    return tf.data.Dataset.from_tensor_slices(x).shuffle(100, seed=3).batch(32)


def _model(jit_compile):
    """Return a model with weights from this process's own draw: a checkpoint must bring back all of them."""
    model = vaelib.dense_vae(hidden_dim=8, beta=vaelib.schedules.Linear(2.0, num_steps=25), l2=1e-4)
    first = np.random.default_rng(1)
    model.set_weights([first.normal(0, 0.1, weight.shape) for weight in model.get_weights()])
    model.compile(optimizer=keras.optimizers.RMSprop(1e-3), jit_compile=jit_compile)
    return model


def _arrange(death):
    """Let the process kill itself in one of its saves, or the system kill it some time after the first."""
    place, at = death if isinstance(death, tuple) else ("renamed, the old one still there", 1)
    count = 0

    def in_save(here):
        nonlocal count
        count += here == place
        if here != place or count != at:
            return
        if isinstance(death, tuple):
            os.kill(os.getpid(), signal.SIGKILL)
        # Nobody handles this signal: it ends the process at once, wherever it is.
        signal.setitimer(signal.ITIMER_REAL, death)

    class Dying:
        """Write a file of which only half is there at the time of death."""

        def __init__(self, *args):
            self.file = open(*args)  # noqa: SIM115

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, content):
            self.file.write(content[: len(content) // 2])
            self.file.flush()
            in_save("half written")
            self.file.write(content[len(content) // 2 :])

        def __getattr__(self, name):
            return getattr(self.file, name)

    fsync, replace = os.fsync, _files.Path.replace

    def dying_fsync(file):
        in_save("not on the disk yet")
        fsync(file)
        in_save("not renamed yet")

    def dying_replace(self, target):
        replace(self, target)
        in_save("renamed, the old one still there")

    _files.open, _files.os.fsync, _files.Path.replace = Dying, dying_fsync, dying_replace
