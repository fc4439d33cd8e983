"""Hold the likelihoods of pixels to SciPy's densities and integrals, to finite differences and to what saving keeps."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, optimize, special, stats

import vaelib
from vaelib.likelihoods import optimal_variance
from vaelib.losses import continuous_bernoulli_mean

NEAR_HALF = [0.5 - 1e-4, 0.5 - 1e-5, 0.5 - 1e-9, 0.5, 0.5 + 1e-9, 0.5 + 1e-5, 0.5 + 1e-4]
# 0.6225 is where the series ends.
LAMBDAS = np.array([1e-6, 1e-3, 0.1, 0.3775, 0.38, *NEAR_HALF, 0.62, 0.6224, 0.6226, 0.9, 0.999, 1 - 1e-6])
PIXELS = np.array([0.0, 1e-6, 0.25, 0.5, 0.9, 1 - 1e-6, 1.0])
KINDS = {
    "bernoulli": {},
    "continuous": {"likelihood": "continuous_bernoulli"},
    "fixed": {"likelihood": "gaussian", "noise_variance": 0.2},
    "learned": {"likelihood": "gaussian", "noise_variance": "learned"},
    "optimal": {"likelihood": "gaussian", "noise_variance": "optimal"},
}


def moment(lam, power):
    """Return the integral of x^power lam^x (1 - lam)^(1 - x) over [0, 1]."""
    return integrate.quad(lambda x: x**power * lam**x * (1 - lam) ** (1 - x), 0, 1, epsabs=0, epsrel=1e-12)[0]


def log_density(x, lam):
    return x * np.log(lam) + (1 - x) * np.log1p(-lam) - np.log(moment(lam, 0))


def value_and_slopes(function, *values):
    """Return a function of tensors, and its derivatives by them."""
    values = [tf.constant(value) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(values)
        value = function(*values)
    return value.numpy(), [np.array(slope) for slope in tape.gradient(value, values)]


def by_pixel(x, logits):
    """Return the distortion of each pair as an image of one pixel."""
    return vaelib.continuous_bernoulli_distortion(tf.reshape(x, (-1, 1)), tf.reshape(logits, (-1, 1)))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 3e-6)])
def test_the_continuous_bernoulli_is_the_normalised_density(dtype, tolerance):
    x, lam = (grid.ravel() for grid in np.meshgrid(PIXELS, LAMBDAS))
    logits = special.logit(lam)
    value, (by_x, by_logits) = value_and_slopes(by_pixel, x.astype(dtype), logits.astype(dtype))
    np.testing.assert_allclose(
        value, [-log_density(*pair) for pair in zip(x, lam, strict=True)], rtol=tolerance, atol=tolerance
    )
    np.testing.assert_allclose(by_x, -logits, rtol=1e-6, atol=1e-6)
    mean = np.array([moment(each, 1) / moment(each, 0) for each in lam])
    np.testing.assert_allclose(by_logits, mean - x, atol=max(tolerance, 1e-8))
    np.testing.assert_allclose(continuous_bernoulli_mean(logits.astype(dtype)), mean, atol=tolerance)


def test_its_slopes_are_finite_differences():
    logits, step = special.logit(LAMBDAS), 1e-4
    x = np.full(len(logits), 0.3)
    _, (_, slope) = value_and_slopes(by_pixel, x, logits)
    difference = np.array(by_pixel(x, logits + step) - by_pixel(x, logits - step)) / (2 * step)
    np.testing.assert_allclose(slope, difference, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_logits_have_finite_densities_and_slopes(dtype):
    """Take A(a) = a - log a, and log -a below zero, for logits beyond those of any number in (0, 1)."""
    a = np.array([-1e5, -800.0, -90.0, 90.0, 800.0, 1e5], dtype)
    for x in (0.0, 1.0):
        value, (_, slope) = value_and_slopes(by_pixel, np.full(6, x, dtype), a)
        expected = np.maximum(a, 0) - np.log(np.abs(a)) - x * a
        assert (np.abs(value - expected) <= 1e-5 + 1e-7 * np.abs(a)).all()
        np.testing.assert_allclose(slope, (a > 0) - 1 / a - x, atol=1e-6)


def test_the_continuous_bernoulli_refuses_other_shapes():
    with pytest.raises(ValueError, match="continuous_bernoulli_distortion expects x and x_logits of one shape"):
        vaelib.continuous_bernoulli_distortion(np.ones((2, 3)), np.ones((2, 4)))


def test_a_variance_that_is_a_tensor_is_learned_along_its_slope():
    rng = np.random.default_rng(0)
    x, mean, step = rng.random((4, 6)), rng.random((4, 6)), 1e-5

    def total(log_var):
        return -stats.norm.logpdf(x, mean, np.exp(log_var / 2)).sum()

    value, (slope,) = value_and_slopes(
        lambda log_var: tf.reduce_sum(vaelib.gaussian_distortion(x, mean, tf.exp(log_var))), np.float64(-2.0)
    )
    assert value == pytest.approx(total(-2.0), rel=1e-12)
    assert slope == pytest.approx((total(-2 + step) - total(-2 - step)) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("weights", [None, [1.0, 0.0, 2.0, 0.5]], ids=["unweighted", "weighted"])
def test_the_optimal_variance_is_the_best_of_a_scan(weights):
    rng = np.random.default_rng(1)
    x, mean = rng.random((4, 3, 5, 1)), rng.random((4, 3, 5, 1))
    found = float(optimal_variance(x, mean, weights))
    assert found == pytest.approx(np.average(np.square(x - mean).mean(axis=(1, 2, 3)), weights=weights), rel=1e-6)

    def loss(log_var):
        density = stats.norm.logpdf(x, mean, np.exp(log_var / 2)).sum(axis=(1, 2, 3))
        return -np.average(density, weights=weights)

    best = optimize.minimize_scalar(loss, bounds=(-9, 3), method="bounded", options={"xatol": 1e-8})
    assert found == pytest.approx(np.exp(best.x), rel=1e-5)


def test_images_without_error_have_a_finite_objective(images):
    assert float(optimal_variance(images, images)) == pytest.approx(1e-7)


def made(kind, **kwargs):
    """Return a compiled model with weights all over the place, so that pixels differ."""
    keras.utils.set_random_seed(0)
    model = vaelib.dense_vae(hidden_dim=8, **KINDS[kind], **kwargs)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    model.compile("adam", jit_compile=False)
    return model


def by_hand(kind, model, x, output, weights):
    """Return minus the log-density of each image, in double precision."""
    x, pixels = np.asarray(x, "float64"), np.array(output.x_logits, "float64")
    if kind == "bernoulli":
        values = -x * special.log_expit(pixels) - (1 - x) * special.log_expit(-pixels)
    elif kind == "continuous":
        values = np.log(np.expm1(pixels) / pixels) - x * pixels
    else:
        error = np.average(np.square(x - pixels).mean(axis=(1, 2, 3)), weights=weights)
        variance = {"fixed": 0.2, "optimal": error}.get(kind) or np.exp(model.noise_log_var.numpy())
        values = -stats.norm.logpdf(x, pixels, np.sqrt(variance))
    return values.sum(axis=(1, 2, 3))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_xla_compiles_each_to_the_same_slopes(kind, images):
    model = made(kind)
    noise = tf.random.stateless_normal((len(images), 2), (0, 1))

    def loss_and_slopes():
        with tf.GradientTape() as tape:
            loss = model.objective(images, model(images, noise=noise)).loss
        return loss, tape.gradient(loss, model.trainable_variables)

    loss, slopes = loss_and_slopes()
    by_xla, slopes_by_xla = tf.function(loss_and_slopes, jit_compile=True)()
    assert float(by_xla) == pytest.approx(float(loss), rel=1e-5)
    for ours, theirs in zip(slopes, slopes_by_xla, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-4 * np.abs(ours).max())


@pytest.mark.parametrize("weights", [None, np.r_[np.linspace(0, 3, 60), np.zeros(10)].astype("float32")])
@pytest.mark.parametrize("kind", KINDS)
def test_the_objective_of_each_is_that_of_scipys_densities(kind, weights, images):
    model = made(kind, beta=2.0)
    output = model(images)
    objective = model.objective(images, output, weights)
    distortion = by_hand(kind, model, images, output, weights)
    np.testing.assert_allclose(objective.distortion, distortion, rtol=1e-4, atol=1e-2)
    expected = np.average(distortion + 2 * np.array(objective.rate), weights=weights)
    assert float(objective.loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_each_generates_the_means_of_its_pixels(kind, images):
    model, z = made(kind), np.ones((2, 2), "float32")
    output, pixels = np.array(model.decode(z), "float64"), np.array(model.generate(z))
    if kind == "continuous":
        lam = special.expit(output.ravel()[:20])
        expected = [moment(each, 1) / moment(each, 0) for each in lam]
        np.testing.assert_allclose(pixels.ravel()[:20], expected, atol=1e-5)
    else:
        np.testing.assert_allclose(pixels, special.expit(output) if kind == "bernoulli" else output, atol=1e-6)
    np.testing.assert_allclose(model.reconstruct(images), model.generate(model.encode(images)[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_saved_and_loaded_with_its_likelihood(kind, images, tmp_path):
    model = made(kind)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert again.likelihood == model.likelihood
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    noise = np.zeros((len(images), 2), "float32")
    output = model(images, noise=noise)
    np.testing.assert_array_equal(
        again.objective(images, again(images, noise=noise)).distortion, model.objective(images, output).distortion
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"likelihood": "poisson"}, "likelihood must be one of 'bernoulli', .*, got 'poisson'"),
        ({"noise_variance": 0.1}, "noise_variance belongs to Gaussian pixels, got noise_variance=0.1"),
        ({"likelihood": "continuous_bernoulli", "noise_variance": "learned"}, "noise_variance belongs to Gaussian"),
        ({"likelihood": "gaussian", "noise_variance": "best"}, 'a positive number, "learned" or "optimal", got'),
        *(
            ({"likelihood": "gaussian", "noise_variance": wrong}, "noise_variance must be .* positive, got")
            for wrong in (0, -1.0, float("nan"), float("inf"))
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [vaelib.dense_vae, vaelib.conv_vae])
def test_what_is_no_likelihood_is_refused(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize("kind", ["continuous", "optimal"])
def test_a_variance_where_there_is_none_is_refused(kind):
    with pytest.raises(ValueError, match="noise_variance must be None"):
        made(kind).noise_variance = 0.5


def test_a_learned_variance_can_be_set_and_is_checked():
    model = made("learned")
    model.noise_variance = 0.25
    assert float(model.noise_log_var) == pytest.approx(np.log(0.25))
    with pytest.raises(ValueError, match=r"noise_variance must be .* positive"):
        model.noise_variance = -1.0
    with pytest.raises(ValueError, match="set it after the model is built"):
        type(model)(model.encoder, model.decoder, noise_variance=0.25)
