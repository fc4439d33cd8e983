"""Metrics agree with what they are defined by, on models whose answer is known."""

import keras
import numpy as np
import pytest

import vaelib


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return vaelib.dense_vae(hidden_dim=8)


def test_active_units_counts_dimensions_whose_mean_varies():
    rng = np.random.default_rng(0)
    z_mean = rng.normal(size=(5000, 4)) * [1.0, 0.2, 0.05, 0.0] + [0, 5, 5, 5]
    assert vaelib.active_units(z_mean) == 2
    assert vaelib.active_units(z_mean, threshold=0.001) == 3
    assert vaelib.active_units(z_mean, threshold=0.5) == 1


@pytest.mark.parametrize("shape", [(5,), (1, 2), (5, 2, 1)])
def test_active_units_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"expects z_mean \(n, latent_dim\) of at least 2 images"):
        vaelib.active_units(np.zeros(shape))


def test_encode_all_is_encode_in_batches(model, small):
    x = np.tile(small.x_test, (3, 1, 1, 1))[:1234]
    mean, std = vaelib.encode_all(model, x)
    z_mean, z_log_var = model.encode(x)
    np.testing.assert_allclose(mean, z_mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(std**2, np.exp(z_log_var), rtol=1e-5)


def test_posterior_moments_of_a_posterior_that_is_the_prior_are_0_1_and_the_distance_of_a_grey_image(model, small):
    for variable in model.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    mean, second_moment, error = vaelib.posterior_moments(model, small.x_train)
    np.testing.assert_allclose(mean, 0)
    np.testing.assert_allclose(second_moment, 1)
    # All logits are 0, so every pixel is a half.
    np.testing.assert_allclose(error, np.abs(0.5 - small.x_train.mean(axis=0)).mean(), rtol=1e-6)


def test_posterior_moments_are_those_of_draws_from_the_posteriors(model, small):
    mean, second_moment, _ = vaelib.posterior_moments(model, small.x_test)
    z = np.concatenate([model(small.x_test).z for _ in range(200)])
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=4 * z.std() / len(z) ** 0.5)
    np.testing.assert_allclose((z**2).mean(axis=0), second_moment, rtol=0.02)


def test_the_classifier_reads_real_digits_and_is_the_same_every_time(small):
    judges = [vaelib.digit_classifier(small.x_train, small.y_train, num_epochs=3) for _ in range(2)]
    right = np.argmax(judges[0](small.x_test), axis=1) == small.y_test
    assert right.mean() > 0.85
    np.testing.assert_array_equal(judges[0](small.x_test), judges[1](small.x_test))


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


def test_the_grid_is_judged_image_by_image(model, small):
    judge = vaelib.digit_classifier(small.x_train, small.y_train, num_epochs=1)
    z = vaelib.latent_grid(4)
    grid = vaelib.measure_grid(model, z, judge, small.x_train.mean(axis=0))
    x_mean = np.array(keras.ops.sigmoid(model.decode(z)))
    probabilities = judge.predict(x_mean, verbose=0)
    np.testing.assert_array_equal(grid["digit"], probabilities.argmax(axis=1))
    np.testing.assert_allclose(grid["confidence"], probabilities.max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(grid["grid"] / 255, x_mean[..., 0], atol=0.5001 / 255)
    np.testing.assert_allclose(grid["pixel_std"], x_mean.std(axis=0).max(), rtol=1e-5)


def test_a_digit_counts_when_the_judge_is_sure_of_it_often_enough():
    digit = [0] * 50 + [1] * 50 + [2] * 99 + [3]
    confidence = [0.9] * 50 + [0.8] * 50 + [0.81] * 100
    assert vaelib.generated_digits(digit, confidence) == [0, 2]
    assert vaelib.generated_digits(digit, confidence, min_share=0.005) == [0, 2, 3]
    assert vaelib.generated_digits(digit, confidence, min_confidence=0.7) == [0, 1, 2]
