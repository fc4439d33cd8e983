"""Let real processes ask for the same at once: one does the work, and if it is killed, another goes on."""

import signal

import numpy as np
import pytest
import race_for_a_run
from race_for_a_run import check, have_same_bits, play, start, trainers
from racers import Race, ask_all, preload, without_xla

import vaelib
from vaelib._files import read_npz
from vaelib.experiment.store import files_of

# Take one latent dimension: then there is no grid of generated digits to measure.
SPEC = vaelib.RunSpec(beta=0.784, latent_dim=1, hidden_dim=8, num_epochs=3, num_train=1280, num_test=100)
TRAINS, MEASURES = (f"Waiting: another process {does} {SPEC.name}." for does in ("trains", "measures"))
EVALUATIONS = {
    "elbo-20": (vaelib.elbo_of_run, SPEC, 20, 1.0, False),
    "importance-num_samples-3-20": (vaelib.log_likelihood_of_run, SPEC, 20, 1.0, 3),
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return the folder of a run that nobody disturbed, with its evaluations."""
    preload()
    folder = tmp_path_factory.mktemp("undisturbed")
    asked = [(vaelib.train_or_load, SPEC, folder), *((*evaluation, folder) for evaluation in EVALUATIONS.values())]
    process = start(folder / "log", without_xla, ask_all, asked)
    process.join()
    assert process.exitcode == 0, (folder / "log").read_text()
    return folder


def assert_no_traceback(race):
    assert ["Traceback" in race.said(number) for number in range(len(race.processes))] == [False] * len(race.processes)


def assert_one_run(folder, expected):
    assert [run.spec for run in vaelib.list_runs(folder)] == [SPEC]
    assert have_same_bits(SPEC, folder, expected)
    assert not (folder / "unfinished" / SPEC.name).exists()


def test_the_others_wait_and_read_the_result(expected, tmp_path):
    race, folder = Race(tmp_path / "race"), tmp_path / "runs"
    race.hold("training", without_xla, vaelib.train_or_load, SPEC, folder)
    race.follow(without_xla, vaelib.train_or_load, SPEC, folder)
    race.follow(without_xla, vaelib.trained_model, SPEC, folder)
    race.follow(vaelib.elbo_of_run, SPEC, 20, 1.0, False, folder)
    assert race.go() == [0, 0, 0, 0]
    assert trainers(SPEC, folder) == [race.processes[0].pid]
    assert [race.said(number).count(TRAINS) for number in range(4)] == [0, 1, 1, 1]
    assert_one_run(folder, expected)
    assert_no_traceback(race)


def test_if_the_first_is_killed_another_goes_on(expected, tmp_path):
    race, folder = Race(tmp_path / "race"), tmp_path / "runs"
    race.hold("training", without_xla, vaelib.trained_model, SPEC, folder)
    race.follow(without_xla, vaelib.trained_model, SPEC, folder)
    race.follow(without_xla, vaelib.train_or_load, SPEC, folder)
    assert race.kill() == [-signal.SIGKILL, 0, 0]
    first, *others = trainers(SPEC, folder)
    assert first == race.processes[0].pid
    assert len(others) == 1
    assert [race.said(number).count(TRAINS) for number in range(3)] == [0, 1, 1]
    assert_one_run(folder, expected)
    assert_no_traceback(race)


@pytest.mark.parametrize("name", EVALUATIONS)
@pytest.mark.parametrize("end", ["go", "kill"])
def test_an_evaluation_is_made_by_one_process(name, end, expected, tmp_path):
    race, folder = Race(tmp_path / "race"), tmp_path / "runs"
    folder.mkdir()
    for file in files_of(SPEC, expected):
        (folder / file.name).write_bytes(file.read_bytes())
    race.hold("measuring", *EVALUATIONS[name], folder)
    race.follow(*EVALUATIONS[name], folder)
    assert getattr(race, end)() == [0 if end == "go" else -signal.SIGKILL, 0]
    assert race.said(1).count(MEASURES) == 1
    assert_no_traceback(race)
    file = f"{SPEC.name}.{name}.npz"
    assert [file.name for file in folder.glob("*-20.npz")] == [file]
    ours, theirs = (read_npz(place / file)[0]["values"] for place in (folder, expected))
    np.testing.assert_array_equal(ours, theirs)


def test_a_round_of_the_race_of_the_benchmarks_goes_well(expected, tmp_path, monkeypatch):
    monkeypatch.setattr(race_for_a_run, "ASK", (without_xla, vaelib.train_or_load))
    row, went_well = play(SPEC, tmp_path, expected, np.random.default_rng(1), seconds=1.0, with_kill=True)
    assert went_well, row
    assert row["killed"]


def test_a_round_that_goes_wrong_is_noticed(expected, tmp_path):
    """With another result than the expected, or none."""
    other = tmp_path / "other" / "runs"
    other.mkdir(parents=True)
    row = {"tracebacks": 0}
    assert not check(row, SPEC, other.parent, expected, [], None)
    assert (row["results"], row["bits"]) == (0, "WRONG")
    for file in files_of(SPEC, expected):
        (other / file.name).write_bytes(file.read_bytes())
    assert check(row, SPEC, other.parent, expected, [], None)
    assert not check(row | {"tracebacks": 1}, SPEC, other.parent, expected, [], None)
