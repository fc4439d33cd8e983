"""Where a training stands, what it is, and how both get to disk and back."""

import hashlib
import time
import warnings
from typing import NamedTuple

import keras
import numpy as np

from .checkpoints import load_checkpoint, save_checkpoint
from .loops import NEVER, SUMS, Carry, means_of

__all__ = ["PosteriorTrace", "RunState", "Saver", "run_spec"]

_CAUSES = {
    "loss": "a beta or a weight decay that is not finite",
    "distortion": "pixels that are not numbers, or a learning rate that is too high",
    "rate": "log-variances that exploded, often after a learning rate that is too high",
    "weights": "a learning rate that is too high",
}


class PosteriorTrace(NamedTuple):
    """The posteriors q(z|x) of the first example of every batch of an epoch, encoded before that batch's update."""

    mean: np.ndarray
    """(num_steps, latent_dim)"""
    std: np.ndarray
    """(num_steps, latent_dim), standard deviations"""


class RunState:
    """Everything that changes while a model trains: its variables, the epochs behind it, and the present one."""

    def __init__(self, model, num_steps, posterior_epochs=None):
        self.model, self.num_steps, self.posterior_epochs = model, num_steps, posterior_epochs
        self.epoch = 0
        self.history: dict[str, list[float]] = {}
        self.posteriors: dict[int, PosteriorTrace] = {}
        self.last_good = None
        self._start_epoch()

    def _start_epoch(self):
        self.step, self.seconds = 0, 0.0
        self.first_step = int(self.model.optimizer.iterations)
        self.carry = Carry.start(self.num_steps, self.model.latent_dim)

    def finish_epoch(self, logs):
        """Move the present epoch to those behind."""
        self.epoch += 1
        if self.posterior_epochs is None or self.epoch in self.posterior_epochs:
            self.posteriors[self.epoch] = PosteriorTrace(*np.array(self.carry.trace))
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self._start_epoch()

    def logs(self):
        """Means over the images of the present epoch so far, by name."""
        return means_of(self.carry.sums)

    def check_finite(self, weights=False):
        """Raise a FloatingPointError if a loss of the present epoch, or a weight as it is now, is not a number."""
        first_bad = np.array(self.carry.first_bad)
        step = int(first_bad.min())
        names = [name for name, bad in zip(SUMS, first_bad, strict=False) if bad == step]
        if step == NEVER:
            if not weights or all(np.isfinite(weight).all() for weight in self.model.get_weights()):
                return
            names, step = ["weights"], self.step - 1
        elif len(names) > 1:
            # Where a part of the loss went wrong, so did the loss.
            names.remove("loss")
        state = "none was kept: pass checkpoint='folder' to `fit`" if self.last_good is None else self.last_good
        raise FloatingPointError(
            f"Not finite: {' and '.join(names)}, first in epoch {self.epoch + 1} at step {step + 1} of "
            f"{self.num_steps} (optimizer step {self.first_step + step}). "
            f"Likely causes: {'; '.join(_CAUSES[name] for name in names)}. Last good state: {state}."
        )

    def arrays(self):
        """All of it as NumPy arrays by name."""
        variables = {f"variable/{i:04d}": value.numpy() for i, value in enumerate(self._variables())}
        carry = {f"carry/{name}": np.array(value) for name, value in self.carry._asdict().items()}
        history = {f"history/{name}": np.array(values) for name, values in self.history.items()}
        posteriors = {f"posteriors/{epoch}": np.stack(trace) for epoch, trace in self.posteriors.items()}
        present = np.array([self.epoch, self.step, self.first_step])
        return {**variables, **carry, **history, **posteriors, "present": present, "seconds": np.array(self.seconds)}

    def restore(self, arrays):
        """Take over what `arrays` gave."""
        for i, variable in enumerate(self._variables()):
            variable.assign(arrays[f"variable/{i:04d}"])
        self.carry = Carry(*(arrays[f"carry/{name}"] for name in Carry._fields))
        self.history = {name: values.tolist() for name, values in _below("history", arrays)}
        self.posteriors = {int(epoch): PosteriorTrace(*trace) for epoch, trace in _below("posteriors", arrays)}
        self.epoch, self.step, self.first_step = arrays["present"].tolist()
        self.seconds = float(arrays["seconds"])

    def _variables(self):
        return [*self.model.trainable_variables, *self.model.non_trainable_variables, *self.model.optimizer.variables]


class Saver:
    """Saves a `RunState` at the end of every epoch and after so many minutes in it; without a folder, never."""

    def __init__(self, folder, spec, minutes):
        self._folder, self._spec, self._seconds = folder, spec, 60 * minutes
        self._last = time.monotonic()

    def resume(self, state):
        """Bring a state to where the newest checkpoint left it, if there is one."""
        found = self._folder and load_checkpoint(self._folder, self._spec)
        if found:
            state.last_good, arrays = found
            state.restore(arrays)

    def save_if_due(self, state):
        """Save in the middle of an epoch, if the last time is long ago."""
        if state.step < state.num_steps and time.monotonic() - self._last >= self._seconds:
            state.check_finite(weights=True)
            self.save(state)

    def save(self, state):
        """Save now. A disk that is full costs this checkpoint, not the training."""
        if not self._folder:
            return
        self._last = time.monotonic()
        step = int(state.model.optimizer.iterations)
        try:
            state.last_good = save_checkpoint(self._folder, step, state.arrays(), self._spec)
        except OSError as error:
            warnings.warn(
                f"The checkpoint of epoch {state.epoch + 1} could not be saved ({error}): training goes on, "
                f"and the last one stays, {state.last_good or 'there is none'}. Make room, or use another folder.",
                stacklevel=3,
            )


def run_spec(model, x, validation_data, batch_size, shuffle, seed, binarize):
    """What a run is: all that decides its numbers, as nested dicts of numbers and strings.

    The names that Keras makes up for layers depend on what else a program built, so they are numbered anew.
    """
    parts = {"model": model, "optimizer": model.optimizer}
    configs = {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
    data = {
        "x": _fingerprint(x),
        "validation_data": "none" if validation_data is None else _fingerprint(validation_data),
    }
    choices = {"batch_size": batch_size, "shuffle": bool(shuffle), "seed": seed, "binarize": bool(binarize)}
    return {**_renamed(configs, {}), **data, **choices}


def _renamed(config, names):
    """A config in which the values of "name" are numbered in the order of their first appearance."""
    if isinstance(config, dict):
        if isinstance(config.get("name"), str):
            names.setdefault(config["name"], f"part {len(names) + 1}")
        # "build_config" and "compile_config" repeat what is known; the compiled optimizer is a part of its own.
        left_out = ("build_config", "compile_config")
        return {key: _renamed(value, names) for key, value in config.items() if key not in left_out}
    if isinstance(config, list | tuple):
        return [_renamed(value, names) for value in config]
    return names.get(config, config) if isinstance(config, str) else config


def _fingerprint(x):
    shape = " x ".join(map(str, x.shape))
    return f"{shape} pixels, sha256 {hashlib.sha256(np.ascontiguousarray(x).data).hexdigest()[:16]}"


def _below(folder, arrays):
    """The entries of one kind, without their prefix."""
    return [(name.removeprefix(f"{folder}/"), value) for name, value in arrays.items() if name.startswith(f"{folder}/")]
