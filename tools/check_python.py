"""Say in one sentence why this Python cannot build the book, or nothing if it can.

Any Python must be able to read this file, also one that is far too old: hence no f-strings.
"""
# ruff: noqa: UP031

import sys

OLDEST, NEWEST = (3, 11), (3, 13)


def complaint(version, modules):
    """Return what is wrong with a Python, in one sentence, or None.

    Args:
        version: (major, minor, ...).
        modules: those of "venv" and "ensurepip" that it can import.
    """
    name = "%d.%d" % tuple(version[:2])
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        return (
            "This book needs Python 3.11, 3.12 or 3.13, and this one is %s: "
            "install one of those and name it, for instance `make book PYTHON=python3.12`." % name
        )
    if not {"venv", "ensurepip"} <= set(modules):
        return (
            "This Python %s cannot create virtual environments: on Debian and Ubuntu, `sudo apt-get install "
            "python%s-venv` adds what is missing." % (name, name)
        )
    return None


def importable(names):
    """Return those of the named modules that can be imported."""
    found = []
    for name in names:
        try:
            __import__(name)
        except ImportError:
            continue
        found.append(name)
    return found


if __name__ == "__main__":
    sys.exit(complaint(sys.version_info, importable(["venv", "ensurepip"])))
