"""Make what the film shows: posteriors batch by batch, the digits they belong to, and what is decoded of them."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..data import NUM_PIXELS
from ..models import VAE
from .data import pack

__all__ = ["film_data"]

# Keep this many shades of grey, as filmdigits.js expects: the digits are an inch high at most.
_WHITE = 15


def film_data(
    results: Mapping[str, Any],
    x: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    models: Mapping[str, VAE] | None = None,
) -> dict[str, Any]:
    """Return what the film shows of several runs, by name.

    Args:
        results: dict from a label to a `RunResult` with two latent dimensions.
        x: None, or (n, 28, 28, 1), the training images of these runs.
        labels: with x, (n,) integers from 0 to 9.
        models: None, or a dict from the same labels to the trained `VAE`.

    Returns:
        A dict that can be written as JSON.

    Raises:
        ValueError: if there is no result, one has another number of latent dimensions, their epochs differ, or there
            are too few images, labels or models.
    """
    epochs = _common_epochs(results)
    data: dict = {"runs": [{"label": label} for label in results]}
    for i, result in enumerate(results.values()):
        traces = [np.concatenate(result.posteriors[epoch], axis=1) for epoch in epochs]
        data[f"film-{i}"] = {"epochs": epochs, "trace": pack(np.stack(traces), "int16")}
    if x is not None or labels is not None:
        data = _with_digits(data, results, epochs, x, labels)
    if models is not None:
        data = _with_decoded(data, results, epochs[-1], models)
    return data


def _common_epochs(results: Mapping[str, Any]) -> list[int]:
    """Return the epochs of all results, or raise an error that says why they cannot stand side by side."""
    if not results:
        raise ValueError("posterior_film expects at least one result, got an empty dict: see train_or_load.")
    shapes = {
        label: {epoch: np.shape(trace.mean) for epoch, trace in result.posteriors.items()}
        for label, result in results.items()
    }
    first = next(iter(shapes.values()))
    for label, shape in shapes.items():
        if any(latent_dim != 2 for _, latent_dim in shape.values()):
            raise ValueError(f"posterior_film expects runs with two latent dimensions, {label!r} has another number.")
        if shape != first:
            raise ValueError(
                f"posterior_film expects runs with the same epochs and batches, got {shape} for {label!r} and {first} "
                "for the first: show them one by one."
            )
    return sorted(first)


def _with_digits(
    data: dict[str, Any], results: Mapping[str, Any], epochs: list[int], x: ArrayLike | None, labels: ArrayLike | None
) -> dict[str, Any]:
    """Add the first digit of every batch: one file for each order of the images, and for every epoch its number."""
    x, labels = np.asarray(x), np.asarray(labels)
    needed = max(result.spec.num_train for result in results.values())
    if np.shape(x)[:1] != np.shape(labels)[:1] or x.ndim != 4 or len(x) < needed:
        raise ValueError(
            f"posterior_film expects the {needed} training images of the runs (n, 28, 28, 1) and as many labels, "
            f"got the shapes {np.shape(x)} and {np.shape(labels)}: pass digits.x_train and digits.y_train."
        )
    orders: dict[bytes, int] = {}
    for i, result in enumerate(results.values()):
        data[f"film-{i}"]["digits"] = []
        for epoch in epochs:
            rows = result.first_rows(epoch)
            number = orders.setdefault(rows.tobytes(), len(orders))
            data[f"film-{i}"]["digits"].append(number)
            data[f"film-digits-{number}"] = {"labels": pack(labels[rows], "uint8"), "images": _squeezed(x[rows])}
    return data


def _with_decoded(
    data: dict[str, Any], results: Mapping[str, Any], epoch: int, models: Mapping[str, VAE]
) -> dict[str, Any]:
    """Add what the trained models decode from the means of the last epoch."""
    if missing := [label for label in results if label not in models]:
        raise ValueError(f"posterior_film expects a model for each result, got none for {', '.join(missing)}.")
    for i, (label, result) in enumerate(results.items()):
        data[f"film-{i}"]["decoded"] = True
        data[f"film-decoded-{i}"] = {"images": _squeezed(models[label].generate(result.posteriors[epoch].mean))}
    return data


def _squeezed(pixels: ArrayLike) -> dict[str, Any]:
    """Return images in [0, 1], (n, 28, 28, 1), as text: sixteen shades, compressed by zlib."""
    shades = np.round(_WHITE * np.reshape(pixels, (-1, NUM_PIXELS))).astype("uint8")
    return pack(np.frombuffer(zlib.compress(shades.tobytes(), level=9), "uint8"), "uint8")
