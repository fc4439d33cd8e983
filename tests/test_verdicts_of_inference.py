"""What chapter 9 says of the inference gap is what runs/ says: computed again, by its own cells."""

import pytest
from replay import claims_of, replay

import vaelib

# Claims that the runs contradict; the chapter says why of each.
FAILED = {"24b"}


@pytest.fixture(scope="module")
def cells():
    """The cells that lead to the table."""
    return claims_of("09_measure_the_likelihood.ipynb")


@pytest.fixture(scope="module")
def claims(cells):
    """The claims that these cells hold to what has been measured."""
    return replay(cells)[0]["claims"]


def test_the_table_is_what_the_runs_say(claims, cells):
    rows = [output.data["text/markdown"] for cell in cells for output in cell.outputs if "data" in output]
    assert rows == [vaelib.claims_table(claims)]


def test_every_claim_has_its_verdict(claims):
    assert {claim.number for claim in claims} == {"24a", "24b"}
    assert {claim.number for claim in claims if not claim.passed} == FAILED
