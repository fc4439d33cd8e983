"""Invent results of runs, with statistics that are known."""

import numpy as np

import vaelib
from vaelib.experiment import RunResult
from vaelib.models import PosteriorTrace

NUM_BATCHES, NUM_TEST = 469, 400


def result(kl_wt=1e-3, seed=1, radius=1.0, std=0.05, bound=150.0, rate=7.0, digits=10, num_epochs=100, **fields):
    """Return a result whose means lie at one radius, with one width; in epoch 1 they approach from 9 to 1, and narrow.

    Args:
        kl_wt: the weight.
        seed: decides the directions.
        radius: of the means of the last epoch and of the test images.
        std: of the same posteriors.
        bound: −ELBO of training and test images.
        rate: likewise.
        digits: how many classes it generates.
        num_epochs: how many epochs have the same history.
        fields: others of the `RunSpec`.
    """
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, NUM_BATCHES)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    inwards = np.linspace(9, 1, NUM_BATCHES)[:, None]
    first = PosteriorTrace(inwards * around, np.tile(np.linspace(1, std, NUM_BATCHES)[:, None], 2))
    last = PosteriorTrace(radius * around, np.full((NUM_BATCHES, 2), std))
    loss = bound - rate + 784 * kl_wt * rate
    history = {
        name: [value] * num_epochs
        for name, value in zip(
            ("loss", "distortion", "rate", "val_loss", "val_distortion", "val_rate"),
            (loss, bound - rate, rate, loss, bound - rate, rate),
            strict=True,
        )
    }
    points = np.arange(225)
    metrics = {
        "active_units": 2,
        "test_mean": np.full((NUM_TEST, 2), radius / 2**0.5).astype("float16"),
        "test_std": np.full((NUM_TEST, 2), std).astype("float16"),
        "train_mean": np.array([0.01, -0.02]),
        "train_second_moment": np.array([1.01, 0.97]),
        "mean_image_error": 0.001,
        "digit": points % digits,
        "confidence": np.full(225, 0.9),
        "pixel_std": 0.3,
        "error_from_mean_image": 0.1,
        "fuzziness": 0.2,
    }
    metrics = {name: np.asarray(value) for name, value in metrics.items()}
    spec = vaelib.RunSpec.from_kl_wt(kl_wt, seed=seed, num_epochs=num_epochs, **fields)
    return RunResult(spec, history, {1: first, num_epochs: last}, metrics, {"seconds": 1.0, "finished": "2026-01-01"})
