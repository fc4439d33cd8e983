"""Train a run once and load it whole ever after; go on where an interrupted one stopped."""

import dataclasses
import importlib
import os
from pathlib import Path

import keras
import numpy as np
import pytest
from small_runs import assert_same, assert_same_run

import vaelib
from vaelib.experiment.store import files_of

runs = importlib.import_module("vaelib.experiment.runs")
COMMITTED = Path(__file__).parents[2] / "runs"


@pytest.fixture
def never_train(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("it trained")

    monkeypatch.setattr(runs, "fit", fail)


def copied(trained, folder, which=slice(None)):
    """Copy the files of a run, weights first, into an empty folder."""
    for file in files_of(trained[1].spec, trained[0])[which]:
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.mark.slow
def test_a_run_is_what_fit_gives(trained, digits):
    result, x, x_test = trained[1], digits.x_train[:1280], digits.x_test[:100]
    by_fit = vaelib.fit(result.spec.build(), x, x_test, num_epochs=2, shuffle=False, seed=1, verbose=False)
    assert {**result.history, "seconds": 0} == {**by_fit.history, "seconds": 0}
    assert result.posteriors.keys() == {1, 2}
    np.testing.assert_array_equal(result.posteriors[2], by_fit.posteriors[2])
    mean, std = vaelib.encode_all(by_fit.model, x_test)
    np.testing.assert_array_equal(result.metrics["test_mean"], mean.astype("float16"))
    np.testing.assert_array_equal(result.metrics["test_std"], std.astype("float16"))
    assert result.metrics["grid"].shape == (225, 28, 28)


@pytest.mark.slow
def test_many_latent_dimensions_leave_no_test_posteriors(binarized):
    result = binarized[1]
    assert result.posteriors[1].mean.shape == (10, 5)
    assert result.metrics.keys() & {"test_mean", "test_std", "grid"} == set()
    assert result.metrics["train_second_moment"].shape == (5,)


@pytest.mark.slow
def test_a_binarized_run_is_measured_on_binarized_images(binarized, digits):
    folder, result = binarized
    model = vaelib.trained_model(result.spec, folder)
    x_train, x_test = (vaelib.binarize(x, result.spec.seed) for x in (digits.x_train[:1280], digits.x_test[:100]))
    np.testing.assert_array_equal(result.metrics["train_mean"], vaelib.posterior_moments(model, x_train)[0])
    assert result.metrics["active_units"] == vaelib.active_units(vaelib.encode_all(model, x_test).mean)


@pytest.mark.parametrize("start_at_mean_image", [False, True])
def test_a_run_starts_at_the_mean_image_if_its_spec_says_so(start_at_mean_image, digits, monkeypatch, tmp_path):
    spec = vaelib.RunSpec(hidden_dim=8, num_train=300, num_test=100, start_at_mean_image=start_at_mean_image)

    class StartedError(Exception):
        """Carry the model before its first step."""

    def stop(model, *_, **__):
        raise StartedError(model)

    monkeypatch.setattr(runs, "fit", stop)
    with pytest.raises(StartedError) as caught:
        vaelib.train_or_load(spec, tmp_path, verbose=False)
    generated = caught.value.args[0].generate(np.zeros((1, 2), "float32"))
    mean_image = digits.x_train[:300].mean(axis=0) if start_at_mean_image else 0.5
    np.testing.assert_allclose(generated[0], mean_image, atol=0.01)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, {1, 2, 5, 10, 20, 50, 100}),
        ({"num_epochs": 30}, {1, 2, 5, 10, 20, 30}),
        ({"latent_dim": 50, "num_epochs": 30}, {1, 2, 5, 10, 30}),
        ({"latent_dim": 200, "batch_size": 100}, {100}),
        ({"latent_dim": 200}, {100}),
        ({"latent_dim": 50, "batch_size": 20}, set()),
    ],
    ids=str,
)
def test_posteriors_are_kept_up_to_a_megabyte(changes, kept):
    """Keep those of the last epoch, and of the first ones while there is room."""
    assert set(runs.kept_epochs(vaelib.RunSpec(**changes))) == kept


@pytest.mark.usefixtures("never_train")
@pytest.mark.parametrize("beta", [0.784, 7.84, 78.4])
def test_committed_weights_make_the_model_that_was_measured(beta, digits):
    spec = vaelib.RunSpec(beta=beta)
    expected = vaelib.load_run(spec, COMMITTED).metrics["test_mean"]
    if len(digits.x_test) != len(expected):
        pytest.skip(f"needs the full MNIST, found {digits.source}: set VAELIB_MNIST")
    mean, _ = vaelib.encode_all(vaelib.trained_model(spec, COMMITTED), digits.x_test[:100])
    np.testing.assert_allclose(mean, expected[:100], rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@pytest.mark.usefixtures("never_train")
def test_a_finished_run_is_loaded_with_the_same_bits(trained):
    folder, result = trained
    loaded = vaelib.train_or_load(result.spec, folder)
    assert_same(loaded, result)
    assert loaded.history == result.history
    assert loaded.about["seconds"] == pytest.approx(sum(result.history["seconds"]), abs=0.1)
    assert loaded.about["versions"].keys() == {"python", "vaelib", "tensorflow", "keras", "numpy"}
    assert [found.spec for found in vaelib.list_runs(folder)] == [result.spec]


@pytest.mark.slow
@pytest.mark.usefixtures("never_train")
def test_the_trained_model_comes_back_from_its_weights(trained, digits):
    folder, result = trained
    mean, _ = vaelib.encode_all(vaelib.trained_model(result.spec, folder), digits.x_test[:100])
    np.testing.assert_array_equal(mean.astype("float16"), result.metrics["test_mean"])


@pytest.mark.slow
def test_lost_weights_are_trained_again_to_the_same_bits(trained, tmp_path):
    folder, result = trained
    model = vaelib.trained_model(result.spec, copied(trained, tmp_path, slice(1, None)), verbose=False)
    for ours, theirs in zip(model.get_weights(), vaelib.trained_model(result.spec, folder).get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert_same_run(result.spec, tmp_path, folder)
    assert not list((tmp_path / "unfinished").glob("*/"))


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"seed": 2}, {"beta": 0.79}, {"num_epochs": 1}, {"l2": 1e-9}], ids=str)
def test_another_spec_never_loads_it(trained, change):
    assert vaelib.load_run(dataclasses.replace(trained[1].spec, **change), trained[0]) is None


def test_mnist_is_loaded_once_for_each_file_that_is_named(monkeypatch):
    """Let a reader follow the advice of the error below without a new process."""
    loaded = []
    monkeypatch.setattr(runs, "load_mnist", lambda: loaded.append(os.environ["VAELIB_MNIST"]) or loaded[-1])
    for file in ("few.npz", "few.npz", "full.npz"):
        monkeypatch.setenv("VAELIB_MNIST", file)
        assert runs.mnist() == file
    assert loaded == ["few.npz", "full.npz"]


def test_more_images_than_there_are_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ValueError, match="expects 60001 training and 10000 test images, but load_mnist found"):
        vaelib.train_or_load(vaelib.RunSpec(num_train=60_001), tmp_path)


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_ends_with_the_same_bits(trained, tmp_path, monkeypatch):
    def interrupted(model, *arguments, callbacks, **keywords):
        stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True))
        return vaelib.fit(model, *arguments, callbacks=[*callbacks, stop], **keywords)

    folder, result = trained
    monkeypatch.setattr(runs, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt, match="stopped after 1 epochs; call again to go on"):
        vaelib.train_or_load(result.spec, tmp_path, verbose=False)
    assert vaelib.load_run(result.spec, tmp_path) is None
    monkeypatch.undo()
    vaelib.train_or_load(result.spec, tmp_path, verbose=False)
    assert_same_run(result.spec, tmp_path, folder)
