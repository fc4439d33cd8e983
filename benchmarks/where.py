"""Print where the time of a training step goes: the operations of the compiled loop, by their own clock.

    python benchmarks/where.py

XLA runs independent operations at once, so the times add up to more than the step takes.
"""

import collections
import glob
import os
import tempfile

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_enable_xprof_traceme=true"

import keras
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

import vaelib

NUM_STEPS = 100


def main():
    """Train 100 steps under TensorFlow's profiler, and print every operation that takes more than 5 microseconds."""
    x = vaelib.load_mnist().x_train[: 128 * NUM_STEPS]
    model = vaelib.dense_vae(beta=0.784)
    model.compile(optimizer=keras.optimizers.RMSprop())
    vaelib.fit(model, x, verbose=False)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        seconds = vaelib.fit(model, x, verbose=False).history["seconds"][0]
        tf.profiler.experimental.stop()
        (file,) = glob.glob(f"{folder}/**/*.xplane.pb", recursive=True)
        space = xplane_pb2.XSpace()
        with open(file, "rb") as content:
            space.ParseFromString(content.read())
    print(f"a step, profiled: {1e6 * seconds / NUM_STEPS:.0f} microseconds")
    for name, microseconds in operations(space):
        print(f"{microseconds:8.0f}  {name}")


def operations(space):
    """Return (name, microseconds per step) of what happens once per step, the longest first."""
    total, count = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            total[name] += event.duration_ps / 1e6 / NUM_STEPS
            count[name] += 1
    once = (name for name, _ in total.most_common() if count[name] == NUM_STEPS)
    return [(name, total[name]) for name in once if total[name] >= 5]


if __name__ == "__main__":
    main()
