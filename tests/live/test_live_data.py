"""Give the live pictures what the arrays were, and refuse bad input in words."""

import base64
import json
import zlib

import numpy as np
import pytest
from browsing import ROOT
from invented import NUM_BATCHES, result

import vaelib
from vaelib.live.data import latent_data, pack, script
from vaelib.live.film import film_data
from vaelib.models import PosteriorTrace


@pytest.fixture(scope="module")
def model():
    return vaelib.dense_vae(hidden_dim=8)


def unpacked(packed):
    """Unpack an array by NumPy alone."""
    content = base64.b64decode(packed["base64"])
    assert zlib.crc32(content) == packed["crc32"]
    return np.frombuffer(content, packed["dtype"]).reshape(packed["shape"]) * packed["scale"]


@pytest.mark.parametrize(
    ("dtype", "array"), [("int16", [[32.767, -32.767], [0, 0.001]]), ("int16", [0.0, 0.0]), ("uint8", [[0, 7, 255]])]
)
def test_an_array_comes_back_from_its_text(dtype, array):
    packed = json.loads(json.dumps(pack(np.array(array), dtype)))
    np.testing.assert_allclose(unpacked(packed), array, rtol=1e-12)


def test_the_film_holds_every_posterior_that_was_kept():
    runs = {"a": result(), "b": result(1e-2)}
    data = film_data(runs)
    assert data["runs"] == [{"label": "a"}, {"label": "b"}]
    for i, run in enumerate(runs.values()):
        film = data[f"film-{i}"]
        assert film["epochs"] == [1, 100]
        trace = unpacked(film["trace"])
        assert trace.shape == (2, NUM_BATCHES, 4)
        for shown, (mean, std) in zip(trace, run.posteriors.values(), strict=True):
            np.testing.assert_allclose(shown, np.hstack([mean, std]), atol=2e-4)


def test_a_film_of_a_headline_run_stays_below_150_kilobytes():
    for run in vaelib.list_runs(ROOT / "runs"):
        if run.spec.latent_dim == 2 and run.spec.num_epochs == 100:
            assert len(json.dumps(film_data({"run": run})["film-0"])) < 150_000


def test_the_networks_are_the_models(model, small):
    data = latent_data({"a": model}, small.x_test, small.y_test)
    layers = [data["encoder-0"][name] for name in ("hidden", "z_mean", "z_log_var")]
    layers += [data["decoder-0"][name] for name in ("hidden", "logits")]
    arrays = [unpacked(layer[part]) for layer in layers for part in ("kernel", "bias")]
    for array, variable in zip(arrays, model.trainable_variables, strict=True):
        np.testing.assert_allclose(array, variable.numpy(), atol=np.abs(variable).max() / 60_000)
    points = data["points-0"]
    for name, part in zip(("mean", "std"), vaelib.encode_all(model, small.x_test), strict=True):
        np.testing.assert_allclose(unpacked(points[name]), part, rtol=1e-3, atol=1e-3)


def test_what_stands_beside_an_answer_is_there_for_every_model(model, small):
    data = latent_data({"a": model, "b": model}, small.x_test, small.y_test)
    assert data["points-1"]["reach"] > 0
    assert unpacked(data["softplus-1"]["lattice"]).shape == (113, 113)
    assert [len(classes) for classes in data["prices"]["quartiles"]] == [11, 11]


def test_the_examples_are_two_of_each_class(model, small):
    digits = latent_data({"a": model}, small.x_test, small.y_test)["digits"]
    labels, images = (unpacked(digits["examples"][name]) for name in ("labels", "images"))
    assert labels.tolist() == sorted([*range(10), *range(10)])
    for label, image in zip(labels, images, strict=True):
        found = (small.x_test[small.y_test == label][:2, ..., 0] * 255 - image).reshape(2, -1)
        assert np.abs(found).max(axis=1).min() < 1e-4


def bad_inputs():
    one = {"a": result()}
    other = result(num_epochs=7)
    flat = result()
    flat = flat._replace(posteriors={1: PosteriorTrace(np.zeros((4, 3)), np.ones((4, 3)))})
    x, y = np.zeros((2, 28, 28, 1), "float32"), np.zeros(2, int)
    dense = {"a": vaelib.dense_vae(hidden_dim=4)}
    return {
        "no result": (lambda: vaelib.posterior_film({}), "expects at least one result, got an empty dict"),
        "other epochs": (lambda: vaelib.posterior_film(one | {"b": other}), "same epochs and batches"),
        "three latents": (lambda: vaelib.posterior_film({"a": flat}), "two latent dimensions, 'a' has another"),
        "no images": (
            lambda: vaelib.posterior_film(one, labels=y),
            r"the 60000 training images of the runs .* got the shapes \(\) and \(2,\)",
        ),
        "too few images": (lambda: vaelib.posterior_film(one, x, y), r"got the shapes \(2, 28, 28, 1\) and \(2,\)"),
        "no model for a run": (
            lambda: vaelib.posterior_film(one, models={"b": dense["a"]}),
            "a model for each result, got none for a",
        ),
        "no model": (lambda: vaelib.latent_explorer({}, x, y), "At least one model is expected"),
        "no image": (lambda: vaelib.draw_a_digit(dense, x[:0], y[:0]), "at least one, got 0 and 0"),
        "a label missing": (lambda: vaelib.draw_a_digit(dense, x, y[:1]), "got 2 and 1"),
        "no digit": (lambda: vaelib.draw_a_digit(dense, x, y + 12), "from 0 to 9 are expected, got 12"),
        "convolutions": (lambda: vaelib.latent_explorer({"c": vaelib.conv_vae()}, x, y), "dense_vae .*'c' is another"),
        "five latents": (
            lambda: vaelib.latent_explorer({"d": vaelib.dense_vae(latent_dim=5)}, x, y),
            "latent_dim=2 and num_hidden=1 are expected, 'd' has latent_dim=5 and num_hidden=1",
        ),
        "two hidden layers": (
            lambda: vaelib.latent_explorer({"e": vaelib.dense_vae(num_hidden=2)}, x, y),
            "num_hidden=1 are expected, 'e' has latent_dim=2 and num_hidden=2",
        ),
        "two hidden layers to draw for": (
            lambda: vaelib.draw_a_digit(dense | {"e": vaelib.dense_vae(num_hidden=3)}, x, y),
            "num_hidden=1 are expected, 'e' has latent_dim=2 and num_hidden=3: the pages run this network only",
        ),
        "a host of scripts": (lambda: script("worker"), 'host must be "page" or "widget", got \'worker\''),
    }


@pytest.mark.parametrize("name", bad_inputs())
def test_bad_input_is_refused_in_words(name):
    call, words = bad_inputs()[name]
    with pytest.raises(ValueError, match=words):
        call()
