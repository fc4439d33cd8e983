"""A sweep on real Dask workers ends with the same bits as its runs one by one, whoever dies on the way."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time

import distributed
import numpy as np
import pytest

import vaelib
from vaelib.results import files_of

SPEC = vaelib.RunSpec(beta=0.784, hidden_dim=8, num_epochs=2, num_train=1280, num_test=100)
SPECS = [dataclasses.replace(SPEC, seed=seed) for seed in (1, 2)]
# Long enough to be killed in.
LONG = dataclasses.replace(SPEC, num_epochs=400)
ONE_BY_ONE = """
import sys, tensorflow
tensorflow.config.threading.set_intra_op_parallelism_threads(1)
import vaelib, test_sweeps
for spec in (*test_sweeps.SPECS, test_sweeps.LONG):
    vaelib.train_or_load(spec, sys.argv[1], verbose=False)
"""


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    """The folder of the same runs, trained one after another in a process with one thread."""
    folder = tmp_path_factory.mktemp("one_by_one")
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    subprocess.run([sys.executable, "-c", ONE_BY_ONE, folder], env=environment, check=True)
    return folder


@pytest.fixture(scope="module")
def client():
    """Two workers of one thread each."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def assert_same_bits(specs, ours, theirs):
    for spec in specs:
        a, b = (np.load(files_of(spec, folder)[0]) for folder in (ours, theirs))
        for name in a.files:
            np.testing.assert_array_equal(a[name], b[name])
        first, second = (vaelib.load_run(spec, folder) for folder in (ours, theirs))
        assert {**first.history, "seconds": None} == {**second.history, "seconds": None}


def test_a_sweep_leaves_what_its_runs_leave_one_by_one(client, one_by_one, tmp_path):
    found = vaelib.sweep([*SPECS, SPECS[0]], client, tmp_path, verbose=False)
    assert [result.spec for result in found] == [*SPECS, SPECS[0]]
    assert {path.suffix for path in tmp_path.iterdir() if path.is_file()} == {".npz"}
    assert_same_bits(SPECS, tmp_path, one_by_one)


def start_long(client, folder):
    """(thread, address): a sweep of LONG under way, and the worker that has left a checkpoint of it."""
    sweep = threading.Thread(target=vaelib.sweep, args=([LONG], client, folder), kwargs={"verbose": False})
    sweep.start()
    unfinished = folder / "unfinished" / LONG.name
    while not list(unfinished.glob("step-*.npz")):
        assert sweep.is_alive(), "the run ended before it could be killed"
        time.sleep(0.05)
    (busy,) = [worker for worker, keys in client.processing().items() if LONG.name in keys]
    return sweep, busy


def test_a_worker_killed_in_a_run_loses_nothing(client, one_by_one, tmp_path):
    sweep, busy = start_long(client, tmp_path)
    pid = client.run(os.getpid, workers=[busy])[busy]
    os.kill(pid, signal.SIGKILL)
    sweep.join(timeout=120)
    assert pid not in client.run(os.getpid).values()
    assert_same_bits([LONG], tmp_path, one_by_one)


@contextlib.contextmanager
def dask(*arguments):
    """A command of Dask and all that it starts, killed at the end."""
    process = subprocess.Popen([sys.executable, "-m", "dask", *arguments], start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_machine_lost_by_a_cluster_of_the_command_line_loses_nothing(one_by_one, tmp_path):
    """The commands of the page "Sweep on a cluster"; a machine is a worker with its nanny, which would restart it."""
    file, folder = tmp_path / "scheduler.json", tmp_path / "runs"
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask("scheduler", "--port=0", "--dashboard-address=:0", f"--scheduler-file={file}"))
        while not (file.exists() and file.read_text()):
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        machines = {
            name: stack.enter_context(dask("worker", address, "--nthreads=1", "--nworkers=1", f"--name={name}"))
            for name in ("one", "two")
        }
        client = stack.enter_context(distributed.Client(address))
        client.wait_for_workers(2)
        names = {worker: about["name"] for worker, about in client.scheduler_info()["workers"].items()}
        sweep, busy = start_long(client, folder)
        os.killpg(machines[names[busy]].pid, signal.SIGKILL)
        sweep.join(timeout=300)
        assert names.keys() - client.scheduler_info()["workers"].keys() == {busy}
        assert vaelib.sweep([LONG, SPEC], address, folder, verbose=False)[1].spec == SPEC
    assert_same_bits([LONG, SPEC], folder, one_by_one)


@pytest.mark.parametrize(
    ("cores", "num_threads", "num_runs", "num_workers"), [(2, 1, 1, 1), (2, 2, 9, 1), (3, 1, 9, 3)]
)
def test_there_are_as_many_workers_as_cores_allow_and_runs_need(cores, num_threads, num_runs, num_workers, monkeypatch):
    monkeypatch.setattr(vaelib.sweeps, "usable_cores", lambda: cores)
    with vaelib.sweeps._connected(None, num_threads, num_runs) as client:
        assert list(client.nthreads().values()) == [1] * num_workers


def test_what_is_there_is_loaded_without_a_worker(one_by_one, monkeypatch):
    monkeypatch.setattr(distributed, "Client", None)
    found = vaelib.sweep(SPECS, "tcp://127.0.0.1:1", one_by_one)
    assert [result.spec for result in found] == SPECS


def test_results_from_a_machine_with_a_disk_of_its_own_are_brought_back(one_by_one, tmp_path):
    files = {file.name: file.read_bytes() for file in files_of(SPEC, one_by_one)}
    vaelib.sweeps._keep(files, SPEC, tmp_path)
    assert_same_bits([SPEC], tmp_path, one_by_one)
    assert vaelib.results.load_weights(SPEC, tmp_path) is not None


def test_a_run_that_fails_is_named_after_the_others_have_finished(client, tmp_path):
    too_fast = dataclasses.replace(SPEC, learning_rate=1e3, num_epochs=1)
    with pytest.raises(ExceptionGroup, match="1 of 2 runs failed") as caught:
        vaelib.sweep([too_fast, SPEC], client, tmp_path, verbose=False)
    (error,) = caught.value.exceptions
    assert isinstance(error, FloatingPointError)
    assert error.__notes__ == [f"in the run {too_fast.name}"]
    assert vaelib.load_run(SPEC, tmp_path) is not None


@pytest.mark.parametrize(
    ("specs", "arguments", "message"),
    [([], {}, "at least one RunSpec"), ([SPEC], {"num_threads": 0}, "num_threads must be at least 1")],
)
def test_bad_input_is_refused(specs, arguments, message):
    with pytest.raises(ValueError, match=message):
        vaelib.sweep(specs, **arguments)


def test_without_dask_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"vaelib\[sweep\]"):
        vaelib.sweep([SPEC], folder=tmp_path)
