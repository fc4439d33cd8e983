"""Hold losses to what vaelib had no part in.

Every oracle takes a module of losses and asserts something. test_losses.py asks them about `vaelib.losses`,
test_loss_mutations.py about wrong versions of it.
"""

import functools

import keras
import numpy as np
import tensorflow as tf
from scipy import special, stats
from scipy.integrate import dblquad, quad

# Go from the prior itself to narrow, wide and distant posteriors, in double precision.
MEANS = np.array([[0.0, 0.0], [1.0, -0.5], [-2.5, 0.3], [0.1, 3.0]])
LOG_VARS = np.array([[0.0, 0.0], [-1.0, 0.7], [-4.0, 1.5], [0.2, -6.0]])

_rng = np.random.default_rng(0)
GREY = _rng.random((5, 28, 28, 1))
BINARY = (_rng.random((5, 28, 28, 1)) < 0.3).astype("float64")
LOGITS = _rng.normal(0, 3, (5, 28, 28, 1))

ORACLES = []


def oracle(check):
    ORACLES.append(check)
    return check


@oracle
def kl_is_the_mean_log_ratio_of_samples(losses):
    std = np.exp(LOG_VARS / 2)
    z = np.random.default_rng(1).normal(MEANS, std, (20_000, *MEANS.shape))
    log_ratio = (stats.norm.logpdf(z, MEANS, std) - stats.norm.logpdf(z)).sum(axis=-1)
    standard_error = log_ratio.std(axis=0, ddof=1) / np.sqrt(len(z))
    error = np.abs(_kl(losses) - log_ratio.mean(axis=0))
    assert (error <= 4 * standard_error + 1e-12).all(), f"{error} is more than 4 times {standard_error}"


@oracle
def kl_is_the_integral_in_one_dimension(losses):
    means, log_vars = MEANS.reshape(-1, 1), LOG_VARS.reshape(-1, 1)
    expected = [_integral(*pair) for pair in zip(MEANS.ravel(), np.exp(LOG_VARS / 2).ravel(), strict=True)]
    np.testing.assert_allclose(_kl(losses, means, log_vars), expected, atol=1e-8)


@functools.cache
def _integral(mean, std):
    q = stats.norm(mean, std)
    return quad(lambda z: q.pdf(z) * (q.logpdf(z) - stats.norm.logpdf(z)), mean - 9 * std, mean + 9 * std)[0]


@oracle
def kl_is_the_integral_in_two_dimensions(losses):
    np.testing.assert_allclose(_kl(losses, MEANS[1:2], LOG_VARS[1:2]), [_double_integral()], rtol=1e-5)


@functools.cache
def _double_integral():
    q = stats.multivariate_normal(MEANS[1], np.diag(np.exp(LOG_VARS[1])))
    p = stats.multivariate_normal(np.zeros(2))
    return dblquad(lambda *z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -10, 9, -5, 7, epsabs=1e-6)[0]


@oracle
def kl_has_the_values_known_by_hand(losses):
    np.testing.assert_allclose(_kl(losses, [[0.0, 0.0]], [[0.0, 0.0]]), [0.0], atol=0)
    np.testing.assert_allclose(_kl(losses, [[1.0, 1.0]], [[0.0, 0.0]]), [1.0], rtol=1e-12)
    np.testing.assert_allclose(_kl(losses, [[0.0]], [[1.0]]), [0.5 * (np.e - 2)], rtol=1e-12)


@oracle
def kl_adds_over_dimensions(losses):
    each = [_kl(losses, MEANS[:, [j]], LOG_VARS[:, [j]]) for j in range(MEANS.shape[1])]
    np.testing.assert_allclose(_kl(losses), np.sum(each, axis=0), rtol=1e-12)
    np.testing.assert_allclose(losses.gaussian_kl_per_dim(MEANS, LOG_VARS), np.transpose(each), rtol=1e-12)


@oracle
def kl_has_the_gradient_of_the_closed_form(losses):
    means, log_vars = tf.constant(MEANS), tf.constant(LOG_VARS)
    with tf.GradientTape() as tape:
        tape.watch([means, log_vars])
        total = tf.reduce_sum(losses.gaussian_kl(means, log_vars))
    by_mean, by_log_var = tape.gradient(total, [means, log_vars])
    np.testing.assert_allclose(by_mean, MEANS, atol=1e-12)
    np.testing.assert_allclose(by_log_var, (np.exp(LOG_VARS) - 1) / 2, atol=1e-12)


@oracle
def kl_has_the_slope_of_the_closed_form(losses):
    h = np.array([1e-5, 0.0])
    by_mean = (_kl(losses, MEANS + h) - _kl(losses, MEANS - h)) / 2e-5
    by_log_var = (_kl(losses, MEANS, LOG_VARS + h) - _kl(losses, MEANS, LOG_VARS - h)) / 2e-5
    np.testing.assert_allclose(by_mean, MEANS[:, 0], atol=1e-8)
    np.testing.assert_allclose(by_log_var, (np.exp(LOG_VARS[:, 0]) - 1) / 2, atol=1e-8)


@oracle
def kl_keeps_its_digits_near_collapse(losses):
    log_var = np.array([[1e-3], [-1e-3], [1e-4], [-1e-4]], "float32")
    kl = np.array(losses.gaussian_kl(np.zeros_like(log_var), log_var))
    v = log_var[:, 0].astype("float64")
    np.testing.assert_allclose(kl, v**2 / 4 + v**3 / 12 + v**4 / 48, rtol=5e-3)


@oracle
def kl_is_finite_for_extreme_variances(losses):
    log_vars = tf.constant([[80.0, -80.0]])
    with tf.GradientTape() as tape:
        tape.watch(log_vars)
        kl = losses.gaussian_kl(tf.zeros((1, 2)), log_vars)
    np.testing.assert_allclose(kl, [(np.exp(80) - 81 + np.exp(-80) + 79) / 2], rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(kl, log_vars), [[np.expm1(80) / 2, -0.5]], rtol=1e-5)


@oracle
def distortion_is_minus_the_log_likelihood_of_binary_images(losses):
    expected = -stats.bernoulli.logpmf(BINARY, special.expit(LOGITS)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(_distortion(losses, BINARY), expected, rtol=1e-9)


@oracle
def distortion_is_the_cross_entropy_of_keras_summed(losses):
    flat = GREY.reshape(5, 784), LOGITS.reshape(5, 784)
    expected = 784 * np.array(keras.losses.binary_crossentropy(*flat, from_logits=True))
    np.testing.assert_allclose(_distortion(losses, GREY), expected, rtol=1e-9)


@oracle
def distortion_of_a_perfect_decoder_is_the_entropy_of_the_image(losses):
    expected = stats.entropy(np.stack([GREY, 1 - GREY])).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(_distortion(losses, GREY, special.logit(GREY)), expected, rtol=1e-9)


@oracle
def distortion_has_the_gradient_of_the_closed_form(losses):
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = tf.reduce_sum(losses.bernoulli_distortion(GREY, logits))
    np.testing.assert_allclose(tape.gradient(total, logits), special.expit(LOGITS) - GREY, atol=1e-12)


@oracle
def distortion_is_finite_for_extreme_logits(losses):
    x = tf.constant([[0.0], [1.0], [0.0], [1.0]])
    logits = tf.constant([[1e4], [1e4], [-1e4], [-1e4]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        distortion = losses.bernoulli_distortion(x, logits)
    np.testing.assert_allclose(distortion, [1e4, 0, 0, 1e4], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(distortion, logits), [[1], [0], [0], [-1]], atol=1e-6)


@oracle
def precision_is_kept_or_raised_to_float32(losses):
    for given, expected in (("float16", "float32"), ("float32", "float32"), ("float64", "float64")):
        kl = losses.gaussian_kl(MEANS.astype(given), LOG_VARS.astype(given))
        distortion = losses.bernoulli_distortion(GREY.astype(given), LOGITS.astype(given))
        assert (kl.dtype, distortion.dtype) == (expected, expected)


@oracle
def published_losses_are_the_objective_at_the_effective_beta(losses):
    """Multiply each so that its reconstruction term is a sum over pixels: then it is mean(D + beta R)."""
    x, x_mean = GREY[:4], special.expit(LOGITS[:4])
    per_pixel = -special.xlogy(x, x_mean) - special.xlogy(1 - x, 1 - x_mean)
    per_dimension = -0.5 * (1 + LOG_VARS - MEANS**2 - np.exp(LOG_VARS))
    error_sum, error_mean = per_pixel.sum(axis=(1, 2, 3)), per_pixel.mean(axis=(1, 2, 3))
    kl_sum, kl_mean = per_dimension.sum(axis=1), per_dimension.mean(axis=1)
    published = (
        # Chollet 2017, section 8.4: -5e-4 * K.mean(1 + z_log_var - ...), which has the half inside.
        (losses.effective_beta(1e-3, distortion="mean", kl="mean"), 784 * (error_mean + 1e-3 * kl_mean)),
        # Chollet 2021, section 12.4: reduce_mean of the KL over batch and dimensions.
        (losses.effective_beta(1.0, distortion="sum", kl="mean"), error_sum + kl_mean),
        # keras.io, "Variational AutoEncoder": both summed.
        (losses.effective_beta(1.0, distortion="sum", kl="sum"), error_sum + kl_sum),
        # The experiment of this book: the mean over pixels, the KL summed.
        (losses.beta_from_kl_wt(1e-2), 784 * (error_mean + 1e-2 * kl_sum)),
        (7.84, 784 * (error_mean + losses.kl_wt_from_beta(7.84) * kl_sum)),
    )
    for beta, loss in published:
        objective = losses.negative_elbo(_distortion(losses, x, LOGITS[:4]), _kl(losses), beta)
        np.testing.assert_allclose(loss.mean(), objective.mean(), rtol=1e-9)


def _kl(losses, means=MEANS, log_vars=LOG_VARS):
    kl = np.array(losses.gaussian_kl(np.array(means), np.array(log_vars)))
    assert kl.shape == (len(means),), f"one number per image, not {kl.shape}"
    return kl


def _distortion(losses, x, logits=LOGITS):
    distortion = np.array(losses.bernoulli_distortion(x, logits))
    assert distortion.shape == (len(x),), f"one number per image, not {distortion.shape}"
    return distortion
