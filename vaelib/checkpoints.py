"""Arrays on disk that survive a kill at any moment: written aside, then renamed, with their checksum in the name."""

import hashlib
import io
import json
import os
import warnings
from pathlib import Path

import numpy as np

__all__ = ["load_checkpoint", "save_checkpoint", "write_file"]

# The newest, and one to fall back on.
_NUM_KEPT = 2
_NUM_DIFFERENCES_SHOWN = 8


def save_checkpoint(folder, step, arrays, spec):
    """Write one checkpoint in a single step, and drop all but the newest two.

    Args:
        folder: where; it is created.
        step: training steps taken, which orders the checkpoints.
        arrays: dict of NumPy arrays.
        spec: nested dict of numbers and strings, what the run is; see `load_checkpoint`.

    Returns:
        The file.

    Raises:
        OSError: if it cannot be written; what was there before is still there.
    """
    folder, content = Path(folder), io.BytesIO()
    np.savez(content, **arrays, spec=json.dumps(spec))
    name = f"step-{step:09d}-{_digest(content.getbuffer())}.npz"
    write_file(folder / name, content.getbuffer())
    # What a killed process left half-written goes too.
    for old in [*_newest_first(folder)[_NUM_KEPT:], *folder.glob("step-*.partial-*")]:
        old.unlink(missing_ok=True)
    return folder / name


def write_file(file, content):
    """Write a file in one step: whatever happens, there is all of it or nothing.

    Args:
        file: where; its folder is created.
        content: bytes.

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


def load_checkpoint(folder, spec):
    """The newest checkpoint that is whole.

    Args:
        folder: where `save_checkpoint` wrote; it need not exist.
        spec: what the present run is.

    Returns:
        (file, arrays), or None if there is no checkpoint.

    Raises:
        ValueError: if the checkpoint belongs to another run, with a list of the differences; or if there are
            checkpoints, and none is whole.
    """
    files = _newest_first(Path(folder))
    for file in files:
        content = file.read_bytes()
        if _digest(content) != file.stem.rsplit("-", 1)[1]:
            warnings.warn(
                f"The checkpoint {file} is damaged, its checksum is wrong: using the one before.", stacklevel=3
            )
            continue
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = dict(archive)
        _check_same(json.loads(str(arrays.pop("spec"))), spec, folder)
        return file, arrays
    if files:
        raise ValueError(
            f"All {len(files)} checkpoints in {folder} are damaged: restore one from a backup, "
            "or remove the folder to start again."
        )
    return None


def _newest_first(folder):
    return sorted(folder.glob("step-*.npz"), reverse=True)


def _digest(content):
    return hashlib.sha256(content).hexdigest()[:16]


def _check_same(theirs, ours, folder):
    # As JSON has it: tuples are lists, and keys are strings.
    theirs, ours = _flat(theirs), _flat(json.loads(json.dumps(ours)))
    absent = "nothing"
    differences = [
        f"{key} is {theirs.get(key, absent)} there and {ours.get(key, absent)} here"
        for key in sorted(theirs.keys() | ours.keys())
        if theirs.get(key, absent) != ours.get(key, absent)
    ]
    if differences:
        more = len(differences) - _NUM_DIFFERENCES_SHOWN
        shown = differences[:_NUM_DIFFERENCES_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        raise ValueError(
            f"The checkpoint in {folder} belongs to another run: {'; '.join(shown)}. "
            "Go on with the same settings, or use another folder."
        )


def _flat(nested, path=""):
    """{'a.b.0': value} of nested dicts and lists."""
    if isinstance(nested, dict | list) and nested:
        items = nested.items() if isinstance(nested, dict) else enumerate(nested)
        return {key: leaf for name, value in items for key, leaf in _flat(value, f"{path}.{name}").items()}
    return {path.lstrip("."): nested}
