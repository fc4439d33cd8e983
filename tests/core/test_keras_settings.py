"""Settings of Keras that a model does not know of: precision, epochs that are counted on, accumulated gradients."""

import contextlib

import keras
import numpy as np
import pytest
from small_models import small_vae

import vaelib

pytestmark = pytest.mark.slow

MEASURED = {
    "elbo": vaelib.elbo,
    "importance": lambda model, x: vaelib.importance_log_likelihood(model, x, 50, verbose=False),
    "exact": lambda model, x: vaelib.exact_log_likelihood(model, x, verbose=False),
    "best posteriors": lambda model, x: vaelib.best_posteriors(model, x, verbose=False).std,
    "second moment": lambda model, x: vaelib.posterior_moments(model, x)[1],
    "pixels": lambda model, x: model.generate(num_images=2, seed=1),
}


@contextlib.contextmanager
def policy(name):
    """Let new layers compute so, and give what was back."""
    keras.config.set_floatx(name if name.startswith("float") else "float32")
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(("name", "tolerance"), [("float64", 1e-4), ("mixed_float16", 0.02), ("mixed_bfloat16", 0.05)])
def test_the_analysis_answers_alike_in_every_precision(name, tolerance, images):
    expected_of = small_vae()
    for weight in expected_of.trainable_variables:
        weight.assign(np.random.default_rng(len(weight.shape)).normal(0, 0.1, weight.shape))
    with policy(name):
        model = vaelib.dense_vae(hidden_dim=8)
        model.set_weights(expected_of.get_weights())
        found = {what: np.array(measure(model, images[:3]), "float64") for what, measure in MEASURED.items()}
    for what, value in found.items():
        np.testing.assert_allclose(value, MEASURED[what](expected_of, images[:3]), rtol=tolerance, err_msg=what)


@pytest.mark.parametrize("name", ["float64", "mixed_float16"])
@pytest.mark.parametrize("kind", ["dense", "conv", "linear"])
def test_every_model_trains_in_other_precisions(kind, name, images):
    with policy(name):
        model = getattr(vaelib, f"{kind}_vae")()
        model.compile(keras.optimizers.SGD(1e-4), jit_compile=False)
        by_keras = model.fit(images, batch_size=70, shuffle=False, verbose=0).history["loss"][0]
        run = vaelib.fit(model, images, images, batch_size=70, shuffle=False, verbose=False)
    assert run.history["loss"][0] == pytest.approx(by_keras, rel=0.05)
    assert np.isfinite(run.history["val_loss"]).all()


def test_epochs_count_on_from_the_first_under_keras_fit(images):
    model = small_vae()
    history = model.fit(images, batch_size=70, epochs=5, initial_epoch=3, verbose=0)
    assert history.epoch == [3, 4]
    assert int(model.optimizer.iterations) == 2


def test_accumulated_gradients_are_for_keras_fit_alone(images):
    """Three batches of 20 make one step: that of the 60 images at once, for posteriors that are points."""

    def trained(batch_size, steps):
        model = small_vae(keras.optimizers.SGD(1e-3, gradient_accumulation_steps=steps))
        model.encoder.z_log_var.set_weights([np.zeros((8, 2)), np.full(2, -60.0)])
        model.encoder.z_log_var.trainable = False
        model.compile(model.optimizer, jit_compile=False)
        model.fit(images[:60], batch_size=batch_size, shuffle=False, verbose=0)
        return model

    for ours, theirs in zip(trained(20, 3).get_weights(), trained(60, None).get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    with pytest.raises(ValueError, match=r"steps after every batch, got .*=3: .*Keras' own model\.fit"):
        vaelib.fit(trained(20, 3), images)
