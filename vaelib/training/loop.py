"""Compile many training steps into one program, which TensorFlow builds once per model.

Keras' `fit` crosses from Python into TensorFlow at every step. Here a stretch of an epoch is one XLA program, which
gathers its batches from images held as one tensor, and draws its noise from (seed, step). So a training
depends on its arguments only, however it is cut into stretches.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from .._types import Tensor
from .._warnings import warn
from ..image_model import same
from ..losses import posterior_std
from ..models import Objective

__all__ = ["NEVER", "SUMS", "Carry", "compiled_loops", "means_of"]

# Add these up over an epoch, in this order.
SUMS = ("loss", "distortion", "rate", "beta", "num_images")
# Stand for the step of what has not happened.
NEVER = np.iinfo("int32").max


class Carry(NamedTuple):
    """Hold what a stretch of an epoch hands to the next one."""

    sums: Tensor
    """(5,) float64, the totals named in SUMS"""
    trace: Tensor
    """(2, num_steps, latent_dim), means and standard deviations of the first posterior of every batch so far"""
    first_bad: Tensor
    """(3,) int32, the first step of the epoch at which loss, distortion and rate were not finite, or NEVER"""

    @classmethod
    def start(cls, num_steps: int, latent_dim: int) -> "Carry":
        """Return the carry of an epoch that has not begun."""
        trace = np.zeros((2, num_steps, latent_dim), "float32")
        return cls(np.zeros(len(SUMS)), trace, np.full(3, NEVER, "int32"))


class _Loops(NamedTuple):
    """Hold the compiled loops of a model, and what they are compiled for."""

    train: Callable
    evaluate: Callable
    parts: tuple


def compiled_loops(model: keras.Model) -> tuple[Callable, Callable]:
    """Return the loops of a model: compiled at their first call, kept on the model, renewed when a part of it changes.

    Returns:
        `train(images, rows, weights, start, stop, seed, *carry)` takes steps start to stop of an epoch and returns the
        parts of the next `Carry`; `evaluate(images, rows, weights, start, stop, seed, sums)` looks at these batches
        without learning and returns the next sums. rows are (steps, batch) int32 indices into images, from step start
        on; weights, (steps, batch), are 0 for rows that fill up a batch.
    """
    parts = model.optimizer, model.asked_jit_compile, *model.compiled_in
    known = getattr(model, "_loops", None)
    if known is None or not same(known.parts, parts):
        use_xla = _uses_xla(model)
        known = _Loops(_compiled(_train_loop(model), use_xla), _compiled(_evaluate_loop(model), use_xla), parts)
        # Bypass Keras, which would track what is inside.
        object.__setattr__(model, "_loops", known)
    return known.train, known.evaluate


def means_of(sums: Tensor) -> dict[str, float]:
    """Return means over images, by name, from totals that are not empty."""
    *totals, num_images = np.array(sums).tolist()
    return {name: total / num_images for name, total in zip(SUMS[:-1], totals, strict=True)}


def _train_loop(model: keras.Model) -> Callable:
    variables = model.trainable_variables

    def train(images, rows, weights, start, stop, seed, sums, trace, first_bad):
        # Count with `while`, and rows from 0: XLA compiles the bounds of tf.range in, and `start` too if the place of a
        # row is computed from it, and would build a new program for every stretch.
        row, i = 0, start
        while i < stop:
            x, w = _batch(images, rows[row]), weights[row]
            noise = _noise(model, seed, model.optimizer.iterations, len(x))
            with tf.GradientTape() as tape:
                output = model(x, noise=noise, training=True)
                objective = model.objective(x, output, w)
                loss = model.optimizer.scale_loss(objective.loss)
            first = tf.stack([output.z_mean[0], posterior_std(output.z_log_var[0])])
            trace = tf.tensor_scatter_nd_update(trace, [[0, i], [1, i]], tf.cast(first, trace.dtype))
            batch = _sums(objective, w)
            sums += batch
            first_bad = tf.where(tf.math.is_finite(batch[:3]), first_bad, tf.minimum(first_bad, i))
            model.optimizer.apply(tape.gradient(loss, variables), variables)
            row, i = row + 1, i + 1
        return sums, trace, first_bad

    return train


def _evaluate_loop(model: keras.Model) -> Callable:
    def evaluate(images, rows, weights, start, stop, seed, sums):
        row, i = 0, start
        while i < stop:
            x, w = _batch(images, rows[row]), weights[row]
            # Use negative steps: noise that no training step has seen, and the same in every epoch.
            output = model(x, noise=_noise(model, seed, -1 - i, len(x)), training=False)
            sums += _sums(model.objective(x, output, w), w)
            row, i = row + 1, i + 1
        return sums

    return evaluate


def _compiled(loop: Callable, use_xla: bool) -> Callable:
    """Compile a loop at its first call for the shapes of that call, and again for others.

    A plain tf.function counts the loops of all models as one, and warns after the fifth that it traces too often.
    """
    programs: dict[tuple, Callable] = {}

    def run(tensors: list[Tensor], jit_compile: bool) -> Any:
        signature = (jit_compile, *((tensor.dtype, *tensor.shape) for tensor in tensors))
        if signature not in programs:
            programs[signature] = tf.function(loop, jit_compile=jit_compile).get_concrete_function(*tensors)
        return programs[signature](*tensors)

    def call(*arguments: Any) -> Any:
        nonlocal use_xla
        tensors = [tf.convert_to_tensor(argument) for argument in arguments]
        try:
            return run(tensors, use_xla)
        except tf.errors.InvalidArgumentError as error:
            # XLA refuses such a program before it runs a step of it.
            if not use_xla or "unsupported operations" not in str(error):
                raise
        warn(
            "XLA cannot compile a layer of this model, such as one that rotates images: training goes on without XLA, "
            "more slowly. compile(jit_compile=False) says that this is meant."
        )
        use_xla = False
        return run(tensors, use_xla)

    return call


def _uses_xla(model: keras.Model) -> bool:
    """Tell whether to use XLA: as `compile` was told, else everywhere but for convolutions on a CPU.

    XLA runs convolutions on a CPU many times slower than TensorFlow does.
    """
    if model.asked_jit_compile != "auto":
        return bool(model.asked_jit_compile)
    has_convolutions = any(len(variable.shape) == 4 for variable in model.trainable_variables)
    return not has_convolutions or bool(tf.config.list_physical_devices("GPU"))


def _batch(images: Tensor, rows: Tensor) -> Tensor:
    """Gather images by their numbers; flat, since XLA's inner loops run over the last axis, the single channel."""
    flat = tf.gather(tf.reshape(images, (len(images), -1)), rows)
    return tf.reshape(flat, (len(rows), *images.shape[1:]))


def _noise(model: keras.Model, seed: Tensor, step: Tensor, batch_size: int) -> Tensor:
    """Draw standard normal noise that depends on the seed and the step only."""
    return tf.random.stateless_normal((batch_size, model.latent_dim), (seed, tf.cast(step, seed.dtype)))


def _sums(objective: Objective, weights: Tensor) -> Tensor:
    """Return what a batch adds to the totals named in SUMS."""
    weights = tf.cast(weights, objective.loss.dtype)
    num_images = tf.reduce_sum(weights)
    distortion = tf.reduce_sum(objective.distortion * weights)
    rate = tf.reduce_sum(objective.rate * weights)
    sums = [objective.loss * num_images, distortion, rate, objective.beta * num_images, num_images]
    # Use double precision: in single, 60,000 times a beta is off in the sixth digit.
    return tf.cast(tf.stack(sums), tf.float64)
