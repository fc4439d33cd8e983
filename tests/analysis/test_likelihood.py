"""Compare log p(x) with SciPy's integrals, sums over all images there are, and a model whose likelihood is known."""

from pathlib import Path

import keras
import numpy as np
import pytest
from known_models import PATTERNS, log_likelihood, probabilistic_pca, tiny_vae
from scipy import integrate, special, stats

import vaelib
from vaelib.analysis import likelihood

pytestmark = pytest.mark.slow

RUNS = Path(__file__).parents[2] / "runs"


@pytest.mark.skipif(
    not hasattr(integrate, "cubature"), reason="needs scipy.integrate.cubature: install SciPy 1.15 or newer"
)
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


def test_an_encoder_that_is_too_unsure_changes_nothing():
    """Say that posteriors are wider: the first grid is too coarse for a steep decoder, a later one is not."""
    coarse = vaelib.exact_log_likelihood(tiny_vae(std=1.0, scale=4.0), PATTERNS, verbose=False)
    fine = vaelib.exact_log_likelihood(tiny_vae(std=0.15, scale=4.0), PATTERNS, verbose=False)
    np.testing.assert_allclose(coarse, fine, atol=1e-3)


@pytest.fixture
def spacings(monkeypatch):
    """Collect the spacings of the grids that were summed over, and how many images each was for."""
    used, integrate_ = [], likelihood._integrate

    def recorded(model, x, beta, spacing, *arguments):
        used.append((spacing, len(x)))
        return integrate_(model, x, beta, spacing, *arguments)

    monkeypatch.setattr(likelihood, "_integrate", recorded)
    return used


def sum_over_fine_grid(model, x, beta, spacing, extent):
    """Return the same integral by NumPy, in double precision, with one fine grid for all images."""
    *_, hidden, hidden_bias, logits, bias = (weight.astype("float64") for weight in model.decoder.get_weights())
    ticks = np.arange(-extent, extent + spacing / 2, spacing)
    total, pixels = np.full(len(x), -np.inf), x.reshape(len(x), -1).T.astype("float64")
    for row in ticks:
        z = np.stack([ticks, np.full_like(ticks, row)], axis=1)
        a = np.tanh(z @ hidden + hidden_bias) @ logits + bias
        log_likelihood = a @ pixels - np.logaddexp(0, a).sum(axis=1, keepdims=True)
        joint = stats.norm.logpdf(z).sum(axis=1, keepdims=True) + log_likelihood / beta
        total = np.logaddexp(total, special.logsumexp(joint, axis=0))
    return beta * (total + 2 * np.log(spacing))


@pytest.mark.parametrize(("beta", "fine"), [(7.84, 0.12), (2.0, 0.08)])
def test_a_grid_for_each_digit_is_as_good_as_a_fine_one(digits, beta, fine, spacings):
    model, x = vaelib.trained_model(vaelib.RunSpec(beta=7.84), RUNS), digits.x_test[:20]
    found = vaelib.exact_log_likelihood(model, x, beta=beta, verbose=False)
    assert [spacing for spacing, _ in spacings] == sorted({spacing for spacing, _ in spacings}, reverse=True)
    assert len(spacings) > 1
    # Make it as fine as the narrowest of these posteriors needs it; distortions are float32.
    expected = sum_over_fine_grid(model, x, beta, fine, extent=7)
    np.testing.assert_allclose(found, expected, atol=5e-4)


@pytest.mark.parametrize(
    ("trained", "beta", "expected"), [(4, 4, 0.2), (4, 1, 97**-0.5), (0.1, 1, 3.4**-0.5), (0, 9, 0.2)]
)
def test_another_beta_scales_the_decoders_precision(trained, beta, expected):
    """Split 1 / std^2, 25 for the encoder: 1 for the prior, 24 for the decoder."""
    model = tiny_vae()
    model.beta = vaelib.schedules.Linear(float(trained), num_steps=1000)
    assert likelihood._expected_std(model, np.array([[0.2, 5.0]]), beta)[0] == pytest.approx([expected, 1])


def test_the_size_of_blocks_does_not_matter(monkeypatch):
    whole = vaelib.exact_log_likelihood(tiny_vae(), PATTERNS, verbose=False)
    monkeypatch.setattr("vaelib.analysis.grids._IMAGES", 5)
    monkeypatch.setattr("vaelib.analysis.grids._NODES", 500)
    np.testing.assert_allclose(vaelib.exact_log_likelihood(tiny_vae(), PATTERNS, verbose=False), whole, atol=1e-5)


def far_out(steepness, distance):
    """Return a model with four logits of steepness * (z_1 - distance), whose encoder says 0 +- 0.5."""
    model = tiny_vae(std=0.5)
    hidden, logits = model.decoder.layers[1], model.decoder.layers[2]
    hidden.activation = keras.activations.linear
    hidden.set_weights([steepness * np.eye(2, 5), np.zeros(5)])
    logits.set_weights([np.repeat(np.eye(5, 1), 4, axis=1), np.full(4, -steepness * distance)])
    return model


def test_the_plane_grows_until_the_posterior_is_in_it():
    def joint(z):
        return np.exp(4 * special.log_expit(3 * (z - 8.0))) * stats.norm.pdf(z)

    found = vaelib.exact_log_likelihood(far_out(3.0, 8.0), np.ones((1, 2, 2, 1), "float32"), verbose=False)
    assert found[0] == pytest.approx(np.log(integrate.quad(joint, 0, 20, points=[7, 8, 9], epsabs=0)[0]), abs=1e-4)


def test_what_no_grid_resolves_is_an_error_and_not_a_number(monkeypatch):
    monkeypatch.setattr(likelihood, "_MAX_HALVINGS", 1)
    with pytest.raises(ArithmeticError, match="disagree by more than 1e-14 nats"):
        vaelib.exact_log_likelihood(tiny_vae(std=1.0, scale=9.0), PATTERNS[:2], tolerance=1e-14, verbose=False)


def test_a_posterior_beyond_any_border_is_an_error():
    """Take a likelihood that grows without end on one side."""
    with pytest.raises(ArithmeticError, match=r"beyond 24\.0 from the origin, the border of the grid"):
        vaelib.exact_log_likelihood(far_out(40.0, 25.0), np.ones((1, 2, 2, 1)), verbose=False)


def test_a_decoder_that_ignores_z_has_its_distortion(images):
    model = vaelib.dense_vae(hidden_dim=4)
    model.decoder.hidden.kernel.assign(np.zeros((2, 4)))
    expected = -np.array(vaelib.bernoulli_distortion(images, model.decode(np.zeros((len(images), 2)))))
    np.testing.assert_allclose(vaelib.exact_log_likelihood(model, images, verbose=False), expected, atol=2e-3)


@pytest.mark.parametrize("num_samples", [1, 7])
def test_with_the_exact_posterior_one_sample_is_exact(num_samples):
    model, gaussian = probabilistic_pca()
    x = np.random.default_rng(1).random((5, 2, 2, 1), "float32")
    found = vaelib.importance_log_likelihood(model, x, num_samples, verbose=False)
    np.testing.assert_allclose(found, gaussian.logpdf(x.reshape(5, 4)), atol=1e-5)
    np.testing.assert_allclose(vaelib.elbo(model, x), gaussian.logpdf(x.reshape(5, 4)), atol=1e-5)


def test_more_samples_tighten_the_bound_to_the_integral():
    # Take posteriors wider than any true one: the weights are bounded.
    model = tiny_vae(std=1.2)
    x = np.tile(PATTERNS, (12, 1, 1, 1))
    exact = vaelib.exact_log_likelihood(model, PATTERNS, verbose=False)
    bound = vaelib.elbo(model, PATTERNS)
    means = []
    for num_samples in (1, 5, 50):
        estimates = vaelib.importance_log_likelihood(model, x, num_samples, verbose=False).reshape(12, 16)
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
def test_no_gaussian_posterior_beats_the_integral(beta):
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
    with pytest.raises(ValueError, match="likelihood='gaussian'"):
        vaelib.exact_log_likelihood(probabilistic_pca()[0], PATTERNS)
    with pytest.raises(ValueError, match="one or two latent dimensions, got 3"):
        vaelib.elbo(three, PATTERNS)
    with pytest.raises(ValueError, match="beta and tolerance must be positive, got 0"):
        vaelib.exact_log_likelihood(two, PATTERNS, beta=0)
    with pytest.raises(ValueError, match="num_samples must be at least 1, got 0"):
        vaelib.importance_log_likelihood(two, PATTERNS, 0)
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        vaelib.elbo(two, 255 * PATTERNS)
