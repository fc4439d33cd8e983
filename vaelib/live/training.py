"""Make what the page needs to train by itself: the worker's program, the digits, and what to compare with."""

import base64
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..analysis import latent_grid
from ..data import IMAGE_SHAPE, check_images
from ..theory import collapse_threshold

__all__ = ["digits_data", "facts_data", "kernels_data"]

_WEB = Path(__file__).parent / "web"
# Join them in this order: the kernels first, then what uses them.
_WORKER = (
    "vendor/tf-core.min",
    "vendor/tf-backend-wasm.min",
    "train/random",
    "train/kernels",
    "train/dense_vae",
    "train/closeup",
    "train/trainer",
)


def kernels_data() -> dict[str, Any]:
    """Return the worker's script, and the WebAssembly program that it starts, as one object for JSON."""
    script = "\n".join((_WEB / f"{part}.js").read_text(encoding="utf-8") for part in _WORKER)
    program = (_WEB / "vendor/tfjs-backend-wasm-simd.wasm").read_bytes()
    return {"script": _deflated(script.encode()), "program": _deflated(program)}


def digits_data(x: ArrayLike) -> dict[str, Any]:
    """Return images as one object for JSON, whose text is a quarter of the pixels long.

    Four pixels in five of a digit are black: one bit for each pixel says which, and only the others have a byte.

    Args:
        x: (n, 28, 28, 1), images in [0, 1] of 8-bit pixels.

    Raises:
        ValueError: if x are not such images.
    """
    x = check_images(x)
    if x.shape[1:] != IMAGE_SHAPE:
        raise ValueError(f"Images of the shape {IMAGE_SHAPE} are expected, got {x.shape[1:]}.")
    pixels = np.round(255 * x).astype("uint8").reshape(len(x), -1)
    is_ink = pixels > 0
    return {
        "count": len(x),
        "places": _deflated(np.packbits(is_ink, axis=1).tobytes()),
        "values": _deflated(pixels[is_ink].tobytes()),
    }


def facts_data(x: ArrayLike, sizes: Sequence[int], results: Mapping[str, Any], num_test: int) -> dict[str, Any]:
    """Return what the page sets beside its own training, as one object for JSON.

    Args:
        x: (n, 28, 28, 1), the training images in [0, 1].
        sizes: how many of them, the first ones, a reader may choose to train on.
        results: dict from a label to the `RunResult` of a run to compare with.
        num_test: how many test images the page evaluates.

    Returns:
        "sizes", each with the two critical betas of those images; "runs", with distortion and rate of the test images
        and the steps after which they were measured; "grid", the points of `latent_grid` one after another.
    """
    x = check_images(x)
    runs = [
        {
            "label": label,
            "beta": result.spec.beta,
            "steps": np.linspace(0, result.spec.num_steps, result.spec.num_epochs + 1, dtype=int)[1:].tolist(),
            "distortion": np.round(result.history["val_distortion"], 2).tolist(),
            "rate": np.round(result.history["val_rate"], 3).tolist(),
        }
        for label, result in results.items()
    ]
    return {
        "sizes": [{"count": n, "thresholds": collapse_threshold(x[:n])[:2].round(2).tolist()} for n in sizes],
        "runs": runs,
        "grid": latent_grid().ravel().round(4).tolist(),
        "numTest": num_test,
    }


def _deflated(content: bytes) -> str:
    """Return bytes as text: compressed with a checksum (RFC 1950), which every browser undoes, then base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode()
