"""What the original experiment claims, and what theory says of it, held to the runs."""

import numpy as np
from scipy import stats

from . import statistics as of
from .losses import effective_beta
from .verdicts import ClaimTable

__all__ = ["check_headline", "check_inference_gap", "check_paired", "check_sweep", "paired_difference"]

_PIXELS = 784
# Weight decay per mean error of a pixel, above which the claim is that it hurts; the prior N(0, I) of Kingma & Welling.
_STRONG_L2, _PRIOR_L2 = 1e-4 * _PIXELS, 1 / 120_000


def check_headline(runs, one_epoch):
    """Hold the three headline weights to the claims about them.

    Args:
        runs: dict from kl_wt (1e-3, 1e-2, 1e-1) to lists of `RunResult`, one per seed, in one order;
            of 100 epochs, unshuffled.
        one_epoch: list of `RunResult`, of a single epoch at 1e-1.

    Returns:
        A list of `Claim`.

    Used in chapter 07.
    """
    sharp, middle, blurred = (runs[kl_wt] for kl_wt in (1e-3, 1e-2, 1e-1))
    every = [*sharp, *middle, *blurred]
    pairs, triples = list(zip(sharp, middle, strict=True)), list(zip(sharp, middle, blurred, strict=True))
    original = ClaimTable("original")
    original.add("1", "1e-3: means within 5 of the origin", "share", ">= 0.99", _each(of.share_within(5), sharp))
    original.add("2a", "1e-2: means within 2.5", "share", ">= 0.95", _each(of.share_within(2.5), middle))
    original.add(
        "2b", "1e-3 reaches further than 1e-2", "99 % radius, ratio", ">= 1.2", _ratios(of.reach, pairs, up=False)
    )
    original.add("3a", "larger weight, wider posterior", "share of images", ">= 0.95", _each(of.share_ordered, triples))
    original.add("3b", "1e-3: narrow posteriors", "median σ", "< 0.1", _each(of.median_std, sharp))
    original.add("3c", "1e-1: as wide as the prior", "median σ", "> 0.95", _each(of.median_std, blurred))
    original.add("4a", "1e-3, epoch 1: means approach", "rank correlation of |μ|", "< -0.3", _each(of.march, sharp))
    original.add(
        "4b", "1e-3, epoch 1: posteriors shrink", "rank correlation of σ", "< -0.3", _each(of.shrinking, sharp)
    )
    original.add("5a", "1e-2, epoch 1: faster", "last/first tenth, ratio", "< 1", _ratios(of.approach, pairs))
    original.add("5b", "1e-2, epoch 1: wider", "mean σ, ratio", "> 1", _ratios(of.first_width, pairs))
    original.add("6", "1e-3 starts far from the origin", "largest |μ| of 47 batches", "> 2", _each(of.start, sharp))
    original.add("7a", "1e-1, one epoch: no rate", "nats", "< 0.05", [run.history["val_rate"][-1] for run in one_epoch])
    original.add("7b", "1e-1, one epoch: at the origin", "mean |μ|", "< 0.15", _each(of.mean_radius, one_epoch))
    original.add(
        "7c", "1e-1, one epoch: wide as the prior", "mean |σ − 1|", "< 0.05", _each(of.off_prior_width, one_epoch)
    )
    original.add(
        "8a", "1e-1: all samples alike", "largest std of a pixel", "< 0.02", _each(of.metric("pixel_std"), blurred)
    )
    original.add(
        "8b", "… the mean image", "mean difference", "< 0.005", _each(of.metric("error_from_mean_image"), blurred)
    )
    original.add(
        "8c", "… and its error", "off 0.2628 per pixel", "<= 0.0005", [abs(_error(run) - 0.2628) for run in blurred]
    )
    digits = [tuple(map(of.num_digits, triple)) for triple in triples]
    fewer = [n[0] >= n[1] > n[2] == 1 for n in digits]
    original.add("9a", "larger weight, fewer digits", "at 1e-3 ≥ 1e-2 > 1e-1 = 1", "", digits, fewer)
    original.add("9b", "… and fuzzier at 1e-2", "mean 4y(1 − y), ratio", "> 1", _ratios(of.metric("fuzziness"), pairs))
    implicit = effective_beta(1e-3, distortion="mean", kl="mean") / _PIXELS
    original.add(
        "13", "1e-3 is implicit in Chollet's code", "kl_wt, KL summed, = 1e-3", "", [implicit], [implicit == 1e-3]
    )
    num_batches = [len(run.posteriors[1].mean) for run in every]
    original.add("14", "469 batches in an epoch", "= 469", "", num_batches, [number == 469 for number in num_batches])
    theory = ClaimTable("theory")
    theory.add("16", "E[μ² + σ²] = 1 in each dimension", "off by", "< 0.05", _each(of.off_second_moment, every))
    theory.add("17", "E[μ] = 0 in each dimension", "off by", "< 0.05", _each(of.off_mean, every))
    theory.add("18", "mean decoded = mean image", "off by", "< 0.003", _each(of.metric("mean_image_error"), every))
    lowest = [min(run.history["distortion"]) / _PIXELS for run in every]
    theory.add("22", "not below the pixels' entropy", "nats per pixel", ">= 0.05836", lowest)
    theory.add(
        "23b", "1e-3: training loss", "off 0.185 per pixel", "<= 0.01", [abs(_loss(run) - 0.185) for run in sharp]
    )
    theory.add(
        "23c", "1e-2: training loss", "off 0.2314 per pixel", "< 0.0314", [abs(_loss(run) - 0.2314) for run in middle]
    )
    units = [tuple(int(run.metrics["active_units"]) for run in triple) for triple in triples]
    theory.add("25", "active units", "= 2, 2, 0", "", units, [each == (2, 2, 0) for each in units])
    return [*original.claims, *theory.claims]


def check_sweep(runs, log_likelihoods=None):
    """Hold a sweep over the weight to the claims about the best one.

    Args:
        runs: dict from kl_wt to lists of `RunResult`, one per seed; 1/784, the ELBO's own weight, among them.
        log_likelihoods: None, or a dict from kl_wt to lists of arrays (n,), log p(x) of the same test images in nats,
            one per seed.

    Returns:
        A list of `Claim`.

    Used in chapter 07.
    """
    elbo = runs[1 / _PIXELS]
    seeds = range(len(elbo))
    sharpest = [max(runs, key=lambda kl_wt: of.coverage(runs[kl_wt][seed])) for seed in seeds]
    tightest = [min(runs, key=lambda kl_wt: of.negative_elbo(runs[kl_wt][seed])) for seed in seeds]
    original, theory = ClaimTable("original"), ClaimTable("theory")
    near = [3e-4 <= kl_wt <= 3e-3 for kl_wt in sharpest]
    original.add("10a", "1e-3 generates best", "best kl_wt, 3e-4 to 3e-3", "", sharpest, near)
    near = [5e-4 <= kl_wt <= 3e-3 for kl_wt in tightest]
    theory.add("10b", "the ELBO is best near its own weight", "best kl_wt, 5e-4 to 3e-3", "", tightest, near)
    if log_likelihoods:
        best = [max(log_likelihoods, key=lambda kl_wt: np.mean(log_likelihoods[kl_wt][seed])) for seed in seeds]
        near = [5e-4 <= kl_wt <= 3e-3 for kl_wt in best]
        theory.add("10c", "… and so is log p(x) itself", "best kl_wt, 5e-4 to 3e-3", "", best, near)
    theory.add(
        "23a", "1/784: −ELBO on test images", "off 146 nats", "<= 6", [abs(of.negative_elbo(run) - 146) for run in elbo]
    )
    theory.add("23d", "1/784: rate", "off 7 nats", "<= 1", [abs(run.history["val_rate"][-1] - 7) for run in elbo])
    return [*original.claims, *theory.claims]


def check_inference_gap(log_likelihoods, bounds):
    """Hold what the ELBO misses of log p(x), at beta 1, to the claims about it.

    Args:
        log_likelihoods: list of arrays (n,), log p(x) of test images in nats, one per seed.
        bounds: the same for their ELBO.

    Returns:
        A list of `Claim`.

    Used in chapter 09.
    """
    gaps = [np.subtract(exact, bound) for exact, bound in zip(log_likelihoods, bounds, strict=True)]
    theory = ClaimTable("theory")
    # Both are float32 in part.
    theory.add("24a", "no image has more ELBO than log p(x)", "smallest gap, nats", ">= -0.001", _each(np.min, gaps))
    within = [0.5 <= gap.mean() <= 6 for gap in gaps]
    theory.add("24b", "β = 1: log p(x) − ELBO", "mean, 0.5 to 6 nats", "", _each(np.mean, gaps), within)
    return theory.claims


def check_paired(annealed, decayed, plain):
    """Hold annealing and weight decay to the claim that they do not help.

    Args:
        annealed: dict from the name of an annealing to lists of `RunResult`, one per seed.
        decayed: dict from l2 to lists of `RunResult`, one per seed.
        plain: list of `RunResult` without either, of the same seeds in the same order.

    Returns:
        A list of `Claim`, whose values are 95 % intervals of the difference of −ELBO on test images.

    Used in chapter 07.
    """
    table = ClaimTable("original")
    for name, runs in annealed.items():
        low, high = paired_difference(runs, plain)[1:]
        table.add(
            f"11 {name}",
            f"annealing does not help: {name}",
            "−ELBO within ± 1 nat",
            "",
            [(low, high)],
            [low > -1, high < 1],
        )
    for l2, runs in decayed.items():
        low, high = paired_difference(runs, plain)[1:]
        if np.isclose(l2, _PRIOR_L2):
            within = [low > -0.5, high < 0.5]
            table.add(
                "12a", "the weight prior N(0, I) does not help", "−ELBO within ± 0.5 nat", "", [(low, high)], within
            )
        elif l2 >= _STRONG_L2:
            table.add(f"12b {l2:.3g}", f"λ = {l2:.3g} hurts", "−ELBO worse by > 1 nat", "", [(low, high)], [low > 1])
    return table.claims


def paired_difference(runs, others, num_epochs=1):
    """The mean difference of −ELBO on test images between runs and others of the same seeds, with its 95 % interval.

    Args:
        runs: list of `RunResult`, one per seed, at least two.
        others: of the same seeds, in the same order.
        num_epochs: over how many last epochs −ELBO is averaged, see `negative_elbo`.

    Returns:
        (mean, low, high) in nats, by Student's t; below 0, the first are better.

    Raises:
        ValueError: if the seeds differ, or there is only one.

    Used in chapter 04.
    """
    seeds = [[run.spec.seed for run in side] for side in (runs, others)]
    if seeds[0] != seeds[1] or len(seeds[0]) < 2:
        raise ValueError(
            f"paired_difference expects two or more runs of the same seeds, got {seeds[0]} and {seeds[1]}."
        )
    ours, theirs = ([of.negative_elbo(run, num_epochs) for run in side] for side in (runs, others))
    differences = np.subtract(ours, theirs)
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    return float(differences.mean()), float(interval.low), float(interval.high)


def _each(statistic, runs):
    return [statistic(run) for run in runs]


def _ratios(statistic, pairs, up=True):
    """The second of each pair over the first, or, not up, the first over the second."""
    return [statistic(b) / statistic(a) if up else statistic(a) / statistic(b) for a, b in pairs]


def _error(run):
    return run.history["distortion"][-1] / _PIXELS


def _loss(run):
    return run.history["loss"][-1] / _PIXELS
