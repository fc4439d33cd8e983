"""Measure generated digits on models whose answer is known."""

import keras
import numpy as np
import pytest
from scipy import stats

import vaelib


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return vaelib.dense_vae(hidden_dim=8)


@pytest.mark.slow
def test_the_classifier_reads_digits_the_same_every_time(small):
    judges = [vaelib.digit_classifier(small.x_train, small.y_train, num_epochs=3) for _ in range(2)]
    right = np.argmax(judges[0](small.x_test), axis=1) == small.y_test
    assert right.mean() > 0.85
    np.testing.assert_array_equal(judges[0](small.x_test), judges[1](small.x_test))


@pytest.mark.slow
def test_a_grid_from_a_decoder_that_ignores_z_is_one_grey_image(model, small):
    for variable in model.decoder.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    judge = vaelib.digit_classifier(small.x_train[:200], small.y_train[:200], num_epochs=1)
    mean_image = small.x_train.mean(axis=0)
    grid = vaelib.measure_grid(model, vaelib.latent_grid(5), judge, mean_image)
    assert grid["grid"].shape == (25, 28, 28)
    assert set(np.unique(grid["grid"])) == {128}
    assert grid["pixel_std"] == 0
    assert grid["fuzziness"] == 1
    np.testing.assert_allclose(grid["error_from_mean_image"], np.abs(0.5 - mean_image).mean(), rtol=1e-6)
    assert len(set(grid["digit"])) == 1


@pytest.mark.slow
def test_the_grid_is_judged_image_by_image(model, small):
    judge = vaelib.digit_classifier(small.x_train, small.y_train, num_epochs=1)
    z = vaelib.latent_grid(4)
    grid = vaelib.measure_grid(model, z, judge, small.x_train.mean(axis=0))
    x_mean = np.array(model.generate(z))
    probabilities = judge.predict(x_mean, verbose=0)
    np.testing.assert_array_equal(grid["digit"], probabilities.argmax(axis=1))
    np.testing.assert_allclose(grid["confidence"], probabilities.max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(grid["grid"] / 255, x_mean[..., 0], atol=0.5001 / 255)
    np.testing.assert_allclose(grid["pixel_std"], x_mean.std(axis=0).max(), rtol=1e-5)


def test_a_digit_counts_when_the_judge_is_sure_often():
    digit = [0] * 50 + [1] * 50 + [2] * 99 + [3]
    confidence = [0.9] * 50 + [0.8] * 50 + [0.81] * 100
    assert vaelib.generated_digits(digit, confidence) == [0, 2]
    assert vaelib.generated_digits(digit, confidence, min_share=0.005) == [0, 2, 3]
    assert vaelib.generated_digits(digit, confidence, min_confidence=0.7) == [0, 1, 2]


def test_latent_grid_is_even_in_probability_and_in_order():
    z = vaelib.latent_grid(5, low=0.1, high=0.9)
    assert z.shape == (25, 2)
    assert z.dtype == np.float32
    across, down = stats.norm.cdf(z).reshape(5, 5, 2).transpose(2, 0, 1)
    np.testing.assert_allclose(across, np.tile([0.1, 0.3, 0.5, 0.7, 0.9], (5, 1)), atol=1e-6)
    np.testing.assert_allclose(down, np.tile([[0.9], [0.7], [0.5], [0.3], [0.1]], 5), atol=1e-6)


@pytest.mark.parametrize("bounds", [(0, 0.9), (0.1, 1), (0.9, 0.1), (0.5, 0.5), (-1, 0.5), (float("nan"), 0.9)])
def test_latent_grid_refuses_impossible_probabilities(bounds):
    with pytest.raises(ValueError, match="0 < low < high < 1"):
        vaelib.latent_grid(3, *bounds)


def test_latent_grid_needs_two_points():
    with pytest.raises(ValueError, match="at least 2 points per axis, got 1"):
        vaelib.latent_grid(1)
