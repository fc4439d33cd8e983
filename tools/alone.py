"""Run a command while no other process runs one under the same lock: `python tools/alone.py LOCK DOES COMMAND...`.

DOES is what another process would be doing meanwhile, for the sentence that says why this one waits.

Only the standard library is used, for this runs before anything is installed. The system frees the lock of a process
that dies.
"""

import contextlib
import fcntl
import subprocess
import sys
from pathlib import Path


@contextlib.contextmanager
def alone(lock, does):
    """Hold a lock; if another process has it, say so and wait.

    Args:
        lock: the path of a file, which is made if it is not there.
        does: what the other process does, such as "builds the book".
    """
    lock = Path(lock)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Waiting: another process {does}.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    _, lock, does, *command = sys.argv
    with alone(lock, does):
        sys.exit(subprocess.run(command, check=False).returncode)
