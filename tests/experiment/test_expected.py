"""A reader's numbers are judged by what one more seed may end with, and nothing is judged without runs."""

import re

import numpy as np
import pytest
from invented import result
from scipy import stats

from vaelib.experiment import you_should_see
from vaelib.experiment.expected import prediction_interval
from vaelib.experiment.store import save_run

BOUNDS = {2: 149.0, 3: 150.0, 4: 151.0, 5: 150.5, 6: 149.5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with five seeds of one run."""
    folder = tmp_path_factory.mktemp("runs")
    for seed, bound in BOUNDS.items():
        save_run(with_beta(result(seed=seed, bound=bound, rate=7 + 0.1 * seed)), [np.zeros(3)], folder)
    return folder


def with_beta(run):
    """Return a result whose history says beta, as those of trainings do."""
    return run._replace(history={**run.history, "beta": [run.spec.beta] * run.spec.num_epochs})


def row_of(table, name):
    """Return the cells of a line of the table."""
    return next([cell.strip() for cell in line.split("|")[2:-1]] for line in table.splitlines() if f"| {name}" in line)


def test_a_run_like_the_others_is_within(folder):
    table = you_should_see(with_beta(result(seed=1, bound=150.2, rate=7.4)).history, result(seed=1).spec, folder)
    assert "5 other seeds" in table
    assert row_of(table, "−ELBO") == ["150.20", "150.00 ± 0.79", "from 146.01 to 153.99", "within"]
    assert "off" not in table
    assert "causes" not in table


def test_the_own_seed_is_no_other_seed(folder):
    table = you_should_see(with_beta(result(seed=2, bound=149.0, rate=7.2)).history, result(seed=2).spec, folder)
    assert "4 other seeds" in table


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"bound": 160.0}, "1. another number of training images"),
        ({"bound": 160.0, "num_epochs": 3}, "1. yours has 3 epochs, and these have 100 (this is so)"),
        ({"bound": 160.0, "kl_wt": 1e-2}, "1. yours ends at β = 7.84, and these at 0.784 (this is so)"),
    ],
)
def test_a_run_that_is_off_hears_why(folder, changes, cause):
    table = you_should_see(with_beta(result(seed=1, rate=7.4, **changes)).history, result(seed=1).spec, folder)
    assert row_of(table, "−ELBO")[-1] == "**off**"
    assert row_of(table, "rate")[-1] == "within"
    assert cause in table
    assert "\n3. " in table
    assert "\n4. " not in table


def test_without_runs_nothing_is_judged(folder):
    spec = result(seed=1, num_epochs=7).spec
    text = you_should_see(result(seed=1, num_epochs=7).history, spec, folder)
    assert text.startswith("The book keeps 0 other seeds")


def test_without_validation_it_says_what_to_do(folder):
    with pytest.raises(ValueError, match="validation_data"):
        you_should_see({"loss": [1.0], "rate": [1.0], "distortion": [1.0]}, result().spec, folder)


@pytest.mark.parametrize("count", [3, 5])
def test_one_more_value_lies_within_as_often_as_said(count):
    draws = stats.norm(100, 3).rvs((4000, count + 1), random_state=0)
    hits = [low <= row[-1] <= high for row in draws for low, high in [prediction_interval(row[:-1], 0.9)]]
    assert stats.binomtest(sum(hits), len(hits), 0.9).pvalue > 1e-3


def test_one_value_has_no_spread():
    with pytest.raises(ValueError, match="two values or more, got 1"):
        prediction_interval([1.0])


def test_no_rate_is_expected_below_zero(tmp_path):
    for seed, rate in enumerate((0.0, 0.01, 0.05, 0.02), start=2):
        save_run(with_beta(result(seed=seed, bound=206 + 2 * rate, rate=rate)), [np.zeros(3)], tmp_path)
    table = you_should_see(with_beta(result(seed=1, bound=206.0, rate=0.0)).history, result(seed=1).spec, tmp_path)
    assert re.search(r"\| rate, nats \| 0\.00 \| 0\.02 ± 0\.02 \| from 0\.00 to 0\.\d\d \| within \|", table)
