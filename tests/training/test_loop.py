"""Compile the loop once for a model, again when a part of it changes, and with XLA as `compile` was told."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import small_vae

import vaelib
from vaelib.training import loop


def test_nothing_is_compiled_twice_for_a_model_that_is_the_same():
    model = small_vae()
    assert loop.compiled_loops(model) == loop.compiled_loops(model)
    assert loop.compiled_loops(model) != loop.compiled_loops(small_vae())


@pytest.mark.parametrize("devices", [[], ["a GPU"]], ids=str)
def test_xla_compiles_all_but_convolutions_on_a_cpu(monkeypatch, devices):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: devices)
    assert loop._uses_xla(vaelib.dense_vae(hidden_dim=4))
    assert loop._uses_xla(vaelib.conv_vae()) == bool(devices)


@pytest.mark.parametrize("asked", [True, False])
def test_what_compile_was_told_of_xla_is_honoured(asked):
    for model in (vaelib.dense_vae(hidden_dim=4), vaelib.conv_vae()):
        model.compile(optimizer="rmsprop", jit_compile=asked)
        assert loop._uses_xla(model) is asked


@pytest.mark.slow
def test_loops_are_compiled_again_when_xla_is_switched(monkeypatch, images):
    used = []
    compiled = loop._compiled
    monkeypatch.setattr(loop, "_compiled", lambda body, use_xla: used.append(use_xla) or compiled(body, use_xla))
    optimizer = keras.optimizers.SGD(0.0)
    model = small_vae(optimizer)
    vaelib.fit(model, images[:4], batch_size=4)
    vaelib.fit(model, images[:4], batch_size=4)
    model.compile(optimizer=optimizer, jit_compile=True)
    vaelib.fit(model, images[:4], batch_size=4)
    assert used == [False, False, True, True]


@pytest.mark.slow
def test_another_optimizer_or_frozen_layers_reach_the_loop(images):
    def changed(model):
        parts = model.encoder, model.decoder
        before = [part.get_weights()[0] for part in parts]
        vaelib.fit(model, images, batch_size=35)
        return [not np.array_equal(old, part.get_weights()[0]) for old, part in zip(before, parts, strict=True)]

    model = small_vae()
    assert changed(model) == [True, True]
    model.decoder.trainable = False
    assert changed(model) == [True, False]
    model.decoder.trainable = True
    assert changed(model) == [True, True]
    model.compile(optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    assert changed(model) == [False, False]


@pytest.mark.slow
def test_a_learning_rate_that_falls_to_zero_stops_learning(images):
    """Let it fall after the second of three batches."""
    falling = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1e-3, 0.0])
    models = [small_vae(keras.optimizers.SGD(rate)) for rate in (falling, 1e-3)]
    for model, num_images in zip(models, (70, 64), strict=True):
        vaelib.fit(model, images[:num_images], batch_size=32, shuffle=False, seed=3)
    for ours, theirs in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


# Train on an array and on a stream of the same shape; both have ten stretches and more in each of two epochs.
TWO_TRAININGS = """
import numpy as np, tensorflow as tf, vaelib
x = np.random.default_rng(0).random((90, 28, 28, 1), "float32")
stream = tf.data.Dataset.from_tensor_slices(x).batch(4)
for data, settings in (x, {"batch_size": 4}), (stream, {"buffer_megabytes": 0.02}):
    model = vaelib.dense_vae(hidden_dim=2)
    model.compile(optimizer="rmsprop")
    vaelib.fit(model, data, x[:50], num_epochs=2, verbose=False, **settings)
"""


@pytest.mark.slow
def test_xla_builds_one_program_for_all_stretches(tmp_path):
    flags = {"XLA_FLAGS": f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"}
    subprocess.run([sys.executable, "-c", TWO_TRAININGS], env=os.environ | flags, check=True, capture_output=True)
    names = [path.name.split(".")[1] for path in tmp_path.glob("*before_optimizations.txt")]
    built = [sum(name.startswith(f"a_inference_{loop}_") for name in names) for loop in ("train", "evaluate")]
    assert built == [2, 2], names


# Evaluate ten batches, each in a stretch of its own, and all in one table; print how many of the sums differ.
SHORT_STRETCHES = """
import numpy as np, tensorflow as tf, vaelib
from vaelib.training import loop, reading, sources
digits = vaelib.load_mnist()
x = digits.x_test[:320]
model = vaelib.dense_vae(hidden_dim=8, beta=0.784)
model.compile(optimizer="rmsprop")
vaelib.fit(model, digits.x_train[:300], num_epochs=2, batch_size=32, verbose=False)
_, evaluate = loop.compiled_loops(model)
table = sources._batches(np.arange(len(x)), 32)
stream = reading.StreamSource(model, tf.data.Dataset.from_tensor_slices(x).batch(32), "x")
for source in sources.ArraySource(x, 32, 0), stream:
    stretches, differ = list(source.stretches(0, 0)), 0
    for seed in range(200):
        sums = nothing = np.zeros(len(loop.SUMS))
        for stretch in stretches:
            sums = evaluate(*stretch[:5], seed, sums)
        differ += np.array(sums).tolist() != np.array(evaluate(x, *table, 0, 10, seed, nothing)).tolist()
    print(len(stretches), differ)
"""


@pytest.mark.slow
def test_short_stretches_have_the_bits_of_a_whole_table():
    """Use XLA as readers do, without the shortcut of the other tests: it may compile a table's only row otherwise."""
    script = [sys.executable, "-c", SHORT_STRETCHES]
    printed = subprocess.run(script, env=os.environ | {"XLA_FLAGS": ""}, check=True, capture_output=True, text=True)
    assert printed.stdout.split() == ["10", "0", "10", "0"]
