"""One number of a finished run each: what the claims of the experiment are about."""

import numpy as np
from scipy import stats

from .metrics import generated_digits

__all__ = ["coverage", "negative_elbo", "rates_by_dimension"]

# The first and last tenth of the 469 batches of an epoch.
_TENTH = 47


def negative_elbo(run, num_epochs=1):
    """Minus the ELBO of a `RunResult` on its test images, in nats: distortion + rate.

    Args:
        run: a `RunResult`.
        num_epochs: 1 for the value after the last epoch; more for the mean over so many last ones, in which the jitter
            of single epochs averages out.

    Returns:
        A number, in nats per image.

    Used in chapter 04.
    """
    return float(np.mean([run.history[f"val_{name}"][-num_epochs:] for name in ("distortion", "rate")], axis=1).sum())


def rates_by_dimension(run):
    """The mean rate of each latent dimension of a `RunResult` on its test images, the busiest first.

    Args:
        run: a `RunResult` with two latent dimensions.

    Returns:
        (latent_dim,) nats, which add up to the rate.

    Used in chapter 08.
    """
    mean, std = (run.metrics[f"test_{name}"].astype("float64") for name in ("mean", "std"))
    return np.sort(0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).mean(axis=0))[::-1]


def num_digits(run):
    """How many of the ten digits it generates."""
    return len(generated_digits(run.metrics["digit"], run.metrics["confidence"]))


def coverage(run):
    """How well a `RunResult` generates: the share of the ten digits that it makes times the judge's mean confidence."""
    return num_digits(run) / 10 * float(run.metrics["confidence"].mean())


def metric(name):
    """The statistic that reads a metric."""
    return lambda run: float(run.metrics[name])


def share_within(radius):
    """The statistic: the share of posterior means of the last epoch that lie within a radius."""
    return lambda run: float(np.mean(_radius(run, run.spec.num_epochs) <= radius))


def reach(run):
    """The radius that holds 99 % of the posterior means of the last epoch."""
    return float(np.quantile(_radius(run, run.spec.num_epochs), 0.99))


def share_ordered(runs):
    """The share of test images whose posterior is wider in each run than in the one before."""
    widths = [_width(run.metrics["test_std"]) for run in runs]
    return float(np.all(np.diff(widths, axis=0) > 0, axis=0).mean())


def median_std(run):
    """The median standard deviation of test posteriors."""
    return float(np.median(run.metrics["test_std"]))


def march(run):
    """Spearman's correlation of the radius with the batch, in epoch 1: -1 where all means only approach the origin."""
    return _trend(_radius(run, 1))


def shrinking(run):
    """Spearman's correlation of the standard deviation with the batch, in epoch 1."""
    return _trend(_width(run.posteriors[1].std))


def approach(run):
    """The mean radius in the last tenth of epoch 1, over that of the first tenth."""
    radius = _radius(run, 1)
    return float(radius[-_TENTH:].mean() / radius[:_TENTH].mean())


def first_width(run):
    """The mean standard deviation over epoch 1."""
    return float(_width(run.posteriors[1].std).mean())


def start(run):
    """The largest radius in the first tenth of epoch 1."""
    return float(_radius(run, 1)[:_TENTH].max())


def mean_radius(run):
    """The mean radius of test posteriors."""
    return float(np.linalg.norm(run.metrics["test_mean"].astype("float64"), axis=1).mean())


def off_prior_width(run):
    """How far the standard deviations of test posteriors are from 1, on average."""
    return float(np.abs(run.metrics["test_std"].astype("float64") - 1).mean())


def off_second_moment(run):
    """How far E[mean^2 + std^2] is from 1 in the worst dimension, over training images."""
    return float(np.abs(run.metrics["train_second_moment"] - 1).max())


def off_mean(run):
    """How far E[mean] is from 0 in the worst dimension, over training images."""
    return float(np.abs(run.metrics["train_mean"]).max())


def _radius(run, epoch):
    """Distance from the origin of the first posterior of every batch of an epoch."""
    return np.linalg.norm(run.posteriors[epoch].mean, axis=1)


def _width(std):
    """One width of each posterior: the geometric mean over dimensions."""
    return np.exp(np.log(std.astype("float64")).mean(axis=1))


def _trend(values):
    return float(stats.spearmanr(values, np.arange(len(values))).statistic)
