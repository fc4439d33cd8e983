"""The mutation run finds what it names; it takes too long to be run here."""

from pathlib import Path

import mutate
import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("module", mutate.TESTS)
def test_modules_and_the_tests_that_their_mutants_meet_are_there(module):
    assert (ROOT / f"vaelib/{module}.py").is_file()
    for name in mutate.TESTS[module].split():
        assert (ROOT / f"tests/test_{name}.py").is_file()
        # It would notice every mutant, by comparing the text.
        assert "inspect.getsource" not in (ROOT / f"tests/test_{name}.py").read_text()
