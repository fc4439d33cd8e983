"""Let two processes train in one checkpoint folder: the second waits, and both end with the same bits."""

import signal

import numpy as np
import processes
import pytest
import trainee
from small_models import small_vae

import vaelib
from vaelib import _files

pytestmark = pytest.mark.slow

SETTINGS = {"num_epochs": 3, "pause": 0.02}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Return the numbers of a training that shares its folder with nobody."""
    return trainee.numbers(tmp_path_factory.mktemp("alone"), **SETTINGS)


def _wait_for_a_checkpoint(folder, process):
    while not list(folder.glob("step-*.npz")):
        assert process.is_alive(), "it ended before it saved"
        process.join(0.01)


def _written(folder):
    return {file: file.stat().st_mtime_ns for file in folder.glob("step-*.npz")}


def _assert_same(file, expected):
    with np.load(file) as archive:
        assert set(archive.files) == set(expected)
        for name, value in expected.items():
            np.testing.assert_array_equal(archive[name], value, err_msg=name)


@pytest.mark.parametrize("kill", [False, True], ids=["both live", "the first is killed"])
def test_the_second_ends_with_the_bits_of_one_alone(alone, tmp_path, kill):
    folder, files = tmp_path / "shared", [tmp_path / "first.npz", tmp_path / "second.npz"]
    first = processes.start(trainee.train, files[0], folder, **SETTINGS)
    _wait_for_a_checkpoint(folder, first)
    second = processes.start(trainee.train, files[1], folder, **SETTINGS)
    if kill:
        first.kill()
        first.join()
        assert first.exitcode == -signal.SIGKILL
    else:
        processes.finish(first)
        _assert_same(files[0], alone)
    before = _written(folder)
    processes.finish(second)
    assert kill or _written(folder) == before, "the second trained what the first had trained"
    _assert_same(files[1], alone)


def test_the_second_says_for_what_it_waits(images, tmp_path, monkeypatch, capsys):
    with processes.holding(tmp_path / "lock") as (_, release):
        # Let the first go only when the second has said it.
        write = _files.tqdm.write
        monkeypatch.setattr(_files.tqdm, "write", lambda text: write(text) or release.set())
        run = vaelib.fit(small_vae(), images, batch_size=35, checkpoint=tmp_path)
    assert capsys.readouterr().out == f"Waiting: another process trains in {tmp_path}.\n"
    assert len(run.history["loss"]) == 1
