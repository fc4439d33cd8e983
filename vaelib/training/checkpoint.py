"""Save where a training stands, so that a kill at any moment costs minutes, and resume it to the same bits."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from .._files import DamagedFileError, read_npz, write_npz
from .._warnings import warn

if TYPE_CHECKING:
    from .state import TrainingState

__all__ = ["Saver", "checksum", "digest", "fingerprint", "load_checkpoint", "save_checkpoint"]

# Keep the newest, and one to fall back on.
_NUM_KEPT = 2
_NUM_DIFFERENCES_SHOWN = 8
# Leave out of a fingerprint: where a class lives, what repeats the model, and how it was compiled; the optimizer is a
# part of its own. The digest of the images holds their shape.
_LEFT_OUT = ("module", "build_config", "compile_config", "image_shape")


class Saver:
    """Save a `TrainingState` at the end of every epoch and after some minutes in it; without a folder, never."""

    def __init__(self, folder: str | Path | None, owner: Mapping[str, Any] | None, minutes: float) -> None:
        self._folder, self._owner, self._seconds = folder and Path(folder), owner, 60 * minutes
        self._last = time.monotonic()

    def resume(self, state: "TrainingState") -> None:
        """Bring a state to where the newest checkpoint left it, if there is one."""
        found = self._folder and load_checkpoint(self._folder, self._owner)
        if found:
            state.last_good, arrays, self._owner = found
            state.restore(arrays)

    def save_if_due(self, state: "TrainingState") -> None:
        """Save in the middle of an epoch, if the last time is long ago."""
        if state.step < state.num_steps and time.monotonic() - self._last >= self._seconds:
            state.check_finite(weights=True)
            self.save(state)

    def save(self, state: "TrainingState") -> None:
        """Save now. A full disk costs this checkpoint, not the training."""
        if not self._folder:
            return
        self._last = time.monotonic()
        step = int(state.model.optimizer.iterations)
        try:
            # Callbacks may have moved the learning rate or beta: the same call, on the same model, goes on from here.
            now = {**(self._owner or {}), **_configs(state.model)}
            state.last_good = save_checkpoint(self._folder, step, state.arrays(), self._owner, now)
        except OSError as error:
            epoch = state.epoch + (state.step > 0)
            warn(
                f"The checkpoint of epoch {epoch} could not be saved ({error}): training goes on, and "
                f"the last checkpoint is {state.last_good or 'none yet'}. Make room, or use another folder."
            )


def fingerprint(model: keras.Model, x: str, validation_data: str | None, **choices: Any) -> dict[str, Any]:
    """Return what decides the numbers of a training, as nested dicts of numbers and strings.

    Keras numbers the layers of a program in the order of their creation. The numbers say nothing about the model, so
    its parts are named in the order in which they appear.

    Args:
        model: the compiled model.
        x: which training images, in words: for an array, its `digest`.
        validation_data: None, or which images of the validation.
        choices: arguments of `fit` that decide the numbers.

    Raises:
        ValueError: if the model cannot be described, as with a schedule that has no `get_config`.
    """
    return {**_configs(model), "x": x, "validation_data": validation_data or "none", **choices}


def save_checkpoint(
    folder: Path,
    step: int,
    arrays: Mapping[str, np.ndarray],
    owner: Mapping[str, Any] | None,
    now: Mapping[str, Any] | None = None,
) -> Path:
    """Write one checkpoint in a single step, and drop all but the newest two.

    Args:
        folder: the folder of this training alone; it is created.
        step: training steps taken, which orders the checkpoints.
        arrays: arrays by name.
        owner: the `fingerprint` of the training that the checkpoint belongs to.
        now: None, or the fingerprint that the training would have now, if callbacks have moved a part of it.

    Returns:
        The file.

    Raises:
        OSError: if it cannot be written; what was there before is still there.
    """
    file = folder / f"step-{step:09d}.npz"
    write_npz(file, arrays, {"fingerprint": owner, "now": now or owner}, compress=False)
    # Remove what a killed process left half-written, too: the folder is locked.
    for old in [*_newest_first(folder)[_NUM_KEPT:], *folder.glob("step-*.partial-*")]:
        old.unlink(missing_ok=True)
    return file


def load_checkpoint(
    folder: Path, owner: Mapping[str, Any] | None
) -> tuple[Path, dict[str, np.ndarray], Mapping[str, Any]] | None:
    """Return the newest checkpoint that is whole.

    Args:
        folder: the folder of `save_checkpoint`; it need not exist.
        owner: the `fingerprint` of the present training.

    Returns:
        The file, its arrays, and the fingerprint of the training as it began; or None if there is no checkpoint.

    Raises:
        ValueError: if the checkpoint belongs to another training, with a list of the differences; or if there are
            checkpoints, and none is whole.
    """
    files = _newest_first(folder)
    for file in files:
        try:
            arrays, about = read_npz(file)
        except DamagedFileError as error:
            warn(f"The checkpoint {error}: using the one before.")
            continue
        theirs = about["fingerprint"] if about else _of_old_layout(json.loads(str(arrays.pop("spec"))))
        if not about or _differences(about.get("now"), owner):
            _check_same(theirs, owner, folder)
        return file, arrays, theirs
    if files:
        raise ValueError(
            f"All {len(files)} checkpoints in {folder} are damaged: restore one from a backup, "
            "or remove the folder to start again."
        )
    return None


def _configs(model: keras.Model) -> dict[str, Any]:
    """Return the configs of a model and of its optimizer, with their parts named in order."""
    parts = {"model": model, "optimizer": model.optimizer}
    try:
        return _renamed({name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}, {})
    except (TypeError, NotImplementedError) as error:
        raise ValueError(
            f"checkpoint= expects a model whose parts can be written down, got {model.name} with a beta of "
            f"{type(model.beta).__name__} ({error}): give every part of your own a get_config, as Keras wants it, or "
            "train without checkpoint=."
        ) from error


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.npz"), reverse=True)


def _renamed(config: Any, names: dict[str, str]) -> Any:
    """Return a config in which the values of "name" are numbered in the order of their first appearance."""
    if isinstance(config, dict):
        if isinstance(config.get("name"), str):
            names.setdefault(config["name"], f"part {len(names) + 1}")
        return {key: _renamed(value, names) for key, value in config.items() if key not in _LEFT_OUT}
    if isinstance(config, list | tuple):
        return [_renamed(value, names) for value in config]
    return names.get(config, config) if isinstance(config, str) else config


def _of_old_layout(config: Any) -> Any:
    """Return a fingerprint of vaelib 0.1 in today's form: without modules, and with `Constant` as its own class."""
    if isinstance(config, list):
        return [_of_old_layout(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("registered_name") == "vaelib>Linear" and config["config"]["num_steps"] == 0:
        beta = config["config"]["beta"]
        config = {**config, "class_name": "Constant", "config": {"beta": beta}, "registered_name": "vaelib>Constant"}
    return {key: _of_old_layout(value) for key, value in config.items() if key not in _LEFT_OUT}


def digest(x: np.ndarray) -> str:
    """Return the shape of images and their checksum, in words."""
    return f"{' x '.join(map(str, x.shape))} pixels, {checksum(x)}"


def checksum(x: np.ndarray) -> str:
    """Return a checksum of an array, in words."""
    return f"sha256 {hashlib.sha256(np.ascontiguousarray(x).data).hexdigest()[:16]}"


def _check_same(theirs: Any, ours: Any, folder: Path) -> None:
    """Raise a ValueError that lists the differences between two fingerprints, if there are any."""
    differences = _differences(theirs, ours)
    if differences:
        more = len(differences) - _NUM_DIFFERENCES_SHOWN
        shown = differences[:_NUM_DIFFERENCES_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        raise ValueError(
            f"The checkpoint in {folder} belongs to another run: {'; '.join(shown)}. "
            "Go on with the same settings, or use another folder."
        )


def _differences(theirs: Any, ours: Any) -> list[str]:
    """Return the differences between two fingerprints, in words."""
    # Write ours as JSON, too: tuples become lists, and keys strings.
    there, here = dict(_leaves(theirs)), dict(_leaves(json.loads(json.dumps(ours))))
    absent = "nothing"
    return [
        f"{key} is {there.get(key, absent)} there and {here.get(key, absent)} here"
        for key in sorted(there.keys() | here.keys())
        if there.get(key, absent) != here.get(key, absent)
    ]


def _leaves(nested: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield ("a.b.0", value) for every value in nested dicts and lists."""
    if isinstance(nested, dict | list) and nested:
        for name, value in nested.items() if isinstance(nested, dict) else enumerate(nested):
            if name not in _LEFT_OUT:
                yield from _leaves(value, f"{path}.{name}")
    else:
        yield path.lstrip("."), nested
