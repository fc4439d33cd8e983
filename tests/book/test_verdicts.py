"""Hold the table of chapter 12 to runs/: compute its verdicts again, by its own cells."""

import pytest
from replay import claims_of, replay

import vaelib

# Name the claims that the runs contradict; the chapter says why.
FAILED = {
    "5a",
    "7a",
    "7b",
    "7c",
    "9a",
    "11 linear",
    "11 sigmoid",
    "11 cyclical",
    "12a",
    "13",
    "16",
    "17",
    "18",
    "23a",
}


@pytest.fixture(scope="module")
def cells():
    """Return the cells that lead to the table."""
    return claims_of("12_judge_the_claims.ipynb")


@pytest.fixture(scope="module")
def chapter(cells):
    """Return what these cells define."""
    return replay(cells)[0]


def test_the_table_is_what_the_runs_say(chapter, cells):
    rows = [output.data["text/markdown"] for cell in cells for output in cell.outputs if "data" in output]
    assert rows == [vaelib.experiment.claims_table(chapter["claims"])]


def test_every_claim_has_its_verdict(chapter):
    numbers = {claim.number.rstrip("abcd").split()[0] for claim in chapter["claims"]}
    wanted = [*range(1, 15), 16, 17, 18, 22, 23, 25]
    assert numbers >= {str(number) for number in wanted}
    assert {claim.number for claim in chapter["claims"] if not claim.passed} == FAILED


def test_the_headline_weights_have_three_seeds_each(chapter):
    assert {kl_wt: len(runs) for kl_wt, runs in chapter["runs"].items()} == {1e-3: 3, 1e-2: 3, 1e-1: 3}
    assert all(run.spec.num_epochs == 100 for runs in chapter["runs"].values() for run in runs)


def test_annealing_and_weight_decay_have_five_seeds(chapter):
    sides = chapter["plain"], *chapter["annealed"].values(), *chapter["by_prior"].values()
    assert [[run.spec.seed for run in side] for side in sides] == [[1, 2, 3, 4, 5]] * 5
