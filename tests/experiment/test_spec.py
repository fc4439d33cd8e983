"""Describe runs: same spec, same name, same model; another spec, another name; a spec that cannot be is refused."""

import dataclasses
import importlib
import json
import random

import keras
import numpy as np
import pytest

import vaelib
from vaelib import RunSpec

SPEC = RunSpec(beta=0.784, hidden_dim=8, num_epochs=2, num_train=1280, num_test=100)


def test_equal_numbers_are_one_spec_with_one_name():
    assert RunSpec(beta=1, l2=0) == RunSpec()
    assert RunSpec(beta=1, l2=0).name == RunSpec().name
    # 784 * (1 / 784) is 0.9999999999999999.
    assert RunSpec(beta=vaelib.beta_from_kl_wt(1 / 784)) == RunSpec()


@pytest.mark.parametrize("field", dataclasses.fields(RunSpec), ids=lambda field: field.name)
def test_every_field_makes_another_spec_and_name(field):
    others = {"annealing": "linear", "optimizer": "adam", "learning_rate_schedule": "iwae", "ema_momentum": 0.9}
    change = {field.name: others[field.name] if field.name in others else field.default + 1}
    # Steps alone mean nothing.
    base = RunSpec(annealing="linear") if field.name == "annealing_steps" else RunSpec()
    other = dataclasses.replace(base, **change)
    assert other != base
    assert other.name != base.name
    assert RunSpec(**json.loads(json.dumps(other.as_dict()))) == other


def test_a_name_says_what_is_special_and_is_fit_for_a_file():
    name = RunSpec(beta=0.784, annealing="cyclical", annealing_steps=46900, seed=3).name
    assert name.startswith("beta-0.784_annealing-cyclical_annealing_steps-46900_seed-3_")
    assert RunSpec(beta=1 / 3).name != RunSpec(beta=0.33333).name


def test_a_name_lasts():
    """Find under its old name what is on disk, or it would be trained again."""
    assert RunSpec(beta=0.784).name == "beta-0.784_seed-1_ce933637"


def test_a_file_system_takes_the_longest_name():
    """Count 255 bytes at most, with what evaluations add and a process's own ending while it is written."""
    others = {
        "annealing": "cyclical",
        "optimizer": "adagrad",
        "learning_rate_schedule": "cosine",
        "ema_momentum": 1 / 3,
    }
    changes = {field.name: others.get(field.name, 10_001) for field in dataclasses.fields(RunSpec)}
    changes |= {"shuffle": True, "binarize": True, "start_at_mean_image": True, "num_epochs": 10**9}
    names = [RunSpec(**{**changes, "num_test": num_test}).name for num_test in (10_001, 10_002)]
    ending = ".importance-num_samples-100000-10000.npz.partial-4194304"
    assert all(len(name + ending) <= 255 for name in names)
    assert names[0] != names[1]


@pytest.mark.parametrize("kl_wt", [1e-4, 1e-3, 1 / 784, 1e-2, 0.1])
def test_a_spec_by_the_weight_per_pixel_is_the_same_run(kl_wt):
    spec = RunSpec.from_kl_wt(kl_wt, seed=3, num_epochs=7)
    assert spec == RunSpec(beta=784 * kl_wt, seed=3, num_epochs=7)
    assert spec.name == RunSpec(beta=784 * kl_wt, seed=3, num_epochs=7).name
    assert spec.kl_wt == pytest.approx(kl_wt, rel=1e-9)


@pytest.mark.parametrize(
    ("beta", "label"),
    [
        (0.784, "kl_wt 0.001 (β = 0.784)"),
        (7.84, "kl_wt 0.01 (β = 7.84)"),
        (78.4, "kl_wt 0.1 (β = 78.4)"),
        (1.0, "kl_wt 0.00128 (β = 1)"),
        (0.0784, "kl_wt 0.0001 (β = 0.0784)"),
    ],
)
def test_a_label_says_both_weights(beta, label):
    assert RunSpec(beta=beta, seed=2).label == label


def test_a_spec_builds_the_same_model_every_time():
    first, second, other = (spec.build() for spec in (SPEC, SPEC, dataclasses.replace(SPEC, seed=2)))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


@pytest.mark.parametrize("num_hidden", [1, 2])
def test_initial_weights_are_those_of_keras(num_hidden, monkeypatch):
    """Begin alike, whatever another thread draws meanwhile."""
    spec = dataclasses.replace(SPEC, num_hidden=num_hidden)
    keras.utils.set_random_seed(spec.seed)
    alone = vaelib.dense_vae(spec.latent_dim, spec.hidden_dim, num_hidden=num_hidden).get_weights()

    def disturbed(*arguments):
        # Draw as a thread of a Dask worker does, whose `dask.sizeof` takes samples.
        random.random()  # noqa: S311
        return vaelib.dense_vae(*arguments)

    monkeypatch.setattr(importlib.import_module("vaelib.experiment.spec"), "dense_vae", disturbed)
    for ours, theirs in zip(spec.build().get_weights(), alone, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_spec_builds_what_it_says():
    spec = RunSpec(
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
    assert repr(model.beta) == "Linear(beta=2, num_steps=9)"
    assert (model.free_bits, model.latent_dim, model.encoder.hidden_dim, model.decoder.hidden_dim) == (0.5, 3, 7, 7)
    assert model.encoder.l2 == model.decoder.l2 == 0.1
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
    assert isinstance(model.optimizer, keras.optimizers.RMSprop)


def test_the_optimizers_are_those_of_the_papers():
    adagrad, adam = (RunSpec(optimizer=name, num_hidden=2).build().optimizer for name in ("adagrad", "adam"))
    assert isinstance(adagrad, keras.optimizers.Adagrad)
    assert adagrad.initial_accumulator_value == 0
    assert isinstance(adam, keras.optimizers.Adam)
    assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.9, 0.999, 1e-4)


@pytest.mark.parametrize("divisor", [1, 5])
def test_the_learning_rate_falls_as_in_burda_et_al(divisor):
    """Write out 3^i passes at 0.001 * 10^(-i/7), pass by pass; a fifth of the training has a fifth of each."""
    passes = np.concatenate([np.full(3**i, 0.001 * 10 ** (-i / 7)) for i in range(8)])
    spec = RunSpec(learning_rate_schedule="iwae", num_epochs=3280 // divisor, num_train=10, batch_size=2)
    schedule, steps_per_pass = spec.build().optimizer._learning_rate, 5 // divisor
    assert spec.num_steps == steps_per_pass * len(passes)
    first = np.flatnonzero(np.diff(passes, prepend=0))
    # Look at the first and the last step of every stage.
    for step in (*(steps_per_pass * first), *(steps_per_pass * first[1:] - 1), spec.num_steps - 1):
        assert float(schedule(step)) == pytest.approx(passes[step // steps_per_pass], rel=1e-6)


def test_the_learning_rate_falls_to_zero_along_half_a_cosine():
    spec = RunSpec(learning_rate=0.01, learning_rate_schedule="cosine", num_epochs=2, num_train=500, batch_size=10)
    schedule = spec.build().optimizer._learning_rate
    rates = [float(schedule(step)) for step in (0, 25, 50, 100)]
    np.testing.assert_allclose(rates, [0.01, 0.005 * (1 + np.sqrt(0.5)), 0.005, 0], atol=1e-8)


def test_weights_are_averaged_only_where_the_spec_says_so():
    plain, averaged = RunSpec().build().optimizer, RunSpec(ema_momentum=0.5).build().optimizer
    assert (plain.use_ema, averaged.use_ema, averaged.ema_momentum) == (False, True, 0.5)


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
        ({"learning_rate_schedule": "linear"}, "learning_rate_schedule must be one of constant, cosine, iwae, got"),
        ({"ema_momentum": 1.0}, r"ema_momentum must be from 0 \(no averaging\) to below 1, got 1\.0"),
    ],
)
def test_a_spec_that_cannot_be_trained_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        RunSpec(**fields)


@pytest.mark.parametrize("kl_wt", [-1e-3, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(kl_wt):
    with pytest.raises(ValueError, match=r"must be zero or positive.*, got (-0\.001|nan|inf)"):
        RunSpec.from_kl_wt(kl_wt)
