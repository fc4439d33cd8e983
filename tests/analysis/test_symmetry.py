"""Scale the latent space and see nothing change but the rate, which changes as the closed form says."""

import keras
import numpy as np
import pytest

import vaelib

SCALE = [0.5, 3.0]


@pytest.fixture(params=["dense", "deep", "convolutional"])
def model(request):
    keras.utils.set_random_seed(1)
    if request.param == "convolutional":
        return vaelib.conv_vae()
    return vaelib.dense_vae(hidden_dim=8, num_hidden=2 if request.param == "deep" else 1)


def test_posteriors_scale_and_decoded_images_stay(model, images):
    mean, std = vaelib.encode_all(model, images)
    decoded = model.generate(mean)
    assert vaelib.rescale_latent(model, SCALE) is model
    scaled_mean, scaled_std = vaelib.encode_all(model, images)
    np.testing.assert_allclose(scaled_mean, SCALE * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scaled_std, SCALE * std, rtol=1e-5)
    np.testing.assert_allclose(model.generate(scaled_mean), decoded, atol=1e-5)


def test_the_rate_is_least_where_the_second_moment_is_one(model, images):
    def moment_and_rate():
        mean, std = vaelib.encode_all(model, images)
        return np.mean(mean**2 + std**2, axis=0), float(np.mean(vaelib.gaussian_kl(mean, 2 * np.log(std))))

    # Start from a wider cloud than an untrained network has.
    vaelib.rescale_latent(model, 2)
    second_moment, before = moment_and_rate()
    vaelib.rescale_latent(model, second_moment**-0.5)
    after, least = moment_and_rate()
    np.testing.assert_allclose(after, 1, rtol=1e-4)
    assert before - least == pytest.approx(np.sum(second_moment - 1 - np.log(second_moment)) / 2, rel=1e-4)
    for scale in ([1.02, 1], [1, 0.98]):
        assert moment_and_rate()[1] < _rate_of(model, images, scale)


def _rate_of(model, images, scale):
    """Return the rate at a scale, and scale back."""
    mean, std = vaelib.encode_all(vaelib.rescale_latent(model, scale), images)
    vaelib.rescale_latent(model, np.divide(1, scale))
    return float(np.mean(vaelib.gaussian_kl(mean, 2 * np.log(std))))


@pytest.mark.parametrize("scale", [0, -1.0, [1.0], [1, 2, 3], [1, np.nan], np.inf])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(ValueError, match="scale must be a positive number, or one for each of 2 dimensions, got"):
        vaelib.rescale_latent(vaelib.dense_vae(hidden_dim=8), scale)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match=r"expects a model with Dense layers encoder\.z_mean and .*, got linear_vae"):
        vaelib.rescale_latent(vaelib.linear_vae(), 2)
