"""Train many runs side by side, on the cores of this machine or on a Dask cluster."""

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import tensorflow as tf

from .._files import write_file
from .._progress import progress_bar
from .runs import train_or_load, usable_cores
from .spec import RunSpec
from .store import RunResult, files_of, load_run, where_to_keep

__all__ = ["sweep"]

# Train one run at a time in a worker, also with several threads: Keras' random state belongs to the process.
_ONE_AT_A_TIME = threading.Lock()


def sweep(
    specs: Iterable[RunSpec],
    client: Any = None,
    folder: str | os.PathLike[str] | None = None,
    num_threads: int = 1,
    verbose: bool = True,
) -> list[RunResult]:
    """Train or load many runs, side by side.

    Every run is in the folder as soon as it is finished, exactly as `train_or_load` leaves it. A run whose worker died
    is trained by another one, from its last checkpoint where the workers share the folder's disk. After Ctrl-C, or a
    kill, the same call goes on from there.

    Args:
        specs: list of `RunSpec`.
        client: None for one worker on every core of this machine; or the address of a Dask scheduler, such as
            "tcp://10.0.0.1:8786"; or a `distributed.Client`.
        folder: as in `train_or_load`. Workers write to this path too; where it is no shared disk, what they wrote is
            brought back.
        num_threads: threads of TensorFlow in every worker. On two cores, two workers of one thread finish two
            runs sooner than one worker of two threads.
        verbose: whether to show a progress bar with the time left.

    Returns:
        A list of `RunResult` in the order of specs.

    Raises:
        ImportError: if Dask is not installed.
        ValueError: if specs is empty or num_threads is not positive.
        ExceptionGroup: with the errors of single runs, after all others have finished.

    Used in chapter 08.
    """
    specs = list(specs)
    if not specs:
        raise ValueError("sweep expects at least one RunSpec, got an empty list.")
    if num_threads < 1:
        raise ValueError(f"num_threads must be at least 1, got {num_threads}.")
    missing = [spec for spec in dict.fromkeys(specs) if load_run(spec, folder) is None]
    if missing:
        with _connected(client, num_threads, len(missing)) as connection:
            _train_all(missing, connection, where_to_keep(folder), num_threads, verbose)
    return [train_or_load(spec, folder, verbose) for spec in specs]


def _train_all(specs: list[RunSpec], client: Any, folder: Path, num_threads: int, verbose: bool) -> None:
    """Train every run on a worker, and keep what comes back."""
    distributed = _distributed()
    futures = {
        client.submit(_train_one, spec, folder.absolute(), num_threads, key=spec.name, pure=False): spec
        for spec in specs
    }
    errors = []
    with progress_bar(total=sum(spec.num_steps for spec in specs), unit="step", verbose=verbose) as bar:
        for future in distributed.as_completed(futures):
            spec = futures[future]
            if future.status == "finished":
                _keep(future.result(), spec, folder)
            else:
                errors.append(future.exception())
                errors[-1].add_note(f"in the run {spec.name}")
            bar.set_postfix_str(spec.name, refresh=False)
            bar.update(spec.num_steps)
            future.release()
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(specs)} runs failed; the others are in {folder}", errors)


def _train_one(spec: RunSpec, folder: Path, num_threads: int) -> dict[str, bytes]:
    """Train a run on a worker, and return its files by name."""
    with _ONE_AT_A_TIME:
        if tf.config.threading.get_intra_op_parallelism_threads() != num_threads:
            tf.config.threading.set_intra_op_parallelism_threads(num_threads)
        train_or_load(spec, folder, verbose=False)
        return {file.name: file.read_bytes() for file in files_of(spec, folder)}


def _keep(files: Mapping[str, bytes], spec: RunSpec, folder: Path) -> None:
    """Write the files of a worker, unless its folder was this one; the result last, as `train_or_load` does."""
    if load_run(spec, folder) is None:
        for name, content in files.items():
            write_file(folder / name, content)


@contextlib.contextmanager
def _connected(client: Any, num_threads: int, num_runs: int) -> Iterator[Any]:
    """Yield the client, or one for a scheduler's address, or one for workers on this machine's cores."""
    distributed = _distributed()
    if isinstance(client, distributed.Client):
        yield client
    elif client is not None:
        with distributed.Client(client) as connection:
            yield connection
    else:
        num_workers = min(num_runs, max(1, usable_cores() // num_threads))
        # Take any free port: Dask opens one without a dashboard, too, and warns if a second sweep wants the same.
        any_port = {"dashboard_address": "127.0.0.1:0"}
        with (
            distributed.LocalCluster(
                n_workers=num_workers, threads_per_worker=1, dashboard_address=None, scheduler_kwargs=any_port
            ) as cluster,
            distributed.Client(cluster) as connection,
        ):
            yield connection


def _distributed() -> ModuleType:
    """Import Dask, which is an extra."""
    try:
        import distributed
    except ImportError as error:
        raise ImportError('sweep needs Dask: install it with pip install "vaelib[sweep]".') from error
    return distributed
