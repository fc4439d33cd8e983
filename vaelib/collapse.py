"""What theory says of collapse, held to a sweep over the weight of the KL."""

import itertools

import numpy as np

from .verdicts import ClaimTable

__all__ = ["check_collapse"]

# Nats of rate on test images, by kl_wt, that a run is to keep, or not to exceed.
_RATES = {2e-2: "> 0.3", 3e-2: "> 0.02", 5e-2: "< 0.01", 1e-1: "< 0.01"}


def check_collapse(runs, widths, angles):
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
    table = ClaimTable("theory")
    for letter, (kl_wt, threshold) in zip("abcd", _RATES.items(), strict=True):
        if kl_wt in runs:
            rates = [run.history["val_rate"][-1] for run in runs[kl_wt]]
            table.add(f"15{letter}", f"{kl_wt:g}: rate", "nats", threshold, rates)
    for kl_wt, ratios in widths.items():
        middle = float(np.median(ratios))
        table.add(
            f"19 {kl_wt:g}", f"{kl_wt:g}: σ² = 1 / (1 + G/β)", "median ratio in 0.8 to 1.25", "", [middle],
            [0.8 <= middle <= 1.25],
        )  # fmt: skip
    for kl_wt, cosines in angles.items():
        table.add(
            f"20 {kl_wt:g}",
            f"{kl_wt:g}: the decoder's directions are orthogonal",
            "median |cos|",
            "< 0.2",
            [float(np.median(np.abs(cosines)))],
        )
    table.add("21", "no run is better by another's loss than that one", "nats", "<= 0.5", [_largest_regret(runs)])
    return table.claims


def _largest_regret(runs):
    """By how much the training loss of a run, at its own beta, is above that of another run at this beta."""
    points = [
        (run.spec.beta, run.history["distortion"][-1], run.history["rate"][-1])
        for run in itertools.chain.from_iterable(runs.values())
    ]
    return max(
        (distortion + beta * rate) - (other_distortion + beta * other_rate)
        for (beta, distortion, rate), (other_beta, other_distortion, other_rate) in itertools.permutations(points, 2)
        if other_beta != beta
    )
