"""The house: imports go one way, files are small, and the table in the book says what is there."""

import ast
import re
from pathlib import Path

import pytest

import vaelib

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "vaelib").glob("*.py"))
# What each module may import from the library; `__init__` may import all.
MAY_IMPORT = {
    "_backend": set(),
    "data": set(),
    "display": set(),
    "geometry": {"quadrature"},
    "information": set(),
    "initial": {"data"},
    "layers": set(),
    "losses": set(),
    "planes": set(),
    "plots": set(),
    "schedules": set(),
    "progress": set(),
    "quadrature": set(),
    "lattice": set(),
    "likelihood": {"progress", "data", "lattice", "quadrature"},
    "inference": {"progress", "data", "lattice", "losses", "quadrature"},
    "linear": {"layers", "models"},
    "models": {"layers", "losses", "schedules"},
    "checkpoints": set(),
    "loops": set(),
    "runstate": {"checkpoints", "loops"},
    "training": {"progress", "data", "loops", "runstate", "schedules"},
    "metrics": set(),
    "specs": {"models", "schedules"},
    "results": {"checkpoints", "runstate", "specs"},
    "logs": set(),
    "statistics": {"metrics"},
    "verdicts": set(),
    "collapse": {"verdicts"},
    "claims": {"losses", "statistics", "verdicts"},
    "theory": {"data"},
    "live": {"layers", "metrics"},
    "widgets": {"live"},
    "evaluations": {"checkpoints", "data", "inference", "likelihood", "results", "runs", "specs"},
    "sweeps": {"progress", "checkpoints", "results", "runs"},
    "runs": {"progress", "data", "initial", "metrics", "plots", "results", "training"},
}
# Heavy or special packages, and the only modules that may import them.
ONLY = {
    "matplotlib": {"planes", "plots"},
    "anywidget": {"widgets"},
    "distributed": {"sweeps"},
    "IPython": {"display"},
    "tensorflow": {"geometry", "inference", "loops", "training", "runs", "sweeps", "_backend"},
}


def _tree(file):
    return ast.parse(file.read_text())


def _imports(file):
    """(package or module, whether it is the library's own) for every import, those inside of functions too."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], alias.name.split(".")[0] == "vaelib"
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                yield node.module.split(".")[0], node.module.split(".")[0] == "vaelib"
            else:
                for name in [node.module] if node.module else [alias.name for alias in node.names]:
                    yield name.split(".")[0], True


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_imports_go_one_way(file):
    own = {name for name, is_own in _imports(file) if is_own}
    allowed = set(MAY_IMPORT) if file.stem == "__init__" else MAY_IMPORT[file.stem]
    assert own <= allowed, f"{file.stem} imports {own - allowed}"
    for package, modules in ONLY.items():
        assert package not in {name for name, _ in _imports(file)} or file.stem in modules


def test_the_table_in_the_book_names_every_module_and_every_public_name():
    rows = re.findall(r"^\| `(\w+)\.py` \|.*\| (.*) \|$", (ROOT / "book/library.md").read_text(), re.MULTILINE)
    assert {module for module, _ in rows} == set(MAY_IMPORT) - {"_backend"}
    for module, names in rows:
        listed = re.findall(r"`(\w+)`", names)
        defined = {node.name for node in _tree(ROOT / f"vaelib/{module}.py").body if hasattr(node, "name")}
        assert set(listed) <= defined, f"{module}.py does not define {set(listed) - defined}"
    assert sorted(re.findall(r"`(\w+)`", " ".join(names for _, names in rows))) == sorted(vaelib.__all__)


def test_the_reference_documents_every_public_name_once():
    documented = re.findall(r"auto(?:class|function):: vaelib\.(\w+)", (ROOT / "book/library.md").read_text())
    assert sorted(documented) == sorted(vaelib.__all__)


@pytest.mark.parametrize("name", vaelib.__all__)
def test_public_names_say_what_they_do(name):
    assert vaelib.__dict__[name].__doc__.splitlines()[0].endswith((".", ":"))


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_files_are_small_and_do_not_check_with_assert(file):
    assert len(file.read_text().splitlines()) <= 250
    # `python -O` drops them.
    assert not [node.lineno for node in ast.walk(_tree(file)) if isinstance(node, ast.Assert)]
