"""Write the repository's public address into _config.yml, and into every link and install cell that repeats it.

`python tools/address.py owner/name` writes it everywhere; without a name, the one that GitHub's workflow or the Git
remote `origin` has. `--branch trunk` does the same for the branch that is published. `--remind` says so if the address
has not been written yet.
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
FILES = (
    "README.md",
    "CONTRIBUTING.md",
    "CITATION.cff",
    "pyproject.toml",
    "book/*.md",
    "book/root/*.html",
    "notebooks/*.ipynb",
    ".github/workflows/*.yml",
)
PREFIX = "https://github.com/"
PLACEHOLDER = "OWNER/REPO"
BRANCH = re.compile(r"\w[\w./-]*\w|\w")
# Allow what GitHub does: letters, digits and hyphens for the owner; dots and underscores too for the repository.
OWNER_AND_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]*[A-Za-z0-9_-]")


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make address", usage="make address REPO=owner/name [BRANCH=main]")
    parser.add_argument("repository", nargs="*", help="as GitHub shows it in the page's address: owner/name")
    parser.add_argument("--branch", help="the branch that links and install cells name; left out, the present one")
    parser.add_argument("--remind", action="store_true", help="say what to do if the address is still a placeholder")
    arguments = parser.parse_args()
    if arguments.remind:
        print(reminder(read()[0], guess()), end="")
        return
    given = " ".join(arguments.repository) or guess() or (read()[0] if arguments.branch else "")
    if not OWNER_AND_NAME.fullmatch(given) or given.endswith(".git"):
        sys.exit(f"The address must be owner/name, got {given!r}: for instance make address REPO=ada/book")
    branch = arguments.branch or read()[1]
    if not BRANCH.fullmatch(branch):
        sys.exit(f"The branch must be a name such as main, got {branch!r}: for instance make address BRANCH=trunk")
    changed = write(given, branch)
    print("\n".join(f"{path.relative_to(ROOT)}" for path in changed))
    print(f"{len(changed)} files changed: the address is {PREFIX}{given}, branch {branch}; pages, {site(given)}")


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
    """Return the owner/name and the branch that _config.yml holds."""
    repository = yaml.safe_load((root / "_config.yml").read_text())["repository"]
    return repository["url"].removeprefix(PREFIX).rstrip("/"), repository["branch"]


def site(repository):
    """Return where GitHub publishes the pages of a repository."""
    owner, name = repository.split("/")
    home = f"{owner.lower()}.github.io"
    return f"https://{home}/" if name.lower() == home else f"https://{home}/{name}/"


def write(repository, branch, root=ROOT):
    """Put another owner/name and branch in place of the present ones, and return the files that changed.

    The files are changed as text, so notebooks keep every other byte. _config.yml comes last: after an
    interruption it still holds the old address, and the same command finishes the work.
    """
    before = read(root)
    changed = []
    for path in [*(path for pattern in FILES for path in sorted(root.glob(pattern))), root / "_config.yml"]:
        text = path.read_bytes().decode()
        new = _rewritten(text, before, (repository, branch))
        if new != text:
            path.write_bytes(new.encode())
            changed.append(path)
    return changed


def _rewritten(text, before, after):
    """Return a text with the repository, its folder, its pages and its branch replaced, each where it is meant."""
    (old, old_branch), (new, new_branch) = before, after
    old_name, new_name = old.split("/")[1], new.split("/")[1]
    # Match links to GitHub, Colab and Binder with the branch, but no longer name that only begins like this one.
    links = re.compile(
        rf"((?:github\.com|/github|/gh)/){re.escape(old)}(?![\w-]|\.(?!git\b)\w)"
        rf"(?:(/(?:blob|edit|raw|tree)/|@){re.escape(old_branch)}(?![\w-]))?"
    )
    text = links.sub(lambda link: link[1] + new + (link[2] + new_branch if link[2] else ""), text)
    text = text.replace(site(old), site(new))
    # Match the folder that `git clone` makes, the setting of _config.yml, and what the workflows wait for.
    text = re.sub(rf"(?<=\ncd ){re.escape(old_name)}(?=\n)", new_name, text)
    text = re.sub(rf"(?<=\n  branch: ){re.escape(old_branch)}(?=\n)", new_branch, text)
    return re.sub(rf"(?<=\n    branches: \[){re.escape(old_branch)}(?=\]\n)", new_branch, text)


if __name__ == "__main__":
    main()
