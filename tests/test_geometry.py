"""The decoder's metric, against finite differences of the KL, and where it is known in closed form."""

import keras
import numpy as np
import pytest
from scipy import special

import vaelib


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(4)
    model = vaelib.dense_vae(2, hidden_dim=30)
    # A decoder that is anything but linear.
    model.decoder.hidden.kernel.assign(3 * model.decoder.hidden.kernel)
    return model


def _kl_between_decoded(model, z, step):
    """KL between the pixels decoded at z and at z + step, in double precision."""
    here, there = (np.array(model.decode(points), "float64").reshape(len(z), -1) for points in (z, z + step))
    y = special.expit(here)
    return (y * (here - there) - np.logaddexp(0, here) + np.logaddexp(0, there)).sum(axis=1)


def test_a_small_step_changes_the_pixels_by_half_its_squared_length(model):
    z = np.random.default_rng(0).standard_normal((5, 2), "float32")
    metric = vaelib.fisher_metric(model, z)
    for step in np.array([[1, 0], [0, 1], [1, 1], [1, -1]], "float32") * 0.02:
        length = np.einsum("i,nij,j->n", step, metric, step)
        # Forwards and backwards, so that the third order cancels.
        both = _kl_between_decoded(model, z, step) + _kl_between_decoded(model, z, -step)
        np.testing.assert_allclose(both, length, rtol=0.01)


def test_over_a_posterior_it_is_the_mean_over_draws(model):
    mean, std = np.array([[0.5, -1.0]], "float32"), np.array([[0.3, 0.6]], "float32")
    z = mean + std * np.random.default_rng(1).standard_normal((20_000, 2), "float32")
    draws = vaelib.fisher_metric(model, z)
    error = draws.std(axis=0) / len(draws) ** 0.5
    found = vaelib.fisher_metric(model, mean, std, num_nodes=15)[0]
    assert np.all(np.abs(found - draws.mean(axis=0)) < 4 * error)


def test_of_gaussian_pixels_it_is_the_decoders_own_matrix():
    model = vaelib.linear_vae(2, noise_variance=0.25, image_shape=(3, 3, 1))
    columns = model.decoder.pixels.kernel.numpy().astype("float64")
    metric = vaelib.fisher_metric(model, np.zeros((4, 2)), np.ones((4, 2)))
    np.testing.assert_allclose(metric, np.tile(columns @ columns.T / 0.25, (4, 1, 1)), rtol=1e-6)


def test_at_the_linear_optimum_it_gives_the_posterior_variances():
    best = vaelib.linear_vae_optimum([5.0, 3.0, 0.5], latent_dim=2, noise_variance=0.4, beta=2.0)
    model = vaelib.linear_vae(2, noise_variance=0.4, image_shape=(1, 3, 1))
    model.decoder.pixels.kernel.assign(np.eye(3)[:2] * best.decoder_norm[:, np.newaxis])
    metric = vaelib.fisher_metric(model, np.zeros((1, 2)))[0]
    np.testing.assert_allclose(1 / (1 + np.diag(metric) / 2.0), best.posterior_variance, rtol=1e-6)
    assert metric[0, 1] == pytest.approx(0)


def test_more_points_than_are_decoded_at_once_keep_their_order(model, monkeypatch):
    z = np.random.default_rng(2).standard_normal((10, 2), "float32")
    whole = vaelib.fisher_metric(model, z)
    monkeypatch.setattr("vaelib.geometry._POINTS", 3)
    np.testing.assert_allclose(vaelib.fisher_metric(model, z), whole, rtol=1e-5)


@pytest.mark.parametrize(("mean", "std"), [(np.zeros((3, 3)), None), (np.zeros(2), None), (np.zeros((3, 2)), [1, 1])])
def test_other_shapes_are_refused(model, mean, std):
    with pytest.raises(ValueError, match=r"expects one or two latent dimensions, and mean and std of shape \(n, 2\)"):
        vaelib.fisher_metric(model, mean, std)
