"""Draw what becomes of one image: its way through the network, its posterior and its sample, the way of a gradient."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike

from .images import plot_images

__all__ = ["draw_data_flow", "draw_one_image", "draw_reparameterisation"]

_CIRCLE = np.stack([f(np.linspace(0, 2 * np.pi, 200)) for f in (np.cos, np.sin)])
_FORWARD: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 18, "linewidth": 1.6, "color": "black"}
_BACK = _FORWARD | {"color": "C1", "linewidth": 2.2, "connectionstyle": "arc3,rad=0.35"}
_PASSED: dict[str, Any] = {"ha": "center", "color": "#a04000", "fontsize": "x-large"}
_NODE = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": "black"}


def draw_data_flow(stages: Sequence[Mapping[str, ArrayLike]], ax: Axes | None = None) -> Axes:
    """Draw what an image becomes on its way through a network, stage by stage, each with its name and its shape.

    The height of a stage grows with the logarithm of how many numbers it has. Images are drawn as they are, maps of
    several channels by the mean over their channels; a few numbers are written.

    Args:
        stages: from left to right, what is there at once, by its name in the code; without the axis of a batch.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes.

    Raises:
        ValueError: if there is no stage, or a stage is empty.

    Used in chapter 01.
    """
    if not stages or not all(stages):
        raise ValueError("draw_data_flow expects at least one stage, each with at least one array by its name.")
    ax = plt.gca() if ax is None else ax
    largest = max(np.size(values) for stage in stages for values in stage.values())
    for column, stage in enumerate(stages):
        for row, (name, values) in enumerate(stage.items()):
            array = np.asarray(values)
            height = 0.3 + 0.7 * np.log(array.size) / np.log(largest)
            middle = ((len(stage) - 1) / 2 - row) * 1.15
            _draw_stage(ax, array, column, middle, height)
            text: dict[str, Any] = {"ha": "center", "fontsize": "x-large"}
            ax.text(column, middle + height / 2 + 0.06, name, va="bottom", **text)
            shape = "×".join(f"{length}" for length in array.shape)
            ax.text(column, middle - height / 2 - 0.06, shape, va="top", **text | {"fontsize": "large"})
        if column:
            ax.annotate("", (column - 0.38, 0), (column - 0.62, 0), arrowprops=_FORWARD)
    ax.set(xlim=(-0.55, len(stages) - 0.45), ylim=(-1.2, 1.2), aspect="auto")
    ax.set_axis_off()
    return ax


def _draw_stage(ax: Axes, array: np.ndarray, x: float, y: float, height: float) -> None:
    """Draw the numbers of a stage in a box about a point."""
    box = (x - 0.32, x + 0.32, y - height / 2, y + height / 2)
    if array.size <= 4:
        text = "\n".join(f"{number:.2f}".replace("-", "−") for number in array.ravel())
        ax.text(x, y, text, ha="center", va="center", fontsize="large", linespacing=1.0)
    elif array.ndim == 3 and array.shape[-1] == 1:
        ax.imshow(array[..., 0], cmap="gray_r", vmin=0, vmax=1, extent=box)
    elif array.ndim == 3:
        ax.imshow(array.mean(axis=-1), cmap="Blues", extent=box)
    else:
        ax.imshow(array.reshape(-1, 1), cmap="Blues", extent=box, aspect="auto")
    left, right, bottom, top = box
    ax.plot([left, right, right, left, left], [bottom, bottom, top, top, bottom], color="black", linewidth=0.8)


def draw_one_image(
    x: ArrayLike, z_mean: ArrayLike, z_std: ArrayLike, z: ArrayLike, x_mean: ArrayLike, axes: Sequence[Axes]
) -> Sequence[Axes]:
    """Draw an image, its posterior in the latent plane with a point drawn from it, and what the decoder makes of it.

    Args:
        x: (height, width, 1), values in [0, 1].
        z_mean: (2,), mean of its posterior.
        z_std: (2,), standard deviations.
        z: (2,), the point drawn from the posterior.
        x_mean: (height, width, 1), decoded from the point.
        axes: three Axes, for the image, the plane and the reconstruction.

    Returns:
        The Axes.

    Raises:
        ValueError: if the latent space is not a plane, or there are not three Axes.

    Used in chapter 01.
    """
    x, x_mean, (image, plane, decoded) = np.asarray(x), np.asarray(x_mean), _three(axes)
    z_mean, z_std, z = np.asarray(z_mean), np.asarray(z_std), np.asarray(z)
    if not z_mean.shape == z_std.shape == z.shape == (2,):
        raise ValueError(
            "draw_one_image expects z_mean, z_std and z of shape (2,), a latent plane, "
            f"got {z_mean.shape}, {z_std.shape} and {z.shape}."
        )
    width, middle = x.shape[1], x.shape[0] / 2
    plot_images(x[np.newaxis], ax=image).set_xlim(-0.5, 1.3 * width)
    image.annotate("", (1.3 * width, middle), (1.02 * width, middle), arrowprops=_FORWARD)
    plot_images(x_mean[np.newaxis], ax=decoded).set_xlim(-0.3 * width, width - 0.5)
    decoded.annotate("", (-0.02 * width, middle), (-0.3 * width, middle), arrowprops=_FORWARD)
    plane.plot(*_CIRCLE, color="black", linewidth=1.2)
    plane.text(0, 0, "prior", ha="center", va="center", fontsize="x-large")
    plane.add_patch(Ellipse((z_mean[0], z_mean[1]), *(2 * z_std), color="C0", alpha=0.4, linewidth=0))
    plane.plot(*z, "o", color="C1", markersize=6)
    plane.annotate("z", (z[0], z[1]), (6, 4), textcoords="offset points", color="C1", fontsize="x-large", weight="bold")
    reach = 1.15 * max(1, np.max(np.abs(z_mean) + 2 * z_std), np.abs(z).max())
    plane.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
    plane.spines[["top", "right"]].set_visible(True)
    for ax, title in ((image, "x"), (plane, "posterior q(z|x)"), (decoded, "x_mean")):
        ax.set_title(title, fontsize="x-large", loc="center")
    return axes


def _three(axes: Sequence[Axes]) -> Sequence[Axes]:
    if len(axes) != 3:
        raise ValueError(f"draw_one_image expects three Axes, got {len(axes)}.")
    return axes


def draw_reparameterisation(
    mean: float, std: float, noise: float, slope: float, axes: Sequence[Axes]
) -> Sequence[Axes]:
    r"""Draw the way of a gradient back through a draw: none where z is drawn, and one where $z = \mu + \sigma\epsilon$.

    The arrows back say what passes along them, by the chain rule: slope to z and to the mean, noise times slope to the
    standard deviation.

    Args:
        mean: of the posterior.
        std: its standard deviation.
        noise: the one draw from N(0, 1).
        slope: of what is optimised, at z = mean + std * noise.
        axes: two Axes, without and with the trick.

    Returns:
        The Axes.

    Raises:
        ValueError: if std is not positive, or there are not two Axes.

    Used in chapter 02.
    """
    if not std > 0 or len(axes) != 2:
        raise ValueError(f"draw_reparameterisation expects std > 0 and two Axes, got {std} and {len(axes)}.")
    z, through = mean + std * noise, (slope, noise * slope)
    for ax, title in zip(axes, ("draw z from N(μ, σ²)", "draw ε, set z = μ + σ ε"), strict=True):
        ax.set(xlim=(0, 4), ylim=(0, 4))
        ax.set_axis_off()
        ax.set_title(title, fontsize="x-large", loc="center")
        for name, value, x, y in (("μ", mean, 0.6, 3.3), ("σ", std, 0.6, 0.7), ("z", z, 2.15, 2)):
            _draw_node(ax, x, y, f"{name} = {_signed(value)}")
        _draw_node(ax, 3.6, 2, "f(z)")
        _draw_arrow(ax, (2.75, 2), (3.25, 2), _FORWARD)
        _draw_arrow(ax, (3.6, 1.7), (2.5, 1.7), _BACK | {"connectionstyle": "arc3,rad=-0.35"})
        ax.text(3.1, 1.2, f"∂f/∂z = {_signed(slope)}", va="center", **_PASSED)
    drawn, shifted = axes
    for y, name, gradient in ((1, "μ", through[0]), (-1, "σ", through[1])):
        for ax in axes:
            _draw_arrow(ax, (0.95, 2 + 0.95 * y), (1.6, 2 + 0.35 * y), _FORWARD)
        drawn.text(1.4, 2 + 1.4 * y, "no way back", va="center", **_PASSED | {"ha": "left"})
        _draw_arrow(
            shifted, (2.15, 2 + 0.4 * y), (1.25, 2 + 1.3 * y), _BACK | {"connectionstyle": f"arc3,rad={0.35 * y}"}
        )
        shifted.text(2.1, 2 + 1.4 * y, f"∂f/∂{name} = {_signed(gradient)}", va="center", **_PASSED | {"ha": "left"})
    _draw_node(shifted, 0.6, 2, f"ε = {_signed(noise)}")
    _draw_arrow(shifted, (1.25, 2), (1.5, 2), _FORWARD)
    return axes


def _draw_node(ax: Axes, x: float, y: float, text: str) -> None:
    ax.text(x, y, text, ha="center", va="center", fontsize="x-large", bbox=_NODE)


def _draw_arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], arrow: dict[str, Any]) -> None:
    ax.annotate("", end, start, arrowprops=arrow)


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")
