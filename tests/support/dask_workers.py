"""Start Dask workers in a moment: forked from a process that has imported vaelib, not from nothing."""

import contextlib

import dask
from racers import preload


@contextlib.contextmanager
def quick_workers():
    """Let Dask fork the workers that are started meanwhile."""
    preload("distributed")
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        yield
