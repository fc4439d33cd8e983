"""Pictures: arrays in, matplotlib Axes out. Nothing outside the given Axes is touched."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm

__all__ = [
    "latent_grid",
    "plot_history",
    "plot_images",
    "plot_latent_grid",
    "plot_rate_distortion",
    "plot_schedule",
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


def plot_rate_distortion(rate, distortion, beta, ax=None):
    """Runs in the plane of rate and distortion, each with a short line of the slope at which it was trained, -beta.

    At the best possible runs these lines touch one curve (Alemi et al. 2018).

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
    # So short, and where it is steep so low, that neighbours do not hide each other.
    step = np.minimum(0.6, 4 / np.maximum(beta, 1e-9))
    ax.plot([rate - step, rate + step], [distortion + beta * step, distortion - beta * step], "-", color="C1")
    ax.plot(rate, distortion, "o", color="C0", markersize=4)
    ax.set(xlabel="rate R (nats)", ylabel="distortion D (nats)")
    return ax


def plot_schedule(schedule, num_steps, ax=None, **line):
    """Beta against the training step.

    Args:
        schedule: `step -> beta`.
        num_steps: how far to draw.
        ax: Axes to draw into; None for the current ones.
        line: what else `Axes.plot` is told, such as label.

    Returns:
        The Axes.
    """
    ax = plt.gca() if ax is None else ax
    steps = np.unique(np.linspace(0, num_steps - 1, 1000).round())
    ax.plot(steps, np.array(schedule(steps)), **line)
    ax.set(xlabel="step", ylabel="β")
    return ax


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
