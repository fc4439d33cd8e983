"""Sum up invented runs, whose statistics are known, and pair runs as SciPy does."""

import importlib

import numpy as np
import pytest
from invented import result
from scipy import stats

import vaelib
from vaelib.experiment import generation_score, paired_difference, rates_by_dimension

statistics = importlib.import_module("vaelib.experiment.statistics")
SEEDS = (1, 2, 3)


def test_statistics_of_an_invented_run_are_as_it_was_made():
    run = result(radius=2.0, std=0.05, bound=150.0, digits=8)
    assert statistics.num_digits(run) == 8
    assert generation_score(run) == pytest.approx(0.8 * 0.9)
    assert statistics.radius_quantile(run) == pytest.approx(2)
    assert (statistics.share_within(2.01)(run), statistics.share_within(1.99)(run)) == (1, 0)
    assert statistics.decreasing_radius(run) == statistics.decreasing_width(run) == pytest.approx(-1)
    assert statistics.largest_early_radius(run) == pytest.approx(9)
    assert statistics.first_mean_width(run) == pytest.approx((1 + 0.05) / 2)
    assert statistics.first_radius_ratio(run) == pytest.approx((1 + 8 * 23 / 468) / (9 - 8 * 23 / 468))
    assert statistics.mean_radius(run) == pytest.approx(2, rel=1e-3)
    assert statistics.median_std(run) == pytest.approx(0.05, rel=1e-3)
    assert statistics.mean_width_error(run) == pytest.approx(0.95, rel=1e-3)
    assert statistics.second_moment_error(run) == pytest.approx(0.03)
    assert statistics.absolute_mean(run) == pytest.approx(0.02)
    assert statistics.metric("fuzziness")(run) == pytest.approx(0.2)


def test_posteriors_are_ordered_image_by_image():
    runs = [result(std=std) for std in (0.05, 0.2, 0.9)]
    assert statistics.share_ordered(runs) == 1
    runs[1].metrics["test_std"][:100] = 0.04
    assert statistics.share_ordered(runs) == 0.75


def test_the_rates_of_the_dimensions_add_up_to_the_kl():
    run = result()
    mean, std = np.array([[2.0, 0.5], [-1.0, 0.25]]), np.array([[0.125, 0.5], [0.25, 1.0]])
    run.metrics.update(test_mean=mean[:, ::-1].astype("float16"), test_std=std[:, ::-1].astype("float16"))
    found = rates_by_dimension(run)
    kl = np.array(vaelib.gaussian_kl_per_dim(mean, 2 * np.log(std))).mean(axis=0)
    np.testing.assert_allclose(found, kl, rtol=1e-6)
    assert found[0] > found[1]


def test_a_paired_difference_is_students_interval():
    ours, theirs = [150.0, 151.5, 149.0], [149.0, 151.0, 148.5]
    sides = [
        [result(seed=seed, bound=bound) for seed, bound in zip(SEEDS, bounds, strict=True)] for bounds in (ours, theirs)
    ]
    mean, low, high = paired_difference(*sides)
    differences = np.subtract(ours, theirs)
    half = stats.t.ppf(0.975, df=2) * differences.std(ddof=1) / 3**0.5
    np.testing.assert_allclose([mean, low, high], differences.mean() + np.array([0, -half, half]), rtol=1e-6)


def test_a_difference_may_be_one_of_means_over_epochs():
    ours, theirs = ([result(seed=seed, bound=150.0) for seed in SEEDS] for _ in range(2))
    for run in ours:
        run.history["val_rate"][-4:] = [7.0, 8.0, 9.0, 10.0 + 4 * (run.spec.seed - 2)]
    assert ours[1].bound()[-1] == 153
    assert ours[1].bound()[-4:].mean() == 151.5
    assert paired_difference(ours, theirs, num_epochs=4)[0] == pytest.approx(1.5)


@pytest.mark.parametrize("seeds", [((1, 2), (2, 1)), ((1,), (1,)), ((1, 2), (1, 2, 3))])
def test_runs_of_other_seeds_are_not_paired(seeds):
    with pytest.raises(ValueError, match="two or more runs of the same seeds"):
        paired_difference(*[[result(seed=seed) for seed in side] for side in seeds])


def test_a_mean_over_no_epoch_is_refused():
    with pytest.raises(ValueError, match="num_epochs of at least 1, got 0"):
        paired_difference(shared := [result(seed=seed) for seed in SEEDS], shared, num_epochs=0)
