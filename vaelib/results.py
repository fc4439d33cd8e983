"""What is kept of a run, and where: one file per run that holds its own spec, and one for its weights."""

import hashlib
import io
import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .checkpoints import write_file
from .runstate import PosteriorTrace
from .specs import RunSpec

__all__ = [
    "RunResult",
    "list_runs",
    "load_run",
    "load_weights",
    "npz_bytes",
    "places",
    "save_run",
    "where_to_keep",
]


class RunResult(NamedTuple):
    """What is kept of a run."""

    spec: RunSpec
    history: dict[str, list[float]]
    """As in `Run`: one number per epoch."""
    posteriors: dict[int, PosteriorTrace]
    """By epoch, as in `Run`: of epochs 1, 2, 5, 10, 20, 50, 100 and the last, while they are under 1 MB."""
    metrics: dict[str, np.ndarray]
    """Measured at the end, "active_units"; "train_mean", "train_second_moment" and "mean_image_error" of
    `posterior_moments`; "mean_head_norm" and "decoder_norm", (latent_dim,), of the weights that make each latent mean
    and take it up; and, with two latent dimensions, "test_mean" and "test_std", (num_test, 2) float16, the posteriors
    of the test images, and all of `measure_grid` at `latent_grid()`. Where training binarised the images, these are
    of images binarised once."""
    about: dict
    """What made it, as "versions", "machine", "data", "seconds" of training, "finished", "weights_sha256"."""


def where_to_keep(folder=None):
    """The folder asked for, or else the one that the variable VAELIB_RUNS names, or else ./runs."""
    return Path(folder or os.environ.get("VAELIB_RUNS") or "runs")


def load_run(spec, folder=None):
    """The results of a run if they are on disk, otherwise None. The arguments are those of `train_or_load`."""
    found = _find(spec, folder)
    return found and found[1]


def list_runs(folder=None):
    """All results on disk, as a list of `RunResult` in the order of their names; folder as in `train_or_load`."""
    # A result's name ends with the spec's checksum; those of weights and of evaluations go on after it.
    found = {file.name: file for place in reversed(places(folder)) for file in place.glob("*_????????.npz")}
    results = [_read(file) for _, file in sorted(found.items())]
    return [result for result in results if result is not None]


def save_run(result, weights, folder):
    """Write a result, and the trained variables in their order; a kill leaves both, or no result.

    Raises:
        OSError: if they cannot be written.
    """
    content = npz_bytes(weights)
    weights_file, result_file = files_of(result.spec, folder)
    # The weights first: where a result is, its weights have been.
    write_file(weights_file, content)
    about = {"spec": result.spec.as_dict(), **result.about, "weights_sha256": _sha256(content)}
    arrays = {
        "about": np.array(json.dumps(about)),
        **{f"history/{name}": np.array(values) for name, values in result.history.items()},
        **{f"posteriors/{epoch}": np.stack(trace) for epoch, trace in result.posteriors.items()},
        **{f"metrics/{name}": value for name, value in result.metrics.items()},
    }
    write_file(result_file, npz_bytes(arrays))


def files_of(spec, folder):
    """Where `save_run` puts the weights and the result of a run, in the order in which it writes them."""
    return folder / f"{spec.name}.weights.npz", folder / f"{spec.name}.npz"


def load_weights(spec, folder=None):
    """The trained variables of a run in their order, or None if they are not on disk, or damaged."""
    found = _find(spec, folder)
    if found is None:
        return None
    file, result = found[0].with_suffix(".weights.npz"), found[1]
    if not file.is_file():
        return None
    content = file.read_bytes()
    if _sha256(content) != result.about["weights_sha256"]:
        warnings.warn(f"{file} is damaged, or of another run: its checksum is wrong.", stacklevel=3)
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return [arrays[name] for name in sorted(arrays)]


def _find(spec, folder):
    """(file, result) of a spec, or None."""
    for place in places(folder):
        result = _read(place / f"{spec.name}.npz")
        if result is not None and result.spec == spec:
            return place / f"{spec.name}.npz", result
    return None


def places(folder=None):
    """Where results may be: the folder to keep them in, and that of the results that come with vaelib."""
    package = Path(__file__).parent
    delivered = package / "trained_runs", package.parent / "runs"
    return [where_to_keep(folder), *(place for place in delivered if place.is_dir())]


def _read(file):
    """The result in a file, or None if there is no such file, or it is damaged or of a spec that is no longer known."""
    if not file.is_file():
        return None
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
        about = json.loads(str(arrays.pop("about")))
        spec = RunSpec(**about.pop("spec"))
    except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        warnings.warn(f"The result {file} cannot be read ({error}): it counts as missing.", stacklevel=5)
        return None
    parts: dict[str, dict] = {"history": {}, "posteriors": {}, "metrics": {}}
    for name, value in arrays.items():
        part, _, key = name.partition("/")
        parts[part][key] = value
    history = {name: values.tolist() for name, values in parts["history"].items()}
    posteriors = {int(epoch): PosteriorTrace(*trace) for epoch, trace in parts["posteriors"].items()}
    return RunResult(spec, history, posteriors, parts["metrics"], about)


def npz_bytes(arrays):
    """Arrays by name, or in order, as the bytes of a compressed npz file."""
    if not isinstance(arrays, dict):
        arrays = {f"{i:04d}": array for i, array in enumerate(arrays)}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def _sha256(content):
    return hashlib.sha256(content).hexdigest()
