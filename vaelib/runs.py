"""A run that is trained once: `train_or_load` keeps its results on disk, and next time they are read from there."""

import functools
import os
import platform
import shutil
from datetime import UTC, datetime
from importlib.metadata import version

import keras
import numpy as np
import tensorflow as tf

from .data import binarize, load_mnist
from .initial import start_at_mean_image
from .metrics import active_units, digit_classifier, encode_all, measure_grid, posterior_moments
from .plots import latent_grid
from .progress import progress_bar
from .results import RunResult, load_run, load_weights, save_run, where_to_keep
from .training import fit

__all__ = ["train_or_load", "trained_model", "usable_cores", "versions"]

# Of the last epoch and of these a result keeps the posteriors, as far as they are no more bytes than that.
_KEPT_EPOCHS = (1, 2, 5, 10, 20, 50, 100)
_KEPT_BYTES = 960_000


def train_or_load(spec, folder=None, verbose=True):
    """The results of a run: from disk if they are there, otherwise after training it now.

    Training shows a progress bar with the time left, writes logs for TensorBoard to folder/logs, and may be interrupted
    or killed at any moment: the next call goes on from there. Results of another spec are never loaded.

    Args:
        spec: a `RunSpec`.
        folder: where results are kept; None for the variable VAELIB_RUNS, or else ./runs. Results that come with
            vaelib are found without.
        verbose: whether to show the progress bar.

    Returns:
        A `RunResult`.

    Raises:
        ValueError: if the spec needs more images than `load_mnist` finds.
        KeyboardInterrupt: if Ctrl-C, or the stop button of a notebook, ended the training early.

    Used from chapter 04 on.
    """
    return load_run(spec, folder) or _train(spec, where_to_keep(folder), verbose)


def trained_model(spec, folder=None, verbose=True):
    """The trained model of a run: from its weights on disk, or after training it again if they are not there.

    Args:
        spec: a `RunSpec`.
        folder: as in `train_or_load`.
        verbose: whether to show the progress bar.

    Returns:
        A `VAE`, compiled.

    Raises:
        ValueError: as `train_or_load`.

    Used in chapter 07.
    """
    weights = load_weights(spec, folder)
    if weights is None:
        _train(spec, where_to_keep(folder), verbose)
        weights = load_weights(spec, folder)
    model = spec.build()
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    return model


def _train(spec, folder, verbose):
    digits = _digits()
    if len(digits.x_train) < spec.num_train or len(digits.x_test) < spec.num_test:
        raise ValueError(
            f"The run {spec.name} expects {spec.num_train} training and {spec.num_test} test images, but load_mnist "
            f"found {len(digits.x_train)} and {len(digits.x_test)} ({digits.source}): set VAELIB_MNIST to the file "
            "mnist.npz, or use a spec with a smaller num_train and num_test."
        )
    x_train, x_test = digits.x_train[: spec.num_train], digits.x_test[: spec.num_test]
    # A line above the progress bar, hidden with it.
    progress_bar(desc=f"Training {spec.name}", bar_format="{desc}", total=0, verbose=verbose).close()
    model, checkpoint = spec.build(), folder / "unfinished" / spec.name
    if spec.start_at_mean_image:
        start_at_mean_image(model, x_train)
    run = fit(
        model,
        x_train,
        x_test,
        num_epochs=spec.num_epochs,
        batch_size=spec.batch_size,
        shuffle=spec.shuffle,
        seed=spec.seed,
        callbacks=[keras.callbacks.TensorBoard(folder / "logs" / spec.name, write_graph=False)],
        verbose=verbose,
        checkpoint=checkpoint,
        save_minutes=1.0,
        binarize=spec.binarize,
        posterior_epochs=kept_epochs(spec),
    )
    if len(run.history["loss"]) < spec.num_epochs:
        raise KeyboardInterrupt(f"{spec.name} stopped after {len(run.history['loss'])} epochs; call again to go on.")
    num_cores = tf.config.threading.get_intra_op_parallelism_threads() or usable_cores()
    about = {
        "seconds": round(sum(run.history["seconds"]), 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": digits.source.partition(" (")[0],
        "machine": f"{platform.machine()}, {num_cores} cores",
        "versions": versions(),
    }
    if spec.binarize:
        x_train, x_test = binarize(x_train, spec.seed), binarize(x_test, spec.seed)
    result = RunResult(spec, run.history, run.posteriors, _measure(model, x_train, x_test), about)
    save_run(result, [variable.numpy() for variable in model.trainable_variables], folder)
    shutil.rmtree(checkpoint)
    return result


def kept_epochs(spec):
    """The epochs of which a result keeps the posteriors: the last, and the first ones, while there is room."""
    num_bytes = 2 * 4 * spec.latent_dim * spec.num_steps // spec.num_epochs
    wanted = [spec.num_epochs, *(epoch for epoch in _KEPT_EPOCHS if epoch < spec.num_epochs)]
    return wanted[: _KEPT_BYTES // num_bytes]


def usable_cores():
    """How many cores this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def versions():
    """Of what decides the numbers, by name."""
    modules = {"tensorflow": tf, "keras": keras, "numpy": np}
    return {"python": platform.python_version(), "vaelib": version("vaelib")} | {
        name: module.__version__ for name, module in modules.items()
    }


def _measure(model, x_train, x_test):
    test_mean, test_std = encode_all(model, x_test)
    train_mean, train_second_moment, mean_image_error = posterior_moments(model, x_train)
    metrics = {
        "active_units": active_units(test_mean),
        "train_mean": train_mean,
        "train_second_moment": train_second_moment,
        "mean_image_error": mean_image_error,
        "mean_head_norm": np.linalg.norm(model.encoder.z_mean.kernel, axis=0),
        "decoder_norm": np.linalg.norm(model.decoder.trainable_variables[0], axis=1),
    }
    if model.latent_dim == 2:
        # With fifty dimensions the posteriors alone would be 2 MB.
        metrics |= {"test_mean": test_mean.astype("float16"), "test_std": test_std.astype("float16")}
        metrics |= measure_grid(model, latent_grid(), _judge(len(x_train)), x_train.mean(axis=0))
    return {name: np.asarray(value) for name, value in metrics.items()}


@functools.cache
def _digits():
    return load_mnist()


@functools.cache
def _judge(num_train):
    return digit_classifier(_digits().x_train[:num_train], _digits().y_train[:num_train])
