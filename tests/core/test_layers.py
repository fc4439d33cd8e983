"""Sample the right Gaussian with the right gradient, and build the networks of the papers."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from vaelib import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, Sampling

MEAN = np.array([1.0, -2.0, 0.0, 0.3])
LOG_VAR = np.array([0.0, -3.0, 2.0, 1.0])


def _draws(num_draws, seed=0):
    """Return (num_draws, 4) samples of the four Gaussians above."""
    return np.array(Sampling(seed, dtype="float64")(*(np.tile(v, (num_draws, 1)) for v in (MEAN, LOG_VAR))))


def _dense(num_inputs, num_outputs):
    return (num_inputs + 1) * num_outputs


def _conv(num_inputs, num_outputs):
    return (3 * 3 * num_inputs + 1) * num_outputs


def test_samples_have_the_posteriors_mean_and_variance():
    n, variance = 50_000, np.exp(LOG_VAR)
    z = _draws(n)
    assert np.all(np.abs(z.mean(axis=0) - MEAN) <= 4 * np.sqrt(variance / n))
    # The variance of a Gaussian's sample variance is 2 variance ** 2 / (n - 1).
    assert np.all(np.abs(z.var(axis=0, ddof=1) - variance) <= 4 * variance * np.sqrt(2 / (n - 1)))


def test_samples_are_gaussian_and_independent_across_dimensions():
    z = (_draws(5000) - MEAN) / np.exp(LOG_VAR / 2)
    assert all(stats.kstest(column, "norm").pvalue > 1e-3 for column in z.T)
    correlations = np.corrcoef(z.T)[np.triu_indices(4, k=1)]
    assert np.all(np.abs(correlations) <= 4 / np.sqrt(len(z)))


def test_the_noise_given_is_the_noise_used():
    noise = np.random.default_rng(0).normal(size=(1, 4))
    z = Sampling(dtype="float64")(MEAN[None], LOG_VAR[None], noise=noise)
    np.testing.assert_allclose(z, MEAN + np.sqrt(np.exp(LOG_VAR)) * noise, rtol=1e-12)


def test_the_pathwise_gradient_is_the_finite_difference():
    noise, h = np.random.default_rng(0).normal(size=(1, 4)), 1e-6
    layer = Sampling(dtype="float64")

    def value(parameters):
        z = layer(parameters[:, :4], parameters[:, 4:], noise=noise)
        return tf.reduce_sum(tf.sin(z) * tf.square(z))

    parameters = tf.constant(np.concatenate([MEAN, LOG_VAR])[None])
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        result = value(parameters)
    steps = h * np.eye(8)[:, None]
    slopes = [(value(parameters + step) - value(parameters - step)) / (2 * h) for step in steps]
    np.testing.assert_allclose(tape.gradient(result, parameters)[0], slopes, rtol=1e-7, atol=1e-7)


def test_the_pathwise_gradient_of_the_second_moment_is_unbiased():
    """Derive E[z ** 2] = mean ** 2 + variance: by the mean 2 mean, by the log-variance the variance."""
    shape = (20_000, 4)
    mean, log_var = (tf.constant(np.broadcast_to(v, shape)) for v in (MEAN, LOG_VAR))
    with tf.GradientTape() as tape:
        tape.watch([mean, log_var])
        second_moment = tf.reduce_sum(tf.square(Sampling(seed=1, dtype="float64")(mean, log_var)))
    gradients = tape.gradient(second_moment, [mean, log_var])
    for gradient, expected in zip(gradients, (2 * MEAN, np.exp(LOG_VAR)), strict=True):
        standard_error = np.std(gradient, axis=0, ddof=1) / np.sqrt(shape[0])
        assert np.all(np.abs(np.mean(gradient, axis=0) - expected) <= 4 * standard_error)


def test_a_seed_gives_one_sequence_of_different_draws():
    one, two = Sampling(seed=7), Sampling(seed=7)
    zeros = np.zeros((3, 2), "float32")
    first, second = np.array(one(zeros, zeros)), np.array(one(zeros, zeros))
    np.testing.assert_array_equal(first, two(zeros, zeros))
    np.testing.assert_array_equal(second, two(zeros, zeros))
    assert not np.any(first == second)
    assert not np.any(first == np.array(Sampling(seed=8)(zeros, zeros)))


@pytest.mark.parametrize(
    ("layer", "input_shape", "num_params"),
    [
        (DenseEncoder(3, 20), (28, 28, 1), _dense(784, 20) + 2 * _dense(20, 3)),
        (DenseDecoder(20), (3,), _dense(3, 20) + _dense(20, 784)),
        (
            ConvEncoder(3),
            (28, 28, 1),
            _conv(1, 32) + _conv(32, 64) + 2 * _conv(64, 64) + _dense(14 * 14 * 64, 32) + 2 * _dense(32, 3),
        ),
        (ConvDecoder(), (3,), _dense(3, 14 * 14 * 64) + _conv(64, 32) + _conv(32, 1)),
    ],
    ids=["DenseEncoder", "DenseDecoder", "ConvEncoder", "ConvDecoder"],
)
def test_networks_have_as_many_parameters_as_in_the_papers(layer, input_shape, num_params):
    layer.build((None, *input_shape))
    assert layer.count_params() == num_params


def _random_weights(layer, scale=0.1):
    """Fill a layer, biases included, and return its arrays."""
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(0, scale, w.shape) for w in layer.get_weights()])
    return layer.get_weights()


def test_dense_encoder_is_one_tanh_layer_and_two_linear_heads():
    x = np.random.default_rng(1).random((5, 28, 28, 1), "float32")
    encoder = DenseEncoder(3, 20)
    encoder.build(x.shape)
    w, b, w_mean, b_mean, w_log_var, b_log_var = _random_weights(encoder)
    h = np.tanh(x.reshape(5, 784) @ w + b)
    z_mean, z_log_var = encoder(x)
    np.testing.assert_allclose(z_mean, h @ w_mean + b_mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(z_log_var, h @ w_log_var + b_log_var, rtol=1e-4, atol=1e-5)


def test_dense_decoder_is_one_tanh_layer_and_linear_logits():
    z = np.random.default_rng(1).normal(size=(5, 3)).astype("float32")
    decoder = DenseDecoder(20)
    decoder.build(z.shape)
    w, b, w_logits, b_logits = _random_weights(decoder, scale=1)
    expected = (np.tanh(z @ w + b) @ w_logits + b_logits).reshape(5, 28, 28, 1)
    np.testing.assert_allclose(decoder(z), expected, rtol=1e-4, atol=1e-5)


def test_conv_encoder_has_chollets_layers_and_linear_heads():
    h = x = np.random.default_rng(1).random((5, 28, 28, 1), "float32")
    encoder = ConvEncoder(3)
    encoder.build(x.shape)
    *convolutions, w, b, w_mean, b_mean, w_log_var, b_log_var = _random_weights(encoder)
    for kernel, bias, stride in zip(convolutions[::2], convolutions[1::2], (1, 2, 1, 1), strict=True):
        h = tf.nn.relu(tf.nn.conv2d(h, kernel, stride, "SAME") + bias)
    h = tf.nn.relu(tf.reshape(h, (5, -1)) @ w + b)
    z_mean, z_log_var = encoder(x)
    np.testing.assert_allclose(z_mean, h @ w_mean + b_mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(z_log_var, h @ w_log_var + b_log_var, rtol=1e-4, atol=1e-4)


def test_conv_decoder_has_chollets_layers_and_linear_logits():
    z = np.random.default_rng(1).normal(size=(5, 3)).astype("float32")
    decoder = ConvDecoder()
    decoder.build(z.shape)
    w, b, kernel, bias, last_kernel, last_bias = _random_weights(decoder)
    h = tf.reshape(tf.nn.relu(z @ w + b), (5, 14, 14, 64))
    h = tf.nn.relu(tf.nn.conv2d_transpose(h, kernel, (5, 28, 28, 32), 2) + bias)
    expected = tf.nn.conv2d(h, last_kernel, 1, "SAME") + last_bias
    np.testing.assert_allclose(decoder(z), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "layer",
    [layer(hidden_dim=6, l2=0.01, num_hidden=n) for layer in (DenseEncoder, DenseDecoder) for n in (1, 2)],
    ids=["encoder", "deep encoder", "decoder", "deep decoder"],
)
def test_weight_decay_is_l2_times_squared_kernels_only(layer):
    layer.build((None, 28, 28, 1) if isinstance(layer, DenseEncoder) else (None, 2))
    kernels = [w for w in _random_weights(layer) if w.ndim == 2]
    assert kernels
    expected = 0.01 * sum(np.sum(np.square(kernel, dtype="float64")) for kernel in kernels)
    np.testing.assert_allclose(np.sum(layer.losses), expected, rtol=1e-5)


@pytest.mark.parametrize("layer", [DenseEncoder(hidden_dim=6), DenseDecoder(hidden_dim=6)], ids=["encoder", "decoder"])
def test_without_weight_decay_there_is_no_such_loss(layer):
    layer.build((None, 28, 28, 1) if isinstance(layer, DenseEncoder) else (None, 2))
    assert layer.losses == []


@pytest.mark.parametrize("l2", [-1e-3, float("nan")])
@pytest.mark.parametrize("layer", [DenseEncoder, DenseDecoder])
def test_negative_weight_decay_is_refused(layer, l2):
    with pytest.raises(ValueError, match=rf"l2 must be zero .* or positive, got {l2}"):
        layer(l2=l2)


@pytest.mark.parametrize(
    "layer",
    [Sampling(seed=3), DenseEncoder(4, 30, 1e-3, 2), DenseDecoder(30, 1e-3, 2), ConvEncoder(4), ConvDecoder()],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_are_rebuilt_from_their_config(layer):
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(loaded) is type(layer)
    assert loaded.get_config() == layer.get_config()
    own = {"seed": 3, "latent_dim": 4, "hidden_dim": 30, "l2": 1e-3, "num_hidden": 2}
    assert {k: v for k, v in loaded.get_config().items() if k in own}.items() <= own.items()
