"""Take images of any size and colour, and refuse those of another shape in one sentence, wherever they come in."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

import vaelib

SHAPES = [(28, 28, 1), (32, 32, 3), (13, 17, 1), (7, 10, 3), (1, 5, 2)]
MAKERS = {
    "dense": lambda **settings: vaelib.dense_vae(hidden_dim=6, **settings),
    "conv": vaelib.conv_vae,
    "linear": vaelib.linear_vae,
}


def _images(shape, n=12):
    return np.random.default_rng(0).random((n, *shape), "float32")


def _model(kind, shape, **settings):
    keras.utils.set_random_seed(0)
    model = MAKERS[kind](image_shape=shape, **settings)
    model.compile("rmsprop", jit_compile=False)
    return model


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", MAKERS)
def test_a_model_of_any_shape_decodes_what_it_encodes(kind, shape):
    model, x = _model(kind, shape), _images(shape)
    output = model(x)
    assert output.x_logits.shape == x.shape
    assert model.image_shape == shape
    assert model.num_pixels == np.prod(shape)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(13, 17, 1), (8, 6, 3)], ids=str)
@pytest.mark.parametrize("kind", MAKERS)
def test_it_trains_saves_and_is_measured(kind, shape, tmp_path):
    model, x = _model(kind, shape), _images(shape)
    run = vaelib.fit(model, x, x[:5], num_epochs=2, batch_size=5, verbose=False)
    theirs = model.fit(x, epochs=1, batch_size=5, validation_data=(x, x), verbose=0).history
    assert np.isfinite([*run.history["loss"], *run.history["val_loss"], *theirs["loss"], *theirs["val_loss"]]).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.image_shape == shape
    z = np.random.default_rng(1).normal(size=(3, 2)).astype("float32")
    np.testing.assert_array_equal(loaded.decode(z), model.decode(z))
    assert vaelib.encode_all(model, x).mean.shape == (12, 2)
    assert vaelib.elbo(model, x).shape == (12,)
    assert vaelib.importance_log_likelihood(model, x[:2], 10, verbose=False).shape == (2,)
    assert vaelib.posterior_moments(model, x)[0].shape == (2,)


def test_the_distortion_is_a_sum_over_all_numbers_of_an_image():
    model, x = _model("dense", (5, 4, 3)), _images((5, 4, 3))
    output = model(x)
    a, pixels = np.asarray(output.x_logits, "float64"), x.astype("float64")
    expected = -(pixels * special.log_expit(a) + (1 - pixels) * special.log_expit(-a)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(model.objective(x, output).distortion, expected, rtol=1e-5)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 0), (4.5, 4, 1), (1, 2, 3, 4)], ids=str)
def test_impossible_shapes_are_refused(shape):
    for make in MAKERS.values():
        with pytest.raises(ValueError, match=r"image_shape must be height, width and channels, such as .*, got \("):
            make(image_shape=shape)


def test_odd_sizes_lose_the_last_row_and_column_of_the_transposed_convolution():
    decoder = vaelib.ConvDecoder((5, 7, 2))
    decoder.build((None, 3))
    rng = np.random.default_rng(0)
    decoder.set_weights([rng.normal(0, 0.1, weight.shape) for weight in decoder.get_weights()])
    w, b, kernel, bias, last, last_bias = decoder.get_weights()
    z = rng.normal(size=(4, 3)).astype("float32")
    h = tf.reshape(tf.nn.relu(z @ w + b), (4, 3, 4, 64))
    h = tf.nn.relu(tf.nn.conv2d_transpose(h, kernel, (4, 6, 8, 32), 2) + bias)[:, :5, :7]
    np.testing.assert_allclose(decoder(z), tf.nn.conv2d(h, last, 1, "SAME") + last_bias, rtol=1e-4, atol=1e-5)


# Everything of another shape is refused alike

X = _images((28, 28, 1))
WRONG = {
    "colour": (_images((32, 32, 3)), r"got the shape \(12, 32, 32, 3\): resize .*image_shape=\(32, 32, 3\)"),
    "no channel": (X[..., 0], r"got the shape \(12, 28, 28\): reshape it, x.reshape\(-1, 28, 28, 1\)"),
    "flat": (X.reshape(12, 784), r"got the shape \(12, 784\): reshape it, x.reshape\(-1, 28, 28, 1\)"),
    "one image": (X[0], r"got the shape \(28, 28, 1\): put the one image into a batch, x.reshape\(1, 28, 28, 1\)"),
    "one flat image": (X[0, ..., 0], r"got the shape \(28, 28\): put the one image into a batch"),
    "rows of 42": (np.zeros((12, 42), "float32"), r"got the shape \(12, 42\): give every image its height"),
    "files": (["one.png", "two.png"], "got list of text: read the files first"),
    "sizes that differ": ([np.zeros((3, 3, 1)), np.zeros((4, 4, 1))], "got images of several sizes"),
}
DOORS = {
    "vaelib.fit": lambda model, x: vaelib.fit(model, x, batch_size=2, verbose=False),
    "vaelib.fit, validation": lambda model, x: vaelib.fit(model, X, x, batch_size=2, verbose=False),
    "fit": lambda model, x: model.fit(x, verbose=0),
    "fit, validation": lambda model, x: model.fit(X, validation_data=(x, None), verbose=0),
    "evaluate": lambda model, x: model.evaluate(x, verbose=0),
    "predict": lambda model, x: model.predict(x, verbose=0),
    "train_on_batch": lambda model, x: model.train_on_batch(x),
    "encode_all": vaelib.encode_all,
    "elbo": vaelib.elbo,
    "exact_log_likelihood": lambda model, x: vaelib.exact_log_likelihood(model, x, verbose=False),
    "importance_log_likelihood": lambda model, x: vaelib.importance_log_likelihood(model, x, 3, verbose=False),
    "best_posteriors": lambda model, x: vaelib.best_posteriors(model, x, verbose=False),
    "posterior_moments": vaelib.posterior_moments,
}


@pytest.fixture(scope="module")
def mnist_model():
    return _model("dense", (28, 28, 1))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("wrong", WRONG)
def test_images_of_another_shape_are_refused_in_one_sentence(door, wrong, mnist_model):
    x, message = WRONG[wrong]
    with pytest.raises(ValueError, match=message) as error:
        DOORS[door](mnist_model, x)
    assert "\n" not in str(error.value)
    assert "must be floating-point images (n, height, width, channels) in [0, 1]" in str(error.value)
    assert int(mnist_model.optimizer.iterations) == 0
    assert getattr(mnist_model, "_loops", None) is None, "it was compiled before"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tf.data.Dataset.from_tensor_slices(_images((32, 32, 3))).batch(2), r"got the shape \(0, 32, 32, 3\)"),
        (lambda: tf.data.Dataset.from_tensor_slices(X), r"got single images \(28, 28, 1\): batch it"),
        (lambda: tf.data.Dataset.from_tensor_slices({"image": X}).batch(2), "got elements of dict: map it"),
        (lambda: (x for x in X), r"got the shape \(28, 28, 1\): put the one image"),
    ],
    ids=["dataset of colour", "single images", "dict", "generator"],
)
@pytest.mark.parametrize("door", ["fit", "evaluate", "predict"])
def test_streams_of_another_shape_are_refused_in_one_sentence(door, make, message, mnist_model):
    with pytest.raises(ValueError, match=message) as error:
        DOORS[door](mnist_model, make())
    assert "\n" not in str(error.value)


NO_ARRAYS = {
    "dataset": lambda: tf.data.Dataset.from_tensor_slices(X).batch(2),
    "generator": lambda: (x for x in X),
    "map": lambda: map(str, X),
}


@pytest.mark.parametrize(
    ("door", "stream"),
    [("encode_all", "dataset"), *itertools.product(("vaelib.fit", "vaelib.fit, validation"), ("generator", "map"))],
)
def test_a_stream_is_refused_where_arrays_are_needed(door, stream, mnist_model):
    with pytest.raises(ValueError, match=r"got a \w+: collect it into one array.*also take streams, a tf.data.Dataset"):
        DOORS[door](mnist_model, NO_ARRAYS[stream]())


# Halves that do not fit together


def _dense_halves(latent_dims=(2, 2), decoder_dim=2, num_outputs=2, shape=(28, 28, 1)):
    x, z = keras.Input((28, 28, 1)), keras.Input((decoder_dim,))
    h = keras.layers.Flatten()(x)
    outputs = [keras.layers.Dense(latent_dims[min(i, 1)])(h) for i in range(num_outputs)]
    pixels = keras.layers.Reshape(shape)(keras.layers.Dense(int(np.prod(shape)))(z))
    return keras.Model(x, outputs if num_outputs > 1 else outputs[0]), keras.Model(z, pixels)


@pytest.mark.parametrize(
    ("halves", "message"),
    [
        ({"num_outputs": 3}, "expects an encoder that returns two tensors, z_mean and z_log_var, got 3: leave out"),
        ({"num_outputs": 1}, "expects an encoder that returns two tensors, z_mean and z_log_var, got 1"),
        ({"latent_dims": (2, 3)}, r"z_mean and z_log_var of one shape .*got \(None, 2\) and \(None, 3\)"),
        ({"decoder_dim": 5}, "as many latent dimensions as the encoder has, got 2 from the encoder and 5"),
    ],
    ids=str,
)
def test_halves_that_do_not_fit_are_refused_at_once(halves, message):
    with pytest.raises(ValueError, match=message):
        vaelib.VAE(*_dense_halves(**halves))


def test_a_decoder_of_other_images_is_refused_when_the_model_is_built():
    model = vaelib.VAE(*_dense_halves(shape=(28, 28, 3)))
    with pytest.raises(ValueError, match=r"makes images of the encoder's shape \(28, 28, 1\), got \(28, 28, 3\)"):
        model.build((None, 28, 28, 1))
    with pytest.raises(ValueError, match=r"image_shape=\(8, 8, 1\)"):
        vaelib.VAE(vaelib.DenseEncoder(), vaelib.DenseDecoder()).build((None, 8, 8, 1))


def test_only_a_built_model_knows_its_pixels():
    model = vaelib.VAE(*_dense_halves())
    assert model.image_shape is None
    with pytest.raises(ValueError, match=r"num_pixels expects a model that is built: call model\.build"):
        _ = model.num_pixels
    with pytest.raises(ValueError, match=r"images of one known size, got the shape \(None, None, 28, 1\)"):
        model.build((None, None, 28, 1))
    model.build((None, 28, 28, 1))
    assert model.num_pixels == 784
