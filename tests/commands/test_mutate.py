"""The mutation run finds what it names; it takes too long to be run here."""

from pathlib import Path

import mutate
import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("module", mutate.TESTS)
def test_modules_and_tests_of_mutants_are_there(module):
    assert (ROOT / f"vaelib/{module}.py").is_file()
    for name in mutate.TESTS[module].split():
        assert (ROOT / f"tests/{name}.py").is_file()
        # Such a test would notice every mutant, by comparing the text.
        assert "inspect.getsource" not in (ROOT / f"tests/{name}.py").read_text()
