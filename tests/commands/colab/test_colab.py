"""Every chapter runs in Google Colab from its badge, as far as a machine without Colab can tell.

An environment with Colab's versions, an empty folder with nothing but the notebook, a module `google.colab`, and
the chapter's own install cell, for which Git takes this working tree for the public address. Run by `make colab`.
"""

import json
import re
import subprocess
from pathlib import Path

import address
import nbformat
import papermill
import pytest
import yaml
from venvs import make_venv

ROOT = Path(__file__).parents[3]
NOTEBOOKS = ROOT / "notebooks"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
VENV = ROOT / "_build/colab-venv"
PYTHON = VENV / "bin/python"
START = """
import sys, types
colab = sys.modules["google.colab"] = types.ModuleType("google.colab")
colab.output = types.SimpleNamespace(enable_custom_widget_manager=lambda: None)
"""
PINNED = ("keras", "numpy", "matplotlib", "ipython")
# Run as one more cell at the end: what the chapter really used.
REPORT = f"""
from importlib.metadata import version
print(vaelib.__file__)
print([version(name) for name in {PINNED}])
"""


@pytest.fixture(scope="session")
def aloud(pytestconfig):
    """Show the output of a context at once; pytest keeps the rest to itself unless a test fails."""
    return pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled


def pip(*arguments):
    subprocess.run([PYTHON, "-m", "pip", *arguments], check=True)


@pytest.fixture(scope="session")
def environment(aloud):
    """Colab's versions, in an environment of their own."""
    with aloud():
        print("\n[1/3] Install Colab's versions into _build/colab-venv: 2 GB, a few minutes the first time", flush=True)
        make_venv(VENV, REQUIREMENTS)


@pytest.fixture(scope="session")
def repository(aloud, tmp_path_factory):
    """Return the working tree as branch main of a repository, uncommitted changes included."""
    with aloud():
        print("\n[2/3] Copy the working tree into a repository of its own", flush=True)
    tree = tmp_path_factory.mktemp("public") / "repository"
    author = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", tree], check=True)
    # Let Git itself choose what belongs to the project: this folder may be no repository of its own.
    here = ["git", f"--git-dir={tree / '.git'}", f"--work-tree={ROOT}", *author]
    for command in ("add --all", "commit --quiet --message=all"):
        subprocess.run([*here, *command.split()], cwd=ROOT, check=True)
    subprocess.run(["git", "checkout", "--quiet", "--force", "main"], cwd=tree, check=True)
    return tree


@pytest.fixture
def kernel(environment, repository, tmp_path, monkeypatch):
    """Return the name of a kernel that thinks it is in Colab; its Git finds the public address on this machine."""
    pip("uninstall", "--quiet", "--yes", "vaelib")
    startup = tmp_path / "ipython/profile_default/startup/colab.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(START)
    spec = tmp_path / "jupyter/kernels/colab/kernel.json"
    spec.parent.mkdir(parents=True)
    command = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": command, "display_name": "Colab", "language": "python"}))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{repository.as_uri()}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"{address.PREFIX}{address.read()[0]}")
    # Neither this checkout nor the choices of the tests' own kernel.
    for name in ("PYTHONPATH", "MPLBACKEND", "TQDM_DISABLE"):
        monkeypatch.delenv(name, raising=False)
    return "colab"


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_chapter_runs_where_there_is_nothing_but_the_notebook(path, aloud, kernel, tmp_path):
    with aloud():
        print(f"\n[3/3] {path.name} at small scale, about a minute", flush=True)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(REPORT))
    content = tmp_path / "content"
    content.mkdir()
    nbformat.write(notebook, content / path.name)
    parameters = yaml.safe_load((NOTEBOOKS / "smoke.yml").read_text())[path.name[:2]]
    # papermill raises the first error of a cell.
    done = papermill.execute_notebook(
        content / path.name, tmp_path / "done.ipynb", parameters, kernel_name=kernel, cwd=content
    )
    # A kernel may hand over what a cell prints in several parts.
    printed = "".join(output.text for output in done.cells[-1].outputs if output.get("name") == "stdout")
    library, versions = printed.splitlines()
    assert Path(library).parents[1] in VENV.glob("lib/python*/site-packages")
    pinned = dict(re.findall(r"^(\w+)==([\d.]+)$", REQUIREMENTS.read_text(), re.MULTILINE))
    assert versions == str([pinned[name] for name in PINNED])
