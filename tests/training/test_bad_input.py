"""Refuse bad input to `fit`, and a wrong Keras backend, with a ValueError that says what was expected and what came."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import small_vae

import vaelib

X = np.random.default_rng(0).random((10, 28, 28, 1), "float32")


def _model(compiled=True):
    model = vaelib.dense_vae(hidden_dim=4)
    if compiled:
        # Skip XLA, which takes seconds to compile.
        model.compile(optimizer="rmsprop", jit_compile=False)
    return model


def _with(value):
    x = X.copy()
    x[3, 5, 5, 0] = value
    return x


BAD_IMAGES = {
    "8-bit": ((255 * X).astype("uint8"), ["floating-point", "got uint8", "divide 8-bit images by 255"]),
    "0 to 255": (255 * X, ["in [0, 1]", "got values from", "255", "rescale"]),
    "negative": (_with(-0.25), ["in [0, 1]", "from -0.25 to"]),
    "above 1": (_with(1.5), ["in [0, 1]", "to 1.5"]),
    "infinite": (_with(np.inf), ["in [0, 1]", "to inf"]),
    "not a number": (_with(np.nan), ["in [0, 1]", "got 1 pixels that are not a number", "remove"]),
    "no channels": (X[..., 0], ["(n, height, width, channels)", "got the shape (10, 28, 28)", "reshape"]),
    "flat": (X.reshape(10, 784), ["(n, height, width, channels)", "got the shape (10, 784)"]),
    "none at all": (X[:0], ["got none", "(0, 28, 28, 1)"]),
    "words": (np.full((10, 28, 28, 1), "white"), ["floating-point", "got <U5"]),
}

BAD_NUMBERS = {
    "more per batch than images": ({"batch_size": 11}, ["from 1 to the number of images, 10", "got 11"]),
    "no images per batch": ({"batch_size": 0}, ["from 1 to", "got 0"]),
    "negative batches": ({"batch_size": -5}, ["from 1 to", "got -5"]),
    "half an image per batch": ({"batch_size": 2.5}, ["batch_size", "got 2.5"]),
    "no epochs": ({"num_epochs": 0}, ["num_epochs", "at least 1", "got 0"]),
    "negative epochs": ({"num_epochs": -3}, ["num_epochs", "at least 1", "got -3"]),
    "half an epoch": ({"num_epochs": 1.5}, ["num_epochs", "got 1.5"]),
}


def _assert_refused(words, *args, **kwargs):
    with pytest.raises(ValueError, match=r"expects|must") as error:
        vaelib.fit(*args, **{"batch_size": 5, **kwargs})
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(("x", "words"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_bad_images_are_refused(x, words):
    _assert_refused(["x must be", *words], _model(), x)


@pytest.mark.parametrize(("x", "words"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_bad_images_for_validation_are_refused_before_training(x, words):
    model = _model()
    _assert_refused(["validation_data must be", *words], model, X, validation_data=x)
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize(("arguments", "words"), BAD_NUMBERS.values(), ids=BAD_NUMBERS)
def test_bad_numbers_are_refused(arguments, words):
    _assert_refused(words, _model(), X, **arguments)


@pytest.mark.parametrize(
    "weights", [np.ones(9), np.zeros(10), -np.ones(10), np.full(10, np.nan), np.ones((10, 2)), 1.0], ids=str
)
def test_impossible_weights_are_refused(weights):
    _assert_refused(["sample_weight must be 10 positive numbers, one for each"], _model(), X, sample_weight=weights)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [{"num_epochs": 2.0}, {"batch_size": 5.0}], ids=str)
def test_whole_numbers_may_be_floats(arguments):
    run = vaelib.fit(_model(), X, **{"batch_size": 5, **arguments})
    assert run.posteriors[1].mean.shape == (2, 2)


def test_a_model_that_was_not_compiled_is_refused():
    _assert_refused(["compiled", "without an optimizer", "call model.compile"], _model(compiled=False), X)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_floating_point_images_are_taken(dtype):
    assert vaelib.fit(_model(), X.astype(dtype), batch_size=5).posteriors[1].mean.dtype == "float32"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "jax", "torch"])
def test_another_keras_backend_is_refused_with_its_cure(backend):
    result = subprocess.run(
        [sys.executable, "-c", "import vaelib"],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    last_line = result.stderr.strip().splitlines()[-1]
    assert last_line.startswith("ValueError: vaelib needs Keras on TensorFlow")
    assert repr(backend) in last_line
    assert 'os.environ["KERAS_BACKEND"] = "tensorflow"' in last_line


@pytest.mark.parametrize("seed", [None, -1, 1.0, "1", 2**63], ids=str)
def test_what_is_no_seed_is_refused(seed):
    _assert_refused(["seed must be a whole number from 0 to", f"got {seed!r}"], _model(), X, seed=seed)


@pytest.mark.parametrize("epochs", [[0], [3, -1]])
def test_epochs_that_never_come_are_refused(epochs):
    with pytest.raises(ValueError, match=r"posterior_epochs must be None .* or numbers of epochs, from 1, got \["):
        vaelib.fit(_model(), X, posterior_epochs=epochs)


@pytest.mark.parametrize("minutes", [-1, float("nan")])
def test_impossible_times_are_refused(minutes):
    with pytest.raises(ValueError, match=f"save_minutes must be zero .* or positive, got {minutes}"):
        vaelib.fit(_model(), X, save_minutes=minutes)


@pytest.mark.slow
def test_a_schedule_without_a_config_is_refused_before_training(tmp_path):
    class Mine(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 1.0

    model = small_vae(beta=Mine())
    with pytest.raises(ValueError, match=r"checkpoint= expects .*Mine.*get_config"):
        vaelib.fit(model, X, batch_size=5, checkpoint=tmp_path)
    assert int(model.optimizer.iterations) == 0
    assert len(vaelib.fit(model, X, batch_size=5).history["loss"]) == 1


@pytest.mark.slow
def test_whole_numbers_of_any_kind_and_size_are_seeds():
    def losses(seed):
        keras.utils.set_random_seed(0)
        return vaelib.fit(_model(), X, batch_size=5, seed=seed, verbose=False).history["loss"]

    assert losses(1) == losses(np.int64(1)) == losses(np.uint8(1)) == losses(True)
    assert len({losses(seed)[0] for seed in (1, 2**31, 2**40, 2**40 + 1)}) == 4


@pytest.mark.slow
def test_a_model_of_several_devices_is_refused():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = _model()
    _assert_refused(["a model of one device", "MirroredStrategy", "use Keras' own model.fit"], model, X)


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", ["auto", True], ids=str)
def test_a_layer_that_xla_cannot_compile_trains_without_it(jit_compile):
    encoder = keras.Sequential([keras.layers.RandomRotation(0.1, seed=1), vaelib.DenseEncoder(hidden_dim=4)])
    model = vaelib.VAE(encoder, vaelib.DenseDecoder(hidden_dim=4))
    model.compile("rmsprop", jit_compile=jit_compile)
    with pytest.warns(UserWarning, match="XLA cannot compile a layer of this model.*compile\\(jit_compile=False\\)"):
        run = vaelib.fit(model, X, X[:5], num_epochs=2, batch_size=5, verbose=False)
    assert np.isfinite(run.history["loss"]).all()
    assert int(model.optimizer.iterations) == 4
