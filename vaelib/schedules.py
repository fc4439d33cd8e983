"""The weight of the KL as a function of the training step: `schedule(step) -> beta`.

Every schedule is a Keras `LearningRateSchedule`, Keras' own class for "a number that depends on the step": it runs
inside compiled code, and a model that holds one can be saved. Keras' schedules may be used as a beta just as well.
"""

import math

import keras
from keras import ops

__all__ = ["check_reaches_target", "constant", "cyclical", "linear", "sigmoid"]

# Of a schedule's target, how much must be reached at the last step.
_REACHED = 0.99


def constant(beta):
    """The same beta at every step.

    Args:
        beta: weight of the rate in nats per image, >= 0; 1 is the ELBO.

    Raises:
        ValueError: if beta is negative or not finite.

    >>> round(float(constant(0.784)(1000)), 6)
    0.784

    Used in chapter 02.
    """
    return Linear(beta, num_steps=0)


def linear(beta, num_steps):
    """Linear warm-up: beta * min((step + 1) / (num_steps + 1), 1).

    The first step already weighs the KL a little, step num_steps reaches beta exactly (Sønderby et al. 2016 warm up
    linearly; the +1 is the form of the experiment this book reproduces).

    Args:
        beta: the final weight in nats per image, >= 0.
        num_steps: warm-up steps, >= 0; 0 is `constant`.

    Raises:
        ValueError: if beta is negative or not finite, or num_steps is negative.

    >>> [round(float(linear(1.0, num_steps=3)(step)), 2) for step in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]

    Used in chapter 04.
    """
    return Linear(beta, num_steps)


def sigmoid(beta, num_steps=5000):
    """Sigmoid warm-up: beta / (1 + exp(-12.5 (step / num_steps - 1/2))).

    From 0.2 % of beta at step 0 over a half in the middle to 99.8 % at num_steps, and ever closer after it. Bowman et
    al. (2016, figure 2) show the curve and leave the formula open; with 5,000 steps this is the usual one,
    1 / (1 + exp(-0.0025 (step - 2500))).

    Args:
        beta: the final weight in nats per image, >= 0.
        num_steps: warm-up steps, >= 1.

    Raises:
        ValueError: if beta is negative or not finite, or num_steps is not positive.

    >>> [round(float(sigmoid(1.0)(step)), 3) for step in (0, 2500, 5000, 10000)]
    [0.002, 0.5, 0.998, 1.0]

    Used in chapter 04.
    """
    return Sigmoid(beta, num_steps)


def cyclical(beta, num_steps, num_cycles=4, ramp=0.5):
    """Cyclical annealing: in every cycle from 0 up to beta along a straight line, then a while at beta.

    beta * min(tau / ramp, 1), where tau in [0, 1) is the part of the present cycle that has passed; beta after
    num_steps (Fu et al. 2019).

    Args:
        beta: the weight that every cycle reaches, in nats per image, >= 0.
        num_steps: steps of all cycles together, >= num_cycles.
        num_cycles: how many, >= 1.
        ramp: the part of a cycle in which beta rises, > 0 and <= 1.

    Raises:
        ValueError: if beta is negative or not finite, or another number is out of range.

    >>> [round(float(cyclical(1.0, num_steps=8, num_cycles=2)(step)), 2) for step in range(9)]
    [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0]

    Used in chapter 04.
    """
    return Cyclical(beta, num_steps, num_cycles, ramp)


def check_reaches_target(schedule, num_steps):
    """Refuse a schedule that is not at its target at the last of num_steps training steps.

    Such a training has minimised another objective than it says; its loss looks good because the KL weighs less.
    Schedules without a target, a `beta` of their own, pass: nobody knows what they are meant to reach.

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


class _Annealing(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule with a target: `beta`, in nats per image."""

    def __init__(self, beta):
        if not 0 <= beta < math.inf:
            raise ValueError(
                f"beta must be zero or positive and finite, got {beta}: "
                "it weighs the KL in nats per image, 1 is the ELBO."
            )
        self.beta = float(beta)

    def __call__(self, step):
        """Beta at a step; step is a Python number or a tensor, the result a float32 tensor of the same shape."""
        return self.beta * self._share(ops.cast(step, "float32"))

    def get_config(self):
        """The arguments, for `keras.saving`."""
        return dict(vars(self))

    def __repr__(self):
        arguments = ", ".join(f"{name}={value:g}" for name, value in self.get_config().items())
        return f"{type(self).__name__.lower()}({arguments})"


@keras.saving.register_keras_serializable("vaelib")
class Linear(_Annealing):
    """What `linear` and `constant` return."""

    def __init__(self, beta, num_steps):
        super().__init__(beta)
        if num_steps < 0:
            raise ValueError(f"num_steps must be zero (no warm-up) or positive, got {num_steps}.")
        self.num_steps = int(num_steps)

    def _share(self, step):
        return ops.minimum((step + 1.0) / (self.num_steps + 1.0), 1.0)

    def __repr__(self):
        return super().__repr__() if self.num_steps else f"constant({self.beta:g})"


@keras.saving.register_keras_serializable("vaelib")
class Sigmoid(_Annealing):
    """What `sigmoid` returns."""

    def __init__(self, beta, num_steps):
        super().__init__(beta)
        if num_steps < 1:
            raise ValueError(f"num_steps must be at least 1, got {num_steps}; without a warm-up, use constant(beta).")
        self.num_steps = int(num_steps)

    def _share(self, step):
        return ops.sigmoid(12.5 * (step / self.num_steps - 0.5))


@keras.saving.register_keras_serializable("vaelib")
class Cyclical(_Annealing):
    """What `cyclical` returns."""

    def __init__(self, beta, num_steps, num_cycles, ramp):
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

    def _share(self, step):
        length = self.num_steps / self.num_cycles
        risen = ops.minimum(ops.mod(step, length) / (length * self.ramp), 1.0)
        return ops.where(step < self.num_steps, risen, 1.0)
