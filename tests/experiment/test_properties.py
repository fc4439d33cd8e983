"""Plant bugs that people had in public, and see the property of each fail; the right pieces pass."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy.stats import norm
from small_models import small_vae

import vaelib
from vaelib import experiment as properties
from vaelib.layers import Sampling
from vaelib.losses import bernoulli_distortion, gaussian_kl, gaussian_kl_per_dim

GREY = np.random.default_rng(0).random((50, 8, 8, 1)).astype("float32")


def right_loss(x, x_logits, z_mean, z_log_var):
    return ops.mean(bernoulli_distortion(x, x_logits) + gaussian_kl(z_mean, z_log_var))


# The draw


@pytest.mark.parametrize("seed", range(5))
def test_right_draws_pass(seed):
    properties.assert_draws_posterior(Sampling(seed))


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (lambda m, v: m + np.exp(v) * np.random.default_rng(0).normal(size=m.shape), "These are the variances"),
        (lambda m, v: m + np.exp(0.5 * v), "the mean -1, 0, 2, got -0.8, 1, 5. All draws of a posterior are the same"),
        (lambda m, v: m, "deviation 0.2, 1, 3, got 0, 0, 0. All draws of a posterior are the same"),
        (lambda m, v: m + np.exp(0.5 * v) * np.random.default_rng(0).random(m.shape), "should have the mean"),
        (lambda m, v: m[:10], "should have the shape"),
    ],
    ids=["log-variance as log-deviation", "noise of ones", "no noise", "uniform noise", "too few"],
)
def test_wrong_draws_fail(sample, message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        properties.assert_draws_posterior(sample)


# The terms


@pytest.mark.parametrize("latent_dim", [1, 2, 20])
def test_the_right_kl_passes(latent_dim):
    properties.assert_kl(gaussian_kl, latent_dim)


@pytest.mark.parametrize(
    ("kl", "message"),
    [
        (lambda m, v: ops.mean(gaussian_kl_per_dim(m, v), axis=-1), "0.3333 times as much, a mean over the latent"),
        (lambda m, v: -gaussian_kl(m, v), "-1 times as much, a flipped sign"),
        (lambda m, v: 2 * gaussian_kl(m, v), ": 2 times as much."),
        (lambda m, v: gaussian_kl(m, 2 * v), "nats, got"),
        (lambda m, v: ops.mean(gaussian_kl(m, v)), "one number per image, (16,), got shape ()"),
        (gaussian_kl_per_dim, "one number per image, (16,), got shape (16, 3)"),
    ],
    ids=["mean", "sign", "no half", "log-variance as log-deviation", "mean of batch", "not summed"],
)
def test_a_wrong_kl_fails(kl, message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        properties.assert_kl(kl)


@pytest.mark.parametrize("image_shape", [(28, 28, 1), (4, 6, 3)])
def test_the_right_distortion_passes(image_shape):
    properties.assert_distortion(bernoulli_distortion, image_shape)


def mean_over_pixels(x, x_logits):
    return ops.mean(keras.losses.binary_crossentropy(x, x_logits, from_logits=True), axis=(1, 2))


@pytest.mark.parametrize(
    ("distortion", "message"),
    [
        (mean_over_pixels, "0.001276 times as much, a mean over the pixels"),
        (lambda x, logits: -bernoulli_distortion(x, logits), "-1 times as much, a flipped sign"),
        (lambda x, logits: bernoulli_distortion(x, ops.sigmoid(logits)), "nats, got"),
    ],
    ids=["mean", "sign", "sigmoid twice"],
)
def test_a_wrong_distortion_fails(distortion, message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        properties.assert_distortion(distortion)


@pytest.mark.parametrize("beta", [0.1, 1.0, 7.84])
def test_a_loss_has_the_beta_that_it_is_given(beta):
    properties.assert_beta(lambda x, logits, m, v: bernoulli_distortion(x, logits) + beta * gaussian_kl(m, v), beta)
    # Neither a constant nor a common factor changes it.
    properties.assert_beta(
        lambda x, logits, m, v: (bernoulli_distortion(x, logits) + beta * gaussian_kl(m, v)) / 784 + 3.0, beta
    )


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda x, y, m, v: right_loss(x, y, m, v) + ops.mean(gaussian_kl(m, v)), "got 2: 2 times as much, the KL is"),
        (
            lambda x, y, m, v: ops.mean(bernoulli_distortion(x, y)) + ops.mean(gaussian_kl_per_dim(m, v)),
            "got 0.5: 0.5 times as much, the KL is averaged over the latent dimensions",
        ),
        (
            lambda x, y, m, v: ops.mean(mean_over_pixels(x, y)) + ops.mean(gaussian_kl(m, v)),
            "got 784: 784 times as much, the distortion is averaged over the pixels",
        ),
        (
            lambda x, y, m, v: ops.mean(mean_over_pixels(x, y)) + ops.mean(gaussian_kl_per_dim(m, v)),
            "got 392: 392 times as much, both terms are averaged",
        ),
        (lambda x, y, m, v: bernoulli_distortion(x, y) - gaussian_kl(m, v), "got -1"),
    ],
    ids=["twice", "mean KL", "mean distortion", "both means", "sign"],
)
def test_a_loss_of_another_beta_fails(loss, message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        properties.assert_beta(loss)


# The evaluation, the weight and the history


def evaluation(model, x, draws):
    def evaluate(seed):
        noise = np.random.default_rng(seed).normal(size=(len(x), 2)).astype("float32")
        output = model(x, noise=draws * noise)
        return ops.mean(bernoulli_distortion(x, output.x_logits) + gaussian_kl(output.z_mean, output.z_log_var))

    return evaluate


@pytest.fixture(scope="module")
def model():
    model = small_vae(image_shape=(8, 8, 1))
    model.build((None, 8, 8, 1))
    # Let the decoder depend on z, and the posteriors be wide.
    model.set_weights([3 * weight for weight in model.get_weights()])
    return model


def test_an_evaluation_with_draws_passes(model):
    properties.assert_bound(evaluation(model, GREY, draws=1.0), model, GREY)


def test_an_evaluation_at_the_mean_fails(model):
    with pytest.raises(AssertionError, match="all seeds give one number"):
        properties.assert_bound(evaluation(model, GREY, draws=0.0), model, GREY)


def test_an_evaluation_without_noise_may_be_right(model):
    properties.assert_bound(lambda seed: -vaelib.elbo(model, GREY).mean(), model, GREY)


def test_a_variable_weight_acts_and_a_float_does_not(model):
    output = model(GREY)
    weight = tf.Variable(0.0)
    frozen = {"weight": 0.0}

    @tf.function
    def by_variable():
        return tf.reduce_mean(weight * gaussian_kl(output.z_mean, output.z_log_var))

    @tf.function
    def by_float():
        return tf.reduce_mean(frozen["weight"] * gaussian_kl(output.z_mean, output.z_log_var))

    properties.assert_weight_acts(lambda value: (weight.assign(value), by_variable())[1])
    with pytest.raises(AssertionError, match=r"weights 0, 1, got 0, 0: the weight was read once"):
        properties.assert_weight_acts(lambda value: (frozen.update(weight=value), by_float())[1])


def test_a_weight_of_the_wrong_sign_fails():
    with pytest.raises(AssertionError, match=r"should rise at the weights 0, 1, got 5, 2\.$"):
        properties.assert_weight_acts(lambda value: 5.0 - 3 * value)


@pytest.mark.slow
def test_what_fit_reports_adds_up():
    model = small_vae(beta=0.5, image_shape=(8, 8, 1))
    run = vaelib.fit(model, GREY, validation_data=GREY, num_epochs=2, batch_size=10, verbose=False)
    properties.assert_history(run.history, beta=0.5)
    properties.assert_history(run.history, beta=run.history["beta"])
    with pytest.raises(AssertionError, match=r"^loss of epoch .* the sum of a beta of 0\.5\."):
        properties.assert_history(run.history, beta=1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"val_loss": [100.0, 100.0]}, "val_loss of epoch 1 should be val_distortion + beta * val_rate = 110"),
        ({"rate": [-10.0, -10.0], "loss": [90.0, 90.0]}, "rate should be a KL, never negative, got -10"),
        ({"val_rate": [-1.0, -1.0], "val_loss": [99.0, 99.0]}, "val_rate should be a KL, never negative, got -1"),
    ],
    ids=["validation without KL", "sign", "sign in validation"],
)
def test_a_history_that_does_not_add_up_fails(change, message):
    of_one = {"loss": [110.0, 110.0], "distortion": [100.0, 100.0], "rate": [10.0, 10.0]}
    history = of_one | {f"val_{name}": values for name, values in of_one.items()}
    properties.assert_history(history)
    with pytest.raises(AssertionError, match=re.escape(message)):
        properties.assert_history(history | change)


# The images and the grid


def test_the_grid_of_the_library_passes():
    properties.assert_grid(vaelib.latent_grid(15))
    properties.assert_grid(vaelib.latent_grid(2, low=0.01, high=0.5))


def plane(values):
    return np.stack(np.meshgrid(values, values), axis=-1).reshape(-1, 2)


def test_a_grid_from_zero_to_one_fails():
    with pytest.raises(AssertionError, match="got 16 of 25 points at infinity"):
        properties.assert_grid(plane(norm.ppf(np.linspace(0, 1, 5))))


def test_a_grid_even_in_z_fails():
    with pytest.raises(AssertionError, match="equal in probability"):
        properties.assert_grid(plane(np.linspace(-2, 2, 5)))


def test_images_in_both_sets_are_counted():
    properties.assert_apart(GREY[:30], GREY[30:])
    with pytest.raises(AssertionError, match="got 5 of 20"):
        properties.assert_apart(GREY[:35], GREY[30:])


@pytest.mark.parametrize("seed", range(5))
def test_drawn_pixels_pass(seed):
    properties.assert_draws_pixels(vaelib.binarize(GREY, seed), GREY)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (GREY, "Pixels should be 0 or 1, got 100.0 % in between"),
        ((GREY > 0.5).astype("float32"), "dark grey pixels"),
        ((GREY > 0).astype("float32"), "dark grey pixels"),
        (vaelib.binarize(GREY, 0) * (GREY < 0.5), "bright grey pixels"),
    ],
    ids=["grey", "threshold", "all", "bright ones lost"],
)
def test_pixels_that_are_no_draws_fail(x, message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        properties.assert_draws_pixels(x, GREY)
