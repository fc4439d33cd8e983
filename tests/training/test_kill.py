"""Kill a training many times, also in the middle of saves: it ends as if it had never been interrupted."""

import signal

import numpy as np
import processes
import pytest
import trainee

pytestmark = pytest.mark.slow

IN_A_SAVE = ("half written", "not on the disk yet", "not renamed yet", "renamed, the old one still there")
# Skip XLA, which takes seconds to compile; test_two_processes.py kills with it. No death uses up more than ten saves.
LIVE = {"jit_compile": False, "pause": 0.005}
SECONDS, SAVES = 0.05, 9


def _last_step(folder):
    return max((int(file.name[5:14]) for file in folder.glob("step-*.npz")), default=0)


@pytest.mark.parametrize(("stream", "num_kills"), [(False, 20), (True, 8)], ids=["array", "stream"])
def test_many_kills_change_no_bit(stream, num_kills, tmp_path):
    settings = {**LIVE, "stream": stream}
    chance, folder = np.random.default_rng(0), tmp_path / "killed"
    undisturbed = processes.start(trainee.train, tmp_path / "expected.npz", tmp_path / "undisturbed", **settings)
    steps_at_death = []
    for i in range(num_kills):
        # Kill every second time at a moment that the process does not know, otherwise in one of its next saves.
        death = chance.uniform(1e-6, SECONDS) if i % 2 else (chance.choice(IN_A_SAVE), chance.integers(1, SAVES))
        process = processes.start(trainee.train, tmp_path / "got.npz", folder, death=death, **settings)
        process.join()
        assert process.exitcode == -(signal.SIGALRM if i % 2 else signal.SIGKILL), f"it ended before kill {i}"
        steps_at_death.append(_last_step(folder))
    processes.finish(undisturbed)
    assert not (tmp_path / "got.npz").exists()
    assert steps_at_death == sorted(steps_at_death)
    assert len(set(steps_at_death)) > num_kills / 2, f"the kills were hardly spread: {steps_at_death}"
    processes.finish(processes.start(trainee.train, tmp_path / "got.npz", folder, **settings))
    with np.load(tmp_path / "expected.npz") as expected, np.load(tmp_path / "got.npz") as got:
        assert got.files == expected.files
        for name in expected.files:
            np.testing.assert_array_equal(got[name], expected[name], err_msg=name)
        assert len(expected["history/val_loss"]) == trainee.NUM_EPOCHS
    left = {file.name for file in folder.iterdir()} - {file.name for file in folder.glob("step-*.npz")}
    assert left == {"lock"}, "half-written files were left behind"
