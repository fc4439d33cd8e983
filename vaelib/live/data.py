"""Make what the live pictures need: their JavaScript and CSS in web/, and arrays packed as text for it."""

import base64
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

from ..analysis import encode_all
from ..layers import DenseDecoder, DenseEncoder
from ..models import VAE
from . import measures

__all__ = ["digits_of", "latent_data", "pack", "parts", "script", "style"]

_WEB = Path(__file__).parent / "web"
# Join them in this order: each script uses only what is above it.
_FILM = ("trace", "filmdigits", "filmpanel", "film")
_EXPLORER = ("tiles", "around", "explorer")
_PAD = ("posterior", "pad", "belief", "prices", "kept", "link", "draw")
_PARTS = ("packing", "network", "ink", "dom", "plane", "classes", "pace", *_FILM, *_EXPLORER, *_PAD, "overlap", "start")
# Load these, a quarter of the script, only where a reader can train.
_VIEWS = ("settings", "record", "curves", "memory", "words", "panels", "network", "closeup", "experiments")
_TRAINING = ("train_engine", *(f"train_{part}" for part in (*_VIEWS, "download", "session")), "train")
_HOSTS = ("page", "widget")
# Offer this many test digits to a reader who does not want to draw.
_NUM_EXAMPLES = 20
# Join these styles: what all pictures share, then the rules of each.
_STYLES = ("live", "film", "explorer", "draw", "overlap", "train")


def parts(host: str, *, training: bool = False) -> tuple[str, ...]:
    """Return the names of the files in web/ that the script of a host joins.

    Args:
        host: "page" or "widget".
        training: whether a reader can train there.

    Raises:
        ValueError: if host is neither.
    """
    if host not in _HOSTS:
        raise ValueError(f'host must be "page" or "widget", got {host!r}.')
    return *_PARTS, *(_TRAINING if training else ()), host


def script(host: str, *, training: bool = False) -> str:
    """Return the JavaScript of the live pictures for a host, as one text; see `parts`."""
    text = "\n".join((_WEB / f"{part}.js").read_text(encoding="utf-8") for part in parts(host, training=training))
    # Leave out the lines of comments: readers of a page load them for nothing.
    text = re.sub(r"^[ \t]*//.*\n", "", text, flags=re.MULTILINE)
    if host == "widget":
        return f"{text}\nexport default {{ render }};\n"
    # Make it a classic script, which a browser loads from a file as well; its data lie beside it.
    start = 'startPage(document.currentScript.src.replace(/[^/]*$/, ""));'
    return f'(() => {{\n"use strict";\n{text}\n{start}\n}})();\n'


def style() -> str:
    """Return the CSS of all live pictures."""
    return "\n".join((_WEB / f"{part}.css").read_text(encoding="utf-8") for part in _STYLES)


def latent_data(models: Mapping[str, VAE], x: ArrayLike, labels: ArrayLike) -> dict[str, Any]:
    """Return what the explorer and the pad show of several models, by name.

    Args:
        models: dict from a label to a `VAE` of `dense_vae` with two latent dimensions.
        x: (n, 28, 28, 1), images in [0, 1]; their posterior means stand behind.
        labels: (n,) integers from 0 to 9.

    Returns:
        A dict that can be written as JSON.

    Raises:
        ValueError: if there is no model, one is of another kind, or images and labels do not fit together.
    """
    if not models:
        raise ValueError("At least one model is expected, got an empty dict: see trained_model.")
    x, labels = np.asarray(x), np.asarray(labels, "uint8")
    data: dict = {
        "runs": [{"label": label} for label in models],
        "prices": {"quartiles": []},
        "digits": digits_of(x, labels),
    }
    for i, (label, model) in enumerate(models.items()):
        encoder, decoder = model.encoder, model.decoder
        if not (isinstance(encoder, DenseEncoder) and isinstance(decoder, DenseDecoder)):
            raise ValueError(f"Models of dense_vae are expected, {label!r} is another.")
        if model.likelihood != "bernoulli":
            raise ValueError(f"Models with Bernoulli pixels are expected, {label!r} has {model.likelihood!r} ones.")
        if model.latent_dim != 2 or encoder.num_hidden != 1 or decoder.num_hidden != 1:
            raise ValueError(
                f"Models with latent_dim=2 and num_hidden=1 are expected, {label!r} has latent_dim={model.latent_dim} "
                f"and num_hidden={encoder.num_hidden}: the pages run this network only."
            )
        posteriors = encode_all(model, x)
        data[f"points-{i}"] = {
            "mean": pack(posteriors.mean, "int16"),
            "std": pack(posteriors.std, "int16"),
            "reach": measures.reach(posteriors),
        }
        data[f"softplus-{i}"] = {
            "limit": measures.LATTICE_LIMIT,
            "lattice": pack(measures.softplus_sums(model), "int16"),
        }
        data["prices"]["quartiles"].append(measures.price_quartiles(model, x, labels, posteriors))
        data[f"encoder-{i}"] = {name: _dense(getattr(encoder, name)) for name in ("hidden", "z_mean", "z_log_var")}
        data[f"decoder-{i}"] = {name: _dense(getattr(decoder, name)) for name in ("hidden", "logits")}
    return data


def digits_of(x: ArrayLike, labels: ArrayLike) -> dict[str, Any]:
    """Return the labels of all images, and two images of every class as examples, packed for JSON.

    Raises:
        ValueError: if images and labels do not fit together.
    """
    x, labels = np.asarray(x), np.asarray(labels, "uint8")
    if len(x) == 0 or len(x) != len(labels):
        raise ValueError(f"As many labels as images are expected, and at least one, got {len(x)} and {len(labels)}.")
    if labels.max() > 9:
        raise ValueError(f"Labels from 0 to 9 are expected, got {labels.max()}.")
    examples = np.concatenate([np.flatnonzero(labels == digit)[: _NUM_EXAMPLES // 10] for digit in range(10)])
    pixels = np.round(255 * x[examples, ..., 0])
    return {
        "labels": pack(labels, "uint8"),
        "examples": {"images": pack(pixels, "uint8"), "labels": pack(labels[examples], "uint8")},
    }


def pack(array: ArrayLike, dtype: str) -> dict[str, Any]:
    """Return an array as text that JavaScript can read and check.

    "int16" stands for numbers: integers times one scale. A float16 has as many bytes, but its errors move pixels by
    0.0015, these by 0.0005. "uint8" keeps bytes.
    """
    array, scale = np.asarray(array), 1.0
    if dtype == "int16":
        scale = float(np.abs(array).max()) / 32767 or 1.0
        array = np.round(array / scale)
    content = array.astype({"int16": "<i2", "uint8": "u1"}[dtype]).tobytes()
    return {
        "dtype": dtype,
        "scale": scale,
        "shape": list(array.shape),
        "crc32": zlib.crc32(content),
        "base64": base64.b64encode(content).decode(),
    }


def _dense(layer: keras.layers.Layer) -> dict[str, Any]:
    return {"kernel": pack(layer.kernel, "int16"), "bias": pack(layer.bias, "int16")}
