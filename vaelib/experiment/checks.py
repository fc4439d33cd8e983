"""Hold the claims about the experiment to its runs."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..data import NUM_PIXELS
from ..losses import effective_beta, kl_wt_from_beta, negative_elbo
from . import statistics as of
from .claims import Claim
from .store import RunResult

__all__ = [
    "check_collapse",
    "check_headline",
    "check_inference_gap",
    "check_paired",
    "check_sweep",
]

_ORIGINAL, _THEORY = "original", "theory"
# Stand for a limit in the claim's own words; the others are ours.
_ITS = "it"
# Read "virtually all" of both radii alike, as 95 %, and more strictly as 99 %.
_NEARLY_ALL, _ALL_BUT_FEW = 0.95, 0.99
# Call a weight decay strong from here, in nats per image; and name the prior N(0, I) of Kingma & Welling.
_STRONG_L2, _PRIOR_L2 = 1e-4 * NUM_PIXELS, 1 / 120_000


class _Headline(NamedTuple):
    """Hold the runs at the three weights, one per seed in one order, and those of a single epoch at 1e-1."""

    sharp: Sequence[RunResult]
    middle: Sequence[RunResult]
    blurred: Sequence[RunResult]
    one_epoch: Sequence[RunResult]

    @property
    def every(self) -> list[RunResult]:
        return [*self.sharp, *self.middle, *self.blurred]

    @property
    def triples(self) -> list[tuple[RunResult, ...]]:
        return list(zip(self.sharp, self.middle, self.blurred, strict=True))

    def middle_to_sharp(self, statistic: Callable[[RunResult], float]) -> list[float]:
        """Return a statistic at 1e-2 over that at 1e-3, seed by seed."""
        return [statistic(middle) / statistic(sharp) for sharp, middle, _ in self.triples]


# Pair every claim about the three weights with the function that measures it.
_HEADLINE: list[tuple[Claim, Callable[[_Headline], Iterable]]] = [
    (
        Claim(
            "1",
            _ORIGINAL,
            "1e-3: virtually all means within 5",
            "share of 469",
            ">=",
            _NEARLY_ALL,
            stricter=_ALL_BUT_FEW,
        ),
        lambda runs: map(of.share_within(5), runs.sharp),
    ),
    (
        Claim(
            "2a", _ORIGINAL, "1e-2: virtually all within 2.5", "share of 469", ">=", _NEARLY_ALL, stricter=_ALL_BUT_FEW
        ),
        lambda runs: map(of.share_within(2.5), runs.middle),
    ),
    (
        Claim("2b", _ORIGINAL, "1e-3 reaches further than 1e-2", "radius of 99 % of 469, ratio", ">=", 1.2),
        lambda runs: [1 / ratio for ratio in runs.middle_to_sharp(of.radius_quantile)],
    ),
    (
        Claim("3a", _ORIGINAL, "larger weight, wider posterior", "share of test images", ">=", 0.95),
        lambda runs: map(of.share_ordered, runs.triples),
    ),
    (
        Claim("3b", _ORIGINAL, "1e-3: narrow posteriors", "median σ, test images", "<", 0.1),
        lambda runs: map(of.median_std, runs.sharp),
    ),
    (
        Claim("3c", _ORIGINAL, "1e-1: as wide as the prior", "median σ, test images", ">", 0.95),
        lambda runs: map(of.median_std, runs.blurred),
    ),
    (
        Claim("4a", _ORIGINAL, "1e-3, epoch 1: means approach", "rank correlation, |μ| and batch", "<", -0.3),
        lambda runs: map(of.decreasing_radius, runs.sharp),
    ),
    (
        Claim("4b", _ORIGINAL, "1e-3, epoch 1: posteriors shrink", "rank correlation, σ and batch", "<", -0.3),
        lambda runs: map(of.decreasing_width, runs.sharp),
    ),
    (
        Claim(
            "5a", _ORIGINAL, "1e-2, epoch 1: faster", "|μ|, last over first 47 batches, ratio", "<", 1, limit_by=_ITS
        ),
        lambda runs: runs.middle_to_sharp(of.first_radius_ratio),
    ),
    (
        Claim("5b", _ORIGINAL, "1e-2, epoch 1: wider", "mean σ, ratio", ">", 1, limit_by=_ITS),
        lambda runs: runs.middle_to_sharp(of.first_mean_width),
    ),
    (
        Claim("6", _ORIGINAL, "1e-3 starts far from the origin", "largest |μ| of the first 47 batches", ">", 2),
        lambda runs: map(of.largest_early_radius, runs.sharp),
    ),
    (
        Claim("7a", _ORIGINAL, "1e-1, one epoch: no rate", "rate, test images, nats", "<", 0.05),
        lambda runs: [run.last("val_rate") for run in runs.one_epoch],
    ),
    (
        Claim("7b", _ORIGINAL, "1e-1, one epoch: at the origin", "mean |μ|, test images", "<", 0.15),
        lambda runs: map(of.mean_radius, runs.one_epoch),
    ),
    (
        Claim("7c", _ORIGINAL, "1e-1, one epoch: wide as the prior", "mean |σ − 1|, test images", "<", 0.05),
        lambda runs: map(of.mean_width_error, runs.one_epoch),
    ),
    (
        Claim("8a", _ORIGINAL, "1e-1: all samples alike", "largest std of a pixel over 225 samples", "<", 0.02),
        lambda runs: map(of.metric("pixel_std"), runs.blurred),
    ),
    (
        Claim("8b", _ORIGINAL, "… the mean image", "mean difference of a pixel", "<", 0.005),
        lambda runs: map(of.metric("error_from_mean_image"), runs.blurred),
    ),
    (
        Claim("8c", _ORIGINAL, "… and its error, 0.2628", "D per pixel, training images", "in", (0.2623, 0.2633)),
        lambda runs: [run.last("distortion") / NUM_PIXELS for run in runs.blurred],
    ),
    (
        Claim(
            "9a", _ORIGINAL, "larger weight, fewer digits", "digits: 1e-3 ≥ 1e-2 > 1e-1", "falls", None, limit_by=_ITS
        ),
        lambda runs: [tuple(map(of.num_digits, triple)) for triple in runs.triples],
    ),
    (
        Claim("9b", _ORIGINAL, "… and fuzzier at 1e-2", "mean 4y(1 − y), ratio", ">", 1, limit_by=_ITS),
        lambda runs: runs.middle_to_sharp(of.metric("fuzziness")),
    ),
    (
        Claim("13", _ORIGINAL, "1e-3 is implicit in Chollet's code", "kl_wt, KL summed,", "=", 1e-3, limit_by=_ITS),
        lambda runs: [kl_wt_from_beta(effective_beta(1e-3, distortion="mean", kl="mean"))],
    ),
    (
        Claim("14", _ORIGINAL, "469 batches in an epoch", "batches", "=", 469, limit_by=_ITS),
        lambda runs: [len(run.posteriors[1].mean) for run in runs.every],
    ),
    (
        Claim("16", _THEORY, "E[μ² + σ²] = 1 in each dimension", "off by", "<", 0.05),
        lambda runs: map(of.second_moment_error, runs.every),
    ),
    (
        Claim("17", _THEORY, "E[μ] = 0 in each dimension", "off by", "<", 0.05),
        lambda runs: map(of.absolute_mean, runs.every),
    ),
    (
        Claim("18", _THEORY, "mean decoded = mean image", "off by", "<", 0.003),
        lambda runs: map(of.metric("mean_image_error"), runs.every),
    ),
    (
        Claim("22", _THEORY, "not below the pixels' entropy", "nats per pixel", ">=", 0.05836),
        lambda runs: [min(run.history["distortion"]) / NUM_PIXELS for run in runs.every],
    ),
    (
        Claim("23b", _THEORY, "1e-3: training loss, about 0.185", "nats per pixel", "in", (0.175, 0.195)),
        lambda runs: [run.last("loss") / NUM_PIXELS for run in runs.sharp],
    ),
    (
        Claim(
            "23c", _THEORY, "1e-2: training loss, 0.2 or more, but no collapse", "nats per pixel", "in", (0.2, 0.2628)
        ),
        lambda runs: [run.last("loss") / NUM_PIXELS for run in runs.middle],
    ),
    (
        Claim("25", _THEORY, "active units", "at 1e-3, 1e-2, 1e-1", "=", (2, 2, 0)),
        lambda runs: [tuple(int(run.metrics["active_units"]) for run in triple) for triple in runs.triples],
    ),
]
# Name the nats of rate on test images that a run at a weight is held to.
_COLLAPSE = [
    (2e-2, Claim("15a", _THEORY, "0.02: rate", "nats", ">", 0.3)),
    (3e-2, Claim("15b", _THEORY, "0.03: rate", "nats", ">", 0.02)),
    (5e-2, Claim("15c", _THEORY, "0.05: rate", "nats", "<", 0.01)),
    (1e-1, Claim("15d", _THEORY, "0.1: rate", "nats", "<", 0.01)),
]


def check_headline(runs: Mapping[float, Sequence[RunResult]], one_epoch: Sequence[RunResult]) -> list[Claim]:
    """Hold the three headline weights to the claims about them.

    Args:
        runs: dict from kl_wt (1e-3, 1e-2, 1e-1) to lists of `RunResult`, one per seed, in one order;
            of 100 epochs, unshuffled.
        one_epoch: list of `RunResult`, of a single epoch at 1e-1.

    Returns:
        A list of `Claim`.

    Used in chapter 12.
    """
    headline = _Headline(runs[1e-3], runs[1e-2], runs[1e-1], one_epoch)
    return [claim.with_values(measure(headline)) for claim, measure in _HEADLINE]


def check_sweep(
    runs: Mapping[float, Sequence[RunResult]],
    log_likelihoods: Mapping[float, Sequence[np.ndarray]] | None = None,
) -> list[Claim]:
    """Hold a sweep over the weight to the claims about the best one.

    Args:
        runs: dict from kl_wt to lists of `RunResult`, one per seed; 1/784, the ELBO's own weight, among them.
        log_likelihoods: None, or a dict from kl_wt to lists of arrays (n,), log p(x) of the same test images in nats,
            one per seed; of fewer seeds than the runs, if wanted.

    Returns:
        A list of `Claim`.

    Used in chapter 12.
    """
    elbo = runs[kl_wt_from_beta(1)]

    def best(found: Mapping[float, Sequence[Any]], score: Callable[[Any], float]) -> list[float]:
        """Return the weight with the highest score, seed by seed."""
        num_seeds = min(map(len, found.values()))
        return [max(found, key=lambda kl_wt: score(found[kl_wt][seed])) for seed in range(num_seeds)]

    generates = Claim("10a", _ORIGINAL, "1e-3 generates best", "best kl_wt", "in", (3e-4, 3e-3))
    bounds = Claim("10b", _THEORY, "the ELBO is best near its own weight", "best kl_wt", "in", (5e-4, 3e-3))
    likely = Claim("10c", _THEORY, "… and so is log p(x) itself", "best kl_wt", "in", (5e-4, 3e-3))
    value = Claim("23a", _THEORY, "1/784: −ELBO on test images, about 146", "nats", "in", (140, 152))
    rate = Claim("23d", _THEORY, "1/784: rate, about 7", "nats", "in", (6, 8))
    claims = [
        generates.with_values(best(runs, of.generation_score)),
        bounds.with_values(best(runs, lambda run: -run.bound()[-1])),
    ]
    if log_likelihoods:
        claims.append(likely.with_values(best(log_likelihoods, lambda exact: float(np.mean(exact)))))
    return [
        *claims,
        value.with_values([run.bound()[-1] for run in elbo]),
        rate.with_values([run.last("val_rate") for run in elbo]),
    ]


def check_inference_gap(log_likelihoods: Sequence[np.ndarray], bounds: Sequence[np.ndarray]) -> list[Claim]:
    """Hold the difference between log p(x) and the ELBO, at beta 1, to the claims about it.

    Args:
        log_likelihoods: list of arrays (n,), log p(x) of test images in nats, one per seed.
        bounds: the same for their ELBO.

    Returns:
        A list of `Claim`.

    Used in chapter 09.
    """
    gaps = [np.subtract(exact, bound) for exact, bound in zip(log_likelihoods, bounds, strict=True)]
    # Allow a thousandth: both are float32 in part.
    positive = Claim("24a", _THEORY, "no image has more ELBO than log p(x)", "smallest gap, nats", ">=", -0.001)
    some_nats = Claim("24b", _THEORY, "β = 1: log p(x) − ELBO", "mean, nats", "in", (0.5, 6))
    return [positive.with_values(map(np.min, gaps)), some_nats.with_values(map(np.mean, gaps))]


def check_paired(
    annealed: Mapping[str, Sequence[RunResult]],
    decayed: Mapping[float, Sequence[RunResult]],
    plain: Sequence[RunResult],
) -> list[Claim]:
    """Hold annealing and weight decay to the claim that they do not help.

    Args:
        annealed: dict from the name of an annealing to lists of `RunResult`, one per seed.
        decayed: dict from l2 to lists of `RunResult`, one per seed.
        plain: list of `RunResult` without either, of the same seeds in the same order.

    Returns:
        A list of `Claim`, whose values are 95 % intervals of the difference of −ELBO on test images.

    Used in chapter 12.
    """
    rows: list[tuple[Claim, Sequence[RunResult]]] = [
        (Claim(f"11 {name}", _ORIGINAL, f"annealing does not help: {name}", "−ELBO, nats", "inside", (-1, 1)), runs)
        for name, runs in annealed.items()
    ]
    for l2, runs in decayed.items():
        if np.isclose(l2, _PRIOR_L2):
            claim = Claim(
                "12a", _ORIGINAL, "the weight prior N(0, I) does not help", "−ELBO, nats", "inside", (-0.5, 0.5)
            )
            rows.append((claim, runs))
        elif l2 >= _STRONG_L2:
            claim = Claim(f"12b {l2:.3g}", _ORIGINAL, f"λ = {l2:.3g} hurts", "−ELBO worse, nats", "above", 1)
            rows.append((claim, runs))
    return [claim.with_values([of.paired_difference(runs, plain)[1:]]) for claim, runs in rows]


def check_collapse(
    runs: Mapping[float, Sequence[RunResult]],
    widths: Mapping[float, np.ndarray],
    angles: Mapping[float, np.ndarray],
) -> list[Claim]:
    """Hold a sweep to what theory says: where collapse begins, and what holds at any optimum.

    Args:
        runs: dict from kl_wt to lists of `RunResult`, one per seed.
        widths: dict from kl_wt to (n, latent_dim), posterior variances times 1 + G_jj / beta, with the `fisher_metric`
            G; 1 where every posterior is the best one of its shape.
        angles: dict from kl_wt to (n,), cosines of the angle between the decoder's two directions in that metric.

    Returns:
        A list of `Claim`.

    Used in chapter 08.
    """
    claims = [
        claim.with_values([run.last("val_rate") for run in runs[kl_wt]]) for kl_wt, claim in _COLLAPSE if kl_wt in runs
    ]
    for kl_wt, ratios in widths.items():
        claim = Claim(f"19 {kl_wt:g}", _THEORY, f"{kl_wt:g}: σ² = 1 / (1 + G/β)", "median ratio", "in", (0.8, 1.25))
        claims.append(claim.with_values([float(np.median(ratios))]))
    for kl_wt, cosines in angles.items():
        statement = f"{kl_wt:g}: the decoder's directions are orthogonal"
        claim = Claim(f"20 {kl_wt:g}", _THEORY, statement, "median |cos|", "<", 0.2)
        claims.append(claim.with_values([float(np.median(np.abs(cosines)))]))
    claim = Claim("21", _THEORY, "no run is better by another's loss than that one", "nats", "<=", 0.5)
    return [*claims, claim.with_values([_largest_regret(runs)])]


def _largest_regret(runs: Mapping[float, Sequence[RunResult]]) -> float:
    """Return by how much the training loss of a run, at its own beta, is above that of another run at this beta."""
    points = [
        (run.spec.beta, run.last("distortion"), run.last("rate"))
        for run in itertools.chain.from_iterable(runs.values())
    ]
    return max(
        negative_elbo(distortion, rate, beta) - negative_elbo(other_distortion, other_rate, beta)
        for (beta, distortion, rate), (other_beta, other_distortion, other_rate) in itertools.permutations(points, 2)
        if other_beta != beta
    )
