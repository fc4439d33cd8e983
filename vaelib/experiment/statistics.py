"""Sum up a finished run in one number: the quantities that the claims about the experiment are about."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from ..analysis import generated_digits
from ..losses import gaussian_kl_per_dim
from .store import RunResult

__all__ = [
    "absolute_mean",
    "decreasing_radius",
    "decreasing_width",
    "first_mean_width",
    "first_radius_ratio",
    "generation_score",
    "largest_early_radius",
    "mean_radius",
    "mean_width_error",
    "median_std",
    "metric",
    "num_digits",
    "paired_difference",
    "radius_quantile",
    "rates_by_dimension",
    "second_moment_error",
    "share_ordered",
    "share_within",
]

# Compare the first and the last tenth of the 469 batches of an epoch.
_TENTH = 47


def rates_by_dimension(run: RunResult) -> np.ndarray:
    """Return the mean rate of each latent dimension on the test images, the busiest first.

    Args:
        run: a `RunResult` with two latent dimensions.

    Returns:
        (latent_dim,) nats, which add up to the rate.

    Used in chapter 08.
    """
    mean, std = run.test_posteriors
    return np.sort(np.mean(gaussian_kl_per_dim(mean, 2 * np.log(std)), axis=0))[::-1]


def paired_difference(
    runs: Sequence[RunResult], others: Sequence[RunResult], num_epochs: int = 1
) -> tuple[float, float, float]:
    """Return the mean difference of −ELBO on test images between runs of the same seeds, with its 95 % interval.

    Args:
        runs: list of `RunResult`, one per seed, at least two.
        others: of the same seeds, in the same order.
        num_epochs: number of last epochs over which −ELBO is averaged.

    Returns:
        (mean, low, high) in nats, by Student's t; below 0, the first are better.

    Raises:
        ValueError: if the seeds differ, there is only one, or num_epochs is less than 1.

    Used in chapter 04.
    """
    seeds = [[run.spec.seed for run in side] for side in (runs, others)]
    if seeds[0] != seeds[1] or len(seeds[0]) < 2:
        raise ValueError(
            f"paired_difference expects two or more runs of the same seeds, got {seeds[0]} and {seeds[1]}."
        )
    if num_epochs < 1:
        raise ValueError(f"paired_difference expects num_epochs of at least 1, got {num_epochs}.")
    ours, theirs = ([run.bound()[-num_epochs:].mean() for run in side] for side in (runs, others))
    differences = np.subtract(ours, theirs)
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    return float(differences.mean()), float(interval.low), float(interval.high)


def num_digits(run: RunResult) -> int:
    """Count the classes of digits that a run generates, 0 to 10."""
    return len(generated_digits(run.metrics["digit"], run.metrics["confidence"]))


def generation_score(run: RunResult) -> float:
    """Return how well a run generates: the share of the ten digits that it makes times the judge's mean confidence.

    Args:
        run: a `RunResult` with two latent dimensions.

    Returns:
        A number from 0 to 1.

    Used in chapter 12.
    """
    return num_digits(run) / 10 * float(run.metrics["confidence"].mean())


def metric(name: str) -> Callable[[RunResult], float]:
    """Return the statistic that reads a metric."""
    return lambda run: float(run.metrics[name])


def share_within(radius: float) -> Callable[[RunResult], float]:
    """Return the statistic: the share of posterior means of the last epoch that lie within a radius."""
    return lambda run: float(np.mean(run.posteriors[run.spec.num_epochs].radius <= radius))


def radius_quantile(run: RunResult) -> float:
    """Return the radius that holds 99 % of the posterior means of the last epoch."""
    return float(np.quantile(run.posteriors[run.spec.num_epochs].radius, 0.99))


def share_ordered(runs: Sequence[RunResult]) -> float:
    """Return the share of test images whose posterior is wider in each run than in the run before."""
    widths = np.stack([run.test_posteriors.width for run in runs])
    return float(np.all(np.diff(widths, axis=0) > 0, axis=0).mean())


def median_std(run: RunResult) -> float:
    """Return the median standard deviation of test posteriors."""
    return float(np.median(run.metrics["test_std"]))


def decreasing_radius(run: RunResult) -> float:
    """Return Spearman's correlation of the radius with the batch in epoch 1: -1 where means only approach 0."""
    return _trend(run.posteriors[1].radius)


def decreasing_width(run: RunResult) -> float:
    """Return Spearman's correlation of the width with the batch in epoch 1: -1 where posteriors only shrink."""
    return _trend(run.posteriors[1].width)


def first_radius_ratio(run: RunResult) -> float:
    """Return the mean radius in the last tenth of epoch 1, over that of the first tenth."""
    radius = run.posteriors[1].radius
    return float(radius[-_TENTH:].mean() / radius[:_TENTH].mean())


def first_mean_width(run: RunResult) -> float:
    """Return the mean width over epoch 1."""
    return float(run.posteriors[1].width.mean())


def largest_early_radius(run: RunResult) -> float:
    """Return the largest radius in the first tenth of epoch 1."""
    return float(run.posteriors[1].radius[:_TENTH].max())


def mean_radius(run: RunResult) -> float:
    """Return the mean radius of test posteriors."""
    return float(run.test_posteriors.radius.mean())


def mean_width_error(run: RunResult) -> float:
    """Return the mean distance of the standard deviations of test posteriors from 1."""
    return float(np.abs(run.test_posteriors.std - 1).mean())


def second_moment_error(run: RunResult) -> float:
    """Return the distance of E[mean^2 + std^2] from 1 in the worst dimension, over training images."""
    return float(np.abs(run.metrics["train_second_moment"] - 1).max())


def absolute_mean(run: RunResult) -> float:
    """Return the distance of E[mean] from 0 in the worst dimension, over training images."""
    return float(np.abs(run.metrics["train_mean"]).max())


def _trend(values: np.ndarray) -> float:
    return float(stats.spearmanr(values, np.arange(len(values))).statistic)
