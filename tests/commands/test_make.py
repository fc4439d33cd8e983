"""The commands that a newcomer types: they explain themselves, and say what is missing in one sentence."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import check_python
import pytest
import yaml

ROOT = Path(__file__).parents[2]
TARGETS = {
    "help",
    "install",
    "book",
    "quick",
    "test",
    "lint",
    "notebook",
    "run",
    "list",
    "tensorboard",
    "smoke",
    "bench",
    "colab",
    "clients",
    "lowest",
    "address",
    "lock",
}


def make(*arguments, folder=ROOT, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | variables
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def fresh(tmp_path):
    """Return what make needs to start with, in a folder with a space in its name where nothing is installed."""
    folder = tmp_path / "a book"
    folder.mkdir()
    for name in ("Makefile", "requirements.lock", "pyproject.toml", "tools", "benchmarks"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


def test_make_alone_lists_every_target_with_its_intent():
    result = make()
    listed = dict(re.findall(r"^  ([a-z]+) {2,}(\S.*)$", result.stdout, re.MULTILINE))
    assert listed.keys() == TARGETS
    assert result.stdout == make("help").stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(phony[1].split()) == TARGETS


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_starts_with_its_installation(target, fresh):
    result = make("--dry-run", target, folder=fresh)
    assert result.returncode == 0, result.stderr
    installs = "tools/install.py" in result.stdout or "-m venv" in result.stdout
    assert installs == (target != "help")


def test_what_python_compiles_is_kept_whatever_the_shell_says(tmp_path):
    probe = tmp_path / "probe.mk"
    probe.write_text("probe:\n\t@env\n")
    printed = make("-f", "Makefile", "-f", str(probe), "probe", PYTHONDONTWRITEBYTECODE="1").stdout.splitlines()
    assert any(line.startswith("TF_CPP_MIN_LOG_LEVEL=") for line in printed)
    assert not any(line.startswith("PYTHONDONTWRITEBYTECODE=") for line in printed)


def test_one_chapter_can_be_named():
    assert "tools/notebooks.py run 02" in make("--dry-run", "run", "CHAPTER=02").stdout
    assert "tools/notebooks.py smoke 02" in make("--dry-run", "smoke", "CHAPTER=02").stdout
    assert "tests/commands/colab -k 02_" in make("--dry-run", "colab", "CHAPTER=02").stdout


def test_a_python_that_is_not_there_is_named_in_one_sentence(fresh):
    result = make("install", "PYTHON=python-of-nobody", folder=fresh)
    assert result.returncode != 0
    complaint, error = result.stderr.splitlines()
    assert complaint.startswith("There is no python-of-nobody here: install Python 3.11, 3.12 or 3.13")
    assert error.startswith("make")


def test_an_unsuitable_python_stops_make_in_one_sentence(fresh):
    old = fresh / "old-python"
    old.write_text("#!/bin/sh\necho 'It is too old.' >&2\nexit 1\n")
    old.chmod(0o755)
    result = make("install", f"PYTHON={old}", folder=fresh)
    assert result.returncode != 0
    assert result.stderr.splitlines()[0] == "It is too old."
    assert not (fresh / ".venv").exists()


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 13), (3, 14, 0)])
def test_a_python_outside_the_range_is_told_which_to_install(version):
    complaint = check_python.complaint(version, ["venv", "ensurepip"])
    assert f"this one is {version[0]}.{version[1]}" in complaint
    assert "3.11, 3.12 or 3.13" in complaint
    assert "\n" not in complaint


@pytest.mark.parametrize("modules", [[], ["venv"]])
def test_a_python_without_venv_is_told_which_package_adds_it(modules):
    assert "apt-get install python3.11-venv" in check_python.complaint((3, 11, 2), modules)


def test_a_python_that_suits_hears_nothing():
    for version in [(3, 11, 0), (3, 12, 1), (3, 13, 9)]:
        assert check_python.complaint(version, check_python.importable(["venv", "ensurepip"])) is None
    assert check_python.importable(["venv", "no_such_module"]) == ["venv"]


def test_the_range_is_the_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (*_, oldest), (*_, newest) = check_python.OLDEST, check_python.NEWEST
    assert project["requires-python"] == f">=3.{oldest},<3.{newest + 1}"


def test_check_python_can_be_read_by_a_python_of_long_ago():
    source = (ROOT / "tools/check_python.py").read_text()
    assert source.isascii()
    assert not re.search(r"\bf[\"']|:=|->", source)


def jobs():
    """Return every job of a workflow, by the names of both, with the targets of make that it runs."""
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            commands = "\n".join(step["run"] for step in job["steps"] if "run" in step)
            yield path.stem, name, job, re.findall(r"^make (\w+)", commands, re.MULTILINE)


def test_workflows_run_what_people_run():
    called = {workflow: set() for workflow, *_ in jobs()}
    for workflow, _, _, targets in jobs():
        called[workflow] |= set(targets)
    assert "test" in called["tests"]
    assert "book" in called["book"]
    assert {"run", "book", "colab", "clients", "lowest"} <= called["weekly"]
    assert set().union(*called.values()) <= TARGETS


def test_workflows_end_and_use_a_python_that_suits():
    versions = {f"3.{minor}" for minor in range(check_python.OLDEST[1], check_python.NEWEST[1] + 1)}
    for workflow, name, job, targets in jobs():
        assert 0 < job["timeout-minutes"] <= 360, (workflow, name)
        matrix = job.get("strategy", {}).get("matrix", {}).get("python", [])
        asked = [step["with"]["python-version"] for step in job["steps"] if "python-version" in step.get("with", {})]
        assert set(matrix or asked) <= versions
        assert bool(targets) == bool(asked), (workflow, name)
        assert workflow != "tests" or set(matrix) == versions


@pytest.fixture
def script(tmp_path):
    """Return a copy of the script of continuous integration, and commands that only write down how they were called."""
    for name in (".ci", "tools"):
        shutil.copytree(ROOT / name, tmp_path / "a book" / name)
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("make", "apt-get", "sudo"):
        (commands / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/calls"\n')
        (commands / name).chmod(0o755)
    return tmp_path / "a book/.ci/run", commands, tmp_path / "calls"


def test_the_script_of_continuous_integration_calls_make(script):
    script, commands, calls = script
    environment = os.environ | {"PATH": f"{commands}:{os.environ['PATH']}", "CHROMIUM": "a browser"}
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", script], env=environment, check=True, capture_output=True)
    made = [line for line in calls.read_text().splitlines() if line.startswith("make")]
    assert made == ["make test", "make colab CHAPTER=10"]
    (commands / "make").write_text(f'#!/bin/sh\necho "make $*" >> "{calls}"\nexit 1\n')
    calls.unlink()
    assert subprocess.run(["bash", script], env=environment, check=False, capture_output=True).returncode != 0
    assert calls.read_text().splitlines()[-1] == "make test"


def test_the_script_stops_where_no_browser_can_be_installed(script):
    script, commands, calls = script
    for name in ("bash", "dirname", "id", "git", "python3"):
        (commands / name).symlink_to(shutil.which(name))
    environment = {name: value for name, value in os.environ.items() if name != "CHROMIUM"} | {"PATH": str(commands)}
    stopped = subprocess.run(["bash", script], env=environment, check=False, capture_output=True, text=True)
    assert stopped.returncode != 0
    assert "There is still no browser" in stopped.stderr
    assert "chromium" in calls.read_text()
    assert "make" not in calls.read_text().split()


def test_pre_commit_has_the_linter_of_the_lock():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert f"\nruff=={repository['rev'].removeprefix('v')} " in (ROOT / "requirements.lock").read_text()
