"""Stop a training at once where numbers are no longer finite, and say which, where and why."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import vaelib

pytestmark = pytest.mark.slow


def _model(optimizer="rmsprop", **kwargs):
    keras.utils.set_random_seed(0)
    model = vaelib.dense_vae(**{"hidden_dim": 16, **kwargs})
    model.compile(optimizer=optimizer, jit_compile=False)
    return model


def _break(model, epoch, batch, part, value):
    """Return a callback that sets a bias of the encoder after a batch."""

    def on_train_batch_end(at, logs):
        if (int(model.optimizer.iterations) - 1) // 5 + 1 == epoch and at == batch:
            layer = getattr(model.encoder, part)
            layer.bias.assign(np.full(layer.bias.shape, value, "float32"))

    return keras.callbacks.LambdaCallback(on_train_batch_end=on_train_batch_end)


def test_a_learning_rate_of_1000_is_named_as_the_likely_cause(images):
    model = _model(keras.optimizers.SGD(1e3))
    with pytest.raises(FloatingPointError, match=r"^Not finite: .*, first in epoch 1 at step .*learning rate"):
        vaelib.fit(model, images, num_epochs=20, batch_size=16)


def test_a_pixel_that_slipped_past_validation_is_named(images, monkeypatch):
    monkeypatch.setattr(vaelib.VAE, "checked_images", lambda model, x, name: x)
    x = images.copy()
    x[37, 3, 3, 0] = np.nan
    message = r"distortion and rate, first in epoch 1 at step 3 of 5 \(optimizer step 2\).*pixels that are not numbers"
    with pytest.raises(FloatingPointError, match=message):
        vaelib.fit(_model(), x, batch_size=16, shuffle=False)


def test_exploding_log_variances_name_the_last_good_state(images, tmp_path):
    model = _model()
    callbacks = [_break(model, epoch=3, batch=1, part="z_log_var", value=1e3)]
    with pytest.raises(FloatingPointError) as error:
        vaelib.fit(model, images, num_epochs=4, batch_size=16, callbacks=callbacks, checkpoint=tmp_path)
    message = str(error.value)
    assert message.startswith("Not finite: rate, first in epoch 3 at step 3 of 5 (optimizer step 12).")
    assert "log-variances that exploded" in message
    newest = max(tmp_path.glob("step-*"))
    assert f"Last good state: {newest}" in message
    with np.load(newest) as arrays:
        assert arrays["present"].tolist() == [2, 0, 10]
        assert all(np.isfinite(arrays[name]).all() for name in arrays.files if name.startswith("variable/"))


def test_without_checkpoints_it_says_how_to_keep_them(images):
    model = _model()
    with pytest.raises(FloatingPointError, match="Last good state: none was kept: pass checkpoint='folder'"):
        vaelib.fit(model, images, batch_size=16, callbacks=[_break(model, 1, 0, "z_mean", np.nan)])


def test_a_last_update_that_breaks_the_weights_is_not_saved(images, tmp_path):
    """Let the losses of all steps be finite, but not the weights that the last step leaves."""
    model = _model(keras.optimizers.SGD(1e38), l2=1e3)
    with pytest.raises(FloatingPointError, match="Not finite: weights, first in epoch 1 at step 1 of 1"):
        vaelib.fit(model, images, batch_size=len(images), checkpoint=tmp_path)
    assert not list(tmp_path.glob("step-*"))


def test_a_beta_that_is_not_finite_is_named(images):
    model = _model()
    model.beta = lambda step: tf.constant(np.inf)
    with pytest.raises(FloatingPointError, match=r"Not finite: loss, first in epoch 1 at step 1 .*beta"):
        vaelib.fit(model, images, batch_size=16)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("log_var", [-80.0, 80.0, "both"])
def test_extreme_log_variances_give_finite_losses_and_gradients(policy, log_var, images):
    keras.config.set_dtype_policy(policy)
    try:
        model = _model("sgd")
        bias = [80.0, -80.0] if log_var == "both" else [log_var, log_var]
        layer = model.encoder.z_log_var
        layer.set_weights([np.zeros(layer.kernel.shape), np.array(bias)])
        with tf.GradientTape() as tape:
            objective = model.objective(images, model(images))
        gradients = tape.gradient(objective.loss, model.trainable_variables)
        if policy == "mixed_float16":
            # Keras' loss scaling skips a step whose gradients half precision cannot hold.
            model.fit(images, batch_size=35, epochs=2, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert objective.rate.dtype == objective.loss.dtype == "float32"
    expected = np.sum(np.expm1(np.float64(bias)) - bias) / 2
    np.testing.assert_allclose(objective.rate, expected, rtol=0.1)
    assert np.isfinite(objective.loss)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    for gradient in gradients:
        assert np.isfinite(gradient).all()
