"""Killed at twenty random moments, also in the middle of saves, a training ends as if it had never been interrupted."""

import multiprocessing
import signal
import time

import numpy as np
import trainee

# Processes that are new, but for the import of TensorFlow, which takes longer than the training.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["vaelib"])
IN_A_SAVE = ("half written", "not on the disk yet", "not renamed yet", "renamed, the old one still there")
NUM_KILLS = 20


def _start(*arguments):
    process = PROCESSES.Process(target=trainee.train, args=arguments)
    process.start()
    return process


def _assert_finishes(process):
    process.join(timeout=300)
    assert process.exitcode == 0


def _checkpoints(folder):
    return set(folder.glob("step-*.npz"))


def test_twenty_kills_change_no_bit(tmp_path):
    chance, folder = np.random.default_rng(0), tmp_path / "killed"
    undisturbed = _start(tmp_path / "undisturbed", tmp_path / "expected.npz")
    steps_at_death = []
    for i in range(NUM_KILLS):
        # Every second time at a moment that the process does not know; otherwise in one of its next saves.
        death = () if i % 2 else (chance.choice(IN_A_SAVE), chance.integers(1, 9))
        before = _checkpoints(folder)
        process = _start(folder, tmp_path / "got.npz", *death)
        if not death:
            while _checkpoints(folder) <= before and process.is_alive():
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.15))
            process.kill()
        process.join(timeout=300)
        assert process.exitcode == -signal.SIGKILL, f"the training ended before kill {i}"
        steps_at_death.append(max((int(file.name[5:14]) for file in _checkpoints(folder)), default=0))
    _assert_finishes(undisturbed)
    assert not (tmp_path / "got.npz").exists()
    assert len(set(steps_at_death)) > NUM_KILLS / 2, f"the kills were hardly spread: {steps_at_death}"
    _assert_finishes(_start(folder, tmp_path / "got.npz"))
    with np.load(tmp_path / "expected.npz") as expected, np.load(tmp_path / "got.npz") as got:
        assert got.files == expected.files
        for name in expected.files:
            np.testing.assert_array_equal(got[name], expected[name], err_msg=name)
        assert len(expected["history/val_loss"]) == 30
    assert len(list(folder.iterdir())) == 2, "half-written files were left behind"
