"""Go on from what version 0.1 left: its checkpoints, and the models that it saved."""

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

import vaelib
from vaelib.schedules import Constant, Linear
from vaelib.training import checkpoint

DATA = Path(__file__).parents[1] / "support/data"
IMAGES = np.random.default_rng(0).random((40, 28, 28, 1)).astype("float32")
BETAS = {"constant": Constant(2.0), "linear": Linear(2.0, num_steps=9), "linear_vae": Constant(1.0)}


def _model():
    keras.utils.set_random_seed(1)
    model = vaelib.dense_vae(hidden_dim=2, beta=2.0)
    model.compile(optimizer="rmsprop")
    return model


@pytest.mark.slow
def test_a_checkpoint_of_version_0_1_goes_on(tmp_path):
    shutil.copytree(DATA / "checkpoint-0.1", tmp_path / "here")
    arguments = {"num_epochs": 2, "batch_size": 16, "seed": 3, "verbose": False}
    whole = vaelib.fit(_model(), IMAGES, **arguments)
    begun = []
    watcher = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch))
    resumed = vaelib.fit(_model(), IMAGES, callbacks=[watcher], checkpoint=tmp_path / "here", **arguments)
    assert begun == [1], "it started again"
    # Allow for rounding: another processor may have made the checkpoint.
    for name in ("loss", "distortion", "rate"):
        np.testing.assert_allclose(resumed.history[name], whole.history[name], rtol=1e-3)
    np.testing.assert_allclose(resumed.posteriors[2].mean, whole.posteriors[2].mean, rtol=1e-2, atol=1e-3)


def test_a_checkpoint_of_version_0_1_of_another_run_is_refused():
    owner = checkpoint.fingerprint(
        _model(), checkpoint.digest(IMAGES), None, batch_size=16, shuffle=True, seed=4, binarize=False
    )
    with pytest.raises(ValueError, match=r"belongs to another run: seed is 3 there and 4 here\. Go on"):
        checkpoint.load_checkpoint(DATA / "checkpoint-0.1", owner)


def test_a_fingerprint_does_not_say_where_a_class_lives():
    found = checkpoint.fingerprint(_model(), checkpoint.digest(IMAGES), None, seed=3)
    assert "module" not in {key for path, _ in checkpoint._leaves(found) for key in path.split(".")}
    assert "vaelib.models" not in str(found)


@pytest.mark.parametrize("name", BETAS)
def test_a_model_saved_by_version_0_1_loads(name):
    model = keras.saving.load_model(DATA / f"{name}-0.1.keras")
    decoded = np.array(model.decode(np.array([[0.5, -1.0]], "float32"))).ravel()
    with np.load(DATA / "decoded-0.1.npz") as expected:
        np.testing.assert_allclose(decoded[: len(expected[name])], expected[name], rtol=1e-5, atol=1e-6)
    steps = np.arange(20)
    np.testing.assert_array_equal(model.beta(steps), BETAS[name](steps))
    # It holds Keras' reading of "auto", which says nothing about XLA in `vaelib.fit`.
    assert model.asked_jit_compile == "auto"
