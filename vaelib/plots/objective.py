"""Draw what the objective is made of: the ELBO as a bar, the KL as an overlap, a mean over pixels as a weight."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

__all__ = ["draw_elbo_bar", "draw_kl_overlap", "draw_mean_over_pixels"]

_HALF = 0.32  # of the height of a bar


def draw_elbo_bar(distortion: float, rate: float, gap: float, ax: Axes | None = None) -> Axes:
    r"""Draw two bars of one length: distortion and rate, which are minus the ELBO; and -log p(x) and the gap.

    $D + R = -\mathrm{ELBO} = -\log p(x) + \mathrm{KL}(q(z|x)\,\|\,p(z|x))$ (Kingma and Welling 2013, equation 1).

    Args:
        distortion: nats, at least 0.
        rate: nats, at least 0.
        gap: nats, log p(x) - ELBO, at least 0.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes, in nats from 0.

    Raises:
        ValueError: if a part is negative or not finite.

    Used in chapter 02.
    """
    parts = {"distortion": distortion, "rate": rate, "gap": gap}
    for name, nats in parts.items():
        if not (nats >= 0 and np.isfinite(nats)):
            raise ValueError(f"draw_elbo_bar expects a {name} of at least 0 nats, got {nats}: pass log p(x) - ELBO.")
    ax = plt.gca() if ax is None else ax
    bound = sum([distortion, rate])
    log_p = bound - gap
    bars = [
        (1, 0.0, distortion, "distortion", "C0", ""),
        (1, distortion, rate, "rate", "C1", ""),
        (0, 0.0, log_p, "−log p(x)", "0.8", ""),
        (0, log_p, gap, "gap", "white", "///"),
    ]
    for y, left, nats, name, color, hatch in bars:
        ax.barh(y, nats, 2 * _HALF, left, color=color, hatch=hatch, edgecolor="black", linewidth=0.8)
        # Write above the upper bar and below the lower one: the first part at the left end, the second at the right.
        x, side = (0.0, "left") if left == 0 else (bound, "right")
        edge, where = (1 + 1.15 * _HALF, "bottom") if y else (-1.2 * _HALF, "top")
        ax.text(x, edge, f"{name} {_nats(nats)}", ha=side, va=where, fontsize="x-large")
    for x in (bound, log_p):
        ax.plot([x, x], [_HALF, 1 - _HALF], color="black", linestyle=":", linewidth=1.2)
    ax.text(bound / 2, 1, f"−ELBO = {_nats(bound)} nats", ha="center", va="center", color="white", fontsize="x-large")
    ax.set(xlim=(0, 1.01 * bound), ylim=(-0.85, 1.75), yticks=[])
    ax.set_xlabel("nats", fontsize="x-large")
    ax.tick_params(labelsize="large")
    ax.spines["left"].set_visible(False)
    return ax


def draw_kl_overlap(mean: float, std: float, kl: float, ax: Axes | None = None) -> Axes:
    """Draw a one-dimensional posterior over the prior N(0, 1), what both cover shaded, with the KL as the title.

    Args:
        mean: of the posterior.
        std: its standard deviation.
        kl: nats, KL(N(mean, std^2) || N(0, 1)), such as from `gaussian_kl`.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes.

    Raises:
        ValueError: if std is not positive.

    Used in chapter 02.
    """
    if not std > 0:
        raise ValueError(f"draw_kl_overlap expects a positive standard deviation, got {std}.")
    ax = plt.gca() if ax is None else ax
    z = np.linspace(-4, 4, 801)
    prior, posterior = _gaussian(z, 0, 1), _gaussian(z, mean, std)
    ax.fill_between(z, np.minimum(prior, posterior), color="0.8", linewidth=0)
    ax.plot(z, prior, color="black", label="prior $p(z)$")
    ax.plot(z, posterior, color="C0", linestyle="--", linewidth=2.2, label="posterior $q(z|x)$")
    # Leave Axes that share their height as high as the highest needs.
    ax.set(xlim=(-4, 4), ylim=(0, max(ax.get_ylim()[1], 1.05 * posterior.max())), yticks=[], xticks=[-3, 0, 3])
    ax.set_xlabel("$z$", fontsize="x-large")
    ax.set_title(f"μ {_signed(mean)}, σ {std:g}\nKL {kl:.2f} nats", fontsize="x-large", loc="center")
    ax.tick_params(labelsize="large")
    ax.spines["left"].set_visible(False)
    return ax


def draw_mean_over_pixels(
    distortion: float, rate: float, kl_wts: Sequence[float], num_pixels: int, ax: Axes | None = None
) -> Axes:
    """Draw the shares of pixels and KL in a loss: with the pixels summed, and with their mean beside weights of the KL.

    Args:
        distortion: nats per image.
        rate: nats per image.
        kl_wts: weights that a program with a mean over pixels gives to the rate; each is num_pixels times as much
            beside a sum, its beta.
        num_pixels: in an image.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes, shares of 0 to 100 %.

    Raises:
        ValueError: if a number is not positive.

    Used in chapter 01.
    """
    if not min(distortion, rate, num_pixels, *kl_wts) > 0:
        raise ValueError("draw_mean_over_pixels expects positive numbers: a distortion, a rate, weights and pixels.")
    ax = plt.gca() if ax is None else ax
    rows = [(distortion, rate, "sum over pixels + 1 · KL", 1.0)]
    for kl_wt in kl_wts:
        rows.append((distortion / num_pixels, kl_wt * rate, f"mean over pixels + {kl_wt:.2g} · KL", kl_wt * num_pixels))
    for row, (pixels, weighed, text, beta) in enumerate(rows):
        share = 100 * pixels / (pixels + weighed)
        ax.barh(-row, share, 2 * _HALF, color="C0", edgecolor="black", linewidth=0.8)
        ax.barh(-row, 100 - share, 2 * _HALF, share, color="C1", edgecolor="black", linewidth=0.8)
        ax.text(0, -row + 1.1 * _HALF, f"{text}:  β = {beta:.3g}", va="bottom", fontsize="x-large")
        # Write a part's nats where there is room.
        for x, nats, side, width in ((1, pixels, "left", share), (99, weighed, "right", 100 - share)):
            if width > 15:
                ax.text(x, -row, f"{nats:.3g}", color="white", ha=side, va="center", fontsize="large")
    ax.set(xlim=(0, 100), ylim=(0.5 - len(rows), 0.85), yticks=[], xticks=[0, 50, 100])
    ax.set_xticklabels(["0 %", "50 %", "100 %"], fontsize="large")
    ax.set_xlabel("share of the loss: pixels (blue), KL (orange)", fontsize="x-large")
    ax.spines["left"].set_visible(False)
    return ax


def _gaussian(z: np.ndarray, mean: float, std: float) -> np.ndarray:
    return np.exp(-(((z - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))


def _nats(nats: float) -> str:
    """Write a number of nats with a decimal, or with four where it is small."""
    return f"{nats:.1f}" if nats >= 1 else f"{nats:.3g}"


def _signed(number: float) -> str:
    return f"{number:g}".replace("-", "−")
