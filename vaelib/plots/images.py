"""Draw images, side by side and over the latent plane."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

__all__ = ["plot_images", "plot_latent_grid"]

# Draw what noise or a Gaussian decoder carries so far out of [0, 1] as if at its end; 8-bit pixels go further.
_FAR_OUT = 10.0


def plot_images(images: ArrayLike, num_columns: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw images side by side as one picture, grey ones black on white, and those of three channels in colour.

    Args:
        images: (n, height, width), (n, height, width, 1) or (n, height, width, 3), values in [0, 1]; a little beyond it
            they are drawn as if at its end.
        num_columns: images per row; None for a single row.
        ax: Axes to draw into; None for the current ones.

    Returns:
        The Axes.

    Raises:
        ValueError: if images have another shape or other numbers, or there are none.
    """
    pixels = np.clip(_with_channels(images), 0, 1)
    num_images, height, width, *colors = pixels.shape if pixels.shape[-1] == 3 else pixels.shape[:-1]
    num_columns = num_columns or num_images
    num_rows = -(-num_images // num_columns)
    # Fill the last row with white.
    tiles = np.full((num_rows * num_columns, height, width, *colors), 1.0 if colors else 0.0)
    tiles[:num_images] = pixels.reshape(num_images, height, width, *colors)
    rows = tiles.reshape(num_rows, num_columns, height, width, *colors).swapaxes(1, 2)
    mosaic = rows.reshape(num_rows * height, num_columns * width, *colors)
    ax = plt.gca() if ax is None else ax
    ax.imshow(mosaic, cmap="gray_r", vmin=0, vmax=1, interpolation="none")
    ax.set_axis_off()
    return ax


def _with_channels(images: ArrayLike) -> np.ndarray:
    """Return images as (n, height, width, 1 or 3), or raise a ValueError."""
    expected = (
        "plot_images expects images (n, height, width), (n, height, width, 1) or (n, height, width, 3), n >= 1, "
        "floating-point numbers in [0, 1]"
    )
    try:
        pixels = np.asarray(images)
    except ValueError as error:
        raise ValueError(f"{expected}, got parts of several shapes: give one array.") from error
    if pixels.dtype.kind in "OUS":
        raise ValueError(f"{expected}, got {type(images).__name__}: give an array.")
    if pixels.ndim == 3 and pixels.shape[-1] in (1, 3):
        raise ValueError(f"{expected}, got the shape {pixels.shape}: put the one image into a batch, image[None].")
    pixels = pixels[..., np.newaxis] if pixels.ndim == 3 else pixels
    if pixels.ndim != 4 or pixels.shape[-1] not in (1, 3) or not len(pixels):
        raise ValueError(f"{expected}, got the shape {np.shape(images)}.")
    if not np.issubdtype(pixels.dtype, np.floating):
        raise ValueError(f"{expected}, got {pixels.dtype}: divide 8-bit images by 255.")
    low, high = pixels.min(), pixels.max()
    if not (low >= -_FAR_OUT and high <= 1 + _FAR_OUT):
        raise ValueError(
            f"{expected}, got values from {low:g} to {high:g}: rescale them, x / 255 for 8-bit images, and leave out "
            "what is not a number."
        )
    return pixels


def plot_latent_grid(x_mean: ArrayLike, z: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw the digits that a decoder makes of `latent_grid`, with the latent coordinates on the axes.

    Args:
        x_mean: (n * n, height, width, 1 or 3), decoded means in [0, 1].
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
    height, width = x_mean.shape[1:3]
    shown = np.unique(np.linspace(0, num_per_axis - 1, 5).round().astype(int))
    values = z[:num_per_axis, 0]
    labels = [f"{abs(value):.1f}" if value > -0.05 else f"−{-value:.1f}" for value in values[shown]]
    ax.set_xticks((shown + 0.5) * width, labels)
    ax.set_yticks((num_per_axis - shown - 0.5) * height, labels)
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    return ax
