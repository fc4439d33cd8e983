"""A small training that saves after every stretch of every epoch, for tests that run it in processes of their own."""

import os
import signal
import time

import keras
import numpy as np

import vaelib
from vaelib import checkpoints


def train(folder, result, death=None, save=1):
    """Train to the end and write all numbers to a file, or die in the save-th save at the place named in `death`."""
    arrange(death, save)
    x = np.random.default_rng(0).random((330, 28, 28, 1), "float32")
    run = vaelib.fit(
        new_model(),
        x,
        x[:50],
        num_epochs=30,
        batch_size=32,
        seed=7,
        verbose=False,
        # Time to be killed in, also between saves.
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.01))],
        checkpoint=folder,
        save_minutes=0,
    )
    history = {f"history/{name}": values for name, values in run.history.items() if name != "seconds"}
    posteriors = {f"posteriors/{epoch}": trace for epoch, trace in run.posteriors.items()}
    weights = {f"weights/{i:02d}": weight for i, weight in enumerate(run.model.get_weights())}
    optimizer = {f"optimizer/{v.path}": v.numpy() for v in run.model.optimizer.variables}
    np.savez(result, **history, **posteriors, **weights, **optimizer)


def new_model():
    """Weights from this process's own draw: a checkpoint must bring back all of them."""
    model = vaelib.dense_vae(hidden_dim=8, beta=vaelib.linear(2.0, num_steps=60), l2=1e-4)
    first = np.random.default_rng(1)
    model.set_weights([first.normal(0, 0.1, weight.shape) for weight in model.get_weights()])
    model.compile(optimizer=keras.optimizers.RMSprop(1e-3))
    return model


def arrange(death, save):
    """Let the process kill itself in its save-th save."""
    count = 0

    def in_save(here):
        nonlocal count
        if here == death:
            count += 1
            if count == save:
                os.kill(os.getpid(), signal.SIGKILL)

    class Dying:
        """A file in which only half is written at the time of death."""

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

    fsync, replace = os.fsync, checkpoints.Path.replace

    def dying_fsync(file):
        in_save("not on the disk yet")
        fsync(file)
        in_save("not renamed yet")

    def dying_replace(self, target):
        replace(self, target)
        in_save("renamed, the old one still there")

    checkpoints.open, checkpoints.os.fsync, checkpoints.Path.replace = Dying, dying_fsync, dying_replace
