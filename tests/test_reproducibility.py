"""A seed gives the same bits in every process of a machine, and nearly the same numbers on another."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

CODE = "import sys, trainee; trainee.train(*sys.argv[1:])"


def _start(folder, name, **environment):
    arguments = [sys.executable, "-c", CODE, folder / name, folder / f"{name}.npz"]
    tests = str(Path(__file__).parent)
    path = os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        arguments, env=os.environ | {"PYTHONPATH": path, **environment}, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """What three processes computed: two alike, and one held to the instructions of an older processor."""
    folder = tmp_path_factory.mktemp("processes")
    older = {"XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"} if platform.machine() in ("x86_64", "AMD64") else {}
    processes = [_start(folder, "one"), _start(folder, "same"), _start(folder, "older", **older)]
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors[-3000:]
    loaded = {}
    for name in ("one", "same", "older"):
        with np.load(folder / f"{name}.npz") as archive:
            loaded[name] = dict(archive)
    return loaded


def test_two_processes_compute_the_same_bits(numbers):
    assert numbers["one"].keys() == numbers["same"].keys()
    for name, value in numbers["one"].items():
        np.testing.assert_array_equal(numbers["same"][name], value, err_msg=name)


def test_another_processor_agrees_to_one_in_a_thousand(numbers):
    for name in ("loss", "val_loss", "rate"):
        history = f"history/{name}"
        np.testing.assert_allclose(numbers["older"][history], numbers["one"][history], rtol=1e-3, err_msg=name)
