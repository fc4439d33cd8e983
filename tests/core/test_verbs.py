"""Generate, reconstruct and interpolate pixels, and take the halves of a model elsewhere."""

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from scipy import special

import vaelib
from vaelib.paths import latent_path

MAKERS = {"dense": lambda **more: vaelib.dense_vae(hidden_dim=6, **more), "conv": vaelib.conv_vae}


def _model(kind="dense", shape=(5, 4, 3), **settings):
    keras.utils.set_random_seed(0)
    return MAKERS[kind](image_shape=shape, **settings)


def _images(n=3, shape=(5, 4, 3)):
    return np.random.default_rng(0).random((n, *shape), "float32")


def test_new_images_are_decoded_draws_from_the_prior():
    model = _model(latent_dim=3)
    x = np.array(model.generate(num_images=4, seed=7))
    z = np.random.default_rng(7).standard_normal((4, 3)).astype("float32")
    np.testing.assert_allclose(x, special.expit(np.array(model.decode(z))), rtol=1e-5)
    np.testing.assert_array_equal(x, model.generate(num_images=4, seed=7))
    assert not np.array_equal(x, model.generate(num_images=4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "generate expects z, points to decode, or num_images, how many to draw, got neither"),
        ({"z": np.zeros((1, 2)), "num_images": 1}, "got both"),
        ({"num_images": 0}, "num_images must be a whole number of at least 1, got 0"),
        ({"z": np.zeros((4, 3))}, r"z must be .* of shape \(n, 2\), got the shape \(4, 3\)"),
        ({"z": [0.0, 1.0]}, r"z must be .* of shape \(n, 2\), got the shape \(2,\)"),
    ],
)
def test_what_is_not_to_be_generated_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        _model().generate(**arguments)


def test_a_reconstruction_is_decoded_at_the_posterior_mean():
    model, x = _model(), _images()
    expected = special.expit(np.array(model.decode(model.encode(x)[0])))
    np.testing.assert_allclose(model.reconstruct(x), expected, rtol=1e-5)
    noisy = x + 2
    assert model.reconstruct(noisy).shape == x.shape
    linear = vaelib.linear_vae(image_shape=(5, 4, 3))
    np.testing.assert_array_equal(linear.reconstruct(x), linear.decode(linear.encode(x)[0]))
    with pytest.raises(ValueError, match=r"x must be .*got the shape \(5, 4, 3\): put the one image into a batch"):
        model.reconstruct(x[0])


@pytest.mark.parametrize("path", ["line", "sphere"])
def test_the_ends_of_an_interpolation_are_the_reconstructions(path):
    model, x = _model(latent_dim=4), _images()
    between = np.array(model.interpolate(x[0], x[1], num_steps=5, path=path))
    assert between.shape == (5, 5, 4, 3)
    np.testing.assert_allclose(between[[0, -1]], model.reconstruct(x[:2]), rtol=1e-5)
    z_a, z_b = np.array(model.encode(x[:2])[0])
    np.testing.assert_allclose(between, model.generate(latent_path(z_a, z_b, 5, path)), rtol=1e-5)
    with pytest.raises(ValueError, match=r"x_b must be .*, here \(n, 5, 4, 3\), got the shape \(1, 8, 8, 1\)"):
        model.interpolate(x[0], np.zeros((8, 8, 1), "float32"))


def test_on_the_sphere_steps_are_equal_angles_at_one_distance():
    rng = np.random.default_rng(0)
    z_a, z_b = (3 * z / np.linalg.norm(z) for z in rng.normal(size=(2, 6)))
    points = latent_path(z_a, z_b, 7, "sphere").astype("float64")
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 3, rtol=1e-6)
    angles = np.arccos(np.sum(points[1:] * points[:-1], axis=1) / 9)
    np.testing.assert_allclose(angles, np.arccos(z_a @ z_b / 9) / 6, rtol=1e-4)
    steps = np.diff(latent_path(z_a, z_b, 7), axis=0)
    np.testing.assert_allclose(steps, np.tile((z_b - z_a) / 6, (6, 1)), rtol=1e-4, atol=1e-6)
    # Take the line where there is no angle.
    np.testing.assert_allclose(latent_path(z_a, 2 * z_a, 3, "sphere")[1], 1.5 * z_a, rtol=1e-6)
    np.testing.assert_allclose(latent_path(0 * z_a, z_a, 3, "sphere")[1], 0.5 * z_a, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 0], [0, 1], 1), "num_steps must be a whole number of at least 2"),
        (([1, 0], [0, 1], 3, "circle"), 'path must be "line" or "sphere", got \'circle\''),
        (([1, 0], [-2, 0], 3, "sphere"), "expects two points that are not opposite"),
    ],
)
def test_ways_that_are_none_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        latent_path(*arguments)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
def test_exported_halves_compute_what_the_model_does(kind, tmp_path, capsys):
    model, x = _model(kind), _images()
    z = np.random.default_rng(1).normal(size=(4, 2)).astype("float32")
    model.save(tmp_path / "model.keras")
    for saved in (model, keras.saving.load_model(tmp_path / "model.keras")):
        saved.decoder.export(tmp_path / "decoder", verbose=False)
        saved.encoder.export(tmp_path / "encoder", verbose=False)
        decoder, encoder = (tf.saved_model.load(str(tmp_path / half)) for half in ("decoder", "encoder"))
        pixels = special.expit(np.array(decoder.serve(z)))
        np.testing.assert_allclose(pixels, model.generate(z), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(encoder.serve(x), model.encode(x), rtol=1e-4, atol=1e-6)
    model.decoder.summary()
    assert model.decoder.name in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
def test_exported_halves_compute_the_same_in_onnx(kind, tmp_path):
    model, x = _model(kind), _images()
    z = np.random.default_rng(1).normal(size=(4, 2)).astype("float32")
    for half, inputs, expected in ((model.decoder, z, [model.decode(z)]), (model.encoder, x, model.encode(x))):
        half.export(str(tmp_path / "half.onnx"), format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(tmp_path / "half.onnx")
        outputs = session.run(None, {session.get_inputs()[0].name: inputs})
        for ours, theirs in zip(expected, outputs, strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")
@pytest.mark.parametrize("kind", MAKERS)
def test_tensorflow_lite_computes_the_same_pixels(kind):
    model = _model(kind)
    z = np.random.default_rng(1).normal(size=(1, 2)).astype("float32")
    interpreter = tf.lite.Interpreter(model_content=tf.lite.TFLiteConverter.from_keras_model(model.decoder).convert())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], z)
    interpreter.invoke()
    pixels = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(pixels, model.decode(z), rtol=1e-4, atol=1e-5)
