"""Pictures: arrays in, matplotlib Axes out. Nothing outside the given Axes is touched."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import EllipseCollection
from scipy.stats import norm

__all__ = [
    "latent_grid",
    "plot_history",
    "plot_images",
    "plot_latent_grid",
    "plot_latent_means",
    "plot_posteriors",
]

_UNITS = {"seconds": "seconds", "beta": "β"}


def latent_grid(num_per_axis=15, low=0.05, high=0.95):
    r"""Points of a two-dimensional latent space at equal steps of prior probability.

    $z = \Phi^{-1}(u)$ for u on an even grid, so that every cell of the picture stands for the same share of what the
    prior generates (Kingma & Welling 2013, figure 4).

    Args:
        num_per_axis: points on each axis, >= 2.
        low: smallest cumulative probability, > 0.
        high: largest, < 1.

    Returns:
        (num_per_axis ** 2, 2) float32, in the order of reading. The first row has the largest second coordinate, and
        the first coordinate grows to the right. Decode it in one batch, then `plot_latent_grid`.

    Raises:
        ValueError: if not 0 < low < high < 1 (0 and 1 lie at infinity), or there are too few points.

    >>> latent_grid(2, low=0.025, high=0.975).round(2)
    array([[-1.96,  1.96],
           [ 1.96,  1.96],
           [-1.96, -1.96],
           [ 1.96, -1.96]], dtype=float32)

    Used in chapter 01.
    """
    if num_per_axis < 2:
        raise ValueError(f"latent_grid expects at least 2 points per axis, got {num_per_axis}.")
    if not 0 < low < high < 1:
        raise ValueError(f"latent_grid expects 0 < low < high < 1, got {low} and {high}: 0 and 1 lie at infinity.")
    values = norm.ppf(np.linspace(low, high, num_per_axis))
    z1, z2 = np.meshgrid(values, values[::-1])
    return np.stack([z1.ravel(), z2.ravel()], axis=1).astype("float32")


def plot_images(images, num_columns=None, ax=None):
    """Images side by side as one picture, black on white.

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
    mosaic = tiles.reshape(num_rows, num_columns, height, width).swapaxes(1, 2)
    ax = plt.gca() if ax is None else ax
    ax.imshow(mosaic.reshape(num_rows * height, num_columns * width), cmap="gray_r", vmin=0, vmax=1)
    ax.set_axis_off()
    return ax


def plot_latent_grid(x_mean, z, ax=None):
    """The digits that a decoder makes of `latent_grid`, with the latent coordinates on the axes.

    Args:
        x_mean: (n * n, 28, 28, 1), decoded means in [0, 1].
        z: (n * n, 2), the points of `latent_grid` that were decoded.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes.

    Raises:
        ValueError: if the points are not a square grid, or not as many as the images.
    """
    num_per_axis = round(len(z) ** 0.5)
    if num_per_axis**2 != len(z) or len(x_mean) != len(z):
        raise ValueError(
            f"plot_latent_grid expects as many images as points of a square grid, got {len(x_mean)} and {len(z)}."
        )
    ax = plot_images(x_mean, num_columns=num_per_axis, ax=ax)
    ax.set_axis_on()
    size = np.shape(x_mean)[1]
    shown = np.unique(np.linspace(0, num_per_axis - 1, 5).round().astype(int))
    values = np.asarray(z)[:num_per_axis, 0]
    centres = shown * size + size / 2
    labels = [f"{abs(value):.1f}" if value > -0.05 else f"−{-value:.1f}" for value in values[shown]]
    ax.set_xticks(centres, labels)
    ax.set_yticks(num_per_axis * size - centres, labels)
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    return ax


def plot_latent_means(z_mean, labels, ax=None, limit=None):
    """Posterior means in the latent plane, coloured by class, around the prior's circle of one standard deviation.

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
    for digit in np.unique(labels):
        points = z_mean[np.asarray(labels) == digit]
        ax.scatter(*points.T, s=2, alpha=0.5, color=plt.get_cmap("tab10")(int(digit)), linewidths=0)
        # The number itself stands at the middle of its class: colour alone is hard to read for many.
        middle = np.median(points, axis=0)
        ax.text(*middle, str(digit), ha="center", va="center", fontsize=9, weight="bold", bbox=_LABEL_BOX, clip_on=True)
    return _prior_plane(ax, limit or _reach(z_mean))


def plot_posteriors(mean, std, ax=None, limit=None):
    """Posteriors as ellipses of one standard deviation, red first and violet last, beside the prior's black circle.

    Args:
        mean: (n, 2), posterior means in the order of training.
        std: (n, 2), posterior standard deviations.
        ax: Axes to draw into; None for the current ones.
        limit: half the width of the picture, in prior standard deviations; None shows everything.

    Returns:
        The Axes.

    Raises:
        ValueError: if the latent space is not two-dimensional.
    """
    mean, std = _plane(mean, "plot_posteriors", "mean"), _plane(std, "plot_posteriors", "std")
    ax = plt.gca() if ax is None else ax
    ellipses = EllipseCollection(
        2 * std[:, 0],
        2 * std[:, 1],
        np.zeros(len(std)),
        units="xy",
        offsets=mean,
        offset_transform=ax.transData,
        facecolors="none",
        edgecolors=plt.get_cmap("rainbow_r")(np.linspace(0, 1, len(mean))),
        linewidths=0.8,
    )
    ax.add_collection(ellipses)
    return _prior_plane(ax, limit or _reach(np.abs(mean) + std))


def plot_history(history, names=("loss", "val_loss"), ax=None):
    """Curves of a training history against the epoch.

    Args:
        history: what `Run.history` or Keras' `History.history` holds, a list of numbers under each name.
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
        # Training and validation of one quantity share its colour; the dashes tell them apart.
        color = colors.setdefault(name.removeprefix("val_"), f"C{len(colors)}")
        style = "--" if name.startswith("val_") else "-"
        ax.plot(epochs, history[name], style, color=color, marker=".", label=name)
    ax.set(xlabel="epoch", ylabel=_UNITS.get(names[0].removeprefix("val_"), "nats per image"))
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(frameon=False)
    return ax


_LABEL_BOX = {"boxstyle": "circle,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}


def _plane(values, function, name):
    values = np.asarray(values)
    if values.ndim != 2 or values.shape[1] != 2:
        raise ValueError(
            f"{function} expects {name} of shape (n, 2), a two-dimensional latent space, got {values.shape}."
        )
    return values


def _reach(values):
    """Half the width of a picture that shows all of these values, and the prior's circle."""
    return 1.05 * max(2.0, float(np.max(np.abs(values))))


def _prior_plane(ax, limit):
    """Equal axes about the origin, with the prior's circle of one standard deviation on top."""
    circle = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(circle), np.sin(circle), color="black", linewidth=1.5, zorder=3)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return ax
