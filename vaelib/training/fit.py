"""Train for epochs of the compiled loop, and keep the posterior of every batch."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from .._files import locked
from .._progress import progress_bar
from .._types import Tensor
from .._warnings import warn
from ..losses import negative_elbo
from ..models import VAE, PosteriorTrace
from ..schedules import check_reaches_target
from .arguments import Recorder, check_arguments, list_of_callbacks, whole_seed
from .checkpoint import Saver, fingerprint
from .images import sources_of
from .loop import SUMS, Carry, compiled_loops, means_of
from .sources import Source, Stretch
from .state import TrainingState

__all__ = ["Run", "bound_of", "fit"]

Stream: TypeAlias = Any
"""A `tf.data.Dataset` of batches of images, or a `keras.utils.PyDataset`."""


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
    return negative_elbo(*(np.array(history[prefix + part]) for part in ("distortion", "rate")))


def fit(
    model: VAE,
    x: ArrayLike | Stream,
    validation_data: ArrayLike | tuple[ArrayLike, ...] | Stream | None = None,
    num_epochs: int = 1,
    batch_size: int | None = None,
    shuffle: bool | None = None,
    seed: int = 0,
    callbacks: Iterable[keras.callbacks.Callback] | keras.callbacks.Callback | None = (),
    verbose: bool = True,
    checkpoint: str | Path | None = None,
    save_minutes: float = 5.0,
    binarize: bool = False,
    posterior_epochs: Collection[int] | None = None,
    sample_weight: ArrayLike | None = None,
    steps_per_epoch: int | None = None,
    buffer_megabytes: float = 128.0,
) -> Run:
    """Train a compiled `VAE` on images, and keep the first posterior of every batch.

    The objective, the schedule of beta and the step counter (`optimizer.iterations`) are those of `model.fit`. The
    last batch of an epoch is smaller where batch_size does not divide the number of images. For other targets than the
    images themselves and for several devices, use `model.fit`.

    Images that do not fit in memory come as a stream: a `tf.data.Dataset` of batches, of images or (images, labels),
    such as `keras.utils.image_dataset_from_directory(folder).map(lambda x, y: x / 255)`, or a `keras.utils.PyDataset`,
    whose workers are threads here. A thread reads them ahead, and they train to the bits of the same images as an
    array that is not shuffled. A dataset that does not know how many batches it has is counted first, in a pass of its
    own. A damaged image ends the training with a ValueError, after what was trained before it is saved;
    `dataset.ignore_errors()` leaves it out. Of pictures, TensorFlow reads 16-bit ones as 8-bit ones, and drops their
    transparency: the colour that was hidden shows.

    With a checkpoint folder, nothing is lost: the same call after a crash, or after a kill at any moment, goes on from
    the last checkpoint and ends with the bits of a training that was never interrupted. A second process that trains in
    the same folder waits for the first one. Ctrl-C, or the stop button of a notebook, ends the epoch and returns the
    run so far; a second one stops at once. For a stream this holds if it gives the same batches each time it is made:
    make it anew for every call, after the same `keras.utils.set_random_seed`, with a seed in every shuffle, and draw
    what augments it by `tf.random.stateless_*`. Compared are the first batch and the last one that was trained on; a
    difference is warned of, and training goes on. A training that goes on in an epoch reads past the batches behind it,
    with steps_per_epoch past those of all epochs.

    Args:
        model: a `VAE` that was compiled with an optimizer.
        x: (n, height, width, channels) floating-point images in [0, 1], of the model's `image_shape`; or a stream.
        validation_data: None, or images to evaluate after every epoch, always with the same noise; or (images, labels),
            as Keras has it, of which the labels are ignored; or a stream.
        num_epochs: passes over x, >= 1; those of a checkpoint count.
        batch_size: images per step, 1 to n; None for 128. A stream has batches of its own.
        shuffle: whether every epoch has an order of its own, as it has by default; otherwise that of x. A stream comes
            in its own order.
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
        sample_weight: None, or (n,) positive weights of the images of an array, in the loss and in all means of it.
        steps_per_epoch: None for a pass over the stream, or how many of its batches make an epoch, which goes on where
            the one before has ended; needed if the stream has no end.
        buffer_megabytes: how much of a stream is in memory at a time, but at least three batches: a part that trains,
            one that is read, and its copy; what the stream itself holds, as in a shuffle, comes on top.

    Returns:
        A `Run`.

    Raises:
        ValueError: if the model is not compiled, the images are not images in [0, 1], a number is out of range, or the
            checkpoint belongs to another run; the differences are listed. Of a stream, it names the batch, and the file
            if `image_dataset_from_directory` says which; also if it has none, no end, or ends too early.
        FloatingPointError: in the epoch in which a number stops being finite; it says which, where and likely why.

    Opened up in chapter 06.
    """
    check_arguments(model, num_epochs, save_minutes, posterior_epochs)
    num_epochs, seed = int(num_epochs), whole_seed(seed)
    callbacks, recorder = list_of_callbacks(callbacks, checkpoint), Recorder()
    source, validation, choices = sources_of(
        model,
        x,
        validation_data,
        batch_size,
        shuffle,
        seed,
        binarize,
        sample_weight,
        steps_per_epoch,
        buffer_megabytes,
        verbose,
    )
    state = _first_state(model, source, posterior_epochs)
    owner = None
    if checkpoint:
        source.warn_if_unordered()
        owner = fingerprint(model, source.identity, validation.identity if validation else None, **choices)
    model.warn_of_sigmoid()
    validate = _validation(model, validation, seed)
    model.stop_training = False
    with _alone_in(checkpoint, verbose):
        saver = Saver(checkpoint, owner, save_minutes)
        saver.resume(state)
        source.warn_if_other(state.first_batch)
        _warn_of_low_beta(state, num_epochs)
        hooks = keras.callbacks.CallbackList(
            [*callbacks, recorder], add_history=True, model=model, epochs=num_epochs, steps=state.num_steps, verbose=0
        )
        hooks.on_train_begin()
        logs = None
        with _progress(state, num_epochs, verbose) as bar, _interruptible(model, bar):
            while state.epoch < num_epochs and not model.stop_training:
                hooks.on_epoch_begin(state.epoch)
                _train_epoch(state, source, seed, hooks, bar, saver)
                logs = {**state.logs(), "seconds": state.seconds, **validate(hooks, state.epoch)}
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
    source: Source,
    seed: int,
    hooks: keras.callbacks.CallbackList,
    bar: tqdm,
    saver: Saver,
) -> None:
    """Take the steps of the present epoch that are still to be taken, stretch by stretch."""
    started = time.perf_counter()
    for images, rows, weights, start, stop, last_batch in _saved_before_bad(source, state, saver):
        state.seconds += time.perf_counter() - started
        hooks.on_train_batch_begin(start)
        started = time.perf_counter()
        # Ask every time: a callback may have changed beta, or frozen a layer.
        train, _ = compiled_loops(state.model)
        state.carry = Carry(*train(images, rows, weights, start, stop, seed, *state.carry))
        logs = state.logs()
        state.step, state.last_batch, state.seconds = stop, last_batch, state.seconds + time.perf_counter() - started
        state.check_finite()
        bar.set_postfix(epoch=state.epoch + 1, loss=f"{logs['loss']:.2f}", refresh=False)
        bar.update(stop - start)
        hooks.on_train_batch_end(stop - 1, logs)
        saver.save_if_due(state)
        started = time.perf_counter()
    state.check_finite(weights=True)


def _saved_before_bad(source: Source, state: TrainingState, saver: Saver) -> Iterator[Stretch]:
    """Yield what is left of the present epoch; where a batch is bad, save first what was trained before it."""
    try:
        yield from source.stretches(state.epoch, state.first_step, state.step, state.last_batch)
    except ValueError:
        if state.step:
            state.check_finite(weights=True)
            saver.save(state)
        raise


def _first_state(model: VAE, source: Source, posterior_epochs: Collection[int] | None) -> TrainingState:
    """Create the variables that are still missing, and return the state before the first step."""
    if not model.built:
        model.build((None, *source.image_shape))
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    state = TrainingState(model, source.num_steps, posterior_epochs)
    state.first_batch = source.first_batch
    return state


def _validation(
    model: VAE, source: Source | None, seed: int
) -> Callable[[keras.callbacks.CallbackList, int], dict[str, float]]:
    """Return a function that evaluates the model on validation images, if there are any, and names the means."""
    if source is None:
        return lambda hooks, epoch: {}

    def validate(hooks: keras.callbacks.CallbackList, epoch: int) -> dict[str, float]:
        # Let callbacks put averaged weights in place, as `SwapEMAWeights` does.
        hooks.on_test_begin()
        _, evaluate = compiled_loops(model)
        sums: Tensor = np.zeros(len(SUMS))
        for images, rows, weights, start, stop, _ in source.stretches(epoch, 0):
            sums = evaluate(images, rows, weights, start, stop, seed, sums)
        means = means_of(sums)
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
