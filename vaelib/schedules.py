"""The weight of the KL as a function of the training step: `schedule(step) -> beta`.

Every schedule is a Keras `LearningRateSchedule`, Keras' own class for "a number that depends on the step": it runs
inside compiled code, and a model that holds one can be saved. Keras' schedules may be used as a beta just as well.
"""

import math

import keras
from keras import ops

__all__ = ["constant", "linear"]


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


@keras.saving.register_keras_serializable("vaelib")
class Linear(keras.optimizers.schedules.LearningRateSchedule):
    """What `linear` and `constant` return."""

    def __init__(self, beta, num_steps):
        if not 0 <= beta < math.inf:
            raise ValueError(
                f"beta must be zero or positive and finite, got {beta}: "
                "it weighs the KL in nats per image, 1 is the ELBO."
            )
        if num_steps < 0:
            raise ValueError(f"num_steps must be zero (no warm-up) or positive, got {num_steps}.")
        self.beta, self.num_steps = float(beta), int(num_steps)

    def __call__(self, step):
        """Beta at a step; step is a Python number or a tensor, the result a float32 tensor of the same shape."""
        progress = (ops.cast(step, "float32") + 1.0) / (self.num_steps + 1.0)
        return self.beta * ops.minimum(progress, 1.0)

    def get_config(self):
        """The arguments, for `keras.saving`."""
        return {"beta": self.beta, "num_steps": self.num_steps}

    def __repr__(self):
        return (
            f"linear(beta={self.beta:g}, num_steps={self.num_steps})" if self.num_steps else f"constant({self.beta:g})"
        )
