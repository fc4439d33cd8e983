"""Draw pictures: arrays in, matplotlib Axes out. Nothing outside the given Axes is touched."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from ._types import Schedule

__all__ = [
    "plot_history",
    "plot_images",
    "plot_latent_grid",
    "plot_latent_means",
    "plot_posterior_trace",
    "plot_posteriors",
    "plot_rate_distortion",
    "plot_schedule",
    "plot_true_posterior",
]

_UNITS = {"seconds": "seconds", "beta": "β"}
# Merge labels that are nearer than this share of half the width of a picture: they would cover each other.
_SAME_PLACE = 0.03
_LABEL_BOX = {"boxstyle": "circle,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
_LABEL: dict[str, Any] = dict(ha="center", va="center", fontsize=9, weight="bold", clip_on=True, bbox=_LABEL_BOX)
_CIRCLE = np.stack([f(np.linspace(0, 2 * np.pi, 200)) for f in (np.cos, np.sin)])


def plot_images(images: ArrayLike, num_columns: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw images side by side as one picture, black on white.

    Args:
        images: (n, height, width) or (n, height, width, 1), values in [0, 1].
        num_columns: images per row; None for a single row.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes.

    Raises:
        ValueError: if images have another shape, or there are none.
    """
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 or not len(images):
        raise ValueError(
            f"plot_images expects images (n, height, width) or (n, height, width, 1), n >= 1, got {images.shape}."
        )
    num_images, height, width = images.shape
    num_columns = num_columns or num_images
    num_rows = -(-num_images // num_columns)
    tiles = np.zeros((num_rows * num_columns, height, width))
    tiles[:num_images] = images
    mosaic = tiles.reshape(num_rows, num_columns, height, width).swapaxes(1, 2).reshape(num_rows * height, -1)
    ax = plt.gca() if ax is None else ax
    ax.imshow(mosaic, cmap="gray_r", vmin=0, vmax=1)
    ax.set_axis_off()
    return ax


def plot_latent_grid(x_mean: ArrayLike, z: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw the digits that a decoder makes of `latent_grid`, with the latent coordinates on the axes.

    Args:
        x_mean: (n * n, 28, 28, 1), decoded means in [0, 1].
        z: (n * n, 2), the points of `latent_grid` that were decoded.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes.

    Raises:
        ValueError: if the points are not a square grid, or not as many as the images.
    """
    x_mean, z = np.asarray(x_mean), np.asarray(z)
    num_per_axis = round(len(z) ** 0.5)
    if num_per_axis**2 != len(z) or len(x_mean) != len(z):
        raise ValueError(
            f"plot_latent_grid expects as many images as points of a square grid, got {len(x_mean)} and {len(z)}."
        )
    ax = plot_images(x_mean, num_columns=num_per_axis, ax=ax)
    ax.set_axis_on()
    size = x_mean.shape[1]
    shown = np.unique(np.linspace(0, num_per_axis - 1, 5).round().astype(int))
    values = z[:num_per_axis, 0]
    centres = shown * size + size / 2
    labels = [f"{abs(value):.1f}" if value > -0.05 else f"−{-value:.1f}" for value in values[shown]]
    ax.set_xticks(centres, labels)
    ax.set_yticks(num_per_axis * size - centres, labels)
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    return ax


def plot_rate_distortion(rate: ArrayLike, distortion: ArrayLike, beta: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw runs in the plane of rate and distortion, each with a short line of the slope of its training, -beta.

    The lines of the best possible runs touch one curve (Alemi et al. 2018).

    Args:
        rate: (n,) nats.
        distortion: (n,) nats.
        beta: (n,), the weight of the rate of each run.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes.
    """
    ax = plt.gca() if ax is None else ax
    rate, distortion, beta = np.asarray(rate), np.asarray(distortion), np.asarray(beta)
    # Keep the lines short, and steep ones low, so that neighbours do not hide each other.
    step = np.minimum(0.6, 4 / np.maximum(beta, 1e-9))
    ax.plot([rate - step, rate + step], [distortion + beta * step, distortion - beta * step], "-", color="C1")
    ax.plot(rate, distortion, "o", color="C0", markersize=4)
    ax.set(xlabel="rate R (nats)", ylabel="distortion D (nats)")
    return ax


def plot_schedule(schedule: Schedule, num_steps: int, ax: Axes | None = None, **line: Any) -> Axes:
    """Draw beta against the training step.

    Args:
        schedule: `step -> beta`.
        num_steps: steps to draw.
        ax: Axes to draw into; None for the current ones.
        line: further arguments of `Axes.plot`, such as label.

    Returns:
        The Axes.
    """
    ax = plt.gca() if ax is None else ax
    steps = np.unique(np.linspace(0, num_steps - 1, 1000).round())
    ax.plot(steps, np.array(schedule(steps)), **line)
    ax.set(xlabel="step", ylabel="β")
    return ax


def plot_history(
    history: Mapping[str, Sequence[float]], names: Sequence[str] = ("loss", "val_loss"), ax: Axes | None = None
) -> Axes:
    """Draw curves of a training history against the epoch.

    Args:
        history: `Run.history`, or Keras' `History.history`: a list of numbers under each name.
        names: which of them to draw.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes.

    Raises:
        ValueError: if a name is not in the history.
    """
    missing = [name for name in names if name not in history]
    if missing:
        raise ValueError(f"plot_history found no {missing} in the history, which has {sorted(history)}.")
    ax = plt.gca() if ax is None else ax
    colors: dict[str, str] = {}
    for name in names:
        epochs = np.arange(1, len(history[name]) + 1)
        # Give training and validation of one quantity one colour; dashes tell them apart.
        color = colors.setdefault(name.removeprefix("val_"), f"C{len(colors)}")
        style = "--" if name.startswith("val_") else "-"
        ax.plot(epochs, history[name], style, color=color, marker=".", label=name)
    ax.set(xlabel="epoch", ylabel=_UNITS.get(names[0].removeprefix("val_"), "nats per image"))
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    ax.legend(frameon=False)
    return ax


def plot_latent_means(z_mean: ArrayLike, labels: ArrayLike, ax: Axes | None = None, limit: float | None = None) -> Axes:
    """Draw posterior means in the latent plane, coloured by class, around the prior's circle of one standard deviation.

    Args:
        z_mean: (n, 2), posterior means.
        labels: (n,) integers from 0 to 9.
        ax: Axes to draw into; None for the current ones.
        limit: half the width of the picture, in prior standard deviations; None shows everything.

    Returns:
        The Axes.

    Raises:
        ValueError: if the latent space is not two-dimensional.
    """
    z_mean = _plane(z_mean, "plot_latent_means", "z_mean")
    ax = plt.gca() if ax is None else ax
    limit = limit or _reach(z_mean)
    middles = {}
    for digit in np.unique(labels):
        points = z_mean[np.asarray(labels) == digit]
        ax.scatter(points[:, 0], points[:, 1], s=2, alpha=0.5, color=plt.get_cmap("tab10")(int(digit)), linewidths=0)
        middles[str(digit)] = np.median(points, axis=0)
    places = list(middles.values())
    if len(places) > 1 and np.ptp(places, axis=0).max() < _SAME_PLACE * limit:
        # Merge the labels after a collapse: ten digits on top of each other would read as the last one.
        middles = {f"{min(middles)}–{max(middles)}": np.mean(places, axis=0)}
    # Write the digit at the middle of its class: colour alone is hard to read for many.
    for text, middle in middles.items():
        ax.text(middle[0], middle[1], text, **_LABEL)
    return _prior_plane(ax, limit)


def plot_posteriors(
    mean: ArrayLike, std: ArrayLike, ax: Axes | None = None, limit: float | None = None, legend: bool = True
) -> Axes:
    """Draw posteriors as ellipses of one standard deviation, red first and violet last, and the prior's black circle.

    Colour tells the order, and so do lines that grow from thin to thick, a triangle at the first posterior and a square
    at the last.

    Args:
        mean: (n, 2), posterior means in the order of training.
        std: (n, 2), posterior standard deviations.
        ax: Axes to draw into; None for the current ones.
        limit: half the width of the picture, in prior standard deviations; None shows everything.
        legend: whether to explain the signs.

    Returns:
        The Axes.

    Raises:
        ValueError: if the latent space is not two-dimensional.
    """
    mean, std = _plane(mean, "plot_posteriors", "mean"), _plane(std, "plot_posteriors", "std")
    ax = plt.gca() if ax is None else ax
    colors = plt.get_cmap("rainbow_r")(np.linspace(0, 1, len(mean)))
    ellipses = EllipseCollection(
        2 * std[:, 0],
        2 * std[:, 1],
        np.zeros(len(std)),
        units="xy",
        offsets=mean,
        offset_transform=ax.transData,
        facecolors="none",
        edgecolors=colors,
        linewidths=np.linspace(0.4, 1.4, len(mean)),
    )
    ax.add_collection(ellipses)
    for i, marker, label in ((0, "^", "batch 1"), (len(mean) - 1, "s", f"batch {len(mean)}")):
        ax.plot(*mean[i], marker, color=colors[i], markeredgecolor="black", markersize=6, zorder=4, label=label)
    _prior_plane(ax, limit or _reach(np.abs(mean) + std))
    if legend:
        ax.legend(loc="upper right", fontsize="small", framealpha=0.9, handlelength=1.2)
    return ax


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


def _reach(values: np.ndarray) -> float:
    """Return half the width of a picture that shows all of these values, and the prior's circle."""
    return 1.05 * max(2.0, float(np.max(np.abs(values))))


def _prior_plane(ax: Axes, limit: float) -> Axes:
    """Set equal axes about the origin, and draw the prior's circle of one standard deviation on top."""
    ax.plot(*_CIRCLE, color="black", linewidth=1.5, zorder=3, label="prior")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return ax
