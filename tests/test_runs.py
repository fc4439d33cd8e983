"""A run is trained once and kept whole: same spec, same bits; another spec, another run."""

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import vaelib
from vaelib import results, runs, specs
from vaelib.results import RunResult

COMMITTED = Path(__file__).parent.parent / "runs"
# Two epochs of ten steps.
SPEC = vaelib.RunSpec(beta=0.784, hidden_dim=8, num_epochs=2, num_train=1280, num_test=100)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(folder, result) of one small run."""
    folder = tmp_path_factory.mktemp("runs")
    return folder, vaelib.train_or_load(SPEC, folder, verbose=False)


@pytest.fixture
def never_train(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("it trained")

    monkeypatch.setattr(runs, "fit", fail)


def assert_same(a, b):
    assert a.spec == b.spec
    assert {**a.history, "seconds": None} == {**b.history, "seconds": None}
    for name in ("posteriors", "metrics"):
        ours, theirs = getattr(a, name), getattr(b, name)
        assert ours.keys() == theirs.keys()
        for key in ours:
            np.testing.assert_array_equal(ours[key], theirs[key])


# Specs


def test_equal_numbers_are_one_spec_with_one_name():
    assert vaelib.RunSpec(beta=1, l2=0) == vaelib.RunSpec()
    assert vaelib.RunSpec(beta=1, l2=0).name == vaelib.RunSpec().name
    # 784 * (1 / 784) is 0.9999999999999999.
    assert vaelib.RunSpec(beta=vaelib.beta_from_kl_wt(1 / 784)) == vaelib.RunSpec()


@pytest.mark.parametrize("field", dataclasses.fields(vaelib.RunSpec), ids=lambda field: field.name)
def test_every_field_makes_another_spec_with_another_name(field):
    others = {"annealing": "linear", "optimizer": "adam", "learning_rate_schedule": "iwae"}
    change = {field.name: others[field.name] if field.name in others else field.default + 1}
    # Steps alone mean nothing.
    base = vaelib.RunSpec(annealing="linear") if field.name == "annealing_steps" else vaelib.RunSpec()
    other = dataclasses.replace(base, **change)
    assert other != base
    assert other.name != base.name
    assert vaelib.RunSpec(**json.loads(json.dumps(other.as_dict()))) == other


def test_a_name_says_what_is_special_and_is_fit_for_a_file():
    name = vaelib.RunSpec(beta=0.784, annealing="cyclical", annealing_steps=46900, seed=3).name
    assert name.startswith("beta-0.784_annealing-cyclical_annealing_steps-46900_seed-3_")
    assert vaelib.RunSpec(beta=1 / 3).name != vaelib.RunSpec(beta=0.33333).name


def test_however_much_is_special_a_file_system_takes_the_name():
    """255 bytes at most, with what `log_likelihood_of_run` adds and a process's own ending while it is written."""
    others = {"annealing": "cyclical", "optimizer": "adagrad", "learning_rate_schedule": "iwae"}
    changes = {field.name: others.get(field.name, 10_001) for field in dataclasses.fields(vaelib.RunSpec)}
    changes |= {"shuffle": True, "binarize": True, "start_at_mean_image": True, "num_epochs": 10**9}
    names = [vaelib.RunSpec(**{**changes, "num_test": num_test}).name for num_test in (10_001, 10_002)]
    ending = ".importance-num_samples-100000-10000.npz.partial-4194304"
    assert all(len(name + ending) <= 255 for name in names)
    assert names[0] != names[1]


def test_a_name_is_for_ever():
    """Or what is on disk would be trained again."""
    assert vaelib.RunSpec(beta=0.784).name == "beta-0.784_seed-1_ce933637"
    names = {result.spec.name for result in vaelib.list_runs(COMMITTED)}
    assert names == {file.stem for file in COMMITTED.glob("*_????????.npz")}


def test_a_spec_builds_the_same_model_every_time_and_another_for_another_seed():
    first, second, other = (spec.build() for spec in (SPEC, SPEC, dataclasses.replace(SPEC, seed=2)))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


@pytest.mark.parametrize("num_hidden", [1, 2])
def test_initial_weights_are_those_of_keras_whatever_another_thread_draws_meanwhile(num_hidden, monkeypatch):
    spec = dataclasses.replace(SPEC, num_hidden=num_hidden)
    keras.utils.set_random_seed(spec.seed)
    alone = vaelib.dense_vae(spec.latent_dim, spec.hidden_dim, num_hidden=num_hidden).get_weights()

    def disturbed(*arguments):
        # As a thread of a Dask worker does, whose `dask.sizeof` takes samples.
        random.random()  # noqa: S311
        return vaelib.dense_vae(*arguments)

    monkeypatch.setattr(specs, "dense_vae", disturbed)
    for ours, theirs in zip(spec.build().get_weights(), alone, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_spec_builds_what_it_says():
    spec = vaelib.RunSpec(
        beta=2.0,
        annealing="linear",
        annealing_steps=9,
        free_bits=0.5,
        l2=0.1,
        latent_dim=3,
        hidden_dim=7,
        learning_rate=0.01,
    )
    model = spec.build()
    assert repr(model.beta) == "linear(beta=2, num_steps=9)"
    assert (model.free_bits, model.latent_dim, model.encoder.hidden_dim, model.decoder.hidden_dim) == (0.5, 3, 7, 7)
    assert model.encoder.l2 == model.decoder.l2 == 0.1
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
    assert isinstance(model.optimizer, keras.optimizers.RMSprop)


def test_the_optimizers_are_those_of_the_papers():
    adagrad, adam = (vaelib.RunSpec(optimizer=name, num_hidden=2).build().optimizer for name in ("adagrad", "adam"))
    assert isinstance(adagrad, keras.optimizers.Adagrad)
    assert adagrad.initial_accumulator_value == 0
    assert isinstance(adam, keras.optimizers.Adam)
    assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.9, 0.999, 1e-4)


@pytest.mark.parametrize("divisor", [1, 5])
def test_the_learning_rate_falls_as_in_burda_et_al(divisor):
    """3^i passes at 0.001 * 10^(-i/7), written out pass by pass; a fifth of the training has a fifth of each."""
    passes = np.concatenate([np.full(3**i, 0.001 * 10 ** (-i / 7)) for i in range(8)])
    num_epochs = 3280 // divisor
    spec = vaelib.RunSpec(learning_rate_schedule="iwae", num_epochs=num_epochs, num_train=10, batch_size=2)
    schedule = spec.build().optimizer._learning_rate
    steps = np.arange(5 * num_epochs)
    rates = np.array([schedule(step) for step in steps[:: 50 // divisor]])
    np.testing.assert_allclose(rates, passes[:: 10 // divisor * divisor][: len(rates)], rtol=1e-6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"beta": -1.0}, r"beta must be zero or positive and finite, got -1\.0"),
        ({"beta": "one"}, "could not convert string to float"),
        ({"annealing": "cosine"}, "annealing must be one of none, linear, sigmoid, cyclical, got 'cosine'"),
        ({"annealing_steps": 10}, 'annealing_steps=10 needs an annealing, got "none"'),
        ({"annealing": "linear", "annealing_steps": 10**6}, "must reach beta 1 within the training, but is at 0.0469"),
        ({"num_epochs": 0}, "num_epochs must be at least 1, got 0"),
        ({"num_epochs": 2.5}, r"num_epochs must be of type int, got 2\.5"),
        ({"learning_rate": 0.0}, r"learning_rate must be positive, got 0\.0"),
        ({"num_hidden": 0}, "num_hidden must be at least 1, got 0"),
        ({"optimizer": "sgd"}, "optimizer must be one of rmsprop, adagrad, adam, got 'sgd'"),
        ({"learning_rate_schedule": "linear"}, "learning_rate_schedule must be one of constant, iwae, got 'linear'"),
    ],
)
def test_a_spec_that_cannot_be_trained_is_refused_at_once(fields, message):
    with pytest.raises(ValueError, match=message):
        vaelib.RunSpec(**fields)


# Results


def test_a_run_is_what_fit_gives(trained, digits):
    x, x_test = digits.x_train[:1280], digits.x_test[:100]
    by_fit = vaelib.fit(SPEC.build(), x, x_test, num_epochs=2, shuffle=False, seed=1, verbose=False)
    result = trained[1]
    assert {**result.history, "seconds": 0} == {**by_fit.history, "seconds": 0}
    assert result.posteriors.keys() == {1, 2}
    np.testing.assert_array_equal(result.posteriors[2], by_fit.posteriors[2])
    mean, std = vaelib.encode_all(by_fit.model, x_test)
    np.testing.assert_array_equal(result.metrics["test_mean"], mean.astype("float16"))
    np.testing.assert_array_equal(result.metrics["test_std"], std.astype("float16"))
    assert result.metrics["grid"].shape == (225, 28, 28)


def test_many_latent_dimensions_leave_no_posteriors_of_the_test_images(tmp_path):
    result = vaelib.train_or_load(dataclasses.replace(SPEC, latent_dim=5), tmp_path, verbose=False)
    assert result.posteriors[2].mean.shape == (10, 5)
    assert result.metrics.keys() & {"test_mean", "test_std", "grid"} == set()
    assert result.metrics["train_second_moment"].shape == (5,)


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
def test_posteriors_are_kept_of_the_last_epoch_and_the_first_ones_up_to_a_megabyte(changes, kept):
    assert set(runs.kept_epochs(vaelib.RunSpec(**changes))) == kept


def test_a_file_holds_the_arrays_and_no_setting(monkeypatch):
    """NumPy before 2.2, as in Colab, takes every keyword of `savez` for the name of an array, `allow_pickle` too."""
    kept = {}
    monkeypatch.setattr(np, "savez_compressed", lambda file, **arrays: kept.update(arrays))
    results.npz_bytes([1.0, 2.0])
    assert kept == {"0000": 1.0, "0001": 2.0}


def test_what_is_measured_of_a_binarized_run_is_of_binarized_images(tmp_path, digits):
    spec = dataclasses.replace(SPEC, num_epochs=1, num_hidden=2, binarize=True)
    result = vaelib.train_or_load(spec, tmp_path, verbose=False)
    x_test = vaelib.binarize(digits.x_test[:100], spec.seed)
    mean, _ = vaelib.encode_all(vaelib.trained_model(spec, tmp_path), x_test)
    np.testing.assert_array_equal(result.metrics["test_mean"], mean.astype("float16"))


@pytest.mark.usefixtures("never_train")
@pytest.mark.parametrize("beta", [0.784, 7.84, 78.4])
def test_committed_weights_make_the_model_that_was_measured(beta, digits):
    spec = vaelib.RunSpec(beta=beta)
    expected = vaelib.load_run(spec, COMMITTED).metrics["test_mean"]
    if len(digits.x_test) != len(expected):
        pytest.skip("needs the full MNIST")
    mean, _ = vaelib.encode_all(vaelib.trained_model(spec, COMMITTED), digits.x_test[:100])
    np.testing.assert_allclose(mean, expected[:100], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("file", sorted(COMMITTED.glob("*_????????.npz")), ids=lambda file: file.stem)
def test_a_committed_result_is_small(file):
    assert file.stat().st_size <= 1_000_000


@pytest.mark.usefixtures("never_train")
def test_a_finished_run_is_loaded_with_the_same_bits(trained):
    folder, result = trained
    loaded = vaelib.train_or_load(SPEC, folder)
    assert isinstance(loaded, RunResult)
    assert_same(loaded, result)
    assert loaded.history == result.history
    assert loaded.about["seconds"] == pytest.approx(sum(result.history["seconds"]), abs=0.1)
    assert loaded.about["versions"].keys() == {"python", "vaelib", "tensorflow", "keras", "numpy"}
    assert [found.spec for found in vaelib.list_runs(folder) if found.spec.num_train == 1280] == [SPEC]


@pytest.mark.usefixtures("never_train")
def test_the_trained_model_comes_back_from_its_weights(trained, digits):
    folder, result = trained
    mean, _ = vaelib.encode_all(vaelib.trained_model(SPEC, folder), digits.x_test[:100])
    np.testing.assert_array_equal(mean.astype("float16"), result.metrics["test_mean"])


def test_training_it_again_gives_the_same_bits(trained, tmp_path):
    assert_same(vaelib.train_or_load(SPEC, tmp_path, verbose=False), trained[1])


@pytest.mark.parametrize("change", [{"seed": 2}, {"beta": 0.79}, {"num_epochs": 1}, {"l2": 1e-9}], ids=str)
def test_another_spec_never_loads_it(trained, change):
    assert vaelib.load_run(dataclasses.replace(SPEC, **change), trained[0]) is None


def test_a_file_of_another_spec_under_this_name_is_not_loaded(trained, tmp_path):
    other = dataclasses.replace(SPEC, seed=2)
    (tmp_path / f"{other.name}.npz").write_bytes((trained[0] / f"{SPEC.name}.npz").read_bytes())
    assert vaelib.load_run(other, tmp_path) is None


@pytest.mark.parametrize("damage", [lambda content: content[:-100], lambda content: b"", lambda content: b"x" * 5000])
def test_a_damaged_result_counts_as_missing(trained, tmp_path, damage):
    file = tmp_path / f"{SPEC.name}.npz"
    file.write_bytes(damage((trained[0] / file.name).read_bytes()))
    with pytest.warns(UserWarning, match="cannot be read"):
        assert vaelib.load_run(SPEC, tmp_path) is None


def test_damaged_weights_are_noticed(trained, tmp_path):
    for file in trained[0].glob(f"{SPEC.name}*npz"):
        content = bytearray(file.read_bytes())
        if file.name.endswith(".weights.npz"):
            content[len(content) // 2] ^= 1
        (tmp_path / file.name).write_bytes(content)
    with pytest.warns(UserWarning, match=r"weights\.npz is damaged, or of another run"):
        assert results.load_weights(SPEC, tmp_path) is None


def test_more_images_than_there_are_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ValueError, match="expects 60001 training and 10000 test images, but load_mnist found"):
        vaelib.train_or_load(vaelib.RunSpec(num_train=60_001), tmp_path)


def test_the_folder_is_the_argument_or_the_variable_or_runs(monkeypatch, tmp_path):
    monkeypatch.delenv("VAELIB_RUNS", raising=False)
    assert results.where_to_keep() == Path("runs")
    monkeypatch.setenv("VAELIB_RUNS", str(tmp_path))
    assert results.where_to_keep() == tmp_path
    assert results.where_to_keep("elsewhere") == Path("elsewhere")


# Interruptions

KILLED = dataclasses.replace(SPEC, hidden_dim=64, num_epochs=6)
TRAIN = "import sys, vaelib; vaelib.train_or_load(vaelib.RunSpec(**eval(sys.argv[1])), sys.argv[2], verbose=False)"


def test_a_killed_run_goes_on_and_ends_with_the_same_bits(tmp_path):
    command = [sys.executable, "-c", TRAIN, repr(KILLED.as_dict()), str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "TQDM_DISABLE": "1"})
    checkpoints = tmp_path / "unfinished" / KILLED.name
    while process.poll() is None and len(list(checkpoints.glob("*.npz"))) < 2:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(checkpoints.glob("*.npz"))
    assert not list(tmp_path.glob("*.npz"))
    resumed = vaelib.train_or_load(KILLED, tmp_path, verbose=False)
    assert not checkpoints.exists()
    assert_same(resumed, vaelib.train_or_load(KILLED, tmp_path / "again", verbose=False))


def test_a_run_that_was_interrupted_is_not_kept_as_finished(tmp_path, monkeypatch):
    def interrupted(model, *arguments, callbacks, **keywords):
        stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True))
        return vaelib.fit(model, *arguments, callbacks=[*callbacks, stop], **keywords)

    monkeypatch.setattr(runs, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt, match="stopped after 1 epochs; call again to go on"):
        vaelib.train_or_load(SPEC, tmp_path, verbose=False)
    assert vaelib.load_run(SPEC, tmp_path) is None
    monkeypatch.undo()
    assert len(vaelib.train_or_load(SPEC, tmp_path, verbose=False).history["loss"]) == 2
