"""Let training end where the optimum is known in closed form.

Loop, schedule, KL and optimiser are those of every chapter; only the layers are linear and the pixels Gaussian.
"""

import itertools

import keras
import numpy as np
import pytest
from scipy import stats

import vaelib

# Make four fields of 40, 14, 6 and 4 pixels, each all black or all white, in 16 ways: eigenvalues 10, 3.5, 1.5 and 1.
FIELDS = np.repeat(np.arange(4), [40, 14, 6, 4])
PATTERNS = np.array(list(itertools.product([0.0, 1.0], repeat=4)))[:, FIELDS]
IMAGES = np.tile(PATTERNS, (80, 1)).reshape(-1, 8, 8, 1).astype("float32")
COVARIANCE = np.cov(PATTERNS.T, bias=True)
NUM_EPOCHS, BATCH_SIZE = 100, 32


def _trained(beta, noise_variance=1.0):
    keras.utils.set_random_seed(1)
    num_steps = NUM_EPOCHS * len(IMAGES) // BATCH_SIZE
    warm_up = vaelib.schedules.Linear(beta, num_steps // 4)
    model = vaelib.linear_vae(2, noise_variance, warm_up, image_shape=(8, 8, 1))
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.03, num_steps)))
    vaelib.fit(model, IMAGES, num_epochs=NUM_EPOCHS, batch_size=BATCH_SIZE, seed=1, verbose=False)
    return model


def _weights(model):
    """Return W (2, 64), its bias, S (2,), U (64, 2), its bias, in double precision."""
    encoder, decoder = model.encoder, model.decoder.pixels
    variables = encoder.z_mean.kernel, encoder.z_mean.bias, encoder.z_log_var, decoder.kernel, decoder.bias
    kernel, bias, log_var, columns, mean = (variable.numpy().astype("float64") for variable in variables)
    return kernel.T, bias, np.exp(log_var), columns.T, mean


def _exact_loss(model, beta):
    """Return the objective at noise variance 1, expected over all images and posteriors, by hand."""
    w, w_bias, s, u, u_bias = _weights(model)
    mean = PATTERNS.mean(axis=0)
    z_mean, left = w @ mean + w_bias, np.eye(64) - u @ w
    offset = u_bias + u @ z_mean - mean
    squared_error = np.trace(left @ COVARIANCE @ left.T) + (u**2 @ s).sum() + offset @ offset
    rate = 0.5 * (np.diag(w @ COVARIANCE @ w.T) + z_mean**2 + s - 1 - np.log(s)).sum()
    return 32 * np.log(2 * np.pi) + squared_error / 2 + beta * rate


@pytest.mark.slow
@pytest.mark.parametrize("beta", [1.0, 5.0, 12.0], ids=["below", "between", "above"])
def test_training_ends_at_the_closed_form(beta):
    eigenvalues, vectors = np.linalg.eigh(COVARIANCE)
    best = vaelib.linear_vae_optimum(np.maximum(eigenvalues, 0), 2, noise_variance=1.0, beta=beta)
    model = _trained(beta)
    _, _, s, u, _ = _weights(model)
    order = np.argsort(s)
    assert _exact_loss(model, beta) == pytest.approx(best.loss, rel=1e-3)
    np.testing.assert_allclose(s[order], best.posterior_variance, rtol=0.02)
    for i in range(best.num_active):
        column = u[:, order[i]]
        cosine = abs(column @ vectors[:, -1 - i]) / np.linalg.norm(column)
        assert np.degrees(np.arccos(min(cosine, 1))) < 1
        assert np.linalg.norm(column) == pytest.approx(best.decoder_norm[i], rel=0.02)
    assert best.num_active == {1.0: 2, 5.0: 1, 12.0: 0}[beta]


@pytest.mark.slow
@pytest.mark.parametrize("noise_variance", ["learned", "optimal"])
def test_a_variance_that_is_found_is_that_of_pca(noise_variance):
    """Tipping & Bishop (1999): the mean of the eigenvalues that are left out."""
    left_out = np.sort(np.linalg.eigvalsh(COVARIANCE))[:-2].mean()
    model = _trained(1.0, noise_variance)
    if noise_variance == "learned":
        found = model.noise_variance
    else:
        # Average over draws of z, which the variance counts; the draw of a batch is one of them.
        draws = np.tile(IMAGES, (8, 1, 1, 1))
        found = float(vaelib.likelihoods.optimal_variance(draws, model(draws).x_logits))
    assert found == pytest.approx(left_out, rel=0.02)
    assert found == pytest.approx(
        vaelib.linear_vae_optimum(np.linalg.eigvalsh(COVARIANCE), 2, None).noise_variance, rel=0.02
    )


def test_the_objective_is_the_one_computed_by_hand():
    """Take many draws, and weights that are nowhere near an optimum; else the test above could agree with itself."""
    keras.utils.set_random_seed(3)
    model = vaelib.linear_vae(2, noise_variance=1.0, beta=2.0, image_shape=(8, 8, 1))
    model.encoder.z_log_var.assign([-0.5, 0.7])
    model.compile(keras.optimizers.SGD(0.0))
    x = np.tile(IMAGES, (20, 1, 1, 1))
    noise = np.random.default_rng(0).standard_normal((len(x), 2), "float32")
    objective = model.objective(x, model(x, noise=noise))
    per_image = np.array(objective.distortion + 2 * objective.rate)
    error = float(stats.sem(per_image))
    assert _exact_loss(model, 2.0) == pytest.approx(float(objective.loss), abs=5 * error)
    assert 5 * error < 0.01 * per_image.mean()


def test_a_saved_model_has_gaussian_pixels_again(tmp_path):
    model = vaelib.linear_vae(3, noise_variance=0.25, beta=2.0, image_shape=(8, 8, 1))
    model.save(tmp_path / "linear.keras")
    again = keras.saving.load_model(tmp_path / "linear.keras")
    z = np.random.default_rng(0).standard_normal((4, 3), "float32")
    np.testing.assert_array_equal(again.decode(z), model.decode(z))
    np.testing.assert_array_equal(again.encode(IMAGES[:4]), model.encode(IMAGES[:4]))
    assert again.noise_variance == 0.25


@pytest.mark.parametrize("noise_variance", [0.0, -1.0, float("nan")])
def test_a_variance_that_is_none_is_refused(noise_variance):
    with pytest.raises(ValueError, match=r"noise_variance must be None .* or positive, got"):
        vaelib.linear_vae(noise_variance=noise_variance)


def test_a_way_to_find_a_variance_that_is_none_is_refused():
    with pytest.raises(ValueError, match='must be a positive number, "learned" or "optimal", got'):
        vaelib.linear_vae(noise_variance="best")
