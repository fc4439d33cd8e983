"""Compare what is said of posteriors with draws, with SciPy's optimiser, and with models whose posterior is known."""

import keras
import numpy as np
import pytest
from known_models import PATTERNS, log_likelihood, probabilistic_pca, tiny_vae
from scipy import optimize, special

import vaelib
from vaelib.analysis import posteriors

IMAGES = PATTERNS[3:5]


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


@pytest.mark.slow
@pytest.mark.parametrize(
    "function",
    [
        vaelib.encode_all,
        vaelib.elbo,
        vaelib.exact_log_likelihood,
        vaelib.importance_log_likelihood,
        vaelib.best_posteriors,
        vaelib.posterior_moments,
    ],
    ids=lambda function: function.__name__,
)
def test_no_more_images_are_encoded_than_fit_into_memory(function, monkeypatch):
    assert posteriors._BATCH <= 1000
    monkeypatch.setattr(posteriors, "_BATCH", 10)
    sizes, encode = [], vaelib.VAE.encode
    monkeypatch.setattr(vaelib.VAE, "encode", lambda self, x: sizes.append(len(x)) or encode(self, x))
    few = {"importance_log_likelihood": {"num_samples": 1}, "best_posteriors": {"num_steps": 1, "num_nodes": 1}}
    # One latent dimension, where the function takes it, needs fewer nodes.
    model = tiny_vae(latent_dim=2 if function is vaelib.exact_log_likelihood else 1)
    function(model, PATTERNS[:12], **few.get(function.__name__, {}))
    assert sizes == [10, 2]


def test_moments_of_posteriors_at_the_prior_are_0_and_1(model, small):
    for variable in model.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    mean, second_moment, error = vaelib.posterior_moments(model, small.x_train)
    np.testing.assert_allclose(mean, 0)
    np.testing.assert_allclose(second_moment, 1)
    # All logits are 0, so every pixel is a half.
    np.testing.assert_allclose(error, np.abs(0.5 - small.x_train.mean(axis=0)).mean(), rtol=1e-6)


@pytest.mark.slow
def test_posterior_moments_are_those_of_draws(model, small):
    mean, second_moment, _ = vaelib.posterior_moments(model, small.x_test)
    z = np.concatenate([model(small.x_test).z for _ in range(60)])
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=4 * z.std() / len(z) ** 0.5)
    np.testing.assert_allclose((z**2).mean(axis=0), second_moment, rtol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("beta", [1.0, 3.0])
def test_the_best_posteriors_are_what_scipy_finds(beta):
    model = tiny_vae(scale=1.0, shift=0.3)
    mean, std = vaelib.best_posteriors(model, IMAGES, beta, num_nodes=10, verbose=False)
    ticks, weights = np.polynomial.hermite_e.hermegauss(20)
    nodes = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    weights = np.outer(weights, weights).ravel() / weights.sum() ** 2

    def loss(parameters, image):
        mean, log_std = parameters.reshape(2, 2)
        distortion = -log_likelihood(model, image, mean + np.exp(log_std) * nodes) @ weights
        return distortion + beta * 0.5 * (mean**2 + np.exp(2 * log_std) - 1 - 2 * log_std).sum()

    for i, image in enumerate(IMAGES):
        best = optimize.minimize(loss, [0.3, 0.3, -0.7, -0.7], args=(image,)).x
        np.testing.assert_allclose(mean[i], best[:2], atol=0.01)
        np.testing.assert_allclose(std[i], np.exp(best[2:]), rtol=0.01)


@pytest.mark.slow
def test_a_spoiled_encoder_is_put_right():
    model, gaussian = probabilistic_pca()
    x = np.random.default_rng(1).random((5, 2, 2, 1), "float32")
    exact_mean, exact_log_var = (np.array(part) for part in model.encode(x))
    model.encoder.z_mean.bias.assign_add([0.5, -0.3])
    model.encoder.z_log_var.assign_add([1.0, -1.0])
    mean, std = vaelib.best_posteriors(model, x, verbose=False)
    np.testing.assert_allclose(mean, exact_mean, atol=1e-3)
    np.testing.assert_allclose(std, np.exp(0.5 * exact_log_var), rtol=1e-3)
    np.testing.assert_allclose(vaelib.elbo(model, x, mean, std), gaussian.logpdf(x.reshape(5, 4)), atol=1e-4)


@pytest.mark.slow
def test_they_lie_between_the_encoders_and_the_exact_likelihood(monkeypatch):
    # Take two blocks, the second one smaller.
    monkeypatch.setattr("vaelib.analysis.posteriors._IMAGES", 10)
    model = tiny_vae(std=0.3, shift=0.5)
    best = vaelib.best_posteriors(model, PATTERNS, num_steps=50, verbose=False)
    elbo, ceiling = vaelib.elbo(model, PATTERNS), vaelib.elbo(model, PATTERNS, *best)
    assert np.all(elbo < ceiling)
    assert np.all(ceiling <= vaelib.exact_log_likelihood(model, PATTERNS, verbose=False) + 1e-4)


@pytest.mark.slow
def test_a_higher_hill_is_found_wherever_the_encoder_stands(monkeypatch):
    """Let white pixels be likely where |z_1| > 1, and more so on the left; the encoder says 1.9, on the right."""
    model, white = tiny_vae(shift=1.9), np.ones((1, 2, 2, 1), "float32")
    hidden, logits = model.decoder.layers[1], model.decoder.layers[2]
    hidden.set_weights([np.array([[4.0, -4, 0, 0, 0], [0, 0, 0, 0, 0]]), np.array([-4.0, -4, 0, 0, 0])])
    logits.set_weights([np.array([[2.0] * 4, [2.5] * 4, [0] * 4, [0] * 4, [0] * 4]), np.zeros(4)])
    mean, std = vaelib.best_posteriors(model, white, num_steps=50, verbose=False)
    assert mean[0, 0] < -1
    monkeypatch.setattr("vaelib.analysis.posteriors._highest_points", lambda model, x, mean, beta: mean)
    trapped = vaelib.best_posteriors(model, white, num_steps=50, verbose=False)
    assert trapped[0][0, 0] > 1
    assert vaelib.elbo(model, white, *trapped) < vaelib.elbo(model, white, mean, std) - 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"beta": 0}, "got beta=0"), ({"num_steps": 0}, "num_steps=0"), ({"learning_rate": -1.0}, r"learning_rate=-1\.0")],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        vaelib.best_posteriors(tiny_vae(), IMAGES, **arguments)
    with pytest.raises(ValueError, match="one or two latent dimensions, got 3"):
        vaelib.best_posteriors(tiny_vae(latent_dim=3), IMAGES)


@pytest.fixture(scope="module")
def curved():
    """Return a model with a decoder that is anything but linear."""
    keras.utils.set_random_seed(4)
    model = vaelib.dense_vae(2, hidden_dim=30)
    model.decoder.hidden.kernel.assign(3 * model.decoder.hidden.kernel)
    return model


def _kl_between_decoded(model, z, step):
    """Return the KL between the pixels decoded at z and at z + step, in double precision."""
    here, there = (np.array(model.decode(points), "float64").reshape(len(z), -1) for points in (z, z + step))
    y = special.expit(here)
    return (y * (here - there) - np.logaddexp(0, here) + np.logaddexp(0, there)).sum(axis=1)


def test_a_small_step_changes_pixels_by_half_its_square(curved):
    z = np.random.default_rng(0).standard_normal((5, 2), "float32")
    metric = vaelib.fisher_metric(curved, z)
    for step in np.array([[1, 0], [0, 1], [1, 1], [1, -1]], "float32") * 0.02:
        length = np.einsum("i,nij,j->n", step, metric, step)
        # Go forwards and backwards, so that the third order cancels.
        both = _kl_between_decoded(curved, z, step) + _kl_between_decoded(curved, z, -step)
        np.testing.assert_allclose(both, length, rtol=0.01)


@pytest.mark.slow
def test_over_a_posterior_the_metric_is_the_mean_over_draws(curved):
    mean, std = np.array([[0.5, -1.0]], "float32"), np.array([[0.3, 0.6]], "float32")
    z = mean + std * np.random.default_rng(1).standard_normal((5000, 2), "float32")
    draws = vaelib.fisher_metric(curved, z)
    error = draws.std(axis=0) / len(draws) ** 0.5
    found = vaelib.fisher_metric(curved, mean, std, num_nodes=15)[0]
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


def test_more_points_than_are_decoded_at_once_keep_their_order(curved, monkeypatch):
    z = np.random.default_rng(2).standard_normal((10, 2), "float32")
    whole = vaelib.fisher_metric(curved, z)
    monkeypatch.setattr("vaelib.analysis.posteriors._POINTS", 3)
    np.testing.assert_allclose(vaelib.fisher_metric(curved, z), whole, rtol=1e-5)


@pytest.mark.parametrize(("mean", "std"), [(np.zeros((3, 3)), None), (np.zeros(2), None), (np.zeros((3, 2)), [1, 1])])
def test_a_metric_of_other_shapes_is_refused(curved, mean, std):
    with pytest.raises(ValueError, match=r"expects one or two latent dimensions, and mean and std of shape \(n, 2\)"):
        vaelib.fisher_metric(curved, mean, std)
