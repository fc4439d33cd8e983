"""Measure a trained run, which takes minutes: once, and then read it from disk."""

import functools
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .._files import locked, write_npz
from ..analysis import best_posteriors, elbo, exact_log_likelihood, importance_log_likelihood
from ..data import Digits, binarize
from ..models import VAE
from .equilibrium import check_balance, noise_balance
from .runs import mnist, trained_model, usable_cores, versions
from .spec import RunSpec
from .store import load_run, lock_of, places, read_about, where_to_keep

__all__ = ["elbo_of_run", "log_likelihood_of_run", "noise_balance_of_run"]


def log_likelihood_of_run(
    spec: RunSpec,
    num_images: int = 10_000,
    beta: float = 1.0,
    num_samples: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    verbose: bool = True,
) -> np.ndarray:
    """Return the log-likelihood of each of the first test images under a run's model, measured once.

    For a run on binarised images the test images are too, each drawn once, with the run's seed. A second process that
    asks for the same waits, and then reads the result.

    Args:
        spec: a `RunSpec`, with two latent dimensions unless num_samples is given.
        num_images: number of test images, the first ones of the file.
        beta: as in `exact_log_likelihood`.
        num_samples: None for the exact value; k for the lower bound of `importance_log_likelihood`.
        folder: as in `train_or_load`.
        verbose: whether to show progress bars.

    Returns:
        (num_images,) nats, float32, from disk if as many or more have been measured on the weights of this run;
        otherwise measured now, after training the run again if its weights are not there.

    Raises:
        ValueError: if there are fewer test images, or beta is not 1 and num_samples is given; and as the functions
            that measure.

    Used in chapter 09.
    """
    if num_samples is None:
        arguments = {"quantity": "exact", "beta": float(beta)}
    elif beta == 1:
        arguments = {"quantity": "importance", "num_samples": int(num_samples)}
    else:
        raise ValueError(f"num_samples={num_samples} bounds log p(x), of beta 1 only, got beta={beta}: use None.")

    def measure(model: VAE, x: np.ndarray) -> np.ndarray:
        if num_samples is None:
            return exact_log_likelihood(model, x, beta, verbose=verbose)
        return importance_log_likelihood(model, x, num_samples, verbose=verbose)

    return _of_test_images(spec, arguments, num_images, measure, folder, verbose)


def elbo_of_run(
    spec: RunSpec,
    num_images: int = 10_000,
    beta: float = 1.0,
    best: bool = False,
    folder: str | os.PathLike[str] | None = None,
    verbose: bool = True,
) -> np.ndarray:
    """Return the ELBO of each of the first test images under a run's model, without sampling noise, measured once.

    The images are those of `log_likelihood_of_run`.

    Args:
        spec: a `RunSpec` with one or two latent dimensions.
        num_images: number of test images, the first ones of the file.
        beta: weight of the rate; with another than 1 it is minus the loss.
        best: False for the encoder's posteriors; True for those that `best_posteriors` finds for this beta.
        folder: as in `train_or_load`.
        verbose: whether to show progress bars.

    Returns:
        (num_images,) nats, float32, as `log_likelihood_of_run`.

    Raises:
        ValueError: if there are fewer test images; and as the functions that measure.

    Used in chapter 09.
    """

    def measure(model: VAE, x: np.ndarray) -> np.ndarray:
        mean, std = best_posteriors(model, x, beta, verbose=verbose) if best else (None, None)
        return elbo(model, x, mean, std, beta)

    arguments = {"quantity": "best-elbo" if best else "elbo", "beta": float(beta)}
    return _of_test_images(spec, arguments, num_images, measure, folder, verbose)


def noise_balance_of_run(
    spec: RunSpec, folder: str | os.PathLike[str] | None = None, verbose: bool = True
) -> np.ndarray:
    """Return how wide a run's cloud of posteriors is, and how wide its steps should hold it, measured once.

    Args:
        spec: a `RunSpec` with RMSprop's constant steps.
        folder: as in `train_or_load`.
        verbose: whether to show progress bars.

    Returns:
        (latent_dim, 2) float32, E[mean^2 + std^2] over training images, and what `NoiseBalance` says of it, for each
        dimension; both are means over two further epochs.

    Raises:
        ValueError: if the run has another optimizer, or steps that shrink.

    Used in chapter 07.
    """
    check_balance(spec)

    def images(digits: Digits) -> np.ndarray:
        return digits.x_train[: spec.num_train]

    measure = functools.partial(noise_balance, spec)
    return _measured(spec, {"quantity": "noise-balance"}, spec.latent_dim, images, measure, folder, verbose)


def _of_test_images(
    spec: RunSpec,
    arguments: dict[str, Any],
    num_images: int,
    measure: Callable[[VAE, np.ndarray], np.ndarray],
    folder: str | os.PathLike[str] | None,
    verbose: bool,
) -> np.ndarray:
    """Return values of the first test images, drawn as black or white where the run's were."""
    if num_images < 1:
        raise ValueError(f"num_images must be at least 1, got {num_images}.")

    def images(digits: Digits) -> np.ndarray:
        if len(digits.x_test) < num_images:
            raise ValueError(
                f"{num_images} test images are asked for, but load_mnist found {len(digits.x_test)} "
                f"({digits.source}): set VAELIB_MNIST to the file mnist.npz, or ask for fewer."
            )
        x = digits.x_test[:num_images]
        return binarize(x, spec.seed) if spec.binarize else x

    return _measured(spec, arguments, num_images, images, measure, folder, verbose)


def _measured(
    spec: RunSpec,
    arguments: dict[str, Any],
    num_values: int,
    images: Callable[[Digits], np.ndarray],
    measure: Callable[[VAE, np.ndarray], np.ndarray],
    folder: str | os.PathLike[str] | None,
    verbose: bool,
) -> np.ndarray:
    """Return what was measured with these arguments, from disk or by measure(model, x), one process at a time."""
    found = _load(spec, arguments, num_values, folder)
    if found is None:
        stem, keep = _stem(spec, arguments), where_to_keep(folder)
        with locked(lock_of(stem, keep), f"measures {stem}", verbose):
            found = _load(spec, arguments, num_values, folder)
            if found is None:
                found = _measure(spec, arguments, num_values, images, measure, folder, verbose)
    return found[:num_values]


def _measure(
    spec: RunSpec,
    arguments: dict[str, Any],
    num_values: int,
    images: Callable[[Digits], np.ndarray],
    measure: Callable[[VAE, np.ndarray], np.ndarray],
    folder: str | os.PathLike[str] | None,
    verbose: bool,
) -> np.ndarray:
    """Measure now, and keep the values."""
    digits = mnist()
    x, model = images(digits), trained_model(spec, folder, verbose)
    started = time.perf_counter()
    values = np.asarray(measure(model, x), "float32")
    about = {
        **arguments,
        "spec": spec.as_dict(),
        "weights_sha256": _weights_of(spec, folder),
        "seconds": round(time.perf_counter() - started, 1),
        "cores": usable_cores(),
        "data": digits.source,
        "versions": versions(),
    }
    write_npz(where_to_keep(folder) / f"{_stem(spec, arguments)}-{num_values}.npz", {"values": values}, about)
    return values


def _weights_of(spec: RunSpec, folder: str | os.PathLike[str] | None) -> str | None:
    """Return the checksum of a run's weights, or None if the run is not on disk."""
    result = load_run(spec, folder)
    return result and result.about["weights_sha256"]


def _stem(spec: RunSpec, arguments: dict[str, Any]) -> str:
    """Return the start of a file name, to which the number of values is added."""
    numbers = [f"{name}-{arguments[name]:g}" for name in ("beta", "num_samples") if arguments.get(name, 1) != 1]
    return "-".join([f"{spec.name}.{arguments['quantity']}", *numbers])


def _load(
    spec: RunSpec, arguments: dict[str, Any], num_values: int, folder: str | os.PathLike[str] | None
) -> np.ndarray | None:
    """Return at least num_values values that were measured with these arguments on this run, or None."""
    expected = {**arguments, "spec": spec, "weights_sha256": _weights_of(spec, folder)}
    if expected["weights_sha256"] is None:
        return None
    for place in places(folder):
        for file in sorted(place.glob(f"{_stem(spec, arguments)}-*.npz")):
            found = read_about(file)
            if found is None:
                continue
            arrays, about = found
            if {name: about.get(name) for name in expected} == expected and len(arrays["values"]) >= num_values:
                return arrays["values"]
    return None
