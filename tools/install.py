"""Install the locked packages and vaelib into .venv, one process at a time, and repair what is broken there.

`make` calls this with the Python that .venv shall have, after tools/check_python.py. The stamp .venv/installed is made
last, after a check, and holds the path of the folder: the programs in .venv know it, and do not work in another.
"""

import re
import subprocess
import sys
from pathlib import Path

from alone import alone

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("requirements.lock", "pyproject.toml")
# Ask these for their version in the end; the Makefile looks whether they are there, too.
PROGRAMS = ("jupyter-book", "pytest", "ruff")
# pip writes this whenever it could not reach what it asks, and tries again.
NO_CONNECTION = "connection broken by"


def main(root=ROOT):
    """Install, unless another process has done so in the meantime."""
    venv = root / ".venv"
    if venv.is_symlink():
        sys.exit(f"{venv} is a link to {venv.resolve()}, whose packages would be replaced: remove the link.")
    with alone(root / "_build/install.lock", "installs .venv"):
        if is_complete(root):
            print("Another process has installed .venv in the meantime.")
            return
        # Without a stamp an installation was interrupted, and goes on; with one, something was lost since.
        kept = works(venv) and not ((venv / "installed").exists() and missing(venv))
        install(root, kept)
        if kept and not answers(venv):
            print("What was left in .venv does not work.", flush=True)
            install(root, kept=False)
        for name in PROGRAMS:
            call([venv / "bin" / name, "--version"])
        (venv / "installed").write_text(f"{root}\n")


def install(root, kept):
    """Install everything, into the .venv that is there or into a new one."""
    venv = root / ".venv"
    python = venv / "bin/python"
    if kept:
        print(f"[1/3] Keep .venv with {_version(python)}", flush=True)
    else:
        print(f"[1/3] Create .venv with {_version(sys.executable)}", flush=True)
        call([sys.executable, "-m", "venv", "--clear", venv])
    number = len(re.findall(r"^[a-z].*==", (root / "requirements.lock").read_text(), re.MULTILINE))
    print(f"[2/3] Install the {number} packages of requirements.lock: 3 GB, a few minutes the first time", flush=True)
    # --no-compile halves the work: Python compiles what it imports, and most of TensorFlow is never imported.
    call([python, "-m", "pip", "install", "--no-compile", "--require-hashes", "-r", root / "requirements.lock"])
    print("[3/3] Install vaelib itself, from this folder", flush=True)
    call([python, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "-e", root])


def is_complete(root):
    """Tell whether .venv is newer than what it is made from, was made in this folder, and has lost nothing since."""
    stamp = root / ".venv/installed"
    if not stamp.is_file() or missing(root / ".venv"):
        return False
    return works(root / ".venv") and all((root / name).stat().st_mtime <= stamp.stat().st_mtime for name in SOURCES)


def works(venv):
    """Tell whether .venv has a Python that runs and suits, and a pip that belongs to this folder.

    Without pyvenv.cfg it would run, as the Python that it is made from, and packages would be installed there.
    """
    python, pip = venv / "bin/python", venv / "bin/pip"
    if not (venv / "pyvenv.cfg").is_file() or not pip.is_file() or str(venv) not in pip.read_text():
        return False
    check_python = Path(__file__).with_name("check_python.py")
    return _succeeds([python, check_python]) and _succeeds([python, "-m", "pip", "--version"])


def missing(venv):
    """Return the names of the programs that are not in .venv."""
    return [name for name in PROGRAMS if not (venv / "bin" / name).exists()]


def answers(venv):
    """Tell whether the programs start."""
    return all(_succeeds([venv / "bin" / name, "--version"]) for name in PROGRAMS)


def call(command):
    """Run a command; if it fails, stop, and name the network if that is why."""
    unreachable = False
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stderr:
            print(line, end="", file=sys.stderr, flush=True)
            unreachable |= NO_CONNECTION in line
    if process.returncode and unreachable:
        sys.exit(
            "\nThe packages could not be downloaded: their index cannot be reached from here. Is there a network, and "
            "does it ask for a proxy?\nThen type the same command again: what has been downloaded is kept."
        )
    if process.returncode:
        sys.exit(f"\nThe installation failed; what is wrong stands above. It was: {' '.join(map(str, command))}")


def _version(python):
    return subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _succeeds(command):
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    main()
