"""Hold what chapter 8 says about its sweep to runs/, and the steps to where the images say they are."""

import pytest
from replay import claims_of, replay

import vaelib

# Take those of MNIST's training images: test_theory.py computes them.
CRITICAL_BETAS = 32.233, 22.877


@pytest.fixture(scope="module")
def cells():
    return claims_of("08_find_the_collapse.ipynb")


@pytest.fixture(scope="module")
def runs(cells):
    """Return the runs by kl_wt, from runs/, without a worker."""
    return replay([cell for cell in cells if "check_collapse" not in cell.source])[0]["runs"]


def test_as_many_units_are_active_as_thresholds_lie_above(runs):
    for run in (run for found in runs.values() for run in found):
        expected = sum(run.spec.beta < critical for critical in CRITICAL_BETAS)
        assert int(run.metrics["active_units"]) == expected, run.spec.name


def test_the_sweep_is_as_dense_as_it_says(runs):
    assert len(runs) >= 16
    assert (min(runs), max(runs)) == (1e-4, 1e-1)
    near = [kl_wt for kl_wt in runs if 0.02 < kl_wt < 0.05]
    assert len(near) == 4
    assert all(len(runs[kl_wt]) >= 3 for kl_wt in near)
    assert all(run.spec.num_epochs == 100 for found in runs.values() for run in found)


def test_the_verdicts_are_what_the_runs_say(runs, cells):
    claims = vaelib.experiment.check_collapse(runs, {}, {})
    verdicts = {claim.number: claim.passed for claim in claims}
    assert verdicts == {"15a": True, "15b": True, "15c": False, "15d": True, "21": True}
    (table,) = (output.data["text/markdown"] for cell in cells for output in cell.outputs if "data" in output)
    assert set(vaelib.experiment.claims_table(claims).splitlines()) <= set(table.splitlines())
