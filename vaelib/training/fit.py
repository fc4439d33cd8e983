"""Train for epochs of the compiled loop, and keep the posterior of every batch."""

import contextlib
import itertools
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike
from tqdm import tqdm

from .._files import locked
from .._progress import progress_bar
from .._types import Tensor
from .._warnings import warn
from ..data import binarize as draw_pixels
from ..data import check_images, check_shape
from ..models import VAE, PosteriorTrace
from ..schedules import check_reaches_target
from .arguments import Recorder, check_arguments, list_of_callbacks, one_set_of_images, whole_seed
from .checkpoint import Saver, fingerprint
from .loop import Carry, compiled_loops, means_of
from .state import TrainingState

__all__ = ["Run", "bound_of", "epoch_order", "fit"]

# Come back to Python this often in an epoch: for the progress bar, for callbacks and to save.
_STRETCHES_PER_EPOCH = 10
# Add these to the seed, so that the order, the pixels and those of the validation are drawn independently.
_PIXELS, _VALIDATION = (0, 1), (0, 2)


class Run(NamedTuple):
    """Hold what training leaves: the model, a history, the posteriors."""

    model: VAE
    """The model, trained in place."""
    history: dict[str, list[float]]
    """One number per epoch under loss, distortion, rate (nats per image) and beta, all means over the images of the
    epoch, and seconds (training only); with validation data also val_loss, val_distortion and val_rate."""
    posteriors: dict[int, PosteriorTrace]
    """By epoch, counted from 1."""

    def bound(self, validation: bool = True) -> np.ndarray:
        """Return −ELBO after each epoch, (num_epochs,) nats: of the validation images, or of the training images."""
        return bound_of(self.history, validation)


def bound_of(history: Mapping[str, Sequence[float]], validation: bool = True) -> np.ndarray:
    """Return −ELBO, distortion + rate, after each epoch of a history, (num_epochs,) nats per image.

    Args:
        history: what `Run.history` holds.
        validation: whether to take the validation images, or the training images.

    Raises:
        ValueError: if there was no validation.
    """
    prefix = "val_" if validation else ""
    if f"{prefix}rate" not in history:
        raise ValueError("bound expects a run with validation_data, got one without: pass validation=False.")
    return np.add(history[f"{prefix}distortion"], history[f"{prefix}rate"])


def fit(
    model: VAE,
    x: ArrayLike,
    validation_data: ArrayLike | tuple[ArrayLike, ...] | None = None,
    num_epochs: int = 1,
    batch_size: int = 128,
    shuffle: bool = True,
    seed: int = 0,
    callbacks: Iterable[keras.callbacks.Callback] | keras.callbacks.Callback | None = (),
    verbose: bool = True,
    checkpoint: str | Path | None = None,
    save_minutes: float = 5.0,
    binarize: bool = False,
    posterior_epochs: Collection[int] | None = None,
) -> Run:
    """Train a compiled `VAE` on images, and keep the first posterior of every batch.

    The objective, the schedule of beta and the step counter (`optimizer.iterations`) are those of `model.fit`. The
    last batch of an epoch is smaller where batch_size does not divide the number of images. For weights of images, for
    other targets than the images themselves, for streams and for several devices, use `model.fit`.

    With a checkpoint folder, nothing is lost: the same call after a crash, or after a kill at any moment, goes on from
    the last checkpoint and ends with the bits of a training that was never interrupted. A second process that trains in
    the same folder waits for the first one. Ctrl-C, or the stop button of a notebook, ends the epoch and returns the
    run so far; a second one stops at once.

    Args:
        model: a `VAE` that was compiled with an optimizer.
        x: (n, height, width, channels) floating-point images in [0, 1], of the model's `image_shape`.
        validation_data: None, or images to evaluate after every epoch, always with the same noise; or (images, labels),
            as Keras has it, of which the labels are ignored.
        num_epochs: passes over x, >= 1; those of a checkpoint count.
        batch_size: images per step, 1 to n.
        shuffle: whether every epoch has an order of its own; otherwise that of x.
        seed: decides the order and the noise: same seed, model and machine, same bits. Another processor rounds
            differently; the losses of a short training then agree to one in a thousand.
        callbacks: Keras callbacks, or a single one. Batch-level hooks are called about ten times per epoch. What they
            add to the logs of an epoch, such as a learning rate, is in the history; what they remember is not in a
            checkpoint. With a warm-up of beta, the loss rises while beta does: let `EarlyStopping` begin after it, with
            its `start_from_epoch`.
        verbose: whether to show a progress bar with the time left; TQDM_DISABLE=1 hides it everywhere.
        checkpoint: None, or a folder of this training alone, for its two newest checkpoints.
        save_minutes: save at the end of every epoch and after this many minutes in it.
        binarize: whether to draw every pixel as black or white each time its image is shown, white with the
            probability given by its grey value (Salakhutdinov & Murray 2008); in validation always the same draw.
        posterior_epochs: None for all, or the epochs, counted from 1, whose posteriors are kept: those of 500 epochs
            with 50 latent dimensions are 100 MB, and as much in every checkpoint.

    Returns:
        A `Run`.

    Raises:
        ValueError: if the model is not compiled, the images are not images in [0, 1], a number is out of range, or the
            checkpoint belongs to another run; the differences are listed.
        FloatingPointError: in the epoch in which a number stops being finite; it says which, where and likely why.

    Opened up in chapter 06.
    """
    x = check_images(check_shape(x, model.image_shape), "x")
    if validation_data is not None:
        validation_data = one_set_of_images(model, validation_data)
    check_arguments(model, len(x), num_epochs, batch_size, save_minutes, posterior_epochs)
    num_epochs, batch_size, seed = int(num_epochs), int(batch_size), whole_seed(seed)
    callbacks, recorder = list_of_callbacks(callbacks, checkpoint), Recorder()
    state = _first_state(model, x, batch_size, posterior_epochs)
    choices: dict[str, Any] = {
        "batch_size": batch_size,
        "shuffle": bool(shuffle),
        "seed": seed,
        "binarize": bool(binarize),
    }
    owner = fingerprint(model, x, validation_data, **choices) if checkpoint else None
    model.warn_of_sigmoid()
    data = _epoch_data(x, **choices)
    validate = _validation(model, validation_data, batch_size, seed, binarize)
    model.stop_training = False
    with _alone_in(checkpoint, verbose):
        saver = Saver(checkpoint, owner, save_minutes)
        saver.resume(state)
        _warn_of_low_beta(state, num_epochs)
        hooks = keras.callbacks.CallbackList(
            [*callbacks, recorder], add_history=True, model=model, epochs=num_epochs, steps=state.num_steps, verbose=0
        )
        hooks.on_train_begin()
        logs = None
        with _progress(state, num_epochs, verbose) as bar, _interruptible(model, bar):
            while state.epoch < num_epochs and not model.stop_training:
                hooks.on_epoch_begin(state.epoch)
                _train_epoch(state, data, seed, hooks, bar, saver)
                logs = {**state.logs(), "seconds": state.seconds, **validate(hooks)}
                hooks.on_epoch_end(state.epoch, logs)
                logs |= recorder.numbers
                state.finish_epoch(logs)
                saver.save(state)
        # Put averaged weights in place as Keras' `fit` does; the last checkpoint keeps those to go on from.
        model.optimizer.finalize_variable_values(model.trainable_variables)
        hooks.on_train_end(logs)
    return Run(model, state.history, state.posteriors)


def _train_epoch(
    state: TrainingState,
    data: Callable[[int], tuple[Tensor, Tensor, Tensor]],
    seed: int,
    hooks: keras.callbacks.CallbackList,
    bar: tqdm,
    saver: Saver,
) -> None:
    """Take the steps of the present epoch that are still to be taken, stretch by stretch."""
    started = time.perf_counter()
    images, rows, weights = data(state.first_step)
    state.seconds += time.perf_counter() - started
    for start, stop in _stretches(state.num_steps, state.step):
        hooks.on_train_batch_begin(start)
        started = time.perf_counter()
        # Ask every time: a callback may have changed beta, or frozen a layer.
        train, _ = compiled_loops(state.model)
        state.carry = Carry(*train(images, rows, weights, start, stop, seed, *state.carry))
        logs = state.logs()
        state.step, state.seconds = stop, state.seconds + time.perf_counter() - started
        state.check_finite()
        bar.set_postfix(epoch=state.epoch + 1, loss=f"{logs['loss']:.2f}", refresh=False)
        bar.update(stop - start)
        hooks.on_train_batch_end(stop - 1, logs)
        saver.save_if_due(state)
    state.check_finite(weights=True)


def _first_state(model: VAE, x: np.ndarray, batch_size: int, posterior_epochs: Collection[int] | None) -> TrainingState:
    """Create the variables that are still missing, and return the state before the first step."""
    if not model.built:
        model.build((None, *x.shape[1:]))
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return TrainingState(model, -(-len(x) // batch_size), posterior_epochs)


def _epoch_data(
    x: np.ndarray, batch_size: int, shuffle: bool, seed: int, binarize: bool
) -> Callable[[int], tuple[Tensor, Tensor, Tensor]]:
    """Return a function from an epoch's first step to its images, and to the rows and weights of its batches."""
    grey = tf.constant(x)

    def data(first_step: int) -> tuple[Tensor, Tensor, Tensor]:
        rows, weights = _batches(epoch_order(len(x), shuffle, seed, first_step), batch_size)
        # Draw pixels here: a pass shows every image once, and XLA would draw many times slower.
        images = tf.constant(draw_pixels(x, (seed, *_PIXELS, first_step))) if binarize else grey
        return images, rows, weights

    return data


def _validation(
    model: VAE, x: np.ndarray | None, batch_size: int, seed: int, binarize: bool
) -> Callable[[keras.callbacks.CallbackList], dict[str, float]]:
    """Return a function that evaluates the model on validation images, if there are any, and names the means."""
    if x is None:
        return lambda hooks: {}
    images = tf.constant(draw_pixels(x, (seed, *_VALIDATION)) if binarize else x)
    rows, weights = _batches(np.arange(len(x)), batch_size)

    def validate(hooks: keras.callbacks.CallbackList) -> dict[str, float]:
        # Let callbacks put averaged weights in place, as `SwapEMAWeights` does.
        hooks.on_test_begin()
        _, evaluate = compiled_loops(model)
        means = means_of(evaluate(images, rows, weights, seed))
        logs = {name: means[name] for name in ("loss", "distortion", "rate")}
        hooks.on_test_end(logs)
        return {f"val_{name}": value for name, value in logs.items()}

    return validate


def _alone_in(checkpoint: str | Path | None, verbose: bool) -> contextlib.AbstractContextManager[None]:
    """Keep other processes out of a checkpoint folder, if there is one."""
    if not checkpoint:
        return contextlib.nullcontext()
    return locked(Path(checkpoint) / "lock", f"trains in {checkpoint}", verbose)


def _warn_of_low_beta(state: TrainingState, num_epochs: int) -> None:
    """Warn if beta ends below its target: training may go on in another call, so it is no error."""
    steps_left = (num_epochs - state.epoch) * state.num_steps - state.step
    try:
        check_reaches_target(state.model.beta, int(state.model.optimizer.iterations) + steps_left)
    except ValueError as error:
        warn(str(error))


def _progress(state: TrainingState, num_epochs: int, verbose: bool) -> tqdm:
    done = state.epoch * state.num_steps + state.step
    total = max(num_epochs * state.num_steps, done)
    return progress_bar(total=total, initial=done, unit="step", mininterval=0.5, verbose=verbose)


@contextlib.contextmanager
def _interruptible(model: VAE, bar: tqdm) -> Iterator[None]:
    """Let the first Ctrl-C end the epoch, and the second one everything."""

    def end_epoch(*_: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        model.stop_training = True
        bar.write("Interrupted: training stops after this epoch. Interrupt again to stop at once.")

    if threading.current_thread() is not threading.main_thread():
        # Do nothing: Python tells only the main thread of a Ctrl-C.
        yield
        return
    previous = signal.signal(signal.SIGINT, end_epoch)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def epoch_order(num_images: int, shuffle: bool, seed: int, step: int) -> np.ndarray:
    """Return the rows of the images, (num_images,), in the order of an epoch that starts at a step, counted from 0."""
    if not shuffle:
        return np.arange(num_images)
    return np.random.default_rng((seed, step)).permutation(num_images)


def _batches(rows: np.ndarray, batch_size: int) -> tuple[Tensor, Tensor]:
    """Return rows as (num_steps, batch_size), filled up with row 0 at the end, and weights that are 0 where filled."""
    num_steps = -(-len(rows) // batch_size)
    filled, weights = np.zeros((2, num_steps * batch_size))
    filled[: len(rows)], weights[: len(rows)] = rows, 1
    shape = (num_steps, batch_size)
    return tf.constant(filled.reshape(shape), tf.int32), tf.constant(weights.reshape(shape), tf.float32)


def _stretches(num_steps: int, done: int) -> list[tuple[int, int]]:
    """Return (start, stop) of the pieces of an epoch that are still to run."""
    bounds = np.unique(np.linspace(0, num_steps, _STRETCHES_PER_EPOCH + 1).round().astype(int)).tolist()
    return [(start, stop) for start, stop in itertools.pairwise(bounds) if start >= done]
