"""The public address stands in one place, and everything that repeats it agrees."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import address
import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def files(root):
    """Return every file in which the address may stand, with its bytes."""
    paths = [root / "_config.yml", *(path for pattern in address.FILES for path in root.glob(pattern))]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def outputs(root):
    """Return what the chapters' cells printed and drew."""
    notebooks = [nbformat.read(path, as_version=4) for path in sorted((root / "notebooks").glob("*.ipynb"))]
    return [[cell.get("outputs") for cell in notebook.cells] for notebook in notebooks]


@pytest.fixture
def tree(tmp_path):
    for name in files(ROOT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapters_link_and_install_cell_hold_the_address(path):
    source = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    colab = re.findall(r"colab\.research\.google\.com/github/([^)\s]+)", source)
    repository, branch = address.read()
    assert colab == [f"{repository}/blob/{branch}/notebooks/{path.name}"]
    assert re.findall(r"git\+https://github\.com/([^\"\s]+)", source) == [f"{repository}@{branch}"]


def test_the_citation_holds_the_address():
    assert f"repository-code: {address.PREFIX}{address.read()[0]}\n" in (ROOT / "CITATION.cff").read_text()


@pytest.mark.slow
def test_no_placeholder_is_left_once_the_address_is_known(tree):
    address.write("ada-l/vae.book", "trunk", tree)
    assert address.read(tree) == ("ada-l/vae.book", "trunk")
    old = rb"OWNER|\bREPO\b|owner\.github\.io|/(?:blob|edit|raw|tree)/main\b|@main\b|branch: main|\[main\]"
    # Leave the sentences that say how the command is called.
    left = {name: re.findall(old, re.sub(rb"REPO=|`REPO`", b"", text)) for name, text in files(tree).items()}
    assert {name: found for name, found in left.items() if found} == {}
    folder = rb"git clone https://github\.com/ada-l/vae\.book\ncd vae\.book\n"
    assert [name for name, text in files(tree).items() if re.search(folder, text)] == [
        "README.md",
        "CONTRIBUTING.md",
        "book/index.md",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("branch", ["main", "trunk", "editions/2"])
def test_the_command_changes_every_place_and_back_to_the_byte(branch, tree):
    before, ran = files(tree), outputs(tree)
    old = address.read(tree)
    changed = [path.relative_to(tree).as_posix() for path in address.write("ada/vae-book", branch, tree)]
    assert {"_config.yml", "CITATION.cff", *(f"notebooks/{path.name}" for path in NOTEBOOKS)} <= set(changed)
    assert outputs(tree) == ran
    assert address.write("ada/vae-book", branch, tree) == []
    address.write(*old, tree)
    assert files(tree) == before


def test_another_repository_is_left_alone(tree):
    readme = tree / "README.md"
    known, branch = address.read()
    link = f"{address.PREFIX}{known}"
    others = f"{link}-solutions {link}.old https://example.org/{known} {address.PREFIX}ada/other/blob/{branch}/a.md "
    readme.write_text(f"{others} {link}.git {link}. {link}/blob/{branch}-2/a.md {link}@{branch}")
    address.write("ada/vae-book", "trunk", tree)
    new = "https://github.com/ada/vae-book"
    assert readme.read_text() == f"{others} {new}.git {new}. {new}/blob/{branch}-2/a.md {new}@trunk"


@pytest.mark.parametrize(
    ("repository", "pages"),
    [
        ("ada/vae-book", "https://ada.github.io/vae-book/"),
        ("Ada/vae.book", "https://ada.github.io/vae.book/"),
        ("Ada/ada.github.io", "https://ada.github.io/"),
    ],
)
def test_the_pages_are_where_github_publishes_them(repository, pages, tree):
    address.write(repository, "main", tree)
    assert yaml.safe_load((tree / "_config.yml").read_text())["html"]["baseurl"] == pages
    assert f'href="{pages}book/index.html"' in (tree / "book/root/404.html").read_text()
    assert f'Book = "{pages}"' in (tree / "pyproject.toml").read_text()


@pytest.mark.parametrize(("known", "lines"), [(address.PLACEHOLDER, 2), ("ada/book", 0)])
def test_a_book_without_an_address_is_told_to_get_one(known, lines):
    said = address.reminder(known, "ada/book").splitlines()
    assert len(said) == lines
    assert all(line.startswith("!! ") for line in said)
    assert all("REPO=ada/book" in line for line in said[1:])
    assert "REPO=owner/name" in address.reminder(address.PLACEHOLDER)


def test_make_book_ends_with_the_reminder():
    recipe = (ROOT / "Makefile").read_text().partition("\nbook:")[2].partition("\n\n")[0]
    assert recipe.index("jupyter-book build") < recipe.index("tools/address.py --remind")


@pytest.mark.parametrize(
    ("remote", "known"),
    [
        ("https://github.com/ada/vae.book.git", "ada/vae.book"),
        ("https://github.com/ada/book/", "ada/book"),
        ("git@github.com:ada/book.git", "ada/book"),
        ("ssh://git@github.com/ada/book", "ada/book"),
        ("https://example.org/ada/book", None),
        ("/home/ada/book", None),
        (None, None),
    ],
)
def test_the_remote_tells_the_address(remote, known, tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    if remote:
        subprocess.run(["git", "remote", "add", "origin", remote], cwd=tmp_path, check=True)
    assert address.guess(tmp_path, {}) == known


def test_a_workflow_tells_the_address_first(tmp_path):
    assert address.guess(tmp_path, {"GITHUB_REPOSITORY": "ada/fork"}) == "ada/fork"
    assert address.guess(tmp_path, {}) is None


def test_an_archive_within_a_repository_has_no_remote(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "remote", "add", "origin", "https://github.com/ada/other"], cwd=tmp_path, check=True)
    (tmp_path / "archive").mkdir()
    assert address.guess(tmp_path / "archive", {}) is None


@pytest.mark.slow
def test_without_a_name_the_known_address_is_written(tree):
    shutil.copytree(ROOT / "tools", tree / "tools")
    environment = {**os.environ, "GITHUB_REPOSITORY": "ada/fork"}
    subprocess.run([sys.executable, "tools/address.py"], cwd=tree, env=environment, check=True, capture_output=True)
    assert address.read(tree) == ("ada/fork", "main")
    command = [sys.executable, "tools/address.py", "--branch", "trunk"]
    subprocess.run(command, cwd=tree, env=environment, check=True, capture_output=True)
    assert address.read(tree) == ("ada/fork", "trunk")


def test_the_published_book_gets_its_address_before_it_is_built():
    workflow = yaml.safe_load((ROOT / ".github/workflows/book.yml").read_text())
    commands = [step.get("run", "") for step in workflow["jobs"]["build"]["steps"]]
    written, built = (
        next(i for i, command in enumerate(commands) if start in command) for start in ("make address", "make book")
    )
    assert written < built
    assert "$GITHUB_REPOSITORY" in commands[written]
    assert "BRANCH=" in commands[written]


@pytest.mark.parametrize("argument", ["book", "https://github.com/ada/book", "ada/my book", "ada/book.git"])
def test_anything_but_owner_and_name_is_refused_in_one_sentence(argument):
    command = [sys.executable, "tools/address.py", *argument.split()]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "must be owner/name" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("branch", ["my branch", "../main", "$(id)"])
def test_anything_but_a_branch_is_refused_in_one_sentence(branch):
    command = [sys.executable, "tools/address.py", "ada/book", "--branch", branch]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "The branch must be a name" in result.stderr
    assert len(result.stderr.splitlines()) == 1
