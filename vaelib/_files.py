"""Keep arrays on disk: written in one step, read back whole or not at all, by one process at a time."""

import contextlib
import hashlib
import io
import json
import os
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from tqdm import tqdm

__all__ = ["DamagedFileError", "locked", "read_npz", "write_file", "write_npz"]


class DamagedFileError(Exception):
    """Tell that a file is not what was written: cut, changed, or something else."""


def write_npz(file: Path, arrays: Mapping[str, Any], about: Mapping[str, Any], compress: bool = True) -> str:
    """Write arrays and what they are about in one step, with a checksum of the arrays.

    Args:
        file: the npz file to write; its folder is created.
        arrays: arrays by name; no name is "about".
        about: numbers, strings, lists and dicts, kept as JSON.
        compress: whether to make the file smaller, which takes longer.

    Returns:
        The SHA-256 of the file's bytes.

    Raises:
        OSError: if it cannot be written; what was there before is still there.
    """
    arrays = {name: np.asarray(value) for name, value in arrays.items()}
    note = json.dumps({**about, "sha256": _checksum(arrays)})
    content = io.BytesIO()
    # Pass arrays only: before version 2.2, NumPy takes every keyword for the name of an array, `allow_pickle` too.
    (np.savez_compressed if compress else np.savez)(content, about=np.array(note), **arrays)
    write_file(file, content.getbuffer())
    return hashlib.sha256(content.getbuffer()).hexdigest()


def read_npz(file: Path, sha256: str | None = None) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `write_npz` wrote.

    Args:
        file: the npz file.
        sha256: None, or what the file's bytes must have; files of vaelib 0.1 carry no checksum of their own.

    Returns:
        The arrays by name, and what they are about.

    Raises:
        FileNotFoundError: if there is no such file.
        DamagedFileError: if it is not what was written.
    """
    try:
        content = file.read_bytes()
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise DamagedFileError(f"{file} is damaged, or of another run: its checksum is wrong")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = dict(archive)
        about = json.loads(str(arrays.pop("about", "{}")))
    except FileNotFoundError:
        raise
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise DamagedFileError(f"{file} cannot be read ({error})") from error
    if about.pop("sha256", None) not in (None, _checksum(arrays)):
        raise DamagedFileError(f"{file} is damaged: the checksum of its arrays is wrong")
    return arrays, about


def write_file(file: Path, content: bytes | memoryview) -> None:
    """Write a file in one step: after a crash or a kill it is whole, or as it was before.

    Args:
        file: the file to write; its folder is created.
        content: its bytes.

    Raises:
        OSError: if it cannot be written; what was there before is still there.
    """
    partial = file.with_name(f"{file.name}.partial-{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(file: Path, purpose: str, verbose: bool = True) -> Iterator[None]:
    """Hold a lock that only one process can have; the others wait, and say for what.

    The operating system frees the lock of a process that dies, so a killed one blocks nobody. The file itself stays.

    Args:
        file: the lock file; its folder is created.
        purpose: what the holder does, to follow "another process", such as "trains …".
        verbose: whether to say so while waiting.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(file)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        if verbose:
            tqdm.write(f"Waiting: another process {purpose}.")
            # Python keeps what it writes to a file or a pipe until there is more of it.
            sys.stdout.flush()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _checksum(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of arrays: of their names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
