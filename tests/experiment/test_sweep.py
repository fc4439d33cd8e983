"""Sweep on real Dask workers: the bits are those of the runs one by one, whoever dies on the way."""

import contextlib
import dataclasses
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import warnings

import distributed
import pytest
from dask_workers import quick_workers
from holding import hold_up, is_held, let_go, wait_for
from race_for_a_run import start, trainers
from racers import Race, ask_all, with_one_thread
from small_runs import assert_same_run

import vaelib
from vaelib.experiment.store import files_of, load_weights

sweep = importlib.import_module("vaelib.experiment.sweep")
# Take one latent dimension: then there is no grid of generated digits to measure.
SPEC = vaelib.RunSpec(beta=0.784, latent_dim=1, hidden_dim=8, num_epochs=2, num_train=1280, num_test=100)
SPECS = [SPEC, dataclasses.replace(SPEC, seed=2)]
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    """Return the folder of the same runs, trained one after another in a process with one thread."""
    folder = tmp_path_factory.mktemp("one_by_one")
    with quick_workers():
        asked = [(vaelib.train_or_load, spec, folder) for spec in SPECS]
        process = start(folder / "log", with_one_thread, ask_all, asked)
    process.join()
    assert process.exitcode == 0, (folder / "log").read_text()
    return folder


@pytest.fixture(scope="module")
def client():
    """Return a client of two workers of one thread each."""
    with quick_workers(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "usable_cores", lambda: 2)
        with sweep._connected(None, num_threads=1, num_runs=2) as client:
            yield client


def start_and_hold(client, address, specs, folder, place):
    """Start a sweep in a thread, and come back when a worker is held in the first run, after its first checkpoint.

    Return a function that waits for the end of the sweep, and the worker's address.
    """
    client.run(hold_up, "training", place, specs[0].name)
    thread = threading.Thread(target=vaelib.sweep, args=(specs, address, folder), kwargs={"verbose": False})
    thread.start()
    wait_for(lambda: is_held(place), thread.is_alive)
    (busy,) = [worker for worker, keys in client.processing().items() if specs[0].name in keys]
    return thread.join, busy


@slow
def test_a_sweep_leaves_what_its_runs_leave_one_by_one(client, one_by_one, tmp_path):
    """Also while another process, of as many threads, asks for one of them: it waits for the worker."""
    race, folder = Race(tmp_path / "race"), tmp_path / "runs"
    join, _ = start_and_hold(client, client, SPECS, folder, race.folder)
    race.follow(with_one_thread, vaelib.train_or_load, SPEC, folder)
    let_go(race.folder)
    join()
    assert race.end() == [0]
    assert "Traceback" not in race.said(0)
    assert [len(trainers(spec, folder)) for spec in SPECS] == [1, 1]
    assert [path.suffix for path in folder.iterdir() if path.is_file()] == [".npz"] * 4
    for spec in SPECS:
        assert_same_run(spec, folder, one_by_one)
    found = vaelib.sweep([*SPECS, SPEC], client, folder)
    assert [result.spec for result in found] == [*SPECS, SPEC]


@slow
def test_a_worker_killed_in_a_run_loses_nothing(client, one_by_one, tmp_path):
    """Go on in another worker, or in the process of as many threads that waits beside."""
    race, folder = Race(tmp_path / "race"), tmp_path / "runs"
    join, busy = start_and_hold(client, client, [SPEC], folder, race.folder)
    race.follow(with_one_thread, vaelib.train_or_load, SPEC, folder)
    pid = client.run(os.getpid, workers=[busy])[busy]
    os.kill(pid, signal.SIGKILL)
    join()
    assert race.end() == [0]
    assert pid not in client.run(os.getpid).values()
    first, *others = trainers(SPEC, folder)
    assert (first, len(others)) == (pid, 1)
    assert_same_run(SPEC, folder, one_by_one)


@contextlib.contextmanager
def dask(*arguments):
    """Run a command of Dask and all that it starts, killed at the end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-m", "dask", *arguments], start_new_session=True, env=environment)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@slow
def test_a_machine_lost_by_a_cluster_loses_nothing(one_by_one, tmp_path):
    """Use the commands of the page "Sweep on a cluster"; a machine is a worker and the nanny that would restart it."""
    file, folder, place = tmp_path / "scheduler.json", tmp_path / "runs", tmp_path / "place"
    place.mkdir()
    with contextlib.ExitStack() as stack:
        scheduler = stack.enter_context(
            dask("scheduler", "--port=0", "--dashboard-address=:0", f"--scheduler-file={file}")
        )
        wait_for(lambda: file.exists() and file.read_text(), lambda: scheduler.poll() is None)
        address = json.loads(file.read_text())["address"]
        machines = {
            name: stack.enter_context(dask("worker", address, "--nthreads=1", "--nworkers=1", f"--name={name}"))
            for name in ("one", "two")
        }
        client = stack.enter_context(distributed.Client(address))
        client.wait_for_workers(2)
        names = {worker: about["name"] for worker, about in client.scheduler_info()["workers"].items()}
        join, busy = start_and_hold(client, address, [SPEC], folder, place)
        os.killpg(machines[names[busy]].pid, signal.SIGKILL)
        join()
        assert names.keys() - client.scheduler_info()["workers"].keys() == {busy}
    assert len(trainers(SPEC, folder)) == 2
    assert_same_run(SPEC, folder, one_by_one)


@slow
@pytest.mark.parametrize(
    ("cores", "num_threads", "num_runs", "num_workers"), [(2, 1, 1, 1), (2, 2, 9, 1), (3, 1, 9, 3)]
)
@pytest.mark.usefixtures("client")
def test_there_are_as_many_workers_as_cores_and_runs(cores, num_threads, num_runs, num_workers, monkeypatch):
    monkeypatch.setattr(sweep, "usable_cores", lambda: cores)
    # Let nobody warn that the port is taken: another cluster runs.
    with (
        warnings.catch_warnings(action="error"),
        quick_workers(),
        sweep._connected(None, num_threads, num_runs) as client,
    ):
        assert list(client.nthreads().values()) == [1] * num_workers


@slow
def test_what_is_there_is_loaded_without_a_worker(one_by_one, monkeypatch):
    monkeypatch.setattr(distributed, "Client", None)
    found = vaelib.sweep(SPECS, "tcp://127.0.0.1:1", one_by_one)
    assert [result.spec for result in found] == SPECS


@slow
def test_results_from_a_disk_of_its_own_are_brought_back(one_by_one, tmp_path):
    files = {file.name: file.read_bytes() for file in files_of(SPEC, one_by_one)}
    sweep._keep(files, SPEC, tmp_path)
    assert_same_run(SPEC, tmp_path, one_by_one)
    assert load_weights(SPEC, tmp_path) is not None


@slow
def test_a_run_that_fails_is_named_after_the_others_finished(client, tmp_path):
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
