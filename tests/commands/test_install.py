"""`.venv` is installed by one process at a time, repaired where it is broken, and a missing network is called one."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import install
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# Stand in for what takes minutes and 3 GB: leave programs that answer, and count how often; wait while "hold" is there.
SLOWLY = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import install

def slowly(root, kept):
    with (root / "installations").open("a") as file:
        file.write(f"{kept}\\n")
    while (root / "hold").exists():
        time.sleep(0.05)
    folder = root / ".venv/bin"
    folder.mkdir(parents=True, exist_ok=True)
    (root / ".venv/pyvenv.cfg").touch()
    programs = dict.fromkeys(("pip", *install.PROGRAMS), f"echo {folder}") | {"python": f'exec "{sys.executable}" "$@"'}
    for name, does in programs.items():
        (folder / name).write_text(f"#!/bin/sh\\n{does}\\n")
        (folder / name).chmod(0o755)

install.install = slowly
install.main(Path(sys.argv[2]))
"""


@pytest.fixture
def clone(tmp_path):
    """Return a folder with a space in its name, with what an installation is made from."""
    folder = tmp_path / "a book"
    folder.mkdir()
    for name in ("requirements.lock", "pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "tools", folder / "tools")
    return folder


def start(folder):
    command = [sys.executable, "-c", SLOWLY, ROOT / "tools", folder]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def installations(folder):
    """Return, for each installation there was, whether it kept what it found."""
    return (folder / "installations").read_text().split()


def asked_to_install(folder):
    """Return whether make would install now."""
    command = ["make", "--dry-run", "install"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    printed = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout
    return "tools/install.py" in printed


def test_of_two_processes_one_installs_and_the_other_waits(clone):
    (clone / "hold").touch()
    first = start(clone)
    while not (clone / "installations").exists():
        time.sleep(0.01)
    second = start(clone)
    assert second.stdout.readline() == "Waiting: another process installs .venv.\n"
    (clone / "hold").unlink()
    said = [process.communicate()[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert installations(clone) == ["False"]
    assert said[1] == "Another process has installed .venv in the meantime.\n"
    assert not asked_to_install(clone)


def test_what_was_killed_leaves_no_stamp_and_is_taken_up_again(clone):
    (clone / "hold").touch()
    killed = start(clone)
    while not (clone / "installations").exists():
        time.sleep(0.01)
    killed.kill()
    (clone / "hold").unlink()
    killed.communicate()
    assert not (clone / ".venv/installed").exists()
    assert asked_to_install(clone)
    assert start(clone).wait() == 0
    assert not asked_to_install(clone)


@pytest.mark.parametrize("lost", ["pyvenv.cfg", *(f"bin/{name}" for name in ("python", *install.PROGRAMS))])
def test_what_is_gone_is_installed_again(lost, clone):
    """Without pyvenv.cfg, .venv/bin/python would install into the Python that it is made from."""
    assert start(clone).wait() == 0
    (clone / ".venv" / lost).unlink()
    assert asked_to_install(clone)
    assert start(clone).wait() == 0
    # pip takes a package for installed whose program is gone, so that the folder must be made anew.
    assert installations(clone) == ["False", "False"]
    assert not asked_to_install(clone)


def test_a_link_to_the_packages_of_another_folder_is_left_alone(clone):
    other = clone.with_name("other")
    other.mkdir()
    (other / "precious").touch()
    (clone / ".venv").symlink_to(other)
    with pytest.raises(SystemExit, match=r"is a link to .*other.*: remove the link"):
        install.main(clone)
    assert (other / "precious").exists()


def test_a_folder_that_was_moved_is_installed_again(clone):
    assert start(clone).wait() == 0
    moved = clone.rename(clone.with_name("another book"))
    assert asked_to_install(moved)
    assert start(moved).wait() == 0
    assert installations(moved) == ["False", "False"]
    assert not asked_to_install(moved)


def test_a_changed_lock_is_installed_into_what_is_there(clone):
    assert start(clone).wait() == 0
    later = time.time() + 10
    os.utime(clone / "requirements.lock", (later, later))
    assert asked_to_install(clone)
    assert start(clone).wait() == 0
    assert installations(clone) == ["False", "True"]


def test_programs_that_do_not_start_get_no_stamp(clone):
    assert start(clone).wait() == 0
    (clone / ".venv/installed").unlink()
    (clone / ".venv/bin/ruff").write_text("#!/bin/sh\nexit 1\n")
    assert not install.answers(clone / ".venv")
    assert not install.is_complete(clone)


def test_a_missing_network_is_said_to_be_missing(capfd):
    nowhere = ["--retries", "1", "--index-url", "http://127.0.0.1:9/simple"]
    pip = [sys.executable, "-m", "pip", "download", "--isolated", "--no-cache-dir", "--no-deps", *nowhere]
    with pytest.raises(SystemExit) as stopped:
        install.call([*pip, "absl-py"])
    assert "Is there a network" in str(stopped.value)
    assert "connection broken" in capfd.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        install.call([sys.executable, "-c", "import no_such_module"])
    assert "what is wrong stands above" in str(stopped.value)
    assert "no_such_module" in capfd.readouterr().err


def test_a_lock_keeps_others_waiting_until_its_holder_ends(tmp_path):
    lock, order = tmp_path / "folder/book.lock", tmp_path / "order"

    def hold(script):
        command = [sys.executable, ROOT / "tools/alone.py", lock, "builds the book", "sh", "-c", script]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    # The first holds the lock until the second has said that it waits.
    leave = tmp_path / "leave"
    first = hold(f"echo first > {order}; until [ -e {leave} ]; do sleep 0.05; done; echo first >> {order}")
    while not order.exists():
        time.sleep(0.01)
    second = hold(f"echo second >> {order}")
    assert second.stdout.readline() == "Waiting: another process builds the book.\n"
    leave.touch()
    assert [process.communicate()[0] for process in (second, first)] == ["", ""]
    assert order.read_text().split() == ["first", "first", "second"]


def test_a_command_that_fails_fails_under_a_lock(tmp_path):
    command = [sys.executable, ROOT / "tools/alone.py", tmp_path / "a.lock", "works", "sh", "-c", "exit 3"]
    assert subprocess.run(command, check=False).returncode == 3
