"""Draw the latent plane: where posteriors lie, how wide they are, and in which order they came."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike

__all__ = ["plot_latent_means", "plot_posterior_trace", "plot_posteriors", "plot_true_posterior"]

# Merge the labels of n classes that all lie within this share of the width of a picture, times the root of n.
_SAME_PLACE = 0.04
# Keep the labels of classes as far apart, as a share of the width of a picture: they cover each other otherwise.
_LABEL_SIZE = 0.08
# Leave out the number of a batch that is nearer to another number than this share of the width of a picture.
_TOO_NEAR = 0.06
_LABEL_BOX = {"boxstyle": "circle,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
_LABEL: dict[str, Any] = dict(ha="center", va="center", fontsize=9, weight="bold", clip_on=True, bbox=_LABEL_BOX)
_CIRCLE = np.stack([f(np.linspace(0, 2 * np.pi, 200)) for f in (np.cos, np.sin)])
# Go through the colours of the rainbow, all of them dark enough for a thin line on white.
_RED_TO_VIOLET = LinearSegmentedColormap.from_list(
    "red to violet", ["#e0201b", "#d06a00", "#978800", "#2c9440", "#0a84b0", "#2a52d8", "#7a1fc0"]
)


def plot_latent_means(z_mean: ArrayLike, labels: ArrayLike, ax: Axes | None = None, limit: float | None = None) -> Axes:
    """Draw posterior means in the latent plane, coloured by class, around the prior's circle of one standard deviation.

    Args:
        z_mean: (n, 2), posterior means.
        labels: (n,) integers from 0 to 9.
        ax: Axes to draw into; None for the current ones.
        limit: half the width of the picture, in prior standard deviations, with the prior in its middle; None shows
            everything, and no more.

    Returns:
        The Axes.

    Raises:
        ValueError: if the latent space is not two-dimensional.
    """
    z_mean = _plane(z_mean, "plot_latent_means", "z_mean")
    ax = plt.gca() if ax is None else ax
    _prior_plane(ax, limit, z_mean, z_mean)
    middles = {}
    for digit in np.unique(labels):
        points = z_mean[np.asarray(labels) == digit]
        ax.scatter(points[:, 0], points[:, 1], s=2, alpha=0.5, color=plt.get_cmap("tab10")(int(digit)), linewidths=0)
        middles[str(digit)] = np.median(points, axis=0)
    places, width = list(middles.values()), np.ptp(ax.get_xlim())
    if len(places) > 1 and np.ptp(places, axis=0).max() < _SAME_PLACE * len(places) ** 0.5 * width:
        # Merge the labels after a collapse: ten digits on top of each other would read as the last one.
        middles = {f"{min(middles)}–{max(middles)}": np.mean(places, axis=0)}
    # Write the digit at the middle of its class: colour alone is hard to read for many.
    for text, (x, y) in zip(middles, _apart(np.array([*middles.values()]), _LABEL_SIZE * width), strict=True):
        ax.text(x, y, text, **_LABEL)
    return ax


def plot_posteriors(
    mean: ArrayLike,
    std: ArrayLike,
    ax: Axes | None = None,
    limit: float | None = None,
    legend: bool = True,
    num_marks: int = 6,
) -> Axes:
    """Draw posteriors as ellipses of one standard deviation, red first and violet last, and the prior's black circle.

    The order shows without colour too: some posteriors, such as the first and the last, have the number of their batch
    at their mean.

    Args:
        mean: (n, 2), posterior means in the order of training.
        std: (n, 2), posterior standard deviations.
        ax: Axes to draw into; None for the current ones.
        limit: half the width of the picture, in prior standard deviations, with the prior in its middle; None shows
            everything, and no more.
        legend: whether to explain the colours, by a bar above the picture.
        num_marks: how many posteriors to number at most, denser at the beginning; none where it would cover another.

    Returns:
        The Axes.

    Raises:
        ValueError: if the latent space is not two-dimensional.
    """
    mean, std = _plane(mean, "plot_posteriors", "mean"), _plane(std, "plot_posteriors", "std")
    ax = plt.gca() if ax is None else ax
    _prior_plane(ax, limit, mean - std, mean + std)
    colors = _RED_TO_VIOLET(np.linspace(0, 1, len(mean)))
    ellipses = EllipseCollection(
        2 * std[:, 0],
        2 * std[:, 1],
        np.zeros(len(std)),
        units="xy",
        offsets=mean,
        offset_transform=ax.transData,
        facecolors="none",
        edgecolors=colors,
        linewidths=0.8,
    )
    ax.add_collection(ellipses)
    for i in _marks(mean, num_marks, _TOO_NEAR * np.ptp(ax.get_xlim())):
        box = _LABEL_BOX | {"boxstyle": "round,pad=0.2", "edgecolor": colors[i], "alpha": 0.9}
        ax.text(mean[i, 0], mean[i, 1], str(i + 1), **_LABEL | {"bbox": box, "zorder": 4})
    if legend:
        _order_bar(ax, len(mean))
    return ax


def _marks(mean: np.ndarray, num_marks: int, distance: float) -> list[int]:
    """Return which posteriors to number: the last, the first, and those between that are not too near to others."""
    wanted = np.unique(np.geomspace(1, len(mean), num_marks).round().astype(int)) - 1
    marked: list[int] = []
    for i in np.roll(wanted, 1):
        if all(np.hypot(*(mean[i] - mean[other])) > distance for other in marked):
            marked.append(int(i))
    return marked


def _apart(places: np.ndarray, distance: float) -> np.ndarray:
    """Return places (n, 2), moved away from each other, where two are nearer than a distance, until none are."""
    places = places + 1e-6 * distance * np.arange(len(places))[:, None]  # so that no two are the same
    for _ in range(200):
        away = places[:, None] - places
        length = np.hypot(away[..., 0], away[..., 1]) + np.eye(len(places))
        short = np.where(np.eye(len(places)) > 0, 0, np.maximum(distance - length, 0))
        if not short.any():
            break
        places = places + np.sum(away * (short / length / 2)[..., None], axis=1)
    return places


def _order_bar(ax: Axes, num_batches: int) -> None:
    """Draw a bar of the colours in the order of the batches, at the upper right of the picture."""
    bar = ax.inset_axes((0.62, 1.012, 0.3, 0.018))
    bar.imshow(np.linspace(0, 1, 256)[None], cmap=_RED_TO_VIOLET, aspect="auto", extent=(0, 1, 0, 1))
    bar.set_axis_off()
    for x, text, side in ((-0.03, "batch 1", "right"), (1.03, str(num_batches), "left")):
        bar.text(x, 0.5, text, ha=side, va="center", fontsize="small")


def plot_posterior_trace(radius: ArrayLike, width: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw how far out the posteriors of an epoch lie, and how wide they are, batch by batch.

    Args:
        radius: (n,), distances of the means from the origin, such as `PosteriorTrace.radius`.
        width: (n,), standard deviations, such as `PosteriorTrace.width`.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes, logarithmic in y, with radii as dots and widths as crosses, in standard deviations of the prior.

    Raises:
        ValueError: if the two are not of one shape (n,).
    """
    radius, width = np.asarray(radius), np.asarray(width)
    if radius.ndim != 1 or radius.shape != width.shape:
        raise ValueError(
            f"plot_posterior_trace expects radius and width of one shape (n,), got {radius.shape} and {width.shape}: "
            "pass trace.radius and trace.width."
        )
    ax = plt.gca() if ax is None else ax
    batches = np.arange(1, len(radius) + 1)
    ax.axhline(1, color="black", linewidth=0.8)
    ax.plot(batches, radius, ".", color="C0", markersize=3, label="distance from the origin, |μ|")
    ax.plot(batches, width, "x", color="C1", markersize=3, label="standard deviation, σ")
    ax.set(xlabel="batch", ylabel="prior standard deviations", yscale="log")
    ax.legend(frameon=False, fontsize="small", markerscale=2)
    return ax


def plot_true_posterior(
    log_joint: ArrayLike,
    z_1: np.ndarray,
    z_2: np.ndarray,
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw an image's true posterior p(z|x) as filled contours, under the ellipses of the Gaussian in its place.

    The dark region holds 39 % of the mass that is in the picture, both together 86 %. The ellipses of one and two
    standard deviations hold the same shares of a Gaussian, $1 - e^{-r^2 / 2}$, so for a Gaussian posterior the curves
    agree.

    Args:
        log_joint: (len(z_2), len(z_1)), log p(x, z) on a grid, up to a constant.
        z_1: (n,), evenly spaced, the grid's columns.
        z_2: (m,), evenly spaced, its rows.
        mean: (2,), mean of q(z|x); None draws the contours only.
        std: (2,), its standard deviations; given with mean.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes, which show the whole grid.

    Raises:
        ValueError: if log_joint has another shape.

    Used in chapter 09.
    """
    log_joint = np.asarray(log_joint, "float64")
    if log_joint.shape != (len(z_2), len(z_1)):
        raise ValueError(
            f"plot_true_posterior expects log_joint of shape (len(z_2), len(z_1)), ({len(z_2)}, {len(z_1)}), "
            f"got {log_joint.shape}."
        )
    ax = plt.gca() if ax is None else ax
    density = np.exp(log_joint - log_joint.max())
    falling = np.sort(density, axis=None)[::-1]
    mass = np.cumsum(falling) / falling.sum()
    one, two = (falling[np.searchsorted(mass, 1 - np.exp(-(radius**2) / 2))] for radius in (1, 2))
    ax.contourf(z_1, z_2, density, levels=[two, one, 1.01], colors=["#c6dbef", "#6baed6"])
    if mean is not None and std is not None:
        for radius, style in ((1, "-"), (2, "--")):
            ax.plot(*(np.reshape(mean, (2, 1)) + radius * np.reshape(std, (2, 1)) * _CIRCLE), style, color="C3")
    ax.set(xlim=(z_1[0], z_1[-1]), ylim=(z_2[0], z_2[-1]), xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return ax


def _plane(values: ArrayLike, function: str, name: str) -> np.ndarray:
    """Return values as an array (n, 2), or raise a ValueError."""
    values = np.asarray(values)
    if values.ndim != 2 or values.shape[1] != 2:
        raise ValueError(f"{function} expects {name} of shape (n, 2), a latent plane, got {values.shape}.")
    return values


def _prior_plane(ax: Axes, limit: float | None, low: np.ndarray, high: np.ndarray) -> None:
    """Set a square of equal axes, and draw the prior's circle of one standard deviation on top.

    Args:
        ax: Axes to draw into.
        limit: half the width of a square about the origin; None for the smallest one that shows everything.
        low: (n, 2), lower ends of what is to be shown.
        high: (n, 2), upper ends.
    """
    low, high = np.minimum(low.min(axis=0), -1), np.maximum(high.max(axis=0), 1)
    middle, reach = ((low + high) / 2, 1.05 * np.max(high - low) / 2) if limit is None else (np.zeros(2), limit)
    ax.plot(*_CIRCLE, color="black", linewidth=1.5, zorder=3, label="prior")
    (left, bottom), (right, top) = middle - reach, middle + reach
    ax.set(xlim=(left, right), ylim=(bottom, top), xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
