"""Write the repository's public address into _config.yml, and into every link and install cell that repeats it.

`python tools/address.py owner/name` writes it everywhere; without a name, the one that GitHub's workflow or the Git
remote `origin` has. `--remind` says so if it has not been written yet.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
# Look for links to the repository in these files, besides _config.yml.
FILES = ("README.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml", "book/*.md", "notebooks/*.ipynb")
PREFIX = "https://github.com/"
PLACEHOLDER = "OWNER/REPO"
# Allow what GitHub does: letters, digits and hyphens for the owner; dots and underscores too for the repository.
OWNER_AND_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]*[A-Za-z0-9_-]")


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make address", usage="make address REPO=owner/name")
    parser.add_argument("repository", nargs="*", help="as GitHub shows it in the page's address: owner/name")
    parser.add_argument("--remind", action="store_true", help="say what to do if the address is still a placeholder")
    arguments = parser.parse_args()
    if arguments.remind:
        print(reminder(read(), guess()), end="")
        return
    given = " ".join(arguments.repository) or guess() or ""
    if not OWNER_AND_NAME.fullmatch(given) or given.endswith(".git"):
        sys.exit(f"The address must be owner/name, got {given!r}: for instance make address REPO=ada/book")
    changed = write(given)
    print("\n".join(f"{path.relative_to(ROOT)}" for path in changed))
    print(f"{len(changed)} files changed: the address is {PREFIX}{given}")


def reminder(address, guessed=None):
    """Return lines that say what to do if an address is the placeholder, otherwise nothing."""
    if address != PLACEHOLDER:
        return ""
    return (
        f"!! The links, badges and install cells of this book point at {PREFIX}{PLACEHOLDER}, which is nobody's.\n"
        f"!! Before you publish it: make address REPO={guessed or 'owner/name'}, and build it again.\n"
    )


def guess(root=ROOT, environment=os.environ):
    """Return the owner/name in which a workflow of GitHub runs, or that of the Git remote `origin`, or None."""
    if "GITHUB_REPOSITORY" in environment:
        return environment["GITHUB_REPOSITORY"]
    # An archive that was unpacked within another repository is not that repository.
    if not (root / ".git").exists() or not shutil.which("git"):
        return None
    command = ["git", "remote", "get-url", "origin"]
    remote = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.strip()
    found = re.search(rf"\bgithub\.com[:/]({OWNER_AND_NAME.pattern})$", remote.rstrip("/").removesuffix(".git"))
    return found and found[1]


def read(root=ROOT):
    """Return the owner/name that _config.yml holds."""
    url = yaml.safe_load((root / "_config.yml").read_text())["repository"]["url"]
    return url.removeprefix(PREFIX).rstrip("/")


def write(new, root=ROOT):
    """Put another owner/name in place of the present one, and return the files that changed.

    The files are changed as text, so notebooks keep every other byte. _config.yml comes last: after an
    interruption it still holds the old address, and the same command finishes the work.
    """
    # Match links to GitHub, Colab and Binder, but no longer name that only begins like this one.
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
