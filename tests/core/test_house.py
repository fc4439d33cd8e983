"""Keep the house in order: imports go one way, files are small, docstrings begin with a verb."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vaelib

LIBRARY = Path(vaelib.__file__).parent
FILES = sorted(LIBRARY.rglob("*.py"))
# Let a file import from the library, by its room, besides files whose name begins with "_".
MAY_IMPORT = {
    "core": {"core"},
    "plots": {"plots"},
    "training": {"core", "training"},
    "analysis": {"core", "analysis"},
    "experiment": {"core", "training", "analysis", "experiment"},
    "live": {"core", "analysis", "live"},
    "exercises": {"core", "experiment", "live", "exercises"},
    "everyone's": set(),
}
# List heavy packages, and the only rooms or files that may import them.
ONLY = {"matplotlib": {"plots"}, "anywidget": {"live"}, "distributed": {"experiment"}, "IPython": {"source"}}
NO_VERBS = {
    *("a", "an", "the", "this", "that", "it", "its", "of"),
    *("what", "where", "whether", "how", "those", "these", "which", "who", "why", "when"),
}
MAX_LINES, MAX_NAMES = 350, 65


def room_of(path):
    """Return the room of a file, by its path inside the library: a folder, the core, or everyone's."""
    first, *rest = path.parts
    if rest:
        return first
    if first == "__init__.py":
        return "the door"
    return "everyone's" if first.startswith("_") else "core"


def imports_of(path, source):
    """Yield the path inside the library, or the package, of every import of a file, those inside of functions too."""
    folder = path.parent.parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _absolute(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from _absolute(node.module.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1]
            names = [node.module.split(".")] if node.module else [[alias.name] for alias in node.names]
            for name in names:
                yield "own", _file(*base, *name)


def _absolute(parts):
    if parts[0] == "vaelib":
        yield "own", _file(*parts[1:])
    else:
        yield "package", parts[0]


def _file(*parts):
    """Return the path inside the library of a module, or of the door of a folder that offers such a name."""
    path = Path(*parts)
    if (LIBRARY / path).is_dir():
        return path / "__init__.py"
    module = path.with_suffix(".py")
    return module if (LIBRARY / module).is_file() else path.parent / "__init__.py"


def _serves_everyone(path):
    return path.name.startswith("_") and path.name != "__init__.py"


def complaints(path, source):
    """Return what a file imports against the rule."""
    room, found = room_of(path), []
    if room == "the door":
        return found
    for kind, target in imports_of(path, source):
        if kind == "package":
            if target in ONLY and not ONLY[target] & {room, path.stem}:
                found.append(f"{path} imports {target}")
        elif kind == "own" and not _serves_everyone(target) and room_of(target) not in MAY_IMPORT[room]:
            found.append(f"{path} ({room}) imports {target} ({room_of(target)})")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(LIBRARY)))
def test_imports_go_one_way(file):
    assert complaints(file.relative_to(LIBRARY), file.read_text()) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("losses.py", "from .training import fit"),
        ("data.py", "from .experiment.spec import RunSpec"),
        ("models.py", "import vaelib.analysis"),
        ("models.py", "from vaelib import fit"),
        ("models.py", "from . import fit"),
        ("analysis/grids.py", "from .. import fit"),
        ("training/loop.py", "from vaelib.experiment import sweep"),
        ("layers.py", "def late():\n    import matplotlib.pyplot"),
        ("training/fit.py", "from ..analysis import elbo"),
        ("analysis/grids.py", "from ..training.loop import Carry"),
        ("analysis/grids.py", "from ..live import data"),
        ("live/data.py", "from ..experiment import RunSpec"),
        ("live/data.py", "from ..training import fit"),
        ("live/data.py", "from ..exercises import ask"),
        ("exercises/tasks.py", "from ..training import fit"),
        ("experiment/runs.py", "from ..live.widgets import posterior_film"),
        ("experiment/runs.py", "import anywidget"),
        ("_files.py", "from .data import load_mnist"),
    ],
)
def test_a_file_in_the_wrong_room_is_noticed(path, source):
    assert len(complaints(Path(path), source)) == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(LIBRARY)))
def test_files_are_small_and_check_without_assert(file):
    assert len(file.read_text().splitlines()) <= MAX_LINES
    # Leave no assert: `python -O` drops them.
    tree = ast.parse(file.read_text())
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(LIBRARY)))
def test_docstrings_begin_with_a_verb(file):
    wrong = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node) or ""
            # Properties are read like nouns.
            nouns = [ast.unparse(decorator) for decorator in getattr(node, "decorator_list", [])] == ["property"]
            if text and not nouns and re.match(r"[\w-]+", text)[0].lower() in NO_VERBS:
                wrong.append(text.splitlines()[0])
            if text and not text.splitlines()[0].endswith((".", ":")):
                wrong.append(text.splitlines()[0])
    assert wrong == []


def test_the_surface_is_small_unique_and_there():
    assert len(vaelib.__all__) == len(set(vaelib.__all__)) <= MAX_NAMES
    for name in vaelib.__all__:
        assert inspect.getdoc(getattr(vaelib, name))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(LIBRARY)))
def test_every_module_says_what_it_offers(file):
    if file.name == "_backend.py":
        return
    parts = file.relative_to(LIBRARY.parent).with_suffix("").parts
    module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
    assert module.__all__
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.slow
def test_importing_computes_nothing():
    """Start no TensorFlow runtime at import: a process forked after that hangs, and memory of a GPU would be taken."""
    program = "import vaelib; from tensorflow.python.eager import context; print(context.context()._initialized)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]


def code_of(source):
    """Yield the statements of a program, one a line, without comments and sentences."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.isidentifier():
            node.value = ""
    yield from ast.unparse(tree).splitlines()


@pytest.mark.parametrize(
    ("formula", "where"),
    [
        (r"expm1\(|- 1\b.*log\(|log\(.*- 1\b", "losses.py"),
        (
            r"distortion\W* [+-] (\w+ \* )?\S{0,9}rate|add\(.*distortion.*rate|beta \* (rate|gaussian_kl)",
            "losses.py",
        ),
        (r"exp\(0\.5 \* |exp\(\w*log_var\w* / 2", "losses.py"),
        (r"exp\(.*log\(.*mean\(|gmean", "models.py"),
    ],
    ids=["KL", "-ELBO", "standard deviation", "width"],
)
def test_each_formula_is_written_once(formula, where):
    places = [
        str(file.relative_to(LIBRARY))
        for file in FILES
        for line in code_of(file.read_text())
        if re.search(formula, line)
    ]
    assert places == [where]
