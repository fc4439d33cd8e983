"""pyproject.toml, environment.yml and requirements.lock agree, and the lock names no index."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
EXTRAS = PROJECT["project"]["optional-dependencies"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "Linux on x86": {"sys_platform": "linux", "platform_machine": "x86_64", "platform_system": "Linux"},
    "Linux on ARM": {"sys_platform": "linux", "platform_machine": "aarch64", "platform_system": "Linux"},
    "macOS": {"sys_platform": "darwin", "platform_machine": "arm64", "platform_system": "Darwin"},
    "Windows": {"sys_platform": "win32", "platform_machine": "AMD64", "platform_system": "Windows"},
}


def _locked():
    """Return every pin of the lock with its hashes."""
    for block in re.split(r"\n(?=[a-zA-Z0-9])", LOCK):
        if not block.startswith("#"):
            yield Requirement(block.split("\\\n")[0]), re.findall(r"--hash=(\S+)", block)


PINS = list(_locked())


def _wanted(python, platform):
    """Return the direct requirements of the project on a machine."""
    environment = default_environment() | platform | {"python_version": python, "python_full_version": f"{python}.1"}
    own = [*PROJECT["project"]["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]
    return environment, [r for r in map(Requirement, own) if r.marker is None or r.marker.evaluate(environment)]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_the_lock_has_one_version_of_all_that_is_required(python, platform):
    environment, wanted = _wanted(python, platform)
    here = [pin for pin, _ in PINS if pin.marker is None or pin.marker.evaluate(environment)]
    versions = {pin.name: str(pin.specifier).removeprefix("==") for pin in here}
    assert len(versions) == len(here), "two versions of one package"
    for requirement in wanted:
        assert requirement.name in versions, f"{requirement} is not locked: make lock"
        assert requirement.specifier.contains(versions[requirement.name]), f"{requirement}: make lock"
    # Lock what vaelib requires: another build of it would not satisfy `pip check`.
    assert "tensorflow-cpu" not in versions


def test_every_pin_is_exact_and_hashed_and_no_index_is_named():
    assert len(PINS) > 100
    for pin, hashes in PINS:
        assert [spec.operator for spec in pin.specifier] == ["=="], f"{pin} is not exact"
        assert hashes, f"{pin} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", text) for text in hashes)
    for word in ("://", "--index-url", "--extra-index-url", "--find-links", "--trusted-host", " @ "):
        assert word not in LOCK, f"{word!r} in requirements.lock"


def test_conda_gets_the_same_requirements():
    (pip,) = (line["pip"] for line in CONDA["dependencies"] if isinstance(line, dict))
    extras = [line for lines in EXTRAS.values() for line in lines]
    assert sorted(pip) == sorted([*PROJECT["project"]["dependencies"], *extras])


def test_conda_gets_a_python_that_the_project_supports():
    (python,) = (line for line in CONDA["dependencies"] if str(line).startswith("python="))
    assert python.removeprefix("python=") in PYTHONS
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.14"
