"""A chapter that fails is named, also where another process executes it."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import nbformat
import papermill
import pytest

import notebooks

pytestmark = pytest.mark.slow


def test_a_chapter_that_fails_is_named(tmp_path):
    source = tmp_path / "99_it_fails.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), source)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        done = pool.submit(notebooks._execute, source, tmp_path / "out" / source.name)
        with pytest.raises(papermill.exceptions.PapermillExecutionError, match="ZeroDivisionError") as caught:
            done.result()
    assert caught.value.__notes__ == ["This was 99_it_fails.ipynb."]
