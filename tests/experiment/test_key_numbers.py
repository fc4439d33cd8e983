"""A chapter's key numbers are set beside those of other seeds, and a tool measures these."""

import json

import key_numbers as tool
import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from vaelib import experiment
from vaelib.experiment import beside_other_seeds, key_numbers
from vaelib.experiment.expected import prediction_interval

SETTINGS = {"num_epochs": 20, "num_train": 10_000}
VALUES = {"loss, nats": [150.0, 151.0, 149.0, 150.5, 149.5], "width": [0.1, 0.11, 0.12, 0.13, 0.14]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder in which five seeds of a chapter are kept."""
    seeds = {str(i): {name: values[i - 2] for name, values in VALUES.items()} for i in range(2, 7)}
    (tmp_path / "99.json").write_text(json.dumps({"settings": SETTINGS, "seeds": seeds}))
    monkeypatch.setattr(key_numbers, "_FOLDER", tmp_path)
    return tmp_path


def rows_of(table):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("|")]


def test_numbers_stand_beside_the_kept_ones(folder):
    table = beside_other_seeds("99", {"loss, nats": 150.2, "width": 0.9}, SETTINGS)
    low, high = prediction_interval(VALUES["width"], 0.99)
    assert rows_of(table) == [
        ["key numbers", "yours", "5 other seeds", "99 of 100 seeds", "yours is"],
        ["---"] * 5,
        ["loss, nats", "150.20", "150.00 ± 0.79", "from 146.01 to 153.99", "within"],
        ["width", "0.900", "0.120 ± 0.016", f"from {low:.3f} to {high:.3f}", "**off**"],
    ]
    assert table.count("\n1. ") == 1


def test_numbers_that_are_all_within_need_no_causes(folder):
    assert "causes" not in beside_other_seeds("99", {"loss, nats": 150.2}, SETTINGS)


def test_other_settings_are_not_compared(folder):
    said = beside_other_seeds("99", {"loss, nats": 150.2}, {**SETTINGS, "num_epochs": 2})
    assert said == (
        "The book keeps 5 other seeds of this at num_epochs 20, num_train 10,000; "
        "yours is at num_epochs 2, num_train 10,000, so there is nothing to compare it with."
    )


@pytest.mark.parametrize(
    ("chapter", "numbers", "message"),
    [
        ("98", {"loss, nats": 1.0}, r"one with kept numbers, 99, got '98'"),
        ("99", {"lost, nats": 1.0}, r"kept, loss, nats, width, got lost, nats: measure them with `python tools"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(chapter, numbers, message, folder):
    with pytest.raises(ValueError, match=message):
        beside_other_seeds(chapter, numbers, SETTINGS)


CELLS = [
    ("raise SystemExit", ["remove-cell"]),
    ("num_epochs, seed = 3, 1", ["parameters"]),
    ("%config nothing\nimport numpy as np\nfrom vaelib import experiment", []),
    ("raise SystemExit", ["concept"]),
    ("drawn = np.random.default_rng(seed).random()", []),
    ("experiment.beside_other_seeds('99', {'drawn': drawn}, {'num_epochs': num_epochs})", ["key-numbers"]),
    ("raise SystemExit", []),
]


def notebook(cells):
    return new_notebook(cells=[new_code_cell(code, metadata={"tags": tags}) for code, tags in cells])


def test_the_tool_runs_a_chapter_as_far_as_its_key_numbers():
    numbers, settings = tool.measured(tool.cells_of(notebook(CELLS)), seed=7)
    assert numbers["drawn"] == pytest.approx(np.random.default_rng(7).random(), rel=1e-6)
    assert settings == {"num_epochs": 3}
    assert experiment.beside_other_seeds is beside_other_seeds


def test_a_chapter_without_key_numbers_is_refused():
    with pytest.raises(ValueError, match="tag `key-numbers`"):
        tool.cells_of(notebook(CELLS[:-2]))


def test_the_tool_adds_seeds_and_lets_go_what_had_other_settings(tmp_path):
    for seed, settings in ((12, {"n": 1}), (3, {"n": 2}), (10, {"n": 2}), (4, {"n": 2})):
        tool.keep(tmp_path / "99", seed, {"loss": float(seed)}, settings)
    assert tool.kept(tmp_path / "99") == {
        "settings": {"n": 2},
        "seeds": {str(i): {"loss": float(i)} for i in (3, 4, 10)},
    }
    assert list(tool.kept(tmp_path / "99")["seeds"]) == ["3", "4", "10"]


CHAPTERS = sorted(path.stem for path in tool.FOLDER.glob("*.json"))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_shows_the_table_of_what_is_kept(chapter):
    (path,) = (tool.ROOT / "notebooks").glob(f"{chapter}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    (cell,) = (cell for cell in cells if "key-numbers" in cell.metadata.get("tags", []))
    (shown,) = (output.data["text/markdown"] for output in cell.outputs if "data" in output)
    rows, found = rows_of(shown)[2:], tool.kept(tool.FOLDER / chapter)
    yours = {name: float(value) for name, value, *_ in rows}
    assert rows_of(beside_other_seeds(chapter, yours, found["settings"]))[2:] == rows
    assert yours.keys() == next(iter(found["seeds"].values())).keys()
    assert len(found["seeds"]) >= 5
    assert "1" not in found["seeds"]


def test_each_chapter_that_shows_key_numbers_has_kept_some():
    shown = [path for path in (tool.ROOT / "notebooks").glob("*.ipynb") if '"key-numbers"' in path.read_text()]
    assert sorted(path.name[:2] for path in shown) == CHAPTERS
