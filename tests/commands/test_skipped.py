"""The closing lines say what was skipped, and what to install to run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"
SKIPPING = """
import pytest

@pytest.fixture
def browser():
    pytest.skip("no browser: install Chromium")

@pytest.mark.parametrize("page", "abc")
def test_page(page, browser): pass

@pytest.mark.skipif(True, reason="no MNIST: set VAELIB_MNIST")
def test_numbers(): pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["one process", "xdist"])
def test_each_reason_is_said_once_with_its_number(workers, tmp_path):
    (tmp_path / "test_it.py").write_text(SKIPPING)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "skipped", "-p", "no:cacheprovider", *workers, tmp_path]
    environment = os.environ | {"PYTHONPATH": str(SUPPORT)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    closing = result.stdout.partition("what they need")[2].splitlines()
    assert closing[1:3] == ["   3  no browser: install Chromium", "   1  no MNIST: set VAELIB_MNIST"]
