"""Write the table of the book's page "What may I give it": every kind of images, given to everything that takes images.

`python tools/inputs.py` tries all of it on a small model and renews book/inputs.md.
"""

import functools
import re
import sys
import warnings
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

import vaelib

PAGE = Path(__file__).resolve().parent.parent / "book/inputs.md"
BEGIN, END = "<!-- table: from here to its end written by tools/inputs.py -->\n\n", "\n<!-- end of table -->"
NUM_IMAGES, BATCH_SIZE = 128, 64
# What a sentence calls the images differs from column to column.
NAMED = re.compile(r"^(batch 1 of )?(x|validation_data|plot_images) ")


class Batches(keras.utils.PyDataset):
    """Serve images as Keras' own kind of stream."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return len(self.x) // BATCH_SIZE

    def __getitem__(self, i):
        return self.x[BATCH_SIZE * i : BATCH_SIZE * (i + 1)]


def given():
    """Return {name: images of a kind}; anew each time, for some can be read once."""
    x = np.random.default_rng(0).integers(0, 2, (NUM_IMAGES, 28, 28, 1)).astype("float32")
    labels = np.arange(NUM_IMAGES)
    damaged = np.where(np.arange(NUM_IMAGES)[:, None, None, None] == 6, np.nan, x)
    stream = tf.data.Dataset.from_tensor_slices
    return {
        "array (n, 28, 28, 1), 0 to 1": x,
        "the same as `float64`": x.astype("float64"),
        "a tensor": tf.constant(x),
        "without the channel, (n, 28, 28)": x[..., 0],
        "in rows, (n, 784)": x.reshape(NUM_IMAGES, -1),
        "one image without its batch": x[0],
        "another size, (n, 32, 32, 3)": np.zeros((NUM_IMAGES, 32, 32, 3), "float32"),
        "0 to 255, `uint8`": (255 * x).astype("uint8"),
        "0 to 255, `float32`": 255 * x,
        "a NaN in image 6": damaged,
        "no images, (0, 28, 28, 1)": x[:0],
        "a tuple (x, y)": (x, labels),
        "a list of images": list(x),
        "a list of files": ["a.png", "b.png"],
        "a generator": (x[i : i + BATCH_SIZE] for i in range(0, NUM_IMAGES, BATCH_SIZE)),
        "`tf.data`, in batches": stream(x).batch(BATCH_SIZE),
        "`tf.data`, (x, y) in batches": stream((x, labels)).batch(BATCH_SIZE),
        "`tf.data`, not in batches": stream(x),
        "`tf.data`, of dictionaries": stream({"image": x}).batch(BATCH_SIZE),
        "`tf.data`, 0 to 255": stream(255 * x).batch(BATCH_SIZE),
        "`PyDataset`": Batches(x),
    }


@functools.cache
def model():
    """Return a small model that is compiled once, and that no trial may change for the worse."""
    vae = vaelib.dense_vae(hidden_dim=4)
    vae.compile(optimizer=keras.optimizers.SGD(0.0))
    return vae


def takers():
    """Return {name: what takes images}, the columns; their names stand upright, so that the table fits on paper."""
    x = given()["array (n, 28, 28, 1), 0 to 1"]
    fit = functools.partial(vaelib.fit, model(), verbose=False)
    return {
        "`model.fit`": lambda images: model().fit(images, verbose=0),
        "`vaelib.fit`": fit,
        "its `validation_data`": lambda images: fit(x, validation_data=images),
        "`model.evaluate`": lambda images: model().evaluate(images, verbose=0),
        "`model.reconstruct`": lambda images: model().reconstruct(images),
        "`vaelib.encode_all`": lambda images: vaelib.encode_all(model(), images),
        "`vaelib.elbo`": lambda images: vaelib.elbo(model(), images, num_nodes=2),
        "`vaelib.plot_images`": lambda images: vaelib.plot_images(images),
    }


def said(take, images):
    """Return None if images are taken, or what the ValueError says of them that refuses them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            take(images)
        except ValueError as error:
            return NAMED.sub("", " ".join(str(error).split()))
        finally:
            plt.close("all")
    return None


def table():
    """Return the table, and the sentences that its letters stand for, as Markdown."""
    columns, sentences = takers(), []
    lines = ["| images | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for row in given():
        cells = []
        for take in columns.values():
            refusal = said(take, given()[row])
            if refusal is not None and refusal not in sentences:
                sentences.append(refusal)
            cells.append("yes" if refusal is None else f"({1 + sentences.index(refusal)})")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    numbered = [f"{number}. {sentence}" for number, sentence in enumerate(sentences, start=1)]
    return "\n".join(
        [
            *lines,
            "",
            "Each number stands for what a `ValueError` says of the argument that it names first:",
            "",
            *numbered,
            "",
        ]
    )


def main():
    """Renew the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    sys.exit(main())
