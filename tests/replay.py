"""A chapter's cells once more, those that lead to its claims: they load runs and need no images."""

import contextlib
import io
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent


def claims_of(chapter):
    """The cells of a chapter, by its file name, that are tagged `parameters` or `claims`."""
    found = nbformat.read(ROOT / "notebooks" / chapter, as_version=4).cells
    return [cell for cell in found if {"parameters", "claims"} & set(cell.metadata.get("tags", []))]


def replay(cells):
    """What cells define, and what each prints, when runs/ has all that they ask for."""
    names: dict = {}
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAELIB_RUNS", str(ROOT / "runs"))
        for module in ("runs", "evaluations"):
            missing = "what this chapter loads is not in runs/"
            patch.setattr(f"vaelib.{module}.load_mnist", lambda missing=missing: pytest.fail(missing))
        for cell in cells:
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(cell.source, names)  # noqa: S102
            printed.append(output.getvalue())
    return names, printed
