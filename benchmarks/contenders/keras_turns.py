"""Let a contender take part that runs its epochs by itself, and calls Keras callbacks."""

import time

import keras
from turns import report, wait


class Turns(keras.callbacks.Callback):
    """Wait before every epoch and report after it."""

    def on_epoch_begin(self, epoch, logs=None):
        """Wait for the turn."""
        wait()
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Report, training and validation apart where they are known apart."""
        seconds = time.perf_counter() - self.started
        training = logs.get("seconds", seconds)
        report(training, logs["loss"], validation_seconds=seconds - training)
