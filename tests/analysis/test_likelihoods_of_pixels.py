"""Measure models of other pixels than coins, or hear in one sentence that it cannot be done."""

import numpy as np
import pytest
from known_models import PATTERNS, probabilistic_pca

import vaelib
from vaelib.live.data import latent_data

GREY = np.random.default_rng(0).random((6, 2, 2, 1), "float32")


def with_variance(kind, model, variance):
    """Return a model of the same halves whose variance is of another kind."""
    other = kind(model.encoder, model.decoder)
    other.build((None, *model.image_shape))
    if variance:
        other.noise_variance = variance
    return other


@pytest.mark.slow
def test_a_learned_variance_is_measured_like_a_fixed_one():
    fixed, gaussian = probabilistic_pca(0.3)
    learned = with_variance(vaelib.likelihoods.LearnedVarianceVAE, fixed, 0.3)
    # The posterior of this model is exact: so is every bound.
    expected = gaussian.logpdf(GREY.reshape(6, 4))
    np.testing.assert_allclose(vaelib.elbo(learned, GREY), expected, atol=1e-5)
    np.testing.assert_allclose(vaelib.importance_log_likelihood(learned, GREY, 3, verbose=False), expected, atol=1e-5)
    best = vaelib.best_posteriors(learned, GREY, num_steps=3, verbose=False)
    np.testing.assert_allclose(best.std, vaelib.encode_all(fixed, GREY).std, rtol=0.1)
    z = np.zeros((1, 2))
    np.testing.assert_allclose(vaelib.fisher_metric(learned, z), vaelib.fisher_metric(fixed, z), rtol=1e-6)


def test_grey_pixels_have_the_density_that_the_decoder_says():
    """Let the decoder ignore z and the encoder say what the prior does: every bound is minus the distortion."""
    model = vaelib.dense_vae(hidden_dim=4, image_shape=(2, 2, 1), likelihood="continuous_bernoulli")
    for head in (model.encoder.z_mean, model.encoder.z_log_var):
        head.set_weights([np.zeros((4, 2)), np.zeros(2)])
    model.decoder.logits.kernel.assign(np.zeros((4, 4)))
    model.decoder.logits.bias.assign([-3.0, 0.0, 1e-3, 5.0])
    expected = -np.array(vaelib.continuous_bernoulli_distortion(GREY, model.decode(np.zeros((6, 2)))))
    np.testing.assert_allclose(vaelib.elbo(model, GREY), expected, atol=1e-5)
    found = vaelib.importance_log_likelihood(model, GREY, 50, verbose=False)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("likelihood", ["continuous_bernoulli", "gaussian"])
def test_the_exact_likelihood_needs_coins(likelihood):
    model = vaelib.dense_vae(hidden_dim=4, image_shape=(2, 2, 1), likelihood=likelihood)
    with pytest.raises(ValueError, match=f"Bernoulli pixels, got latent_dim=2, likelihood='{likelihood}'"):
        vaelib.exact_log_likelihood(model, PATTERNS, verbose=False)


def test_what_needs_coins_or_gaussians_refuses_a_continuous_bernoulli():
    model = vaelib.dense_vae(hidden_dim=4, image_shape=(2, 2, 1), likelihood="continuous_bernoulli")
    with pytest.raises(ValueError, match="best_posteriors expects Bernoulli or Gaussian pixels, got"):
        vaelib.best_posteriors(model, PATTERNS, verbose=False)
    with pytest.raises(ValueError, match="fisher_metric expects Bernoulli or Gaussian pixels, got"):
        vaelib.fisher_metric(model, np.zeros((1, 2)))


@pytest.mark.parametrize(
    "measure",
    [
        vaelib.elbo,
        vaelib.importance_log_likelihood,
        vaelib.exact_log_likelihood,
        vaelib.best_posteriors,
        lambda model, x: vaelib.fisher_metric(model, np.zeros((1, 2))),
        lambda model, x: model.distortion(x, x),
    ],
)
def test_an_optimal_variance_is_no_density_of_an_image(measure):
    kind = vaelib.likelihoods.OptimalVarianceVAE
    model = with_variance(kind, probabilistic_pca()[0], None)
    with pytest.raises(ValueError, match=r"optimal variance belongs to a batch|likelihood='gaussian'"):
        measure(model, GREY)


def test_the_explorer_draws_coins_only(images):
    model = vaelib.dense_vae(hidden_dim=4, likelihood="continuous_bernoulli")
    with pytest.raises(ValueError, match="Models with Bernoulli pixels are expected, 'a' has 'continuous_bernoulli'"):
        latent_data({"a": model}, images, np.zeros(len(images), int))


def test_pixels_beyond_black_and_white_are_drawn_as_those():
    model = vaelib.linear_vae(image_shape=(28, 28, 1))
    model.decoder.pixels.bias.assign(np.repeat([-0.2, 1.2], 392))
    model.decoder.pixels.kernel.assign(np.zeros((2, 784)))
    grid = vaelib.measure_grid(model, np.zeros((1, 2)), lambda x: np.eye(10)[:1], np.zeros((28, 28, 1)))["grid"]
    assert (grid.ravel() == np.repeat([0, 255], 392)).all()
