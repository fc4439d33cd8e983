"""Keep results on disk: one file per run that holds its own spec, and one for its weights."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .._files import DamagedFileError, read_npz, write_npz
from .._warnings import warn
from ..models import PosteriorTrace
from ..training.fit import bound_of
from ..training.sources import epoch_order
from .spec import RunSpec

__all__ = [
    "RunResult",
    "files_of",
    "list_runs",
    "load_run",
    "load_weights",
    "lock_of",
    "places",
    "read_about",
    "save_run",
    "where_to_keep",
]

_PACKAGE = Path(__file__).parent.parent


class RunResult(NamedTuple):
    """Hold what is kept of a run."""

    spec: RunSpec
    """The spec of the run."""
    history: dict[str, list[float]]
    """One number per epoch, as in `Run`."""
    posteriors: dict[int, PosteriorTrace]
    """By epoch, as in `Run`, for epochs 1, 2, 5, 10 and so on to 500 and the last, while they are under 1 MB."""
    metrics: dict[str, np.ndarray]
    """Measured at the end, "active_units"; "train_mean", "train_second_moment" and "mean_image_error" of
    `posterior_moments`; "mean_head_norm" and "decoder_norm", (latent_dim,), of the weights that make each latent mean
    and take it up; and, with two latent dimensions, "test_mean" and "test_std", (num_test, 2) float16, the posteriors
    of the test images, and all of `measure_grid` at `latent_grid()`. Where training binarised the images, these are
    of images binarised once."""
    about: dict[str, Any]
    """How it was made, "versions", "machine", "data", "seconds" of training, "finished", "weights_sha256"."""

    def bound(self, validation: bool = True) -> np.ndarray:
        """Return −ELBO after each epoch, (num_epochs,) nats: of the test images, or of the training images."""
        return bound_of(self.history, validation)

    def last(self, name: str, num_epochs: int = 1) -> float:
        """Return an entry of the history after the last epoch, or its mean over more epochs, which jitter less.

        Args:
            name: an entry of the history, such as "val_rate".
            num_epochs: how many of the last epochs, >= 1.

        Raises:
            ValueError: if there is no such entry, or num_epochs is less than 1.
        """
        if name not in self.history or num_epochs < 1:
            raise ValueError(
                f"last expects a name of the history, {', '.join(self.history)}, and at least 1 epoch, "
                f"got {name!r} and {num_epochs}."
            )
        return float(np.mean(self.history[name][-num_epochs:]))

    def first_rows(self, epoch: int) -> np.ndarray:
        """Return which training images the posteriors of an epoch belong to, (num_batches,) rows of x_train.

        Args:
            epoch: one of those in `posteriors`.

        Raises:
            ValueError: if the posteriors of this epoch were not kept.
        """
        if epoch not in self.posteriors:
            raise ValueError(f"first_rows expects an epoch that was kept, {sorted(self.posteriors)}, got {epoch}.")
        spec, num_batches = self.spec, len(self.posteriors[epoch].mean)
        order = epoch_order(spec.num_train, spec.shuffle, spec.seed, (epoch - 1) * num_batches)
        return order[:: spec.batch_size]

    @property
    def test_posteriors(self) -> PosteriorTrace:
        """Return the posteriors of the test images, float64; a ValueError unless the run has two latent dimensions."""
        if "test_mean" not in self.metrics:
            raise ValueError(
                f"test_posteriors expects a run with two latent dimensions, got latent_dim={self.spec.latent_dim}, of "
                "which results keep none: call encode_all(trained_model(spec), x)."
            )
        return PosteriorTrace(*(self.metrics[f"test_{name}"].astype("float64") for name in ("mean", "std")))


def where_to_keep(folder: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder asked for, or else the one that the variable VAELIB_RUNS names, or else ./runs."""
    return Path(folder or os.environ.get("VAELIB_RUNS") or "runs")


def places(folder: str | os.PathLike[str] | None = None) -> list[Path]:
    """Return the folders in which to look for results: the one asked for, or else the usual one and vaelib's own."""
    if folder is not None:
        return [Path(folder)]
    return [where_to_keep(), *(place for place in _delivered() if place.is_dir())]


def load_run(spec: RunSpec, folder: str | os.PathLike[str] | None = None) -> RunResult | None:
    """Return the results of a run if they are on disk, otherwise None.

    Args:
        spec: a `RunSpec`.
        folder: where to look; None for the variable VAELIB_RUNS, or else ./runs, and then for the results that come
            with vaelib.
    """
    found = _find(spec, folder)
    return found and found[1]


def list_runs(folder: str | os.PathLike[str] | None = None) -> list[RunResult]:
    """Return all results on disk, in the order of their names.

    Args:
        folder: where to look, as in `load_run`.
    """
    # Match the spec's checksum at the end of a name; those of weights and of evaluations go on after it.
    found = {file.name: file for place in reversed(places(folder)) for file in place.glob("*_????????.npz")}
    results = [_read(file) for _, file in sorted(found.items())]
    return [result for result in results if result is not None]


def save_run(result: RunResult, weights: Sequence[np.ndarray], folder: Path) -> None:
    """Write a result, and the trained variables in their order; a kill leaves both, or no result.

    Raises:
        OSError: if they cannot be written.
    """
    weights_file, result_file = files_of(result.spec, folder)
    # Write the weights first: where a result is, its weights have been.
    sha256 = write_npz(weights_file, {f"{i:04d}": array for i, array in enumerate(weights)}, {})
    arrays = {
        **{f"history/{name}": np.array(values) for name, values in result.history.items()},
        **{f"posteriors/{epoch}": np.stack(trace) for epoch, trace in result.posteriors.items()},
        **{f"metrics/{name}": value for name, value in result.metrics.items()},
    }
    write_npz(result_file, arrays, {"spec": result.spec.as_dict(), **result.about, "weights_sha256": sha256})


def files_of(spec: RunSpec, folder: Path) -> tuple[Path, Path]:
    """Return where `save_run` puts the weights and the result of a run, in the order in which it writes them."""
    return folder / f"{spec.name}.weights.npz", folder / f"{spec.name}.npz"


def lock_of(name: str, folder: Path) -> Path:
    """Return the lock file of what one process at a time makes under this name."""
    return folder / "unfinished" / f"{name}.lock"


def load_weights(spec: RunSpec, folder: str | os.PathLike[str] | None = None) -> list[np.ndarray] | None:
    """Return the trained variables of a run in their order, or None if they are not on disk, or damaged."""
    found = _find(spec, folder)
    if found is None:
        return None
    place, result = found
    try:
        arrays, _ = read_npz(files_of(spec, place)[0], result.about["weights_sha256"])
    except FileNotFoundError:
        return None
    except DamagedFileError as error:
        warn(f"{error}: the weights count as missing.")
        return None
    return [arrays[name] for name in sorted(arrays)]


def read_about(file: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """Read a file about a run, with a `RunSpec` under "spec"; None if it is missing, damaged or of an unknown spec."""
    try:
        arrays, about = read_npz(file)
        return arrays, {**about, "spec": RunSpec(**about["spec"])}
    except FileNotFoundError:
        return None
    except (DamagedFileError, TypeError, ValueError, KeyError) as error:
        warn(f"The result {file} cannot be read ({error}): it counts as missing.")
        return None


def _delivered() -> tuple[Path, ...]:
    """Return where the results that come with vaelib may be: in the installed package, or beside it in a checkout."""
    checkout = _PACKAGE.parent
    return _PACKAGE / "trained_runs", *([checkout / "runs"] if (checkout / "pyproject.toml").is_file() else [])


def _find(spec: RunSpec, folder: str | os.PathLike[str] | None) -> tuple[Path, RunResult] | None:
    """Return (folder, result) of a spec, or None."""
    for place in places(folder):
        result = _read(files_of(spec, place)[1])
        if result is not None and result.spec == spec:
            return place, result
    return None


def _read(file: Path) -> RunResult | None:
    found = read_about(file)
    if found is None:
        return None
    arrays, about = found
    parts: dict[str, dict[str, np.ndarray]] = {"history": {}, "posteriors": {}, "metrics": {}}
    for name, value in arrays.items():
        part, _, key = name.partition("/")
        parts[part][key] = value
    history = {name: values.tolist() for name, values in parts["history"].items()}
    posteriors = {int(epoch): PosteriorTrace(*trace) for epoch, trace in parts["posteriors"].items()}
    return RunResult(about.pop("spec"), history, posteriors, parts["metrics"], about)
