"""Weigh the KL by a function of the training step: `schedule(step) -> beta`.

Each schedule is a Keras `LearningRateSchedule`, Keras' own class for "a number that depends on the step": it runs
inside compiled code, and a model that holds one can be saved. Keras' own schedules may be used as a beta, too.
"""

import math
from typing import Any

import keras
from keras import ops

from ._types import Schedule, Tensor, TensorLike

__all__ = ["Constant", "Cyclical", "Linear", "Moved", "Sigmoid", "as_schedule", "check_reaches_target"]

# Require this share of a schedule's target at the last step.
_REACHED = 0.99

_register = keras.saving.register_keras_serializable("vaelib")


class _Annealing(keras.optimizers.schedules.LearningRateSchedule):
    """Hold the target of a schedule: `beta`, in nats per image."""

    def __init__(self, beta: float) -> None:
        if not 0 <= beta < math.inf:
            raise ValueError(
                f"beta must be zero or positive and finite, got {beta}: "
                "it weighs the KL in nats per image, 1 is the ELBO."
            )
        self.beta = float(beta)

    def __call__(self, step: TensorLike) -> Tensor:
        """Return beta at a step, a Python number or a tensor, as a float32 tensor of the same shape."""
        return self.beta * self._share(ops.cast(step, "float32"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, for `keras.saving`."""
        return dict(vars(self))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value:g}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def _share(self, step: Tensor) -> Tensor:
        """Return the share of the target at a step, from 0 to 1."""
        raise NotImplementedError


@_register
class Constant(_Annealing):
    """Weigh the KL by the same beta at every step.

    Args:
        beta: weight of the rate in nats per image, >= 0; 1 is the ELBO.

    Raises:
        ValueError: if beta is negative or not finite.

    >>> round(float(Constant(0.784)(1000)), 6)
    0.784

    Used in chapter 02.
    """

    def _share(self, step: Tensor) -> Tensor:
        return ops.ones_like(step)


@_register
class Linear(_Annealing):
    """Warm up along a straight line: beta * min((step + 1) / (num_steps + 1), 1).

    The first step already weighs the KL a little, step num_steps reaches beta exactly (Sønderby et al. 2016 warm up
    linearly; the +1 is the form of the experiment that this book reproduces).

    Args:
        beta: the final weight in nats per image, >= 0.
        num_steps: warm-up steps, >= 0; 0 is the same as `Constant`.

    Raises:
        ValueError: if beta is negative or not finite, or num_steps is negative.

    >>> [round(float(Linear(1.0, num_steps=3)(step)), 2) for step in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]

    Used in chapter 04.
    """

    def __init__(self, beta: float, num_steps: int) -> None:
        super().__init__(beta)
        if num_steps < 0:
            raise ValueError(f"num_steps must be zero (no warm-up) or positive, got {num_steps}.")
        self.num_steps = int(num_steps)

    def _share(self, step: Tensor) -> Tensor:
        return ops.minimum((step + 1.0) / (self.num_steps + 1.0), 1.0)


@_register
class Sigmoid(_Annealing):
    """Warm up along a sigmoid: beta / (1 + exp(-12.5 (step / num_steps - 1/2))).

    It rises from 0.2 % of beta at step 0 through one half in the middle to 99.8 % at num_steps, and stays above that.
    Bowman et al. (2016, figure 2) show the curve and leave the formula open; with 5,000 steps this is the usual one,
    1 / (1 + exp(-0.0025 (step - 2500))).

    Args:
        beta: the final weight in nats per image, >= 0.
        num_steps: warm-up steps, >= 1.

    Raises:
        ValueError: if beta is negative or not finite, or num_steps is not positive.

    >>> [round(float(Sigmoid(1.0)(step)), 3) for step in (0, 2500, 5000, 10000)]
    [0.002, 0.5, 0.998, 1.0]

    Used in chapter 04.
    """

    def __init__(self, beta: float, num_steps: int = 5000) -> None:
        super().__init__(beta)
        if num_steps < 1:
            raise ValueError(f"num_steps must be at least 1, got {num_steps}; without a warm-up, use Constant(beta).")
        self.num_steps = int(num_steps)

    def _share(self, step: Tensor) -> Tensor:
        return ops.sigmoid(12.5 * (step / self.num_steps - 0.5))


@_register
class Cyclical(_Annealing):
    """Anneal in cycles: in each, beta rises from 0 along a straight line and then stays a while (Fu et al. 2019).

    The formula is beta * min(tau / ramp, 1), where tau in [0, 1) is the part of the present cycle that has passed; and
    beta after num_steps.

    Args:
        beta: the weight that each cycle reaches, in nats per image, >= 0.
        num_steps: steps of all cycles together, >= num_cycles.
        num_cycles: number of cycles, >= 1.
        ramp: the part of a cycle in which beta rises, > 0 and <= 1.

    Raises:
        ValueError: if beta is negative or not finite, or another number is out of range.

    >>> [round(float(Cyclical(1.0, num_steps=8, num_cycles=2)(step)), 2) for step in range(9)]
    [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0]

    Used in chapter 04.
    """

    def __init__(self, beta: float, num_steps: int, num_cycles: int = 4, ramp: float = 0.5) -> None:
        super().__init__(beta)
        if num_cycles != int(num_cycles) or num_cycles < 1:
            raise ValueError(f"num_cycles must be a whole number of at least 1, got {num_cycles}.")
        if num_steps < num_cycles:
            raise ValueError(
                f"num_steps must be at least num_cycles, {num_cycles}, got {num_steps}: it counts all cycles together."
            )
        if not 0 < ramp <= 1:
            raise ValueError(f"ramp must be above 0 and at most 1, a part of a cycle, got {ramp}.")
        self.num_steps, self.num_cycles, self.ramp = int(num_steps), int(num_cycles), float(ramp)

    def _share(self, step: Tensor) -> Tensor:
        length = self.num_steps / self.num_cycles
        risen = ops.minimum(ops.mod(step, length) / (length * self.ramp), 1.0)
        return ops.where(step < self.num_steps, risen, 1.0)


@_register
class Moved(keras.optimizers.schedules.LearningRateSchedule):
    """Weigh the KL by a variable, which a callback moves while the model trains.

    A saved model keeps the value that it has then. What moves it is not in a checkpoint.

    Args:
        beta: a `keras.Variable`, or a number to begin with, >= 0, in nats per image.

    >>> beta = keras.Variable(0.0)
    >>> schedule = Moved(beta)
    >>> _ = beta.assign(0.5)
    >>> float(schedule(1000))
    0.5
    """

    def __init__(self, beta: Any) -> None:
        self.variable = beta if hasattr(beta, "assign") else keras.Variable(beta, trainable=False)

    def __call__(self, step: TensorLike) -> Tensor:
        """Return the variable, for a step or for each of several, as float32."""
        return ops.cast(self.variable, "float32") * ops.ones_like(ops.cast(step, "float32"))

    def get_config(self) -> dict[str, Any]:
        """Return the present value, for `keras.saving`."""
        return {"beta": float(self.variable)}


def as_schedule(beta: Any) -> Schedule:
    """Return a schedule for whatever may be a beta: a number, a schedule itself, or a variable.

    Raises:
        ValueError: if a number is negative or not finite.
    """
    if hasattr(beta, "assign"):
        return Moved(beta)
    return beta if callable(beta) else Constant(beta)


def check_reaches_target(schedule: Schedule, num_steps: int) -> None:
    """Refuse a schedule that is not at its target at the last of num_steps training steps.

    A training that ends before its warm-up minimises another objective than the one asked for, and its loss looks good
    because the KL weighs less. Schedules without a target, an attribute `beta`, pass: their end is not known.

    Args:
        schedule: `step -> beta`.
        num_steps: training steps, counted from the optimizer's first.

    Raises:
        ValueError: if beta at the last step is below 99 % of the target.

    Used in chapter 04.
    """
    target = getattr(schedule, "beta", None)
    last = float(schedule(num_steps - 1))
    if target is not None and last < _REACHED * target:
        raise ValueError(
            f"{schedule} must reach beta {target:g} within the training, but is at {last:.3g} at the last of its "
            f"{num_steps} steps: train longer, or anneal over fewer steps."
        )
