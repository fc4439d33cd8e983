"""Pictures of the latent plane, and of posteriors in it: arrays in, matplotlib Axes out."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import EllipseCollection

__all__ = ["plot_latent_means", "plot_posterior_trace", "plot_posteriors", "plot_true_posterior"]


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
    limit = limit or _reach(z_mean)
    middles = {}
    for digit in np.unique(labels):
        points = z_mean[np.asarray(labels) == digit]
        ax.scatter(*points.T, s=2, alpha=0.5, color=plt.get_cmap("tab10")(int(digit)), linewidths=0)
        middles[str(digit)] = np.median(points, axis=0)
    places = list(middles.values())
    if len(places) > 1 and np.ptp(places, axis=0).max() < _SAME_PLACE * limit:
        # Collapsed: ten numbers on top of each other would read as the last of them.
        middles = {f"{min(middles)}–{max(middles)}": np.mean(places, axis=0)}
    # The number itself stands at the middle of its class: colour alone is hard to read for many.
    for text, middle in middles.items():
        ax.text(*middle, text, ha="center", va="center", fontsize=9, weight="bold", bbox=_LABEL_BOX, clip_on=True)
    return _prior_plane(ax, limit)


def plot_posteriors(mean, std, ax=None, limit=None, legend=True):
    """Posteriors as ellipses of one standard deviation, red first and violet last, beside the prior's black circle.

    The order is told by colour, by lines that grow from thin to thick, and by a triangle at the first posterior and a
    square at the last.

    Args:
        mean: (n, 2), posterior means in the order of training.
        std: (n, 2), posterior standard deviations.
        ax: Axes to draw into; None for the current ones.
        limit: half the width of the picture, in prior standard deviations; None shows everything.
        legend: whether to say what the signs mean.

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


def plot_posterior_trace(mean, std, ax=None):
    """How far out the posteriors of an epoch lie, and how wide they are, batch by batch.

    Args:
        mean: (n, latent_dim), posterior means in the order of training.
        std: (n, latent_dim), posterior standard deviations.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes, logarithmic in y, with the distance of the mean from the origin as dots and the standard deviation
        (geometric mean over dimensions) as crosses, both in standard deviations of the prior.
    """
    mean, std = np.asarray(mean), np.asarray(std)
    ax = plt.gca() if ax is None else ax
    batches = np.arange(1, len(mean) + 1)
    ax.axhline(1, color="black", linewidth=0.8)
    ax.plot(batches, np.linalg.norm(mean, axis=1), ".", color="C0", markersize=3, label="distance from the origin, |μ|")
    ax.plot(batches, np.exp(np.log(std).mean(axis=1)), "x", color="C1", markersize=3, label="standard deviation, σ")
    ax.set(xlabel="batch", ylabel="prior standard deviations", yscale="log")
    ax.legend(frameon=False, fontsize="small", markerscale=2)
    return ax


def plot_true_posterior(log_joint, z_1, z_2, mean=None, std=None, ax=None):
    r"""An image's true posterior p(z|x) as filled contours, under the ellipses of the Gaussian that stands in for it.

    The dark region holds 39 % of the mass that is in the picture, both together 86 %: what the ellipses of one and two
    standard deviations hold of a Gaussian, $1 - e^{-r^2 / 2}$. Of a Gaussian posterior they are the same curves.

    Args:
        log_joint: (len(z_2), len(z_1)), log p(x, z) on a grid, up to a constant.
        z_1: (n,), evenly spaced, the grid's columns.
        z_2: (m,), evenly spaced, its rows.
        mean: (2,), of q(z|x); None draws the contours only.
        std: (2,), its standard deviations.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes, which show the whole grid.

    Raises:
        ValueError: if log_joint is not of such a shape.

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
    if mean is not None:
        angle = np.linspace(0, 2 * np.pi, 200)
        circle = np.stack([np.cos(angle), np.sin(angle)])
        for radius, style in ((1, "-"), (2, "--")):
            ax.plot(*(np.reshape(mean, (2, 1)) + radius * np.reshape(std, (2, 1)) * circle), style, color="C3")
    ax.set(xlim=(z_1[0], z_1[-1]), ylim=(z_2[0], z_2[-1]), xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return ax


# Of half the width of a picture; labels nearer than this cover each other.
_SAME_PLACE = 0.03
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
    ax.plot(np.cos(circle), np.sin(circle), color="black", linewidth=1.5, zorder=3, label="prior")
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    return ax
