"""Hold what chapter 9 says about the inference gap to runs/: compute it again, by its own cells."""

import pytest
from replay import claims_of, replay

import vaelib

# Name the claims that the runs contradict; the chapter says why.
FAILED = {"24b"}


@pytest.fixture(scope="module")
def cells():
    """Return the cells that lead to the table."""
    return claims_of("09_measure_the_likelihood.ipynb")


@pytest.fixture(scope="module")
def claims(cells):
    """Return the claims that these cells hold to what has been measured."""
    return replay(cells)[0]["claims"]


def test_the_table_is_what_the_runs_say(claims, cells):
    rows = [output.data["text/markdown"] for cell in cells for output in cell.outputs if "data" in output]
    assert rows == [vaelib.experiment.claims_table(claims)]


def test_every_claim_has_its_verdict(claims):
    assert {claim.number for claim in claims} == {"24a", "24b"}
    assert {claim.number for claim in claims if not claim.passed} == FAILED
