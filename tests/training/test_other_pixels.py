"""Train every likelihood by both `fit`s, and resume it to the same bits."""

import keras
import numpy as np
import pytest

import vaelib

pytestmark = pytest.mark.slow

KINDS = {
    "continuous": {"likelihood": "continuous_bernoulli"},
    "fixed": {"likelihood": "gaussian", "noise_variance": 0.2},
    "learned": {"likelihood": "gaussian", "noise_variance": "learned"},
    "optimal": {"likelihood": "gaussian", "noise_variance": "optimal"},
}


def made(kind, seed=0, optimizer=None):
    keras.utils.set_random_seed(seed)
    model = vaelib.dense_vae(hidden_dim=8, **KINDS[kind])
    model.compile(optimizer or keras.optimizers.Adam(0.01), jit_compile=False)
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_both_fits_train_each_on_the_same_objective(kind, images):
    """Let posteriors be points, so that the noise does not matter; the last of the three batches is smaller."""

    def narrow(model):
        model.encoder.z_log_var.set_weights([np.zeros((8, 2)), np.full(2, -60.0)])
        model.encoder.z_log_var.trainable = False
        return model

    ours, theirs = narrow(made(kind)), narrow(made(kind))
    run = vaelib.fit(ours, images, images[:20], num_epochs=3, batch_size=32, shuffle=False, verbose=False)
    history = theirs.fit(images, batch_size=32, epochs=3, shuffle=False, verbose=0).history
    for name in ("loss", "distortion", "rate"):
        np.testing.assert_allclose(history[name], run.history[name], rtol=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert run.history["loss"][-1] < run.history["loss"][0]
    assert np.isfinite(run.history["val_distortion"]).all()
    assert np.isfinite(theirs.evaluate(images, verbose=0)).all()


class StoppedError(Exception):
    """Stand for the death of a process."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_that_dies_in_an_epoch_ends_with_the_same_bits(kind, images, tmp_path):
    def train(model, folder, callbacks=()):
        return vaelib.fit(
            model,
            images,
            num_epochs=3,
            batch_size=7,
            callbacks=callbacks,
            verbose=False,
            checkpoint=folder,
            save_minutes=0,
        )

    def die(batch, logs):
        if int(dying.optimizer.iterations) == 14:
            raise StoppedError

    whole = train(made(kind), tmp_path / "whole")
    dying = made(kind)
    with pytest.raises(StoppedError):
        train(dying, tmp_path / "killed", [keras.callbacks.LambdaCallback(on_train_batch_end=die)])
    # Begin with other weights: the checkpoint must bring back all of them.
    again = train(made(kind, seed=9), tmp_path / "killed")
    for one, other in zip(whole.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.history["loss"] == whole.history["loss"]
    if kind == "learned":
        assert again.model.noise_variance != 1


@pytest.mark.parametrize("by", ["vaelib", "keras"])
def test_a_learned_variance_ends_at_the_mean_squared_error(by, images):
    """Freeze both halves and let the decoder ignore z: what is left to learn has a closed form."""
    model = made("learned", optimizer=keras.optimizers.Adam(0.1))
    model.decoder.logits.set_weights([np.zeros((8, 784)), np.full(784, 0.2)])
    model.encoder.trainable = model.decoder.trainable = False
    assert len(model.trainable_variables) == 1
    if by == "vaelib":
        vaelib.fit(model, images, num_epochs=150, batch_size=70, verbose=False)
    else:
        model.fit(images, batch_size=70, epochs=150, verbose=0)
    assert model.noise_variance == pytest.approx(np.square(images - 0.2).mean(dtype="float64"), rel=1e-3)


def test_an_optimal_variance_trains_convolutions_and_warm_ups(images):
    model = vaelib.conv_vae(beta=vaelib.schedules.Linear(1.0, 2), likelihood="gaussian", noise_variance="optimal")
    model.compile("adam", jit_compile=False)
    run = vaelib.fit(model, images, num_epochs=2, batch_size=32, verbose=False)
    assert run.history["loss"][1] < run.history["loss"][0]
