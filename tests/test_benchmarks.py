"""The book's page about speed shows what was measured, and the race runs: one turn each, on few images."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def modules(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import report
    import speed

    yield speed, report
    for name in ("report", "speed"):
        del sys.modules[name]


def test_the_table_of_the_book_is_the_last_race(modules):
    _, report = modules
    race = json.loads((ROOT / "benchmarks/speed.json").read_text())
    assert (ROOT / "book/speed_table.txt").read_text() == report.table(race)


def test_every_contender_is_a_script(modules):
    speed, _ = modules
    for name in speed.CONTENDERS:
        assert (ROOT / f"benchmarks/contenders/{name}.py").is_file()


def test_contenders_of_this_environment_run_and_learn(modules, capsys):
    speed, _ = modules
    names = [name for name in speed.CONTENDERS if name not in speed.NEED_PEERS]
    x = np.random.default_rng(0).random((640, 28, 28, 1), "float32")
    results = speed.race(names, x, batch_size=64, hidden_dim=8, rounds=1)
    assert list(results) == names, capsys.readouterr().out
    for name in names:
        assert len(results[name]["seconds"]) == 1
        if name != "sgemm_numpy":
            first, last = results[name]["losses"]
            assert last < first
    text = list(speed.table(results))
    assert len(text) == len(names) + 1
