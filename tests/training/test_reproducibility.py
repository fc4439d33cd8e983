"""Get the same bits from a seed in every process of a machine, and nearly the same numbers on another."""

import os
import platform
import subprocess
import sys

import numpy as np
import processes
import pytest
import trainee

pytestmark = pytest.mark.slow

NUM_EPOCHS = 5
CODE = f"import sys, trainee; trainee.train(sys.argv[1], num_epochs={NUM_EPOCHS})"


@pytest.fixture(scope="module")
def here():
    """Return what this process computes."""
    return trainee.numbers(num_epochs=NUM_EPOCHS)


def test_another_process_computes_the_same_bits(here, tmp_path):
    processes.finish(processes.start(trainee.train, tmp_path / "same.npz", num_epochs=NUM_EPOCHS))
    with np.load(tmp_path / "same.npz") as same:
        assert set(same.files) == set(here)
        for name, value in here.items():
            np.testing.assert_array_equal(same[name], value, err_msg=name)


def test_another_processor_agrees_to_one_in_a_thousand(here, tmp_path):
    """Hold a process to the instructions of an older processor, which XLA asks for when it starts."""
    flags = os.environ.get("XLA_FLAGS", "")
    if platform.machine() in ("x86_64", "AMD64"):
        flags += " --xla_cpu_max_isa=SSE4_2"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "XLA_FLAGS": flags}
    subprocess.run([sys.executable, "-c", CODE, tmp_path / "older.npz"], env=environment, check=True)
    with np.load(tmp_path / "older.npz") as there:
        for name in ("loss", "val_loss", "rate"):
            history = f"history/{name}"
            np.testing.assert_allclose(there[history], here[history], rtol=1e-3, err_msg=name)
