"""Let a model decode the mean image before its first step."""

import dataclasses
import importlib

import numpy as np
import pytest
from scipy import special

import vaelib

SPEC = vaelib.RunSpec(hidden_dim=8, num_epochs=1, num_train=640, num_test=50, start_at_mean_image=True)


@pytest.fixture(scope="module")
def x():
    """Return images without a pixel that is always black: their mean image needs no clipping."""
    return np.random.default_rng(0).uniform(0.01, 0.99, (50, 28, 28, 1)).astype("float32")


def _without_z(model):
    """Return the model with a decoder that does not read z: what it decodes is its biases."""
    model.decoder.logits.kernel.assign(np.zeros(model.decoder.logits.kernel.shape))
    return model


def test_a_model_that_ignores_z_has_the_collapsed_loss(x):
    model = _without_z(vaelib.start_at_mean_image(vaelib.dense_vae(hidden_dim=8), x))
    distortion = model.distortion(x, model.decode(np.ones((len(x), 2), "float32")))
    assert np.mean(distortion) == pytest.approx(vaelib.collapsed_loss(x), rel=1e-6)


def test_a_pixel_that_is_always_black_or_white_stays_finite(x):
    x = x.copy()
    x[:, 0, 0], x[:, 0, 1] = 0, 1
    bias = np.array(vaelib.start_at_mean_image(vaelib.dense_vae(hidden_dim=8), x).decoder.logits.bias)
    np.testing.assert_allclose(special.expit(bias[:3]), [0.001, 0.999, x[:, 0, 2].mean()], rtol=1e-4)


def test_nothing_else_changes(x):
    model, same = (SPEC.build() for _ in range(2))
    changed = [
        not np.array_equal(ours, before)
        for ours, before in zip(vaelib.start_at_mean_image(model, x).get_weights(), same.get_weights(), strict=True)
    ]
    assert changed == [False] * (len(changed) - 1) + [True]


class Begun(Exception):  # noqa: N818
    """Hold the model with which a training would begin."""


@pytest.mark.parametrize("starts_there", [True, False])
def test_a_run_starts_there_if_its_spec_says_so(starts_there, tmp_path, digits, monkeypatch):
    def begin(model, *_, **__):
        raise Begun(model)

    runs = importlib.import_module("vaelib.experiment.runs")
    monkeypatch.setattr(runs, "mnist", lambda: digits)
    monkeypatch.setattr(runs, "fit", begin)
    spec = dataclasses.replace(SPEC, start_at_mean_image=starts_there)
    with pytest.raises(Begun) as begun:
        vaelib.train_or_load(spec, tmp_path, verbose=False)
    expected = vaelib.start_at_mean_image(SPEC.build(), digits.x_train[:640]).decoder.logits.bias
    np.testing.assert_array_equal(begun.value.args[0].decoder.logits.bias, expected * starts_there)


@pytest.mark.parametrize(
    "model",
    [vaelib.conv_vae(), vaelib.linear_vae()],
    ids=["one bias for all pixels", "Gaussian pixels"],
)
def test_a_model_without_a_logit_bias_for_each_pixel_is_refused(model, x):
    with pytest.raises(ValueError, match="expects a model with Bernoulli pixels and a bias for each of 784 logits"):
        vaelib.start_at_mean_image(model, x)


def test_what_are_no_images_is_refused(x):
    with pytest.raises(ValueError, match="x must be floating-point images"):
        vaelib.start_at_mean_image(vaelib.dense_vae(hidden_dim=8), 255 * x)
