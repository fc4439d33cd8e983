"""The training loop: many steps in one compiled graph, and the posterior that every batch leaves behind.

Keras' `fit` crosses from Python into TensorFlow at every step. Here a stretch of an epoch is one XLA program, which
gathers its batches from the training set, held as one tensor, and draws its noise from (seed, step). So a run depends
on its arguments only, however it is cut into stretches.
"""

import itertools
import time
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from .data import check_images

__all__ = ["PosteriorTrace", "Run", "fit"]

# How often a long epoch comes back to Python: for the progress bar and for batch-level callbacks.
_STRETCHES_PER_EPOCH = 10

# What the compiled loops add up over an epoch, in this order.
_SUMS = ("loss", "distortion", "rate", "beta", "num_images")


class PosteriorTrace(NamedTuple):
    """The posteriors q(z|x) of the first example of every batch of an epoch, encoded before that batch's update."""

    mean: np.ndarray
    """(num_steps, latent_dim)"""
    std: np.ndarray
    """(num_steps, latent_dim), standard deviations"""


class Run(NamedTuple):
    """What training leaves: the model, a history, the posteriors."""

    model: keras.Model
    history: dict[str, list[float]]
    """One number per epoch under loss, distortion, rate (nats per image) and beta, all means over the images of the
    epoch, and seconds (training only); with validation data also val_loss, val_distortion and val_rate."""
    posteriors: dict[int, PosteriorTrace]
    """By epoch, counted from 1."""


def fit(
    model,
    x,
    validation_data=None,
    num_epochs=1,
    batch_size=128,
    shuffle=True,
    seed=0,
    callbacks=(),
    verbose=True,
):
    """Train a compiled `VAE` on images, and keep the first posterior of every batch.

    The objective, the schedule of beta and the step counter (`optimizer.iterations`) are those of `model.fit`. The
    last batch of an epoch is smaller where batch_size does not divide the number of images.

    Args:
        model: a `VAE` that was compiled with an optimizer.
        x: (n, 28, 28, 1) floating-point images in [0, 1].
        validation_data: None, or images to evaluate after every epoch, always with the same noise.
        num_epochs: passes over x, >= 1.
        batch_size: images per step, 1 to n.
        shuffle: whether every epoch has an order of its own; otherwise that of x.
        seed: decides the order and the noise: same seed, model and machine, same bits.
        callbacks: Keras callbacks. Batch-level hooks are called about ten times per epoch.
        verbose: whether to show a progress bar with the time left; TQDM_DISABLE=1 hides it everywhere.

    Returns:
        A `Run`.

    Raises:
        ValueError: if the model is not compiled, the images are not images in [0, 1], or a number is out of range.

    Opened up in chapter 06.
    """
    x = check_images(x, "x")
    if validation_data is not None:
        validation_data = check_images(validation_data, "validation_data")
    _check_arguments(model, len(x), num_epochs, batch_size)
    num_epochs, batch_size = int(num_epochs), int(batch_size)
    num_steps = -(-len(x) // batch_size)
    run = Run(model, {}, {})
    if not model.built:
        model.build((None, *x.shape[1:]))
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    model.stop_training = False
    hooks = keras.callbacks.CallbackList(
        list(callbacks), add_history=True, model=model, epochs=num_epochs, steps=num_steps, verbose=0
    )
    train, evaluate = _loops(model)
    images = tf.constant(x)
    if validation_data is not None:
        validation = tf.constant(validation_data), *_batches(np.arange(len(validation_data)), batch_size), seed
    hooks.on_train_begin()
    bar = tqdm(total=num_epochs * num_steps, unit="step", mininterval=0.5) if verbose else tqdm(disable=True)
    for epoch in range(num_epochs):
        hooks.on_epoch_begin(epoch)
        started = time.perf_counter()
        rows = _order(len(x), shuffle, seed, step=int(model.optimizer.iterations))
        rows, weights = _batches(rows, batch_size)
        sums = tf.zeros(len(_SUMS), tf.float64)
        trace = tf.zeros((2, num_steps, model.latent_dim))
        for start, stop in _stretches(num_steps):
            hooks.on_train_batch_begin(start)
            sums, trace = train(images, rows, weights, start, stop, seed, sums, trace)
            logs = _means(sums)
            bar.update(stop - start)
            bar.set_postfix(epoch=epoch + 1, loss=f"{logs['loss']:.2f}", refresh=False)
            hooks.on_train_batch_end(stop - 1, logs)
        logs["seconds"] = time.perf_counter() - started
        mean, std = trace.numpy()
        run.posteriors[epoch + 1] = PosteriorTrace(mean, std)
        if validation_data is not None:
            means = _means(evaluate(*validation))
            logs |= {f"val_{name}": means[name] for name in ("loss", "distortion", "rate")}
        hooks.on_epoch_end(epoch, logs)
        for name, value in logs.items():
            run.history.setdefault(name, []).append(value)
        if model.stop_training:
            break
    bar.close()
    hooks.on_train_end(logs)
    return run


def _loops(model):
    """The two compiled loops of a model: one trains, one evaluates."""
    trainable = model.trainable_variables
    use_xla = _use_xla(model)

    def train(images, rows, weights, start, stop, seed, sums, trace):
        # Not tf.range, whose bounds XLA compiles in: it would build a new program for every stretch.
        i = start
        while i < stop:
            x, w = tf.gather(images, rows[i]), weights[i]
            noise = _noise(model, seed, model.optimizer.iterations, len(x))
            with tf.GradientTape() as tape:
                output = model(x, noise=noise, training=True)
                objective = model.objective(x, output, w)
                loss = model.optimizer.scale_loss(objective.loss)
            first = tf.stack([output.z_mean[0], tf.exp(0.5 * output.z_log_var[0])])
            trace = tf.tensor_scatter_nd_update(trace, [[0, i], [1, i]], tf.cast(first, trace.dtype))
            sums += _sums(objective, w)
            model.optimizer.apply(tape.gradient(loss, trainable), trainable)
            i += 1
        return sums, trace

    def evaluate(images, rows, weights, seed):
        sums = tf.zeros(len(_SUMS), tf.float64)
        for i in tf.range(tf.shape(rows)[0]):
            x, w = tf.gather(images, rows[i]), weights[i]
            # Negative steps: noise that no training step has seen, and the same in every epoch.
            output = model(x, noise=_noise(model, seed, -1 - i, len(x)), training=False)
            sums += _sums(model.objective(x, output, w), w)
        return sums

    return _compiled(train, use_xla), _compiled(evaluate, use_xla)


def _compiled(loop, use_xla):
    """Compile a loop at its first call, for the shapes of that call.

    A plain tf.function counts the loops of all models as one, and warns after the fifth that it traces too often.
    """
    program = None

    def call(*arguments):
        nonlocal program
        tensors = [tf.convert_to_tensor(argument) for argument in arguments]
        if program is None:
            program = tf.function(loop, jit_compile=use_xla).get_concrete_function(*tensors)
        return program(*tensors)

    return call


def _use_xla(model):
    """Whether XLA pays: everywhere but for convolutions on a CPU, which it runs many times slower than TensorFlow."""
    has_convolutions = any(len(variable.shape) == 4 for variable in model.trainable_variables)
    return not has_convolutions or bool(tf.config.list_physical_devices("GPU"))


def _noise(model, seed, step, batch_size):
    """Standard normal noise that depends on the seed and the step only."""
    return tf.random.stateless_normal((batch_size, model.latent_dim), (seed, tf.cast(step, tf.int32)))


def _sums(objective, weights):
    """What a batch adds to the totals named in _SUMS."""
    num_images = tf.reduce_sum(weights)
    distortion = tf.reduce_sum(objective.distortion * weights)
    rate = tf.reduce_sum(objective.rate * weights)
    sums = [objective.loss * num_images, distortion, rate, objective.beta * num_images, num_images]
    # Double precision: in single, 60,000 times a beta is off in the sixth digit.
    return tf.cast(tf.stack(sums), tf.float64)


def _means(sums):
    """Means over images, by name."""
    *totals, num_images = sums.numpy().tolist()
    return {name: total / num_images for name, total in zip(_SUMS[:-1], totals, strict=True)}


def _order(num_images, shuffle, seed, step):
    """Row numbers in the order of an epoch that starts at a step."""
    if not shuffle:
        return np.arange(num_images)
    return np.random.default_rng((seed, step)).permutation(num_images)


def _batches(rows, batch_size):
    """Rows as (num_steps, batch_size), filled up with row 0 at the end, and weights that are 0 where filled."""
    num_steps = -(-len(rows) // batch_size)
    filled, weights = np.zeros((2, num_steps * batch_size))
    filled[: len(rows)], weights[: len(rows)] = rows, 1
    shape = (num_steps, batch_size)
    return tf.constant(filled.reshape(shape), tf.int32), tf.constant(weights.reshape(shape), tf.float32)


def _stretches(num_steps):
    """(start, stop) of the pieces in which an epoch runs."""
    bounds = np.unique(np.linspace(0, num_steps, _STRETCHES_PER_EPOCH + 1).round().astype(int)).tolist()
    return itertools.pairwise(bounds)


def _check_arguments(model, num_images, num_epochs, batch_size):
    if getattr(model, "optimizer", None) is None:
        raise ValueError(
            "fit expects a compiled model, got one without an optimizer: "
            "call model.compile(optimizer=keras.optimizers.RMSprop()) first."
        )
    if num_epochs != int(num_epochs) or num_epochs < 1:
        raise ValueError(f"num_epochs must be a whole number of at least 1, got {num_epochs}.")
    if batch_size != int(batch_size) or not 1 <= batch_size <= num_images:
        raise ValueError(
            f"batch_size must be a whole number from 1 to the number of images, {num_images}, got {batch_size}."
        )
