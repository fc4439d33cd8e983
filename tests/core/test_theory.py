"""Hold closed forms to numbers that others computed, to SciPy's optimiser and to finite differences."""

import numpy as np
import pytest
from scipy import optimize, special, stats

import vaelib

# Name the five largest eigenvalues of the covariance of MNIST's training images, and the sum of all; Wang & Ziyin print
# 5.12, 3.74, 3.25, 2.84 and 2.57 (2022).
LEADING, TRACE = [5.11679, 3.74133, 3.25265, 2.84157, 2.56707], 52.72504


@pytest.fixture(scope="module")
def spectrum(x_train_full):
    pixels = x_train_full.reshape(len(x_train_full), -1).astype("float64")
    return np.maximum(np.linalg.eigvalsh(np.cov(pixels.T, bias=True)), 0)[::-1]


@pytest.mark.slow
def test_the_critical_betas_of_mnist(x_train_full):
    assert vaelib.collapse_threshold(x_train_full)[:2] == pytest.approx([32.233, 22.877], abs=6e-4)


def test_binary_pixels_have_eigenvalues_of_correlations():
    x = vaelib.binarize(np.random.default_rng(0).random((200, 2, 3, 1), "float32"), seed=1)
    expected = np.linalg.eigvalsh(np.corrcoef(x.reshape(200, 6).T))[::-1]
    assert vaelib.collapse_threshold(x) == pytest.approx(expected, abs=1e-9)


def test_pixels_that_never_change_do_not_count(images):
    small = images[:, ::2, ::2]
    blank = np.concatenate([small, np.zeros_like(small)], axis=1)
    np.testing.assert_allclose(vaelib.collapse_threshold(blank), vaelib.collapse_threshold(small), rtol=1e-9)


@pytest.mark.parametrize(("ratio", "leaves"), [(0.9, True), (1.1, False)])
def test_collapse_is_left_below_the_threshold_only(ratio, leaves):
    """Let SciPy minimise the exact objective of three pixels, with a free posterior for each pattern."""
    patterns = np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 1], [0, 1, 1.0]])
    beta = ratio * vaelib.collapse_threshold(patterns.reshape(5, 1, 3, 1))[0]
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    weights = weights / weights.sum()

    def loss(values):
        mean, log_var, slope, curve, logit = values[:5], values[5:10], values[10:13], values[13:16], values[16:]
        z = mean[:, None] + np.exp(log_var / 2)[:, None] * nodes
        logits = logit + z[..., None] * slope + (z[..., None] ** 2 - 1) * curve
        distortion = (np.logaddexp(0, logits) - patterns[:, None] * logits).sum(-1) @ weights
        rate = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var)
        return np.mean(distortion + beta * rate)

    p = patterns.mean(axis=0)
    start = np.concatenate([np.zeros(16), np.log(p / (1 - p))])
    nudge = 0.05 * np.random.default_rng(1).standard_normal(19)
    best = optimize.minimize(loss, start + nudge, options={"maxiter": 2000, "gtol": 1e-9})
    assert (loss(start) - best.fun > 1e-4) == leaves


@pytest.mark.slow
def test_the_leading_eigenvalues_are_wang_and_ziyins(spectrum):
    assert spectrum[:5] == pytest.approx(LEADING, abs=1e-5)
    assert spectrum.sum() == pytest.approx(TRACE, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise_variance", "beta", "loss", "rate"),
    [
        (1.0, 1.0, 744.8573, 1.47598),
        (1.0, 2.0, 745.9469, 0.78284),
        (1.0, 4.0, 746.7444, 0.12312),
        (1.0, 5.1168, 746.8103, 0.0),
        (None, 1.0, -12.4277, 4.35668),
        (None, 10.0, 12.6522, 2.03081),
    ],
)
def test_the_linear_optimum_on_mnist(spectrum, noise_variance, beta, loss, rate):
    best = vaelib.linear_vae_optimum(spectrum, 2, noise_variance, beta)
    assert (best.loss, best.rate.sum()) == (pytest.approx(loss, abs=1e-4), pytest.approx(rate, abs=1e-5))


@pytest.mark.slow
def test_the_posterior_variances_on_mnist(spectrum):
    fixed, learned = (vaelib.linear_vae_optimum(spectrum, 2, variance) for variance in (1.0, None))
    assert fixed.posterior_variance == pytest.approx([0.195435, 0.267285], abs=1e-6)
    assert learned.posterior_variance == pytest.approx([0.010963, 0.014994], abs=1e-6)
    assert learned.noise_variance == pytest.approx(0.0560958, abs=1e-7)


def test_at_beta_1_the_loss_is_that_of_probabilistic_pca():
    """Ask SciPy's multivariate normal, on data whose covariance is exact."""
    eigenvalues, noise_variance = np.array([4.0, 2.0, 0.7, 0.3]), 0.5
    best = vaelib.linear_vae_optimum(eigenvalues, 2, noise_variance)
    corners = np.diag(np.sqrt(4 * eigenvalues))
    x = np.concatenate([corners, -corners])
    np.testing.assert_allclose(x.T @ x / len(x), np.diag(eigenvalues))
    model = np.diag(np.r_[best.decoder_norm**2, 0, 0]) + noise_variance * np.eye(4)
    assert best.loss == pytest.approx(-stats.multivariate_normal(np.zeros(4), model).logpdf(x).mean(), rel=1e-12)


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0, 9.0])
def test_no_other_linear_vae_is_better(beta):
    """Let SciPy's BFGS move all parameters: it ends at the closed form."""
    eigenvalues, noise_variance, num_latents = np.array([4.0, 2.0, 0.7, 0.3]), 0.5, 2
    covariance = np.diag(eigenvalues)

    def loss(values):
        u, w, log_s = values[:8].reshape(4, 2), values[8:16].reshape(2, 4), values[16:]
        left = np.eye(4) - u @ w
        squared_error = np.trace(left @ covariance @ left.T) + (u**2 * np.exp(log_s)).sum()
        rate = 0.5 * (np.trace(w @ covariance @ w.T) + (np.exp(log_s) - 1 - log_s).sum())
        return 2 * np.log(2 * np.pi * noise_variance) + squared_error / (2 * noise_variance) + beta * rate

    starts = np.random.default_rng(0).standard_normal((5, 18)) * 0.5
    found = min((optimize.minimize(loss, start) for start in starts), key=lambda result: result.fun)
    best = vaelib.linear_vae_optimum(eigenvalues, num_latents, noise_variance, beta)
    assert found.fun == pytest.approx(best.loss, abs=1e-6)
    u, w, log_s = found.x[:8].reshape(4, 2), found.x[8:16].reshape(2, 4), found.x[16:]
    order = np.argsort(log_s)
    assert np.exp(log_s[order]) == pytest.approx(best.posterior_variance, abs=1e-3)
    assert np.linalg.norm(u, axis=0)[order] == pytest.approx(best.decoder_norm, abs=2e-3)
    assert np.linalg.norm(w, axis=1)[order] == pytest.approx(best.encoder_norm, abs=2e-3)


@pytest.mark.slow
def test_the_loss_grows_with_beta_by_the_rate(spectrum):
    low, high = (vaelib.linear_vae_optimum(spectrum, 2, 0.1, 1 + step).loss for step in (-1e-5, 1e-5))
    assert (high - low) / 2e-5 == pytest.approx(vaelib.linear_vae_optimum(spectrum, 2, 0.1, 1.0).rate.sum(), rel=1e-6)


def test_the_best_noise_variance_is_the_lowest_loss():
    eigenvalues = [3.0, 1.0, 0.5, 0.2, 0.1]
    for beta in (0.3, 1.0, 2.0):
        best = vaelib.linear_vae_optimum(eigenvalues, 2, None, beta)
        grid = [vaelib.linear_vae_optimum(eigenvalues, 2, v, beta).loss for v in np.geomspace(1e-3, 10, 2001)]
        assert min(grid) >= best.loss - 1e-9
        assert min(grid) == pytest.approx(best.loss, abs=1e-4)


@pytest.mark.slow
def test_the_entropy_floor_of_mnist(x_train_full):
    assert vaelib.entropy_floor(x_train_full) == pytest.approx(45.757, abs=5e-4)


@pytest.mark.slow
def test_collapsed_loss_is_the_error_of_the_mean_image(x_train_full):
    x, mean = x_train_full.astype("float64"), x_train_full.mean(axis=0, dtype="float64")
    expected = -(special.xlogy(x, mean) + special.xlogy(1 - x, 1 - mean)).sum() / len(x)
    assert vaelib.collapsed_loss(x_train_full) == pytest.approx(expected, rel=1e-9)
    assert vaelib.collapsed_loss(x_train_full) == pytest.approx(206.027, abs=5e-4)


def test_the_entropy_floor_of_black_and_white_is_zero(images):
    assert vaelib.entropy_floor(vaelib.binarize(images)) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([1.0, -0.1], 1, 1.0), "finite numbers of at least 0"),
        (([1.0, np.nan], 1, 1.0), "finite numbers of at least 0"),
        (([[1.0, 2.0]], 1, 1.0), "a list of finite numbers"),
        (([1.0, 2.0], 3, 1.0), "from 1 to 2"),
        (([1.0, 2.0], 1.5, 1.0), "from 1 to 2"),
        (([1.0, 2.0], 1, 0.0), "noise_variance must be a positive number"),
        (([1.0, 2.0], 1, 1.0, 0.0), "beta must be a positive number"),
        (([2.0, 1.0, 0.0], 2, None), "no best noise_variance"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        vaelib.linear_vae_optimum(*arguments)


def test_images_that_cannot_be_used_are_refused():
    with pytest.raises(ValueError, match="3 alike"):
        vaelib.collapse_threshold(np.full((3, 2, 2, 1), 0.5))
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        vaelib.entropy_floor(np.full((3, 2, 2, 1), 255.0))


def test_eigenvalues_that_rounding_left_below_0_count_as_0():
    """Take a covariance of 20 images: it has 19 directions at most, and LAPACK finds others of -3e-16."""
    x = np.random.default_rng(0).random((20, 50))
    found = np.linalg.eigvalsh(np.cov(x.T, bias=True))
    assert found.min() < 0
    best = vaelib.linear_vae_optimum(found, 2, noise_variance=0.01)
    for ours, theirs in zip(best, vaelib.linear_vae_optimum(np.maximum(found, 0), 2, 0.01), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("wrong", [-1e-3, -1e-12])
def test_an_eigenvalue_that_is_really_negative_is_refused(wrong):
    with pytest.raises(ValueError, match="finite numbers of at least 0"):
        vaelib.linear_vae_optimum([1.0, 0.5, wrong], 2, noise_variance=0.01)
