"""Make what the page needs to train by itself: the worker's program, the digits, and what to compare with."""

import base64
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..analysis import latent_grid
from ..data import IMAGE_SHAPE, check_images
from ..theory import collapse_threshold

__all__ = ["digits_data", "facts_data", "kernels_data", "spread", "training_parts"]

_WEB = Path(__file__).parent / "web"
# Join them in this order: the kernels first, then what uses them.
_WORKER = (
    "vendor/tf-core.min",
    "vendor/tf-backend-wasm.min",
    "train/random",
    "train/kernels",
    "train/assemble",
    "train/product",
    "train/transposed",
    "train/elementwise",
    "train/rmsprop",
    "train/dense_vae",
    "train/closeup",
    "train/trainer",
)
# Let a reader train on so many digits, or on all; send them in parts; judge by so many test digits, evenly spread: the
# first ones of MNIST cost a network that is trained here less than the others.
_SIZES, _PART, _NUM_TEST = (1_000, 10_000), 10_000, 2_000


def training_parts(
    x: ArrayLike, x_test: ArrayLike, labels: ArrayLike, results: Mapping[str, Any]
) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return what makes each part of what training needs: a dict from its name to a function of nothing.

    Args:
        x: (n, 28, 28, 1), training images in [0, 1] of 8-bit pixels.
        x_test: (m, 28, 28, 1), test images; up to 2,000 of them are used, at equal steps.
        labels: (m,) integers from 0 to 9, the classes of x_test.
        results: dict from a label to the `RunResult` of a run to compare with.

    Returns:
        "train-facts" makes what is shown before a reader trains, the others what is loaded then. Each function returns
        an object for JSON.

    Raises:
        ValueError: if there are no images, or they are of another kind.
    """
    x, x_test = (_checked(images, name) for images, name in ((x, "x"), (x_test, "x_test")))
    digits = {f"train-digits-{i // _PART}": x[i : i + _PART] for i in range(0, len(x), _PART)}
    digits["train-digits-test"] = spread(x_test)
    return {
        "train-facts": partial(facts_data, x, spread(labels), results),
        "train-kernels": kernels_data,
        **{name: partial(digits_data, images) for name, images in digits.items()},
    }


def spread(of_test_images: ArrayLike) -> np.ndarray:
    """Return what belongs to the test images that a training is judged by: every one, or up to 2,000 at equal steps.

    Args:
        of_test_images: (m, ...), the test images, or their labels.
    """
    array = np.asarray(of_test_images)
    return array[:: max(len(array) // _NUM_TEST, 1)][:_NUM_TEST]


def _checked(images: ArrayLike, name: str) -> np.ndarray:
    images = check_images(images, name)
    if images.shape[1:] != IMAGE_SHAPE:
        raise ValueError(f"Images of the shape {IMAGE_SHAPE} are expected in {name}, got {images.shape[1:]}.")
    return images


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
    x = _checked(x, "x")
    pixels = np.round(255 * x).astype("uint8").reshape(len(x), -1)
    is_ink = pixels > 0
    return {
        "count": len(x),
        "places": _deflated(np.packbits(is_ink, axis=1).tobytes()),
        "values": _deflated(pixels[is_ink].tobytes()),
    }


def facts_data(x: ArrayLike, labels: ArrayLike, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page sets beside its own training, as one object for JSON.

    Args:
        x: (n, 28, 28, 1), the training images in [0, 1].
        labels: (m,) integers from 0 to 9, the classes of the test images in use.
        results: dict from a label to the `RunResult` of a run to compare with.

    Returns:
        "sizes", how many images, the first ones, a reader may choose to train on, each with the two critical betas of
        those images; "labels", as one text; "runs", with distortion and rate of the test images and the steps after
        which they were measured;
        "grid", the points of `latent_grid` one after another.
    """
    x = check_images(x)
    sizes = [*(size for size in _SIZES if size < len(x)), len(x)]
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
        "labels": "".join(map(str, np.asarray(labels))),
        "runs": runs,
        "grid": latent_grid().ravel().round(4).tolist(),
    }


def _deflated(content: bytes) -> str:
    """Return bytes as text: compressed with a checksum (RFC 1950), which every browser undoes, then base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode()
