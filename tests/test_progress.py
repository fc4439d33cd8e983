"""A bar is there unless it is told not to be, in code or by tqdm's own variable."""

import subprocess
import sys

import pytest

BAR = "from vaelib.progress import progress_bar\nprogress_bar(range(3), 'counting', verbose={}).close()"


@pytest.mark.parametrize(("verbose", "variable", "shown"), [(True, "0", True), (False, "0", False), (True, "1", False)])
def test_a_bar_is_hidden_by_its_argument_and_by_the_variable(verbose, variable, shown):
    environment = {"TQDM_DISABLE": variable} if variable == "1" else {}
    done = subprocess.run(
        [sys.executable, "-c", BAR.format(verbose)],
        env={"PATH": "", "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("counting" in done.stderr) is shown
