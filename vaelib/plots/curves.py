"""Draw curves: histories, schedules, and runs in the plane of rate and distortion."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from .._types import Schedule

__all__ = ["plot_history", "plot_rate_distortion", "plot_schedule"]

_UNITS = {"seconds": "seconds", "beta": "β"}


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
