"""Every claim about collapse can pass and can fail, on invented runs."""

import numpy as np
import pytest
from invented import result

import vaelib

RATES = {1e-2: 2.0, 2e-2: 0.5, 3e-2: 0.1, 5e-2: 0.001, 1e-1: 0.001}


def sweep_of(rates=RATES, distortion=lambda rate: 200 * np.exp(-rate / 10)):
    return {kl_wt: [result(kl_wt, bound=distortion(rate) + rate, rate=rate)] for kl_wt, rate in rates.items()}


def verdicts(runs, widths=1.0, cosine=0.1):
    claims = vaelib.check_collapse(runs, {1e-2: np.full((5, 2), widths)}, {1e-2: np.full(5, cosine)})
    return {claim.number: claim.passed for claim in claims}


def test_a_sweep_that_does_what_theory_says_passes():
    assert all(verdicts(sweep_of(distortion=_frontier)).values())
    assert set(verdicts(sweep_of())) == {"15a", "15b", "15c", "15d", "19 0.01", "20 0.01", "21"}


def _frontier(rate):
    """The distortion at which the run of each rate is the best at its own beta: dD/dR = -beta, from run to run."""
    rates = np.array(sorted(RATES.values()))
    betas = 784 * np.array(sorted(RATES, reverse=True))
    between = np.diff(rates) * (betas[:-1] + betas[1:]) / 2
    return float(206 - np.interp(rate, rates, np.concatenate([[0], np.cumsum(between)])))


@pytest.mark.parametrize(("kl_wt", "rate", "number"), [
    (2e-2, 0.29, "15a"), (3e-2, 0.01, "15b"), (5e-2, 0.02, "15c"), (1e-1, 0.02, "15d"),
])  # fmt: skip
def test_a_rate_on_the_wrong_side_fails(kl_wt, rate, number):
    assert not verdicts(sweep_of(RATES | {kl_wt: rate}))[number]


def test_a_weight_that_was_not_swept_has_no_claim():
    rates = {kl_wt: rate for kl_wt, rate in RATES.items() if kl_wt != 5e-2}
    assert "15c" not in verdicts(sweep_of(rates))


@pytest.mark.parametrize("widths", [0.7, 1.3])
def test_posteriors_that_are_not_as_wide_as_is_best_fail(widths):
    assert not verdicts(sweep_of(), widths=widths)["19 0.01"]


def test_directions_that_are_not_orthogonal_fail():
    assert not verdicts(sweep_of(), cosine=-0.3)["20 0.01"]


def test_a_run_that_is_worse_at_its_own_loss_than_another_run_fails():
    runs = sweep_of(distortion=_frontier)
    runs[2e-2] = [result(2e-2, bound=_frontier(0.5) + 0.5 + 0.6 + 4, rate=0.5)]
    assert not verdicts(runs)["21"]
