"""Show a bar unless code, or tqdm's own variable, hides it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaelib import _progress

# Run the file by itself: tqdm reads the variable when it is imported, and vaelib would import TensorFlow.
BAR = """
import runpy, sys
names = runpy.run_path(sys.argv[1])
names["progress_bar"](range(3), "counting", verbose=sys.argv[2] == "True").close()
print(names["bars_are_hidden"]())
"""


@pytest.mark.parametrize(("verbose", "variable", "shown"), [(True, "", True), (False, "", False), (True, "1", False)])
def test_a_bar_is_hidden_by_code_and_by_the_variable(verbose, variable, shown):
    command = [sys.executable, "-c", BAR, _progress.__file__, str(verbose)]
    environment = {"PATH": os.environ["PATH"], "TQDM_DISABLE": variable}
    done = subprocess.run(command, env=environment, cwd=Path.home(), capture_output=True, text=True, check=True)
    assert ("counting" in done.stderr) is shown
    assert done.stdout.strip() == str(variable == "1")
