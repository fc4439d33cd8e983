"""Start processes that already have vaelib: importing TensorFlow takes longer than what most tests do."""

import contextlib
import multiprocessing

from vaelib._files import locked

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["vaelib"])


def start(function, *arguments, **settings):
    """Start a function in a process of its own."""
    process = PROCESSES.Process(target=function, args=arguments, kwargs=settings, daemon=True)
    process.start()
    return process


def finish(*processes):
    """Wait until processes have ended, and ended well."""
    for process in processes:
        process.join()
        assert process.exitcode == 0


@contextlib.contextmanager
def holding(file):
    """Let another process have a lock, and return the process and an event that lets the lock go."""
    held, release = PROCESSES.Event(), PROCESSES.Event()
    process = start(_hold, file, held, release)
    held.wait()
    try:
        yield process, release
    finally:
        process.kill()
        process.join()


def _hold(file, held, release):
    with locked(file, "holds it"):
        held.set()
        release.wait()
