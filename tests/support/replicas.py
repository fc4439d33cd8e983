"""Train with Keras' own `fit` on two devices and on one, in a process that has not used TensorFlow yet."""

import keras
import numpy as np
import tensorflow as tf

import vaelib


def compare(two, one):
    """Train twice, and write the numbers of both to files."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    devices = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert devices.num_replicas_in_sync == 2
    np.savez(two, **_train(devices))
    np.savez(one, **_train(tf.distribute.get_strategy()))


def _train(strategy):
    with strategy.scope():
        model = vaelib.dense_vae(hidden_dim=8, beta=vaelib.schedules.Linear(2.0, num_steps=4), l2=1e-3)
        # Skip XLA, which takes seconds to compile.
        model.compile(optimizer=keras.optimizers.SGD(1e-3, momentum=0.9), jit_compile=False)
    first = np.random.default_rng(1)
    model.set_weights([first.normal(0, 0.1, weight.shape) for weight in model.get_weights()])
    # Make posteriors points: the replicas draw noise of their own, and now it does not matter.
    model.encoder.z_log_var.set_weights([np.zeros((8, 2)), np.full(2, -60.0)])
    model.encoder.z_log_var.trainable = False
    x = np.random.default_rng(0).random((96, 28, 28, 1), "float32")
    history = model.fit(x, batch_size=32, epochs=2, shuffle=False, validation_data=(x[:64],), verbose=0).history
    weights = {f"weight/{i}": weight for i, weight in enumerate(model.get_weights())}
    return {**{f"history/{name}": history[name] for name in sorted(history)}, **weights}
