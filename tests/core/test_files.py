"""Write files whole or not at all, notice damage of every kind, and let one process at a time make a thing."""

import contextlib
import os
import signal

import numpy as np
import processes
import pytest

from vaelib import _files
from vaelib._files import DamagedFileError, locked, read_npz, write_file, write_npz

ARRAYS = {"x": np.arange(500, dtype="float32"), "name/with/slashes": np.array([[1, 2]]), "empty": np.zeros((0, 3))}
ABOUT = {"number": 1.5, "list": [1, "two", None], "nested": {"β": True}}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "new folder" / "file.npz"
    write_npz(path, ARRAYS, ABOUT)
    return path


@pytest.mark.parametrize("compress", [True, False])
def test_arrays_and_what_they_are_about_come_back(tmp_path, compress):
    sha256 = write_npz(tmp_path / "a.npz", ARRAYS, ABOUT, compress)
    arrays, about = read_npz(tmp_path / "a.npz", sha256)
    assert about == ABOUT
    assert arrays.keys() == ARRAYS.keys()
    for name, value in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], value)
        assert arrays[name].dtype == value.dtype


def test_a_file_of_version_0_1_has_no_checksum_and_is_read(tmp_path):
    np.savez(tmp_path / "old.npz", x=np.arange(3))
    arrays, about = read_npz(tmp_path / "old.npz")
    assert (arrays["x"].tolist(), about) == ([0, 1, 2], {})


def test_no_setting_becomes_an_array(tmp_path, monkeypatch):
    """Remember NumPy before 2.2: it takes every keyword of `savez` for the name of an array, `allow_pickle` too."""
    kept = {}
    monkeypatch.setattr(np, "savez_compressed", lambda file, **arrays: kept.update(arrays))
    write_npz(tmp_path / "a.npz", {"x": 1.0}, {})
    assert kept.keys() == {"about", "x"}


DAMAGES = {
    "cut": lambda content: content[:-30],
    "half": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "something else": lambda content: b"x" * 5000,
    "a bit flipped": lambda content: content[:300] + bytes([content[300] ^ 1]) + content[301:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_noticed(file, damage):
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DamagedFileError, match=r"file\.npz"):
        read_npz(file)


def test_bytes_after_the_end_change_nothing(file):
    file.write_bytes(file.read_bytes() + b"\0")
    np.testing.assert_array_equal(read_npz(file)[0]["x"], ARRAYS["x"])


def test_no_flipped_bit_is_read_as_another_number(tmp_path):
    """Flip the one, too, that makes a zip file say that it is encrypted: `zipfile` then raises a RuntimeError."""
    file = tmp_path / "a.npz"
    write_npz(file, {"x": np.arange(9.0)}, {"n": 1})
    content = file.read_bytes()
    for place in range(len(content)):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        # Some bits of a zip file mean nothing: they may flip.
        with contextlib.suppress(DamagedFileError):
            arrays, about = read_npz(file)
            assert (arrays["x"].tolist(), about) == ([*range(9)], {"n": 1})


def test_an_array_that_was_changed_is_noticed(file):
    """Write a file that is whole, of other arrays than the checksum says."""
    with np.load(file) as archive:
        arrays = dict(archive)
    np.savez(file, **{**arrays, "x": arrays["x"] + 1})
    with pytest.raises(DamagedFileError, match="checksum of its arrays is wrong"):
        read_npz(file)


def test_a_file_of_something_else_is_noticed(file):
    with pytest.raises(DamagedFileError, match="or of another run: its checksum is wrong"):
        read_npz(file, sha256="0" * 64)


def test_a_missing_file_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "nowhere.npz")


def test_pickles_are_not_read(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(DamagedFileError, match="allow_pickle=False"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("place", ["fsync", "replace"])
def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch, place):
    def full(*_):
        raise OSError("No space left on device")

    write_file(tmp_path / "a", b"old")
    monkeypatch.setattr(*((_files.os, "fsync", full) if place == "fsync" else (_files.Path, "replace", full)))
    with pytest.raises(OSError, match="No space left"):
        write_file(tmp_path / "a", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.fixture
def holder(tmp_path):
    """Return another process that has a lock, the lock's file, and an event that lets it go."""
    with processes.holding(tmp_path / "lock") as (process, release):
        yield process, tmp_path / "lock", release


@pytest.mark.slow
def test_a_second_process_waits_and_says_for_what(holder, monkeypatch, capsys):
    process, file, release = holder
    # Let the first go only when the second has said that it waits.
    write = _files.tqdm.write
    monkeypatch.setattr(_files.tqdm, "write", lambda text: write(text) or release.set())
    with locked(file, "holds it"):
        process.join()
        assert process.exitcode == 0
    assert capsys.readouterr().out == "Waiting: another process holds it.\n"


@pytest.mark.slow
def test_a_killed_process_blocks_nobody(holder, monkeypatch):
    process, file, _ = holder
    monkeypatch.setattr(_files.tqdm, "write", lambda text: os.kill(process.pid, signal.SIGKILL))
    with locked(file, "holds it"):
        process.join()
        assert process.exitcode == -signal.SIGKILL


def test_a_lock_that_nobody_has_says_nothing(tmp_path, capsys):
    for _ in range(2):
        with locked(tmp_path / "folder" / "lock", "holds it"):
            pass
    assert capsys.readouterr().out == ""
