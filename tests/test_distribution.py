"""On two devices, Keras' `fit` takes the steps that it takes on one."""

import subprocess
import sys

import numpy as np

# The devices must be made before TensorFlow starts, so in a process of its own.
SCRIPT = """
import sys
import keras, numpy as np, tensorflow as tf
import vaelib

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

def train(strategy):
    with strategy.scope():
        model = vaelib.dense_vae(hidden_dim=8, beta=vaelib.linear(2.0, num_steps=4), l2=1e-3)
        model.compile(optimizer=keras.optimizers.SGD(1e-3, momentum=0.9))
    first = np.random.default_rng(1)
    model.set_weights([first.normal(0, 0.1, weight.shape) for weight in model.get_weights()])
    # Posteriors that are points: the replicas draw noise of their own, and now it does not matter.
    model.encoder.z_log_var.set_weights([np.zeros((8, 2)), np.full(2, -60.0)])
    model.encoder.z_log_var.trainable = False
    x = np.random.default_rng(0).random((96, 28, 28, 1), "float32")
    history = model.fit(x, batch_size=32, epochs=2, shuffle=False, validation_data=(x[:64],), verbose=0).history
    names = sorted(history)
    return {**{f"history/{name}": history[name] for name in names},
            **{f"weight/{i}": weight for i, weight in enumerate(model.get_weights())}}

devices = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert devices.num_replicas_in_sync == 2
np.savez(sys.argv[1], **train(devices))
np.savez(sys.argv[2], **train(tf.distribute.get_strategy()))
"""


def test_two_replicas_train_as_one_device_does(tmp_path):
    files = [tmp_path / "two.npz", tmp_path / "one.npz"]
    result = subprocess.run([sys.executable, "-c", SCRIPT, *files], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    with np.load(files[0]) as two, np.load(files[1]) as one:
        assert two.files == one.files
        assert {"history/loss", "history/val_loss", "history/rate"} <= set(one.files)
        for name in one.files:
            np.testing.assert_allclose(two[name], one[name], rtol=1e-4, atol=1e-6, err_msg=name)
        assert one["history/distortion"][1] < one["history/distortion"][0]
