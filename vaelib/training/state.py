"""Hold where a training stands: everything that changes while a model trains."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import keras
import numpy as np

from ..models import PosteriorTrace
from .loop import NEVER, SUMS, Carry, means_of

__all__ = ["TrainingState"]

_CAUSES = {
    "loss": "a beta or a weight decay that is not finite",
    "distortion": "pixels that are not numbers, or a learning rate that is too high",
    "rate": "log-variances that exploded, often after a learning rate that is too high",
    "weights": "a learning rate that is too high",
}


class TrainingState:
    """Hold a model's variables, the epochs behind it, and the present one."""

    def __init__(self, model: keras.Model, num_steps: int, posterior_epochs: Collection[int] | None = None) -> None:
        self.model, self.num_steps, self.posterior_epochs = model, num_steps, posterior_epochs
        self.epoch = 0
        self.history: dict[str, list[float]] = {}
        self.posteriors: dict[int, PosteriorTrace] = {}
        self.last_good: Any = None
        # Know the first batch of a stream again, and the one trained on last, by their digests.
        self.first_batch: int | None = None
        self.last_batch = 0
        self._start_epoch()

    def _start_epoch(self) -> None:
        self.step, self.seconds = 0, 0.0
        self.first_step = int(self.model.optimizer.iterations)
        self.carry = Carry.start(self.num_steps, self.model.latent_dim)

    def finish_epoch(self, logs: Mapping[str, float]) -> None:
        """Close the present epoch: keep its posteriors and logs, and start the next one."""
        self.epoch += 1
        if self.posterior_epochs is None or self.epoch in self.posterior_epochs:
            self.posteriors[self.epoch] = PosteriorTrace(*np.array(self.carry.trace))
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self._start_epoch()

    def logs(self) -> dict[str, float]:
        """Return means over the images of the present epoch so far, by name."""
        return means_of(self.carry.sums)

    def check_finite(self, weights: bool = False) -> None:
        """Raise a FloatingPointError if a loss of the present epoch, or with weights=True a weight, is not finite."""
        first_bad = np.array(self.carry.first_bad)
        step = int(first_bad.min())
        names = [name for name, bad in zip(SUMS, first_bad, strict=False) if bad == step]
        if step == NEVER:
            if not weights or all(np.isfinite(weight).all() for weight in self.model.get_weights()):
                return
            names, step = ["weights"], self.step - 1
        elif len(names) > 1:
            # Name the part that went wrong, not the loss that followed it.
            names.remove("loss")
        state = "none was kept: pass checkpoint='folder' to `fit`" if self.last_good is None else self.last_good
        raise FloatingPointError(
            f"Not finite: {' and '.join(names)}, first in epoch {self.epoch + 1} at step {step + 1} of "
            f"{self.num_steps} (optimizer step {self.first_step + step}). "
            f"Likely causes: {'; '.join(_CAUSES[name] for name in names)}. Last good state: {state}."
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all of it as NumPy arrays by name."""
        variables = {f"variable/{i:04d}": value.numpy() for i, value in enumerate(self._variables())}
        carry = {f"carry/{name}": np.array(value) for name, value in self.carry._asdict().items()}
        history = {f"history/{name}": np.array(values) for name, values in self.history.items()}
        posteriors = {f"posteriors/{epoch}": np.stack(trace) for epoch, trace in self.posteriors.items()}
        present = np.array([self.epoch, self.step, self.first_step])
        seconds = np.array(self.seconds)
        stream = {} if self.first_batch is None else {"stream": np.array([self.first_batch, self.last_batch])}
        return {**variables, **carry, **history, **posteriors, "present": present, "seconds": seconds, **stream}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Set all of it to what `arrays` returned."""
        for i, variable in enumerate(self._variables()):
            variable.assign(arrays[f"variable/{i:04d}"])
        self.carry = Carry(*(arrays[f"carry/{name}"] for name in Carry._fields))
        self.history = {name: values.tolist() for name, values in _below("history", arrays)}
        self.posteriors = {int(epoch): PosteriorTrace(*trace) for epoch, trace in _below("posteriors", arrays)}
        self.epoch, self.step, self.first_step = arrays["present"].tolist()
        self.seconds = float(arrays["seconds"])
        if "stream" in arrays:
            self.first_batch, self.last_batch = arrays["stream"].tolist()

    def _variables(self) -> list[keras.Variable]:
        return [*self.model.trainable_variables, *self.model.non_trainable_variables, *self.model.optimizer.variables]


def _below(folder: str, arrays: Mapping[str, np.ndarray]) -> Iterable[tuple[str, np.ndarray]]:
    """Return the entries of one kind, without their prefix."""
    return [(name.removeprefix(f"{folder}/"), value) for name, value in arrays.items() if name.startswith(f"{folder}/")]
