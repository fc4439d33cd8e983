"""log p(x) against SciPy's integrals, sums over all images there are, and a model whose likelihood is known."""

import keras
import numpy as np
import pytest
from known_models import PATTERNS, log_likelihood, probabilistic_pca, tiny_vae
from scipy import integrate, stats

import vaelib


@pytest.mark.parametrize("beta", [1.0, 0.5, 3.0])
def test_it_is_the_integral_that_scipy_computes(beta):
    model = tiny_vae()
    images = np.concatenate([PATTERNS[5:7], np.full((1, 2, 2, 1), 0.3, "float32")])

    def integral(image):
        def joint(z):
            return np.exp(log_likelihood(model, image, z) / beta) * stats.norm.pdf(z).prod(axis=1)

        return integrate.cubature(joint, [-8, -8], [8, 8], rtol=1e-8).estimate

    expected = [beta * np.log(integral(image)) for image in images]
    found = vaelib.exact_log_likelihood(model, images, beta=beta, verbose=False)
    # Distortions are float32.
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_probabilities_of_all_images_add_up_to_one():
    found = vaelib.exact_log_likelihood(tiny_vae(scale=4.0, std=0.2), PATTERNS, verbose=False)
    assert np.exp(found).sum() == pytest.approx(1, abs=1e-5)


def test_an_encoder_that_is_too_sure_of_nothing_does_not_change_the_result():
    """Posteriors said to be ten times as wide: the first grid is too coarse for a steep decoder, a later one is not."""
    coarse = vaelib.exact_log_likelihood(tiny_vae(std=1.0, scale=4.0), PATTERNS, verbose=False)
    fine = vaelib.exact_log_likelihood(tiny_vae(std=0.1, scale=4.0), PATTERNS, verbose=False)
    np.testing.assert_allclose(coarse, fine, atol=1e-3)


def test_what_no_grid_resolves_is_an_error_and_not_a_number():
    with pytest.raises(ArithmeticError, match="disagree by more than 1e-14 nats"):
        vaelib.exact_log_likelihood(tiny_vae(std=2.0, scale=9.0), PATTERNS[:2], tolerance=1e-14, verbose=False)


def test_a_posterior_beyond_the_border_is_an_error():
    """All logits 0 on one side, and a likelihood that grows without end on the other."""
    model = tiny_vae(std=0.5)
    hidden, logits = model.decoder.layers[1], model.decoder.layers[2]
    hidden.activation = keras.activations.linear
    hidden.set_weights([40.0 * np.eye(2, 5), np.zeros(5)])
    logits.set_weights([np.eye(5, 4), np.full(4, -1000.0)])
    with pytest.raises(ArithmeticError, match="the border of the grid"):
        vaelib.exact_log_likelihood(model, np.ones((1, 2, 2, 1)), verbose=False)


def test_a_decoder_that_ignores_z_has_its_distortion_as_likelihood(images):
    model = vaelib.dense_vae(hidden_dim=4)
    model.decoder.hidden.kernel.assign(np.zeros((2, 4)))
    expected = -np.array(vaelib.bernoulli_distortion(images, model.decode(np.zeros((len(images), 2)))))
    np.testing.assert_allclose(vaelib.exact_log_likelihood(model, images, verbose=False), expected, atol=2e-3)


@pytest.mark.parametrize("num_samples", [1, 7])
def test_with_the_exact_posterior_any_number_of_samples_gives_the_exact_likelihood(num_samples):
    model, gaussian = probabilistic_pca()
    x = np.random.default_rng(1).random((5, 2, 2, 1), "float32")
    found = vaelib.importance_log_likelihood(model, x, num_samples, verbose=False)
    np.testing.assert_allclose(found, gaussian.logpdf(x.reshape(5, 4)), atol=1e-5)
    np.testing.assert_allclose(vaelib.elbo(model, x), gaussian.logpdf(x.reshape(5, 4)), atol=1e-5)


def test_more_samples_are_a_tighter_bound_and_end_at_the_integral():
    # Wider than any true posterior: the weights are bounded.
    model = tiny_vae(std=1.2)
    x = np.tile(PATTERNS, (30, 1, 1, 1))
    exact = vaelib.exact_log_likelihood(model, PATTERNS, verbose=False)
    bound = vaelib.elbo(model, PATTERNS)
    means = []
    for num_samples in (1, 5, 50):
        estimates = vaelib.importance_log_likelihood(model, x, num_samples, verbose=False).reshape(30, 16)
        means.append(estimates.mean(axis=0))
        error = stats.sem(estimates, axis=0)
        assert np.all(means[-1] <= exact + 4 * error)
        if num_samples == 1:
            np.testing.assert_allclose(means[-1], bound, atol=1e-9 + 5 * error.max())
    assert np.all(np.diff(np.mean(means, axis=1)) > 0)
    many = vaelib.importance_log_likelihood(model, PATTERNS, 20_000, verbose=False)
    np.testing.assert_allclose(many, exact, atol=0.05)


def test_samples_depend_on_the_seed_only():
    model = tiny_vae()
    first, again = (vaelib.importance_log_likelihood(model, PATTERNS, 3, seed=5, verbose=False) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(
        first[:4], vaelib.importance_log_likelihood(model, PATTERNS[:4], 3, seed=5, verbose=False), rtol=1e-5
    )
    assert np.all(first != vaelib.importance_log_likelihood(model, PATTERNS, 3, seed=6, verbose=False))


@pytest.mark.parametrize("beta", [0.3, 1.0, 4.0])
def test_no_gaussian_posterior_beats_the_integral_at_its_own_beta(beta):
    model = tiny_vae()
    best = vaelib.exact_log_likelihood(model, PATTERNS, beta=beta, verbose=False)
    rng = np.random.default_rng(0)
    for _ in range(20):
        mean, std = rng.standard_normal((16, 2)), np.exp(rng.standard_normal((16, 2)) - 1)
        assert np.all(vaelib.elbo(model, PATTERNS, mean, std, beta=beta, num_nodes=30) <= best + 1e-4)


def test_the_elbo_of_one_latent_dimension_is_an_integral_too():
    model = tiny_vae(latent_dim=1, shift=0.4)

    def integrand(z):
        return stats.norm(0.4, 0.5).pdf(z) * log_likelihood(model, PATTERNS[3], np.array([z]))

    rate = 0.5 * (0.4**2 + 0.25 - 1 - np.log(0.25))
    expected = integrate.quad(integrand, -8, 8)[0] - rate
    assert vaelib.elbo(model, PATTERNS[3:4], num_nodes=60)[0] == pytest.approx(expected, abs=1e-5)


def test_what_does_not_fit_is_refused():
    three, two = tiny_vae(latent_dim=3), tiny_vae()
    with pytest.raises(ValueError, match="two latent dimensions and Bernoulli pixels, got latent_dim=3"):
        vaelib.exact_log_likelihood(three, PATTERNS)
    with pytest.raises(ValueError, match=r"noise_variance=0\.3"):
        vaelib.exact_log_likelihood(probabilistic_pca()[0], PATTERNS)
    with pytest.raises(ValueError, match="one or two latent dimensions, got 3"):
        vaelib.elbo(three, PATTERNS)
    with pytest.raises(ValueError, match="beta and tolerance must be positive, got 0"):
        vaelib.exact_log_likelihood(two, PATTERNS, beta=0)
    with pytest.raises(ValueError, match="num_samples must be at least 1, got 0"):
        vaelib.importance_log_likelihood(two, PATTERNS, 0)
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        vaelib.elbo(two, 255 * PATTERNS)
