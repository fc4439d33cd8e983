"""Draw beta as a price: what a nat of rate is worth, when nothing is worth it any more, and prices that rise."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .._types import Schedule

__all__ = ["draw_annealing", "draw_collapse_valley", "draw_trade"]


def draw_collapse_valley(
    size: ArrayLike, change: ArrayLike, beta: ArrayLike, threshold: float, ax: Axes | None = None
) -> Axes:
    """Draw how a step away from collapse changes the loss, a curve for each beta, with a ball where it is least.

    Above the threshold the ball lies in the middle, where z is ignored; below it, the valley opens to two sides.

    Args:
        size: (n,), sizes of the step, 0 among them, negative ones to the left.
        change: (m, n) nats, the loss less that of the collapsed state.
        beta: (m,), the weight of the rate of each curve.
        threshold: the beta at which the valley opens.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes.

    Raises:
        ValueError: if change is not of shape (len(beta), len(size)).

    Used in chapter 08.
    """
    size, change, beta = np.asarray(size), np.asarray(change), np.asarray(beta)
    if change.shape != (len(beta), len(size)):
        raise ValueError(
            f"draw_collapse_valley expects change of shape (len(beta), len(size)), ({len(beta)}, {len(size)}), "
            f"got {change.shape}."
        )
    ax = plt.gca() if ax is None else ax
    styles = ["-", "--", "-.", ":"]
    for i, (nats, weight) in enumerate(zip(change, beta, strict=True)):
        color = f"C{i}"
        ax.plot(size, nats, styles[i % 4], color=color, linewidth=2)
        lowest = np.flatnonzero(np.isclose(nats, nats.min(), rtol=0, atol=1e-9))
        ax.plot(size[lowest], nats[lowest] + 0.012 * np.ptp(change), "o", color=color, markersize=15 - 2 * i, zorder=3)
        label = f"{weight / threshold:g} β$_c$" if weight != threshold else "β$_c$"
        ax.annotate(
            label,
            (size[-1], nats[-1]),
            (5, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontsize="x-large",
        )
    ax.axvline(0, color="black", linewidth=0.8, linestyle=":")
    ax.set_xlabel("how much the decoder listens to $z$", fontsize="x-large")
    ax.set_ylabel("loss − collapsed (nats)", fontsize="x-large")
    ax.tick_params(labelsize="large")
    return ax


def draw_trade(rate: ArrayLike, distortion: ArrayLike, beta: ArrayLike, chosen: int, ax: Axes | None = None) -> Axes:
    """Draw runs in the plane of rate and distortion, and the price of one: where its loss would be smaller, none lies.

    The line through the chosen run joins all points of its loss, D + beta R. It falls by beta nats of distortion for
    each nat of rate.

    Args:
        rate: (n,) nats.
        distortion: (n,) nats.
        beta: (n,), the weight of the rate of each run.
        chosen: index of the run whose price is drawn.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes, with the limits that show all runs.

    Raises:
        ValueError: if the arrays are not of one shape (n,).

    Used in chapter 07.
    """
    rate, distortion, beta = np.asarray(rate), np.asarray(distortion), np.asarray(beta)
    if not rate.shape == distortion.shape == beta.shape or rate.ndim != 1:
        raise ValueError(
            "draw_trade expects rate, distortion and beta of one shape (n,), "
            f"got {rate.shape}, {distortion.shape} and {beta.shape}."
        )
    ax = plt.gca() if ax is None else ax
    order = np.argsort(rate)
    ax.plot(rate[order], distortion[order], "o-", color="C0", markersize=6)
    ax.margins(0.08)
    limits = ax.get_xlim(), ax.get_ylim()
    price, at, height = beta[chosen], rate[chosen], distortion[chosen]
    ends = np.array(limits[0])

    def line(rate: np.ndarray) -> np.ndarray:
        return height - price * (rate - at)

    ax.plot(ends, line(ends), color="C1", linestyle="--")
    ax.fill_between(ends, line(ends), limits[1][0], color="C1", alpha=0.12, linewidth=0)
    ax.plot([at, at, at + 1], [height, height - price, height - price], color="black", linewidth=2)
    ax.plot(at, height, "o", color="C1", markersize=11, zorder=3)
    text: dict[str, Any] = {"fontsize": "x-large", "textcoords": "offset points"}
    ax.annotate("1 nat of rate", (at + 1, height - price), (0, -6), ha="right", va="top", **text)
    ax.annotate(
        f"β = {price:g} nats\nof distortion", (at, height - price / 2), (-8, 0), ha="right", va="center", **text
    )
    below = int(np.sum(distortion < line(rate)))
    note = f"smaller loss: {below or 'no'} run{'s' if below > 1 else ''}"
    ax.text(0.02, 0.03, note, transform=ax.transAxes, fontsize="x-large")
    ax.set(xlim=limits[0], ylim=limits[1])
    ax.set_xlabel("rate R (nats)", fontsize="x-large")
    ax.set_ylabel("distortion D (nats)", fontsize="x-large")
    ax.tick_params(labelsize="large")
    return ax


def draw_annealing(schedules: Mapping[str, Schedule], num_steps: int, ax: Axes | None = None) -> Axes:
    """Draw schedules of one target as the price of a nat of rate over a training, from free to the full price.

    Args:
        schedules: `step -> beta`, by name; all have the same largest beta.
        num_steps: of the training.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes, in shares of the training and of the largest beta.

    Raises:
        ValueError: if the largest betas differ by more than a per cent.

    Used in chapter 04.
    """
    ax = plt.gca() if ax is None else ax
    steps = np.unique(np.linspace(0, num_steps - 1, 2000).round())
    prices = {name: np.broadcast_to(schedule(steps), steps.shape) for name, schedule in schedules.items()}
    targets = {name: float(price.max()) for name, price in prices.items()}
    target = max(targets.values())
    if min(targets.values()) < 0.99 * target:
        raise ValueError(f"draw_annealing expects schedules of one target, got largest betas {targets}.")
    for i, (name, price) in enumerate(prices.items()):
        # Draw each a little lower than the one before, for all of them end at one price.
        shares, below = 100 * steps / num_steps, 0.012 * i
        style = ["-", "--", "-.", ":"][i % 4]
        ax.plot(shares, price / target - below, style, color=f"C{i}", linewidth=2.4, label=name)
    ax.set(xlim=(0, 100), ylim=(-0.05, 1.1), xticks=[0, 50, 100])
    ax.set_yticks([0, 1], ["free", "full"])
    ax.set_xticklabels(["0 %", "50 %", "100 %"])
    ax.tick_params(labelsize="x-large")
    ax.set_xlabel("share of the training", fontsize="x-large")
    ax.set_ylabel("price of a nat, β / β*", fontsize="x-large")
    return ax
