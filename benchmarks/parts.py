"""Print what a training step takes without some of its parts, beside its large matrix products alone.

    python benchmarks/parts.py [--rounds 5]

Every row is timed in processes of its own, in turn with the others. What a row saves is what its part costs: the times
of where.py's operations, which run side by side, add up to more than a step.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from speed import machine
from tqdm import tqdm

BATCH_SIZE, NUM_PIXELS, HIDDEN_DIM, NUM_STEPS, NUM_EPOCHS = 128, 784, 500, 468, 5
# What differs from the training of the book.
TRAININGS = {
    "vaelib.fit": {},
    "  without RMSprop's second moment": {"optimizer": "SGD"},
    "  without exponentials of pixels": {"pixels": "Gaussian"},
    "  without both": {"optimizer": "SGD", "pixels": "Gaussian"},
    "  one product for both heads": {"heads": "joined"},
    "  registers of full width": {"flags": "--xla_cpu_prefer_vector_width=512"},
}
XLA, NUMPY = "the five large products, TensorFlow with XLA", "the five large products, NumPy"
ROWS = [*TRAININGS, XLA, NUMPY]


def main():
    """Measure all in turn, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--row", choices=ROWS, help="measure one here, and print milliseconds a step")
    asked = parser.parse_args()
    if asked.row:
        print(1e3 * statistics.median(epochs_of(asked.row)) / NUM_STEPS)
        return
    turns = {row: [] for row in ROWS}
    for _ in tqdm(range(asked.rounds), unit="round"):
        for row, measured in turns.items():
            measured.append(in_a_process(row))
    medians = {row: statistics.median(measured) for row, measured in turns.items()}
    print(machine())
    print(f"{'':46}  ms a step  of the last row")
    for row, milliseconds in medians.items():
        print(f"{row:46}  {milliseconds:9.2f}  {milliseconds / medians[NUMPY]:.2f}")


def in_a_process(row):
    """Return the milliseconds that a step of a row takes in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--row", row]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return float(output.splitlines()[-1])


def epochs_of(row):
    """Return the seconds of epochs after the first one, in which what is compiled is."""
    if row in TRAININGS:
        return trained(**TRAININGS[row])[1:]
    epoch = xla_epoch() if row == XLA else numpy_epoch()
    return [seconds_of(epoch) for _ in range(NUM_EPOCHS)][1:]


def trained(optimizer="RMSprop", pixels="Bernoulli", heads="apart", flags=""):
    """Train, and return the seconds of each epoch."""
    os.environ["XLA_FLAGS"] = flags
    import keras

    import vaelib

    likelihood = {} if pixels == "Bernoulli" else {"likelihood": "gaussian", "noise_variance": 1.0}
    model = vaelib.dense_vae(hidden_dim=HIDDEN_DIM, beta=0.784, **likelihood)
    if heads == "joined":
        model = vaelib.VAE(encoder_of_one_head(model.encoder), model.decoder, beta=0.784)
    # Descend slowly, so that all stays finite.
    model.compile(optimizer=keras.optimizers.RMSprop() if optimizer == "RMSprop" else keras.optimizers.SGD(1e-4))
    x = vaelib.load_mnist().x_train[: BATCH_SIZE * NUM_STEPS]
    return vaelib.fit(model, x, num_epochs=NUM_EPOCHS, batch_size=BATCH_SIZE, verbose=False).history["seconds"]


def encoder_of_one_head(encoder):
    """Return an encoder of the same hidden layer whose mean and log-variance are the halves of one product."""
    import keras

    x = keras.Input((28, 28, 1))
    both = keras.layers.Dense(2 * encoder.latent_dim)(encoder.hidden(encoder.flatten(x)))
    return keras.Model(x, [both[:, : encoder.latent_dim], both[:, encoder.latent_dim :]])


def factors():
    """Return random images, and the kernels of encoder and decoder."""
    import numpy as np

    shapes = (BATCH_SIZE, NUM_PIXELS), (NUM_PIXELS, HIDDEN_DIM), (HIDDEN_DIM, NUM_PIXELS)
    rng = np.random.default_rng(0)
    return [rng.uniform(-0.1, 0.1, shape).astype("float32") for shape in shapes]


def products(matmul, transpose, x, encoder, decoder):
    """Multiply as a step does: two forward, one backward to the hidden layer, two for the gradients of the kernels."""
    hidden = matmul(x, encoder)
    logits = matmul(hidden, decoder)
    slopes = matmul(logits, transpose(decoder))
    return matmul(transpose(hidden), logits), matmul(transpose(x), slopes)


def xla_epoch():
    """Return a function that computes the products of an epoch in one program."""
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def epoch(x, encoder, decoder):
        step, gradients = 0, (tf.zeros_like(decoder), tf.zeros_like(encoder))
        while step < NUM_STEPS:
            # Let every step need the one before, or XLA would compute it once.
            gradients = products(tf.matmul, tf.transpose, x + 0 * gradients[1][0, 0], encoder, decoder)
            step += 1
        return gradients

    arrays = [tf.constant(array) for array in factors()]
    return lambda: epoch(*arrays)[0].numpy()


def numpy_epoch():
    """Return a function that computes the products of an epoch one after the other."""
    import numpy as np

    arrays = factors()

    def epoch():
        for _ in range(NUM_STEPS):
            products(np.matmul, np.transpose, *arrays)

    return epoch


def seconds_of(work):
    """Return the seconds that some work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
