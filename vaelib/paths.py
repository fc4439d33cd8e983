"""Choose points of the latent space: draws from the prior, and ways from one point to another."""

import numpy as np
from numpy.typing import ArrayLike

from ._types import TensorLike

__all__ = ["PATHS", "draw_from_prior", "latent_path"]

PATHS = ("line", "sphere")
"""The ways from one point to another."""
# Take the line where two directions differ by less than this angle, in radians.
_PARALLEL = 1e-4


def latent_path(z_a: ArrayLike, z_b: ArrayLike, num_steps: int, path: str = "line") -> np.ndarray:
    r"""Return points from z_a to z_b, both included, at equal steps.

    On the line they are $(1 - t) z_a + t z_b$, which comes nearer to the origin than both ends. On the sphere they are
    $\frac{\sin((1 - t) \omega)}{\sin \omega} z_a + \frac{\sin(t \omega)}{\sin \omega} z_b$ with the angle $\omega$
    between the ends (Shoemake 1985; White 2016 for latent spaces), which stays where many dimensions have their
    draws from the prior, at the distance $\sqrt{d}$.

    Args:
        z_a: (latent_dim,).
        z_b: (latent_dim,).
        num_steps: points, >= 2.
        path: "line" or "sphere".

    Returns:
        (num_steps, latent_dim) float32.

    Raises:
        ValueError: if there are fewer than two points, the path has another name, or the two points are opposite on a
            sphere, where no way is the shortest.

    >>> latent_path([1.0, 0.0], [0.0, 1.0], 3).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    >>> latent_path([2.0, 0.0], [0.0, 2.0], 3, "sphere").round(2).tolist()
    [[2.0, 0.0], [1.409999966621399, 1.409999966621399], [0.0, 2.0]]
    """
    if num_steps != int(num_steps) or num_steps < 2:
        raise ValueError(f"num_steps must be a whole number of at least 2, both ends included, got {num_steps}.")
    if path not in PATHS:
        raise ValueError(f'path must be "line" or "sphere", got {path!r}.')
    a, b = np.asarray(z_a, "float64"), np.asarray(z_b, "float64")
    share = np.linspace(0, 1, int(num_steps))[:, np.newaxis]
    if path == "sphere":
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        angle = np.arccos(np.clip(a @ b / lengths, -1, 1)) if lengths else 0.0
        if np.pi - angle < _PARALLEL:
            raise ValueError('path="sphere" expects two points that are not opposite to each other: use path="line".')
        if angle > _PARALLEL:
            ends = np.sin((1 - share) * angle) * a + np.sin(share * angle) * b
            return (ends / np.sin(angle)).astype("float32")
    return ((1 - share) * a + share * b).astype("float32")


def draw_from_prior(
    latent_dim: int, num_images: int | None, seed: int | None = None, z: TensorLike | None = None
) -> TensorLike:
    """Return points of the latent space: z itself, or draws from the standard normal prior.

    Args:
        latent_dim: dimensions of z.
        num_images: None, or how many to draw.
        seed: None for others every time, or an integer that decides the draw.
        z: (n, latent_dim), or None to draw.

    Raises:
        ValueError: if both or neither of z and num_images are given, z has another shape, or there are no images.
    """
    if (z is None) == (num_images is None):
        given = "neither" if z is None else "both"
        raise ValueError(f"generate expects z, points to decode, or num_images, how many to draw, got {given}.")
    if z is None:
        count = int(num_images or 0)
        if num_images != count or count < 1:
            raise ValueError(f"num_images must be a whole number of at least 1, got {num_images}.")
        return np.random.default_rng(seed).standard_normal((count, latent_dim)).astype("float32")
    shape = tuple(z.shape) if hasattr(z, "shape") else np.shape(z)
    if len(shape) != 2 or shape[-1] != latent_dim:
        raise ValueError(f"z must be points of the latent space, of shape (n, {latent_dim}), got the shape {shape}.")
    return z
