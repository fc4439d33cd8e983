"""Pass the checks that Keras has for its own layers, in every precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import vaelib

testing = pytest.importorskip("keras.src.testing", reason="needs Keras' own tests, which are not public: another Keras")

IMAGES, LATENT = (3, 8, 6, 2), (3, 4)
POSTERIOR = ((3, 4), (3, 4))
LAYERS = {
    "DenseEncoder": (vaelib.DenseEncoder, {"latent_dim": 4, "hidden_dim": 5, "l2": 1e-3}, IMAGES, POSTERIOR, 6),
    "DenseDecoder": (vaelib.DenseDecoder, {"hidden_dim": 5, "image_shape": IMAGES[1:]}, LATENT, IMAGES, 4),
    "ConvEncoder": (vaelib.ConvEncoder, {"latent_dim": 4}, IMAGES, POSTERIOR, 14),
    "ConvDecoder": (vaelib.ConvDecoder, {"image_shape": IMAGES[1:]}, LATENT, IMAGES, 6),
    "LinearEncoder": (vaelib.LinearEncoder, {"latent_dim": 4}, IMAGES, POSTERIOR, 3),
    "LinearDecoder": (vaelib.LinearDecoder, {"image_shape": IMAGES[1:]}, LATENT, IMAGES, 2),
    "Sampling": (
        vaelib.Sampling,
        {"seed": 3},
        {"z_mean_shape": LATENT, "z_log_var_shape": LATENT},
        LATENT,
        0,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_keras_own_checks_of_a_layer_pass(name):
    layer, arguments, input_shape, output_shape, num_weights = LAYERS[name]
    is_encoder = output_shape == POSTERIOR
    testing.TestCase().run_layer_test(
        layer,
        arguments,
        input_shape=input_shape,
        expected_output_shape=output_shape,
        expected_num_trainable_weights=num_weights,
        expected_num_seed_generators=int(name == "Sampling"),
        # Keras trains on one output, and hands `training` to the layer alone.
        run_training_check=not is_encoder and name != "Sampling",
    )


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "Sampling"])
def test_a_precision_reaches_the_layers_inside(name):
    layer, arguments, input_shape, *_ = LAYERS[name]
    outputs = layer(**arguments, dtype="float64")(np.zeros(input_shape))
    assert {output.dtype for output in (outputs if isinstance(outputs, tuple) else [outputs])} == {tf.float64}


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.mark.usefixtures("channels_first")
@pytest.mark.parametrize("make", [vaelib.dense_vae, vaelib.conv_vae, vaelib.linear_vae])
def test_images_have_their_channels_last_whatever_keras_is_told(make):
    model = make(image_shape=(6, 4, 3))
    x = np.random.default_rng(0).random((2, 6, 4, 3), "float32")
    assert model.decode(model.encode(x)[0]).shape == x.shape


@pytest.mark.slow
@pytest.mark.parametrize("make", [vaelib.dense_vae, vaelib.conv_vae, vaelib.linear_vae])
def test_double_precision_trains_and_is_measured(make):
    keras.config.set_dtype_policy("float64")
    try:
        model = make(image_shape=(4, 4, 1))
        model.compile("rmsprop", jit_compile=False)
        x = np.random.default_rng(0).random((10, 4, 4, 1))
        run = vaelib.fit(model, x, x[:5], num_epochs=2, batch_size=4, verbose=False)
        theirs = model.fit(x, epochs=1, batch_size=4, verbose=0).history
        assert np.isfinite([*run.history["loss"], *run.history["val_loss"], *theirs["loss"]]).all()
        assert {weight.dtype for weight in model.get_weights()} == {np.dtype("float64")}
        assert vaelib.elbo(model, x).shape == (10,)
        assert vaelib.importance_log_likelihood(model, x[:2], 5, verbose=False).shape == (2,)
        assert vaelib.best_posteriors(model, x[:2], num_steps=2, verbose=False).mean.shape == (2, 2)
        if model.decodes_logits:
            assert vaelib.exact_log_likelihood(model, x[:2], verbose=False).shape == (2,)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.slow
@pytest.mark.usefixtures("mixed_precision")
def test_half_precision_is_measured_too():
    model = vaelib.dense_vae(hidden_dim=4, image_shape=(4, 4, 1))
    x = np.random.default_rng(0).random((3, 4, 4, 1), "float32")
    exact = vaelib.exact_log_likelihood(model, x, tolerance=0.05, verbose=False)
    best = vaelib.best_posteriors(model, x, num_steps=20, verbose=False)
    assert np.all(exact > vaelib.elbo(model, x, *best) - 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["array", "dataset"])
def test_a_linear_model_trains_under_keras_fit_with_a_smaller_last_batch(kind):
    x = np.random.default_rng(0).random((50, 4, 4, 1), "float32")
    model = vaelib.linear_vae(image_shape=(4, 4, 1))
    model.encoder.z_log_var.assign([-60.0, -60.0])
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    data = x if kind == "array" else tf.data.Dataset.from_tensor_slices(x).batch(16)
    arguments = {"batch_size": 16} if kind == "array" else {}
    squared = np.sum((x - np.array(model.decode(model.encode(x)[0]))) ** 2, axis=(1, 2, 3), dtype="float64")
    expected = squared.mean() / 2 + 8 * np.log(2 * np.pi)
    assert model.evaluate(data, **arguments, verbose=0, return_dict=True)["distortion"] == pytest.approx(expected)
    assert model.fit(data, **arguments, verbose=0).history["distortion"][0] == pytest.approx(expected)


def test_the_gaussian_distortion_needs_no_known_size():
    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None))] * 2)
    def distortion(x, x_mean):
        return vaelib.gaussian_distortion(x, x_mean, 0.3)

    rng = np.random.default_rng(0)
    x, x_mean = (rng.random((3, 4, 5, 2), "float32") for _ in range(2))
    np.testing.assert_allclose(distortion(x, x_mean), vaelib.gaussian_distortion(x, x_mean, 0.3), rtol=1e-6)
