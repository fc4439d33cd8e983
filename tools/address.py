"""The repository's public address: it stands in _config.yml, and every link and install cell repeats it.

`python tools/address.py owner/name` writes another one, everywhere.
"""

import argparse
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
# Where links to the repository may stand, besides _config.yml.
FILES = ("README.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml", "book/*.md", "notebooks/*.ipynb")
PREFIX = "https://github.com/"
# What GitHub allows: letters, digits and hyphens for the owner; dots and underscores too for the repository.
OWNER_AND_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]*[A-Za-z0-9_-]")


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make address", usage="make address REPO=owner/name")
    parser.add_argument("repository", nargs="*", help="as GitHub shows it in the page's address: owner/name")
    given = " ".join(parser.parse_args().repository)
    if not OWNER_AND_NAME.fullmatch(given) or given.endswith(".git"):
        sys.exit(f"The address must be owner/name, got {given!r}: for instance make address REPO=ada/book")
    changed = write(given)
    print("\n".join(f"{path.relative_to(ROOT)}" for path in changed))
    print(f"{len(changed)} files changed: the address is {PREFIX}{given}")


def read(root=ROOT):
    """The owner/name that _config.yml holds."""
    url = yaml.safe_load((root / "_config.yml").read_text())["repository"]["url"]
    return url.removeprefix(PREFIX).rstrip("/")


def write(new, root=ROOT):
    """Put another owner/name in place of the present one; the files that changed.

    The files are changed as text, so notebooks keep every other byte. _config.yml comes last: after an
    interruption it still holds the old address, and the same command finishes the work.
    """
    # In links to GitHub, Colab and Binder; but no longer name that only begins like this one.
    old = re.compile(rf"(github\.com/|/github/|/gh/){re.escape(read(root))}(?![\w-]|\.(?!git\b)\w)")
    changed = []
    for path in [*(path for pattern in FILES for path in sorted(root.glob(pattern))), root / "_config.yml"]:
        before = path.read_bytes().decode()
        after = old.sub(rf"\g<1>{new}", before)
        if after != before:
            path.write_bytes(after.encode())
            changed.append(path)
    return changed


if __name__ == "__main__":
    main()
