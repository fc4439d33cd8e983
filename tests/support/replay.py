"""Run a chapter's cells once more, those that lead to its claims: they load runs and need no images."""

import contextlib
import io
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]


def claims_of(chapter):
    """Return the cells of a chapter, by its file name, that are tagged `parameters` or `claims`."""
    found = nbformat.read(ROOT / "notebooks" / chapter, as_version=4).cells
    return [cell for cell in found if {"parameters", "claims"} & set(cell.metadata.get("tags", []))]


def replay(cells):
    """Return what cells define, and what each prints; fail if runs/ lacks something that they ask for."""
    names: dict = {}
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAELIB_RUNS", str(ROOT / "runs"))
        for module in ("runs", "evaluations"):
            patch.setattr(f"vaelib.experiment.{module}.mnist", _is_missing)
        for cell in cells:
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(cell.source, names)  # noqa: S102
            printed.append(output.getvalue())
    return names, printed


def _is_missing():
    pytest.fail("what this chapter loads is not in runs/")
