"""Print the peak memory and the speed of training on a stream, beside the same images as an array.

    python benchmarks/stream.py --gigabytes 20 --rounds 3

Both take turns; the speeds are medians of the rounds, the memory is the most of them.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

SHAPE, BATCH_SIZE = (64, 64, 3), 128
BATCH_GIGABYTES = BATCH_SIZE * 64 * 64 * 3 * 4 / 1e9


def main():
    """Train one epoch in processes of their own for each kind, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=20.0, help="float32 pixels of the stream; default: 20")
    parser.add_argument("--array-gigabytes", type=float, default=1.0, help="those of the array; default: 1")
    parser.add_argument("--buffer-megabytes", type=float, default=128.0, help="as in vaelib.fit; default: 128")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--kind", choices=["stream", "array"], help="train one here, and print its numbers as JSON")
    asked = parser.parse_args()
    if asked.kind:
        size = asked.gigabytes if asked.kind == "stream" else asked.array_gigabytes
        print(json.dumps(measured(asked.kind, size, asked.buffer_megabytes)))
        return
    print("64 x 64 x 3 pixels, dense_vae with 500 hidden units, batches of 128, one epoch")
    print("images    GB of pixels   peak MB   images/s")
    turns = {kind: [] for kind in ("array", "stream")}
    for _ in range(asked.rounds):
        for kind, results in turns.items():
            results.append(result_of(kind, sys.argv[1:]))
    speeds = {kind: statistics.median(result["speed"] for result in results) for kind, results in turns.items()}
    for kind, results in turns.items():
        peak = max(result["peak_megabytes"] for result in results)
        print(f"{kind:8s} {results[0]['gigabytes']:13.2f} {peak:9.0f} {speeds[kind]:10.0f}")
    print(f"stream / array: {speeds['stream'] / speeds['array']:.2f} of the speed (aim 0.9 and 1500 MB)")


def result_of(kind, arguments):
    """Return the numbers of a training in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), *arguments, "--kind", kind]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1])


def measured(kind, gigabytes, buffer_megabytes):
    """Train one epoch, and return the peak memory of this process and the images per second after the first stretch."""
    import keras

    import vaelib

    num_batches = max(2, round(gigabytes / BATCH_GIGABYTES))
    model = vaelib.dense_vae(image_shape=SHAPE)
    model.compile(optimizer="rmsprop")
    x = batches(num_batches)
    if kind == "array":
        x = filled(x, num_batches)
    ends = []

    def note(step, logs):
        ends.append((step + 1, time.perf_counter()))

    settings = {"buffer_megabytes": buffer_megabytes} if kind == "stream" else {"shuffle": False}
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    vaelib.fit(model, x, callbacks=callback, verbose=False, **settings)
    # Leave out the first stretch, in which the program is compiled.
    (first, begun), (last, ended) = ends[0], ends[-1]
    # macOS counts in bytes, Linux in kilobytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    speed = (last - first) * BATCH_SIZE / (ended - begun)
    return {"kind": kind, "gigabytes": num_batches * BATCH_GIGABYTES, "peak_megabytes": peak, "speed": speed}


def batches(num_batches):
    """Return a dataset that makes its batches on the fly: a block of random pixels, turned by another angle each."""
    import tensorflow as tf

    block = tf.random.stateless_uniform((BATCH_SIZE, *SHAPE), (0, 1))
    return tf.data.Dataset.range(num_batches).map(lambda i: tf.roll(block, i, axis=0))


def filled(dataset, num_batches):
    """Return the images of a dataset as one array."""
    import numpy as np

    x = np.empty((num_batches * BATCH_SIZE, *SHAPE), "float32")
    for i, batch in enumerate(dataset):
        x[i * BATCH_SIZE : (i + 1) * BATCH_SIZE] = batch
    return x


if __name__ == "__main__":
    main()
