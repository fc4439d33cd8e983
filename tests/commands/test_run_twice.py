"""Start `make run` twice: the second waits for the chapter that the first executes, and keeps it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
# Say that it runs, wait for leave to go on, and draw.
CODE = """
import time
from pathlib import Path
import matplotlib.pyplot as plt

folder = Path({folder!r})
with (folder / "executed").open("a") as file:
    print("once", file=file)
while not (folder / "go").exists():
    time.sleep(0.05)
line = plt.plot([0, 1])
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def tree(tmp_path):
    """Return a project with one small chapter."""
    (tmp_path / "book/static/covers").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    picture = nbformat.v4.new_code_cell(CODE.format(folder=str(tmp_path)))
    picture.metadata = {"tags": ["makes-cover"], "mystnb": {"image": {"alt": "a line"}}}
    cover = nbformat.v4.new_markdown_cell("a picture", metadata={"tags": ["cover"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cover, picture]), tmp_path / "notebooks/01_small.ipynb")
    return tmp_path


def _start(tree):
    command = [sys.executable, "tools/notebooks.py", "run"]
    # Let the kernel draw into the notebook: the tests themselves draw nowhere.
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    return subprocess.Popen(
        command, cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def _wait_for(condition, process):
    while not condition():
        assert process.poll() is None, "it ended too early"
        time.sleep(0.05)


@pytest.mark.parametrize("kill", [False, True], ids=["both live", "the first is killed"])
def test_the_second_waits_and_says_for_what(tree, kill):
    first = _start(tree)
    _wait_for((tree / "executed").exists, first)
    second = _start(tree)
    lines = [second.stdout.readline() for _ in range(2)]
    assert lines[1] == "Waiting: another process executes 01_small.ipynb.\n"
    if kill:
        first.kill()
    (tree / "go").touch()
    rest, _ = second.communicate()
    first.communicate()
    assert (first.returncode, second.returncode) == (-signal.SIGKILL if kill else 0, 0)
    assert ("executed in the meantime: kept" in rest) is not kill
    assert (tree / "executed").read_text().split() == ["once"] * (2 if kill else 1)
    done = nbformat.read(tree / "notebooks/01_small.ipynb", as_version=4)
    assert done.cells[0].source.startswith("![a line](data:image/png;base64,")
    assert [output.output_type for output in done.cells[1].outputs] == ["display_data"]
    assert (tree / "book/static/covers/01.png").is_file()
