"""Train a run once: `train_or_load` keeps its results on disk, and reads them from there the next time."""

import contextlib
import functools
import os
import platform
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from .._files import locked
from .._progress import progress_bar
from ..analysis import active_units, digit_classifier, encode_all, latent_grid, measure_grid, posterior_moments
from ..data import Digits, binarize, load_mnist
from ..models import VAE
from ..networks import start_at_mean_image
from ..training import Run, fit
from .spec import RunSpec
from .store import RunResult, load_run, load_weights, lock_of, save_run, where_to_keep

__all__ = ["kept_epochs", "mnist", "train_or_load", "trained_model", "usable_cores", "versions"]

# Keep the posteriors of these epochs besides the last, up to a size.
_KEPT_EPOCHS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_KEPT_BYTES = 960_000


def train_or_load(spec: RunSpec, folder: str | os.PathLike[str] | None = None, verbose: bool = True) -> RunResult:
    """Return the results of a run: from disk if they are there, otherwise after training it now.

    Training shows a progress bar with the time left, writes logs for TensorBoard to folder/logs, and may be interrupted
    or killed at any moment: the next call goes on from there. A second process that asks for the same run waits, and
    then reads the result. Results of another spec are never loaded.

    Args:
        spec: a `RunSpec`.
        folder: where results are kept and looked for; None for the variable VAELIB_RUNS, or else ./runs, and for the
            results that come with vaelib.
        verbose: whether to show the progress bar.

    Returns:
        A `RunResult`.

    Raises:
        ValueError: if the spec needs more images than `load_mnist` finds.
        KeyboardInterrupt: if Ctrl-C, or the stop button of a notebook, ended the training early.

    Used from chapter 04 on.
    """
    found = load_run(spec, folder)
    if found is None:
        with _alone_with(spec, folder, verbose):
            found = load_run(spec, folder) or _train(spec, where_to_keep(folder), verbose)
    return found


def trained_model(spec: RunSpec, folder: str | os.PathLike[str] | None = None, verbose: bool = True) -> VAE:
    """Return the trained model of a run: from its weights on disk, or after training it again if they are not there.

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
        with _alone_with(spec, folder, verbose):
            weights = load_weights(spec, folder) or _weights_after_training(spec, where_to_keep(folder), verbose)
    model = spec.build()
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)
    return model


def _alone_with(
    spec: RunSpec, folder: str | os.PathLike[str] | None, verbose: bool
) -> contextlib.AbstractContextManager[None]:
    """Let one process at a time train a run."""
    return locked(lock_of(spec.name, where_to_keep(folder)), f"trains {spec.name}", verbose)


def _weights_after_training(spec: RunSpec, folder: Path, verbose: bool) -> list[np.ndarray]:
    """Train a run, and return its weights."""
    _train(spec, folder, verbose)
    weights = load_weights(spec, folder)
    if weights is None:
        raise OSError(f"The weights of {spec.name} were written to {folder}, but cannot be read: check the disk.")
    return weights


def _train(spec: RunSpec, folder: Path, verbose: bool) -> RunResult:
    """Train a run to its end, measure it, keep both, and remove its checkpoints."""
    digits, x_train, x_test = _images_of(spec)
    # Write a line above the progress bar, hidden with it.
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
    if spec.binarize:
        x_train, x_test = binarize(x_train, spec.seed), binarize(x_test, spec.seed)
    metrics = _measure(model, x_train, x_test)
    result = RunResult(spec, run.history, run.posteriors, metrics, _about(run, digits))
    save_run(result, [variable.numpy() for variable in model.trainable_variables], folder)
    shutil.rmtree(checkpoint)
    return result


def _images_of(spec: RunSpec) -> tuple[Digits, np.ndarray, np.ndarray]:
    """Return the digits, and the images of them that a run trains on and tests on."""
    digits = mnist()
    if len(digits.x_train) < spec.num_train or len(digits.x_test) < spec.num_test:
        raise ValueError(
            f"The run {spec.name} expects {spec.num_train} training and {spec.num_test} test images, but load_mnist "
            f"found {len(digits.x_train)} and {len(digits.x_test)} ({digits.source}): set VAELIB_MNIST to the file "
            "mnist.npz, or use a spec with a smaller num_train and num_test."
        )
    return digits, digits.x_train[: spec.num_train], digits.x_test[: spec.num_test]


def _about(run: Run, digits: Digits) -> dict[str, object]:
    """Return how a run was made."""
    num_cores = tf.config.threading.get_intra_op_parallelism_threads() or usable_cores()
    return {
        "seconds": round(sum(run.history["seconds"]), 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": digits.source,
        "machine": f"{platform.machine()}, {num_cores} cores",
        "versions": versions(),
    }


def kept_epochs(spec: RunSpec) -> list[int]:
    """Return the epochs whose posteriors a result keeps: the last, and the first ones while there is room."""
    num_bytes = 2 * 4 * spec.latent_dim * spec.num_steps // spec.num_epochs
    wanted = [spec.num_epochs, *(epoch for epoch in _KEPT_EPOCHS if epoch < spec.num_epochs)]
    return wanted[: _KEPT_BYTES // num_bytes]


def usable_cores() -> int:
    """Return how many cores this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Return the versions that affect results, by name."""
    modules = {"tensorflow": tf, "keras": keras, "numpy": np}
    return {"python": platform.python_version(), "vaelib": version("vaelib")} | {
        name: module.__version__ for name, module in modules.items()
    }


def _measure(model: VAE, x_train: np.ndarray, x_test: np.ndarray) -> dict[str, np.ndarray]:
    """Return the metrics of a `RunResult`."""
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
        # Leave them out for more dimensions: with fifty, the posteriors alone are 2 MB.
        metrics |= {"test_mean": test_mean.astype("float16"), "test_std": test_std.astype("float16")}
        metrics |= measure_grid(
            model, latent_grid(), _judge(len(x_train), os.environ.get("VAELIB_MNIST")), x_train.mean(axis=0)
        )
    return {name: np.asarray(value) for name, value in metrics.items()}


def mnist() -> Digits:
    """Return what `load_mnist` finds, loaded once for each file that VAELIB_MNIST names."""
    return _loaded(os.environ.get("VAELIB_MNIST"))


@functools.cache
def _loaded(file: str | None) -> Digits:
    return load_mnist()


@functools.cache
def _judge(num_train: int, file: str | None) -> keras.Model:
    digits = _loaded(file)
    return digit_classifier(digits.x_train[:num_train], digits.y_train[:num_train])
