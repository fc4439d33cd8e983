"""Get the same bits from a seed in every process of a machine, and nearly the same numbers on another."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import trainee

pytestmark = pytest.mark.slow

NUM_EPOCHS = 5
CODE = f"import sys, trainee; trainee.train(sys.argv[1], num_epochs={NUM_EPOCHS})"


@pytest.fixture(scope="module")
def here():
    """Return what this process computes."""
    return trainee.numbers(num_epochs=NUM_EPOCHS)


def elsewhere(file, **variables):
    """Return what a process computes that takes no compiled program from another one."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TF_XLA_FLAGS": ""} | variables
    subprocess.run([sys.executable, "-c", CODE, file], env=environment, check=True)
    with np.load(file) as numbers:
        return dict(numbers)


def test_another_process_computes_the_same_bits(here, tmp_path):
    there = elsewhere(tmp_path / "same.npz")
    assert set(there) == set(here)
    for name, value in here.items():
        np.testing.assert_array_equal(there[name], value, err_msg=name)


@pytest.mark.skipif(
    tf.__version__.startswith("2.18."), reason="needs XLA's flag xla_cpu_max_isa: install TensorFlow 2.19 or newer"
)
def test_another_processor_agrees_to_one_in_a_thousand(here, tmp_path):
    """Hold a process to the instructions of an older processor, which XLA asks for when it starts."""
    flags = os.environ.get("XLA_FLAGS", "")
    if platform.machine() in ("x86_64", "AMD64"):
        flags += " --xla_cpu_max_isa=SSE4_2"
    there = elsewhere(tmp_path / "older.npz", XLA_FLAGS=flags)
    for name in ("loss", "val_loss", "rate"):
        history = f"history/{name}"
        np.testing.assert_allclose(there[history], here[history], rtol=1e-3, err_msg=name)
