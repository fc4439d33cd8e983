"""What is measured on a trained run, image by image, and takes minutes: measured once, then read from disk."""

import json
import time
import warnings
import zipfile
import zlib

import numpy as np

from .checkpoints import write_file
from .data import binarize, load_mnist
from .inference import best_posteriors
from .likelihood import elbo, exact_log_likelihood, importance_log_likelihood
from .results import load_run, npz_bytes, places, where_to_keep
from .runs import trained_model, usable_cores, versions
from .specs import RunSpec

__all__ = ["elbo_of_run", "log_likelihood_of_run"]


def log_likelihood_of_run(spec, num_images=10_000, beta=1.0, num_samples=None, folder=None, verbose=True):
    """The log-likelihood of each of the first test images under a run's model, measured once.

    For a run on binarized images the test images are too, each drawn once, with the run's seed.

    Args:
        spec: a `RunSpec`, with two latent dimensions unless num_samples is given.
        num_images: how many of the test images, in their order.
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

    Used in chapter 07.
    """
    if num_samples is None:
        arguments = {"quantity": "exact", "beta": float(beta)}
    elif beta == 1:
        arguments = {"quantity": "importance", "num_samples": int(num_samples)}
    else:
        raise ValueError(f"num_samples={num_samples} bounds log p(x), of beta 1 only, got beta={beta}: use None.")

    def measure(model, x):
        if num_samples is None:
            return exact_log_likelihood(model, x, beta, verbose=verbose)
        return importance_log_likelihood(model, x, num_samples, verbose=verbose)

    return _measured(spec, arguments, num_images, measure, folder, verbose)


def elbo_of_run(spec, num_images=10_000, beta=1.0, best=False, folder=None, verbose=True):
    """The ELBO of each of the first test images under a run's model, without sampling noise, measured once.

    The images are those of `log_likelihood_of_run`.

    Args:
        spec: a `RunSpec` with one or two latent dimensions.
        num_images: how many of the test images, in their order.
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

    def measure(model, x):
        mean, std = best_posteriors(model, x, beta, verbose=verbose) if best else (None, None)
        return elbo(model, x, mean, std, beta)

    arguments = {"quantity": "best-elbo" if best else "elbo", "beta": float(beta)}
    return _measured(spec, arguments, num_images, measure, folder, verbose)


def _measured(spec, arguments, num_images, measure, folder, verbose):
    """What was measured with these arguments, from disk or by measure(model, x)."""
    if num_images < 1:
        raise ValueError(f"num_images must be at least 1, got {num_images}.")
    found = _load(spec, arguments, num_images, folder)
    if found is not None:
        return found[:num_images]
    digits = load_mnist()
    if len(digits.x_test) < num_images:
        raise ValueError(
            f"{num_images} test images are asked for, but load_mnist found {len(digits.x_test)} ({digits.source}): "
            "set VAELIB_MNIST to the file mnist.npz, or ask for fewer."
        )
    model = trained_model(spec, folder, verbose)
    started = time.perf_counter()
    x = digits.x_test[:num_images]
    values = np.asarray(measure(model, binarize(x, spec.seed) if spec.binarize else x), "float32")
    about = {
        **arguments,
        "spec": spec.as_dict(),
        "weights_sha256": load_run(spec, folder).about["weights_sha256"],
        "seconds": round(time.perf_counter() - started, 1),
        "cores": usable_cores(),
        "data": digits.source.partition(" (")[0],
        "versions": versions(),
    }
    content = npz_bytes({"about": np.array(json.dumps(about)), "values": values})
    write_file(where_to_keep(folder) / f"{_stem(spec, arguments)}-{num_images}.npz", content)
    return values


def _stem(spec, arguments):
    """The start of a file name, to which the number of images is added."""
    numbers = [f"{name}-{arguments[name]:g}" for name in ("beta", "num_samples") if arguments.get(name, 1) != 1]
    return "-".join([f"{spec.name}.{arguments['quantity']}", *numbers])


def _load(spec, arguments, num_images, folder):
    """Values of at least num_images images that were measured with these arguments on this run, or None."""
    result = load_run(spec, folder)
    if result is None:
        return None
    expected = {**arguments, "spec": spec, "weights_sha256": result.about["weights_sha256"]}
    for place in places(folder):
        for file in sorted(place.glob(f"{_stem(spec, arguments)}-*.npz")):
            about, values = _read(file)
            if {name: about.get(name) for name in expected} == expected and len(values) >= num_images:
                return values
    return None


def _read(file):
    """(about, values) of a file, empty if it is damaged, or of a spec that is no longer known."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            about, values = json.loads(str(archive["about"])), archive["values"]
        return {**about, "spec": RunSpec(**about["spec"])}, values
    except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        warnings.warn(f"{file} cannot be read ({error}): it counts as missing.", stacklevel=5)
        return {}, np.empty(0)
