"""`fit`: epochs of the compiled loop, the posterior that every batch leaves behind, and a run that cannot be lost."""

import contextlib
import itertools
import signal
import threading
import time
import warnings
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from .data import binarize as black_and_white
from .data import check_images
from .loops import Carry, compiled_loops, means_of
from .progress import progress_bar
from .runstate import PosteriorTrace, RunState, Saver, run_spec
from .schedules import check_reaches_target

__all__ = ["Run", "fit"]

# How often a long epoch comes back to Python: for the progress bar, for callbacks and to save.
_STRETCHES_PER_EPOCH = 10
# Beside the seed, so that the order, the pixels and those of the validation are drawn independently.
_PIXELS, _VALIDATION = (0, 1), (0, 2)


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
    checkpoint=None,
    save_minutes=5.0,
    binarize=False,
    posterior_epochs=None,
):
    """Train a compiled `VAE` on images, and keep the first posterior of every batch.

    The objective, the schedule of beta and the step counter (`optimizer.iterations`) are those of `model.fit`. The
    last batch of an epoch is smaller where batch_size does not divide the number of images.

    With a checkpoint folder, nothing is lost: the same call after a crash, or after a kill at any moment, goes on from
    the last checkpoint and ends with the bits of a training that was never interrupted. Ctrl-C, or the stop button of
    a notebook, ends the epoch and returns the run so far; a second one stops at once.

    Args:
        model: a `VAE` that was compiled with an optimizer.
        x: (n, 28, 28, 1) floating-point images in [0, 1].
        validation_data: None, or images to evaluate after every epoch, always with the same noise.
        num_epochs: passes over x, >= 1; those of a checkpoint count.
        batch_size: images per step, 1 to n.
        shuffle: whether every epoch has an order of its own; otherwise that of x.
        seed: decides the order and the noise: same seed, model and machine, same bits. Another processor rounds
            differently; the losses of a short training then agree to one in a thousand.
        callbacks: Keras callbacks. Batch-level hooks are called about ten times per epoch. What callbacks remember is
            not in a checkpoint.
        verbose: whether to show a progress bar with the time left; TQDM_DISABLE=1 hides it everywhere.
        checkpoint: None, or a folder of this run alone, for its two newest checkpoints.
        save_minutes: save at the end of every epoch and after so many minutes in it.
        binarize: whether every pixel becomes black or white anew each time its image is shown, white with the
            probability that its grey value is (Salakhutdinov & Murray 2008); in validation always alike.
        posterior_epochs: None for all, or the epochs, counted from 1, of which posteriors are kept: those of 500
            epochs with 50 latent dimensions are 100 MB, and as much in every checkpoint.

    Returns:
        A `Run`.

    Raises:
        ValueError: if the model is not compiled, the images are not images in [0, 1], a number is out of range, or the
            checkpoint belongs to another run; the differences are listed.
        FloatingPointError: in the epoch in which a number stops being finite; it says which, where and likely why.

    Opened up in chapter 06.
    """
    x = check_images(x, "x")
    if validation_data is not None:
        validation_data = check_images(validation_data, "validation_data")
    _check_arguments(model, len(x), num_epochs, batch_size, save_minutes, posterior_epochs)
    num_epochs, batch_size = int(num_epochs), int(batch_size)
    num_steps = -(-len(x) // batch_size)
    if not model.built:
        model.build((None, *x.shape[1:]))
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    state = RunState(model, num_steps, posterior_epochs)
    spec = checkpoint and run_spec(model, x, validation_data, batch_size, shuffle, seed, binarize)
    saver = Saver(checkpoint, spec, save_minutes)
    saver.resume(state)
    _warn_of_low_beta(model, num_epochs * num_steps - state.epoch * num_steps - state.step)
    model.stop_training = False
    hooks = keras.callbacks.CallbackList(
        list(callbacks), add_history=True, model=model, epochs=num_epochs, steps=num_steps, verbose=0
    )
    train, evaluate = compiled_loops(model)
    images = tf.constant(x)
    if validation_data is not None:
        if binarize:
            validation_data = black_and_white(validation_data, (seed, *_VALIDATION))
        validation = tf.constant(validation_data), *_batches(np.arange(len(validation_data)), batch_size), seed
    hooks.on_train_begin()
    logs = None
    with _progress(state, num_epochs, verbose) as bar, _interruptible(model, bar):
        while state.epoch < num_epochs and not model.stop_training:
            epoch = state.epoch
            hooks.on_epoch_begin(epoch)
            rows, weights = _batches(_order(len(x), shuffle, seed, state.first_step), batch_size)
            if binarize:
                started = time.perf_counter()
                # A pass shows every image once. In the compiled loop, XLA would draw pixels many times slower.
                images = tf.constant(black_and_white(x, (seed, *_PIXELS, state.first_step)))
                state.seconds += time.perf_counter() - started
            for start, stop in _stretches(num_steps, state.step):
                hooks.on_train_batch_begin(start)
                started = time.perf_counter()
                state.carry = Carry(*train(images, rows, weights, start, stop, seed, *state.carry))
                logs = state.logs()
                state.step, state.seconds = stop, state.seconds + time.perf_counter() - started
                state.check_finite()
                bar.set_postfix(epoch=epoch + 1, loss=f"{logs['loss']:.2f}", refresh=False)
                bar.update(stop - start)
                hooks.on_train_batch_end(stop - 1, logs)
                saver.save_if_due(state)
            state.check_finite(weights=True)
            logs = state.logs() | {"seconds": state.seconds}
            if validation_data is not None:
                means = means_of(evaluate(*validation))
                logs |= {f"val_{name}": means[name] for name in ("loss", "distortion", "rate")}
            hooks.on_epoch_end(epoch, logs)
            state.finish_epoch(logs)
            saver.save(state)
    hooks.on_train_end(logs)
    return Run(model, state.history, state.posteriors)


def _warn_of_low_beta(model, num_steps):
    """Not an error: training may go on in another call."""
    try:
        check_reaches_target(model.beta, int(model.optimizer.iterations) + num_steps)
    except ValueError as error:
        warnings.warn(str(error), stacklevel=3)


def _progress(state, num_epochs, verbose):
    done = state.epoch * state.num_steps + state.step
    total = max(num_epochs * state.num_steps, done)
    return progress_bar(total=total, initial=done, unit="step", mininterval=0.5, verbose=verbose)


@contextlib.contextmanager
def _interruptible(model, bar):
    """Let the first Ctrl-C end the epoch, and the second one everything."""

    def end_epoch(*_):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        model.stop_training = True
        bar.write("Interrupted: training stops after this epoch. Interrupt again to stop at once.")

    if threading.current_thread() is not threading.main_thread():
        # Python tells only the main thread of a Ctrl-C.
        yield
        return
    previous = signal.signal(signal.SIGINT, end_epoch)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


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


def _stretches(num_steps, done):
    """(start, stop) of the pieces of an epoch that are still to run."""
    bounds = np.unique(np.linspace(0, num_steps, _STRETCHES_PER_EPOCH + 1).round().astype(int)).tolist()
    return [(start, stop) for start, stop in itertools.pairwise(bounds) if start >= done]


def _check_arguments(model, num_images, num_epochs, batch_size, save_minutes, posterior_epochs):
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
    if not save_minutes >= 0:
        raise ValueError(
            f"save_minutes must be zero (after every stretch of an epoch) or positive, got {save_minutes}."
        )
    if posterior_epochs is not None and any(epoch < 1 for epoch in posterior_epochs):
        raise ValueError(
            f"posterior_epochs must be None (all) or numbers of epochs, from 1, got {sorted(posterior_epochs)}."
        )
