"""Measure the key numbers of a chapter with other seeds, for the table "You should see" at its end.

`python tools/key_numbers.py CHAPTER [SEED ...]` runs the code of a chapter at full scale with each seed, from its first
cell to the one with the tag `key-numbers`, and keeps what that one hands to `beside_other_seeds` in
`vaelib/experiment/other_seeds/`. Seeds that are there already are left out, so it can be stopped and started again.
"""

import argparse
import json
import sys
from pathlib import Path

import matplotlib as mpl
import nbformat
from IPython.core.interactiveshell import InteractiveShell

from vaelib import experiment
from vaelib._files import write_file

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "vaelib/experiment/other_seeds"
SEEDS = (2, 3, 4, 5, 6)
# Leave out pictures that only show, and what asks the reader.
APART = {"remove-cell", "concept", "exercise", "live-film", "live-explorer", "live-draw", "makes-cover"}


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapter", help="its number, such as 13")
    parser.add_argument("seeds", nargs="*", type=int, default=SEEDS, help="2 to 6 if left out")
    arguments = parser.parse_args()
    (path,) = sorted((ROOT / "notebooks").glob(f"{arguments.chapter}_*.ipynb"))
    cells = cells_of(nbformat.read(path, as_version=4))
    mpl.use("agg")
    for seed in arguments.seeds:
        if str(seed) not in kept(FOLDER / path.name[:2]).get("seeds", {}):
            print(f"chapter {arguments.chapter}, seed {seed}", flush=True)
            numbers, settings = measured(cells, seed)
            keep(FOLDER / path.name[:2], seed, numbers, settings)
    return 0


def cells_of(notebook):
    """Return the code that leads to the key numbers, cell by cell, each with its tags."""
    cells = []
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "code" and not tags & APART:
            code = "\n".join(line for line in cell.source.splitlines() if not line.lstrip().startswith("%"))
            cells.append((code, tags))
            if "key-numbers" in tags:
                return cells
    raise ValueError("A chapter with a cell with the tag `key-numbers` is expected.")


def measured(cells, seed):
    """Run the cells with a seed; return the key numbers and their settings."""
    shell, handed = InteractiveShell(), []
    original = experiment.beside_other_seeds
    experiment.beside_other_seeds = lambda chapter, numbers, settings: handed.append((numbers, settings)) or ""
    try:
        for code, tags in cells:
            shell.run_cell(code).raise_error()
            if "parameters" in tags:
                shell.push({"seed": seed})
    finally:
        experiment.beside_other_seeds = original
    ((numbers, settings),) = handed
    return {name: float(f"{value:.7g}") for name, value in numbers.items()}, settings


def kept(stem):
    """Return what is kept of a chapter."""
    path = stem.with_suffix(".json")
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep(stem, seed, numbers, settings):
    """Add the numbers of a seed, all of them or nothing. Those with other settings go."""
    found = kept(stem)
    seeds = found["seeds"] if found.get("settings") == settings else {}
    seeds = dict(sorted({**seeds, str(seed): numbers}.items(), key=lambda item: int(item[0])))
    text = json.dumps({"settings": settings, "seeds": seeds}, ensure_ascii=False, indent=1)
    write_file(stem.with_suffix(".json"), f"{text}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
