"""Do under Keras' own methods what people who know Keras assume, or refuse it in one sentence."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import small_vae

import vaelib

pytestmark = pytest.mark.slow

SGD = keras.optimizers.SGD


def _with_layers(encoder=(), decoder=(), **settings):
    """Return a compiled model with layers of Keras before its encoder and before its decoder."""
    keras.utils.set_random_seed(0)
    model = vaelib.VAE(
        keras.Sequential([*encoder, vaelib.DenseEncoder(hidden_dim=8)]),
        keras.Sequential([*decoder, vaelib.DenseDecoder(hidden_dim=8)]),
        **settings,
    )
    model.compile(optimizer=SGD(0.0), jit_compile=False)
    return model


def _terms(model, x, target, noise):
    """Return distortion and rate from the definitions, for noise of one's own."""
    mean, log_var = (np.asarray(part, "float64") for part in model.encode(x))
    logits = model.decode((mean + np.exp(log_var / 2) * noise).astype("float32"))
    distortion = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(target, logits), axis=(1, 2, 3))
    return np.array(distortion), 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)


def _points(model):
    """Make the posteriors of a model points, so that its noise does not matter, and its losses differ by image."""
    model.decoder.logits.bias.assign(np.random.default_rng(0).normal(0, 3, 784))
    model.encoder.z_log_var.set_weights([np.zeros((8, 2)), np.full(2, -60.0)])
    model.encoder.z_log_var.trainable = False
    return model


# Layers that differ between training and testing


@pytest.mark.parametrize("layer", [keras.layers.Dropout(0.9, seed=1), keras.layers.GaussianNoise(1.0, seed=1)])
def test_noise_acts_in_training_and_not_in_evaluation(layer, images):
    model = _with_layers(encoder=[layer])
    rate = np.mean(vaelib.gaussian_kl(*model.encode(images)))
    trained = model.fit(images, batch_size=70, verbose=0, validation_data=(images, images)).history
    assert trained["val_rate"][0] == pytest.approx(rate, rel=1e-4)
    assert trained["rate"][0] != pytest.approx(rate, rel=1e-2)
    assert model.train_on_batch(images, return_dict=True)["rate"] != pytest.approx(rate, rel=1e-2)


@pytest.mark.parametrize("by", ["keras", "vaelib"])
def test_batch_normalization_learns_its_means(by, images):
    normalization = keras.layers.BatchNormalization(momentum=0.5)
    model = _with_layers(encoder=[normalization])
    if by == "keras":
        model.fit(images, batch_size=70, verbose=0)
    else:
        vaelib.fit(model, images, batch_size=70, verbose=False)
    np.testing.assert_allclose(normalization.moving_mean, [0.5 * images.mean()], rtol=1e-4)


# Weights


def test_a_batch_without_weight_changes_nothing(images):
    model = small_vae(SGD(1e-3))
    before = model.get_weights()
    history = model.fit(images, images, sample_weight=np.zeros(70), batch_size=35, verbose=0).history
    assert history["loss"] == [0]
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    # Let the second half count alone.
    half = np.repeat([0.0, 1.0], 35)
    other = small_vae(SGD(1e-3))
    for each, data, weights in ((model, images, half), (other, images[35:], None)):
        _points(each).fit(data, data, sample_weight=weights, batch_size=35, shuffle=False, verbose=0)
    for one, same in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, same, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("shape", [(70,), (70, 1)])
@pytest.mark.parametrize("labels", [True, False], ids=["labels", "none"])
def test_weights_count_in_either_shape_and_without_labels(shape, labels, images):
    model, weights = _points(small_vae(SGD(0.0), beta=2.0)), np.linspace(0, 1, 70)
    distortion, rate = _terms(model, images, images, 0)
    expected = np.average(distortion + 2 * rate, weights=weights)
    y = {"y": np.arange(70) % 10} if labels else {}
    arguments = {"batch_size": 70, "sample_weight": weights.reshape(shape), "verbose": 0}
    assert model.fit(images, **y, **arguments).history["loss"][0] == pytest.approx(expected, rel=1e-4)
    assert model.evaluate(images, **y, **arguments, return_dict=True)["loss"] == pytest.approx(expected, rel=1e-4)


def test_weights_of_classes_go_by_the_labels(images):
    model, labels = _points(small_vae(SGD(0.0))), np.arange(70) % 2
    distortion, rate = _terms(model, images, images, 0)
    history = model.fit(images, labels, class_weight={0: 0.0, 1: 3.0}, batch_size=70, verbose=0).history
    assert history["loss"][0] == pytest.approx(np.mean((distortion + rate)[labels == 1]), rel=1e-4)
    for y in (None, images):
        with pytest.raises(ValueError, match="class_weight needs the class of every image, y of shape"):
            model.fit(images, y, class_weight={0: 1.0}, verbose=0)


@pytest.mark.parametrize("weights", [np.ones(69), np.ones((70, 28)), np.full(70, -1.0), np.full(70, np.nan)])
def test_impossible_weights_are_refused(weights, images):
    with pytest.raises(ValueError, match="sample_weight must be 70 numbers >= 0, one for each image, got the shape"):
        small_vae().fit(images, images, sample_weight=weights, verbose=0)


# Targets


def test_clean_images_are_the_targets_of_noisy_ones(images):
    model = _points(small_vae(SGD(0.0)))
    noisy = images + np.random.default_rng(0).normal(0, 0.3, images.shape).astype("float32")
    distortion, rate = _terms(model, noisy, images, 0)
    expected = {"distortion": distortion.mean(), "rate": rate.mean()}
    data = tf.data.Dataset.from_tensor_slices((noisy, images)).batch(70)
    for history in (
        model.fit(noisy, images, batch_size=70, verbose=0, validation_data=(noisy, images)).history,
        model.fit(data, verbose=0, validation_data=data).history,
    ):
        for name, value in expected.items():
            np.testing.assert_allclose([history[name], history[f"val_{name}"]], value, rtol=1e-4)
    assert model.predict(noisy, verbose=0).x_logits.shape == images.shape
    with pytest.raises(ValueError, match=r"the targets of x must be .* got values from .*rescale"):
        model.fit(images, noisy, verbose=0)


# What is set anew


def test_a_beta_set_after_training_acts_under_both_fits(images):
    model = small_vae(SGD(1e-4))
    assert model.fit(images, verbose=0).history["beta"] == [1]
    model.beta = 78.0
    assert model.fit(images, verbose=0).history["beta"] == [78]
    assert vaelib.fit(model, images, batch_size=70, verbose=False).history["beta"] == [78]
    model.beta = vaelib.schedules.Constant(5.0)
    assert model.evaluate(images, return_dict=True, verbose=0)["beta"] == 5
    assert vaelib.fit(model, images, batch_size=70, verbose=False).history["beta"] == [5]
    with pytest.raises(ValueError, match="beta must be zero or positive and finite, got -1"):
        model.beta = -1.0


def _moving(model, kind):
    """Return a callback that moves beta to 10 times the number of the epoch, from 1."""
    if kind == "variable":
        variable = model.beta.variable
        return keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: variable.assign(10.0 * (epoch + 1)))
    return keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(model, "beta", 10.0 * (epoch + 1)))


@pytest.mark.parametrize("by", ["keras", "vaelib"])
@pytest.mark.parametrize("kind", ["number", "variable", "TensorFlow's variable"])
def test_a_callback_moves_beta(kind, by, images):
    beta = {"number": 1.0, "variable": keras.Variable(1.0), "TensorFlow's variable": tf.Variable(1.0)}[kind]
    model = small_vae(SGD(1e-4), beta=beta)
    callback = _moving(model, "number" if kind == "number" else "variable")
    if by == "keras":
        history = model.fit(images, epochs=3, callbacks=[callback], verbose=0).history
    else:
        history = vaelib.fit(model, images, num_epochs=3, batch_size=35, callbacks=[callback], verbose=False).history
    assert history["beta"] == [10, 20, 30]
    np.testing.assert_allclose(
        history["loss"], np.add(history["distortion"], np.multiply(history["beta"], history["rate"])), rtol=1e-5
    )


def test_a_model_with_a_variable_for_beta_is_saved_with_its_value(tmp_path):
    beta = keras.Variable(1.0)
    model = small_vae(beta=beta)
    beta.assign(0.25)
    model.save(tmp_path / "model.keras")
    assert float(keras.saving.load_model(tmp_path / "model.keras").beta(0)) == 0.25
    assert len(model.weights) == len(small_vae().weights)


@pytest.mark.parametrize("by", ["keras", "vaelib"])
def test_free_bits_variance_and_frozen_layers_act_when_set_anew(by, images):
    def fit(model):
        if by == "keras":
            return model.fit(images, batch_size=70, verbose=0).history
        return vaelib.fit(model, images, batch_size=70, verbose=False).history

    model = small_vae(SGD(0.0))
    fit(model)
    model.free_bits = 1000.0
    history = fit(model)
    assert history["loss"][0] - history["distortion"][0] == pytest.approx(2000, rel=1e-4)
    linear = vaelib.linear_vae(image_shape=(28, 28, 1))
    linear.compile(SGD(0.0), jit_compile=False)
    one = fit(linear)["distortion"][0]
    linear.noise_variance = 4.0
    # Quarter the squared error; add the logarithm of the variance.
    constant = 392 * np.log(2 * np.pi)
    assert fit(linear)["distortion"][0] == pytest.approx((one - constant) / 4 + constant + 392 * np.log(4), rel=2e-2)
    model = small_vae(SGD(1e-3))
    fit(model)
    before = model.encoder.get_weights()
    model.encoder.trainable = False
    fit(model)
    for old, new in zip(before, model.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(("name", "value"), [("free_bits", -1.0), ("noise_variance", 0.0)])
def test_impossible_values_set_later_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be"):
        setattr(vaelib.dense_vae(hidden_dim=4), name, value)


# What a VAE brings itself


@pytest.mark.parametrize("arguments", [{"loss": "mse"}, {"metrics": ["mae"]}, {"weighted_metrics": ["mae"]}], ids=str)
def test_a_loss_and_metrics_are_refused(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"compile expects no {name}, got .*brings its own"):
        vaelib.dense_vae(hidden_dim=4).compile("rmsprop", **arguments)
    with pytest.raises(ValueError, match="compile expects no loss"):
        vaelib.dense_vae(hidden_dim=4).compile("rmsprop", "mse")


@pytest.mark.parametrize("by", ["keras", "vaelib"])
def test_a_decoder_that_ends_in_a_sigmoid_is_warned_of(by, images):
    keras.utils.set_random_seed(0)
    ending = [keras.layers.Dense(784, "sigmoid"), keras.layers.Reshape((28, 28, 1))]
    model = vaelib.VAE(vaelib.DenseEncoder(hidden_dim=4), keras.Sequential(ending))
    model.compile(SGD(1e-4), jit_compile=False)
    with pytest.warns(UserWarning, match="decoder seems to end in a sigmoid.*should return logits"):
        model.fit(images, verbose=0) if by == "keras" else vaelib.fit(model, images, batch_size=70, verbose=False)


def test_decoders_of_logits_and_of_means_are_not_warned_of(images, recwarn):
    linear = vaelib.linear_vae()
    linear.decoder.pixels.set_weights([np.full((2, 784), 0.01), np.full(784, 0.5)])
    linear.compile(SGD(0.0), jit_compile=False)
    for model in (small_vae(), linear):
        model.fit(images, verbose=0)
    assert not [warning for warning in recwarn if "sigmoid" in str(warning.message)]


# Pixels


BAD = {
    "0 to 255": (lambda x: x * 255, r"got .*values from 0 to 25\d"),
    "8-bit": (lambda x: (x * 255).astype("uint8"), "got uint8"),
    "not a number": (lambda x: x * np.float32(np.nan), r"not a number|got a batch with values from nan"),
}


def _streams(x):
    """Yield ways to hand images to Keras, and the arguments that belong to them."""

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return x[35 * i : 35 * (i + 1)], np.zeros(35)

    def endless():
        while True:
            yield x[:35], np.zeros(35)

    yield "array", x, {}
    yield "tensor", tf.constant(x), {}
    yield "dataset", tf.data.Dataset.from_tensor_slices(x).batch(35), {}
    yield "dataset with labels", tf.data.Dataset.from_tensor_slices((x, np.zeros(len(x)))).batch(35), {}
    yield "PyDataset", Batches(), {}
    yield "generator", endless(), {"steps_per_epoch": 2}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("kind", [name for name, *_ in _streams(np.zeros((70, 1, 1, 1)))])
def test_bad_pixels_are_refused_however_they_come(kind, bad, images):
    spoil, message = BAD[bad]
    data, settings = next((data, settings) for name, data, settings in _streams(spoil(images)) if name == kind)
    model = small_vae(SGD(1e-4))
    with pytest.raises(ValueError, match=rf"x must be .*floating-point images.*({message})"):
        model.fit(data, verbose=0, **settings)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize("kind", [name for name, *_ in _streams(np.zeros((70, 1, 1, 1)))])
def test_good_pixels_train_however_they_come(kind, images):
    data, settings = next((data, settings) for name, data, settings in _streams(images) if name == kind)
    history = small_vae(SGD(1e-4)).fit(data, verbose=0, epochs=2, **settings).history
    assert len(history["loss"]) == 2
    assert np.isfinite(history["loss"]).all()


def test_a_later_bad_batch_of_a_stream_is_refused_too(images):
    x = images.copy()
    x[60] *= 255
    for kind, data, settings in _streams(x):
        if kind != "generator":
            with pytest.raises(ValueError, match="x must be"):
                small_vae(SGD(1e-4)).fit(data, verbose=0, **settings)
            with pytest.raises(ValueError, match="validation_data must be"):
                small_vae(SGD(1e-4)).fit(images, validation_data=data, verbose=0)


@pytest.mark.parametrize("function", [vaelib.encode_all, vaelib.posterior_moments])
def test_8_bit_images_are_no_images_to_the_analysis(function, images):
    with pytest.raises(ValueError, match="got uint8: divide 8-bit images by 255"):
        function(small_vae(), (images * 255).astype("uint8"))
