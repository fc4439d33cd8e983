"""A wheel holds what the library needs once it is installed: every module, the JavaScript, the trained runs."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import address
import pytest

ROOT = Path(__file__).parents[2]
ASK = """
import vaelib
from vaelib.experiment.store import load_weights
spec = vaelib.RunSpec.from_kl_wt(1e-3)
print(vaelib.__file__)
print(vaelib.load_run(spec).spec == spec, load_weights(spec) is not None, len(vaelib.list_runs()))
print(len(vaelib.live.data.script("page")), len(vaelib.live.data.style()))
"""

pytestmark = pytest.mark.slow


def _belongs(path):
    return path.suffix == ".py" or path.parent.name == "web" or path.suffix == ".json" or path.name == "py.typed"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder with what a wheel of this working tree installs."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    shutil.copytree(ROOT / "vaelib", tree / "vaelib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "runs", tree / "runs", ignore=shutil.ignore_patterns("unfinished", "logs"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    command = [sys.executable, "-m", "pip", "wheel", "-v", "--no-deps", "--no-build-isolation", "-w", folder, tree]
    # Where Python may not keep what it compiles, setuptools says so.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    built = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    (folder / "log").write_text(built.stdout + built.stderr)
    (wheel,) = folder.glob("vaelib-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "site")
    return folder / "site"


def test_it_holds_every_file_of_the_library(installed):
    files = [path.relative_to(ROOT) for path in (ROOT / "vaelib").rglob("*") if path.is_file()]
    wanted = {path for path in files if _belongs(path)}
    assert {
        "vaelib/py.typed",
        "vaelib/live/web/film.js",
        "vaelib/exercises/chapters/03.json",
        "vaelib/experiment/runs.py",
    } <= set(map(str, wanted))
    assert [str(path) for path in sorted(wanted) if not (installed / path).is_file()] == []


def test_it_holds_every_run_and_nothing_else(installed):
    runs = {path.name for path in (ROOT / "runs").glob("*.npz")}
    assert {path.name for path in (installed / "vaelib/trained_runs").iterdir()} == runs
    top = {path.name for path in installed.iterdir()}
    assert {re.sub(r"-.*\.dist-info", "-info", name) for name in top} == {"vaelib", "vaelib-info"}


def test_it_finds_its_runs_where_it_is_installed(installed, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "VAELIB_RUNS"}
    environment |= {"PYTHONPATH": str(installed), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", ASK]
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    place, runs, web = said.splitlines()
    assert Path(place) == installed / "vaelib/__init__.py"
    loaded, weights, number = runs.split()
    assert (loaded, weights) == ("True", "True")
    assert int(number) > 50
    assert min(map(int, web.split())) > 1000
    assert not any(tmp_path.iterdir())


def test_setuptools_complains_about_nothing(installed):
    log = (installed.parent / "log").read_text()
    assert "running bdist_wheel" in log
    assert re.findall("(?i).*(?:warning: |deprecat|is absent from).*", log) == []


def test_an_index_can_show_what_it_is(installed):
    (folder,) = installed.glob("vaelib-*.dist-info")
    metadata, text = (folder / "METADATA").read_text().split("\n\n", 1)
    for name in ("Author", "Keywords", "License-Expression", "Project-URL", "Requires-Python", "Summary"):
        assert f"\n{name}: " in metadata, name
    for minor in (11, 12, 13):
        assert f"\nClassifier: Programming Language :: Python :: 3.{minor}\n" in metadata
    assert "\nDescription-Content-Type: text/markdown" in metadata
    # The text is that of the README, and its links and pictures lead somewhere from any other place.
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    files = f"{address.PREFIX}{address.read()[0]}/%s/{address.read()[1]}/"
    assert f"{files % 'raw'}book/static/covers/03.png" in links
    assert f"{files % 'blob'}book/speed.md" in links
    assert [link for link in links if not link.startswith("https://")] == []
    for link in links:
        for kind in ("raw", "blob"):
            if link.startswith(files % kind):
                assert (ROOT / link.removeprefix(files % kind)).exists(), link
