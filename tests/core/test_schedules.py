"""Hold schedules to their formulas at every kind of step and after saving; refuse impossible numbers."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaelib import dense_vae, fit
from vaelib.schedules import Constant, Cyclical, Linear, Sigmoid, check_reaches_target


@pytest.mark.parametrize("num_steps", [0, 1, 7, 1000])
def test_linear_follows_its_formula(num_steps):
    steps = np.arange(2 * num_steps + 3)
    expected = [0.784 * min((step + 1) / (num_steps + 1), 1) for step in steps]
    np.testing.assert_allclose(Linear(0.784, num_steps)(steps), expected, rtol=1e-6)


@pytest.mark.parametrize("num_steps", [1, 7, 469])
def test_linear_rises_to_beta_exactly_at_num_steps(num_steps):
    betas = np.array(Linear(7.84, num_steps)(np.arange(2 * num_steps)))
    assert np.all(np.diff(betas[: num_steps + 1]) > 0)
    assert betas[num_steps - 1] < np.float32(7.84)
    assert np.all(betas[num_steps:] == np.float32(7.84))


def test_linear_weighs_the_kl_a_little_from_the_first_step():
    assert float(Linear(1.0, num_steps=9)(0)) == pytest.approx(0.1)


def test_sigmoid_is_the_usual_formula_at_5000_steps():
    steps = np.arange(0, 20_000, 100)
    np.testing.assert_allclose(Sigmoid(7.84)(steps), 7.84 / (1 + np.exp(-0.0025 * (steps - 2500.0))), rtol=1e-5)


@pytest.mark.parametrize("num_steps", [1, 10, 4690])
def test_sigmoid_rises_through_a_half_in_the_middle(num_steps):
    betas = np.array(Sigmoid(2.0, num_steps)(np.linspace(0, num_steps, 11)))
    assert np.all(np.diff(betas) > 0)
    assert betas[5] == pytest.approx(1.0)
    assert betas[0] < 0.01 * 2.0
    assert betas[-1] > 0.99 * 2.0


@pytest.mark.parametrize(("num_steps", "num_cycles", "ramp"), [(100, 4, 0.5), (99, 4, 0.25), (60, 1, 1.0), (7, 7, 0.5)])
def test_cyclical_follows_its_formula(num_steps, num_cycles, ramp):
    steps = np.arange(num_steps)
    tau = np.mod(steps, num_steps / num_cycles) / (num_steps / num_cycles)
    expected = 0.784 * np.minimum(tau / ramp, 1)
    schedule = Cyclical(0.784, num_steps, num_cycles, ramp)
    np.testing.assert_allclose(schedule(steps), expected, rtol=1e-5, atol=1e-6)
    assert np.all(np.array(schedule(np.arange(num_steps, 3 * num_steps))) == np.float32(0.784))


def test_constant_is_beta_at_every_step():
    assert np.all(Constant(78.4)(np.array([0, 1, 10**6])) == np.float32(78.4))


@pytest.mark.parametrize(
    "step",
    [
        2,
        2.0,
        np.int64(2),
        np.array([2]),
        tf.constant(2),
        tf.constant(2, tf.int64),
        keras.Variable(2, dtype="int64"),
    ],
    ids=["int", "float", "numpy", "array", "tensor", "int64 tensor", "variable"],
)
def test_a_step_may_be_any_kind_of_number(step):
    np.testing.assert_allclose(np.ravel(Linear(1.0, num_steps=3)(step)), [0.75])


def test_schedules_run_inside_compiled_code():
    schedule = tf.function(Linear(1.0, num_steps=3), jit_compile=True)
    assert [float(schedule(tf.constant(step))) for step in range(5)] == [0.25, 0.5, 0.75, 1, 1]


ALL = [Linear(7.84, num_steps=20), Constant(0.5), Sigmoid(2.0, 20), Cyclical(2.0, 20, 2, 0.7)]


def _assert_same(ours, theirs):
    assert type(ours) is type(theirs)
    assert ours.get_config() == theirs.get_config()
    np.testing.assert_array_equal(ours(np.arange(30)), theirs(np.arange(30)))


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_schedules_are_rebuilt_from_their_config(schedule):
    _assert_same(type(schedule).from_config(schedule.get_config()), schedule)


@pytest.mark.parametrize("schedule", ALL, ids=repr)
def test_schedules_are_saved_inside_a_model(schedule, tmp_path):
    dense_vae(hidden_dim=2, beta=schedule).save(tmp_path / "model.keras")
    _assert_same(keras.saving.load_model(tmp_path / "model.keras").beta, schedule)


@pytest.mark.parametrize("beta", [-1e-9, float("nan"), float("inf")])
@pytest.mark.parametrize(
    "schedule",
    [Constant, lambda beta: Linear(beta, num_steps=10), Sigmoid, lambda beta: Cyclical(beta, num_steps=10)],
    ids=["constant", "linear", "sigmoid", "cyclical"],
)
def test_a_beta_that_is_negative_or_not_finite_is_refused(schedule, beta):
    with pytest.raises(ValueError, match=f"beta must be zero or positive and finite, got {beta}"):
        schedule(beta)


def test_negative_warm_up_is_refused():
    with pytest.raises(ValueError, match=r"num_steps must be zero .* or positive, got -1"):
        Linear(1.0, num_steps=-1)


def test_a_sigmoid_without_steps_is_refused():
    with pytest.raises(ValueError, match=r"num_steps must be at least 1, got 0"):
        Sigmoid(1.0, num_steps=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_cycles": 0}, "num_cycles must be a whole number of at least 1, got 0"),
        ({"num_cycles": 1.5}, r"num_cycles must be a whole number of at least 1, got 1\.5"),
        ({"num_cycles": 11}, "num_steps must be at least num_cycles, 11, got 10"),
        ({"ramp": -0.5}, r"ramp must be above 0 and at most 1, a part of a cycle, got -0\.5"),
        ({"ramp": 0.0}, r"ramp must be above 0 and at most 1, a part of a cycle, got 0\.0"),
        ({"ramp": 1.01}, r"ramp must be above 0 and at most 1, a part of a cycle, got 1\.01"),
    ],
)
def test_impossible_cycles_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Cyclical(1.0, num_steps=10, **arguments)


@pytest.mark.parametrize(
    ("schedule", "enough"), [(Linear(2.0, 100), 101), (Sigmoid(2.0, 100), 90), (Cyclical(2.0, 100, 2), 25)], ids=repr
)
def test_a_schedule_that_misses_its_target_is_refused(schedule, enough):
    check_reaches_target(schedule, enough + 5)
    with pytest.raises(ValueError, match=r"must reach beta 2 within the training, but is at .* at the last of its 20"):
        check_reaches_target(schedule, 20)


def test_the_last_step_decides_whether_a_target_is_reached():
    # It is at (s + 1) / 101 of beta at step s: at 99 % at step 99, the last one of 100.
    check_reaches_target(Linear(1.0, 100), 100)
    with pytest.raises(ValueError, match=r"is at 0\.98 at the last of its 99 steps"):
        check_reaches_target(Linear(1.0, 100), 99)


@pytest.mark.parametrize("schedule", [Constant(0), Linear(0, 10), Sigmoid(0), Cyclical(0, 10)], ids=repr)
def test_the_kl_may_weigh_nothing(schedule):
    assert np.all(np.array(schedule(np.arange(12))) == 0)
    check_reaches_target(schedule, 12)


def test_schedules_without_a_target_pass():
    check_reaches_target(lambda step: 0.1, 5)
    check_reaches_target(keras.optimizers.schedules.ExponentialDecay(1.0, 10, 0.5), 100)


@pytest.mark.slow
def test_fit_warns_of_a_schedule_that_misses_its_target(images):
    model = dense_vae(hidden_dim=4, beta=Linear(1.0, num_steps=4))
    model.compile(optimizer=keras.optimizers.RMSprop(), jit_compile=False)
    with pytest.warns(
        UserWarning, match=r"Linear\(beta=1, num_steps=4\) must reach beta 1 .* last of its 2 steps"
    ) as caught:
        fit(model, images, batch_size=35, verbose=False)
    assert caught[0].filename == __file__, "the warning points at a line that is not the caller's"
    # Both calls together have enough steps.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(model, images, batch_size=14, verbose=False).history["beta"][0] > 0.75


def test_schedules_say_what_they_are():
    assert [*map(repr, ALL)] == [
        "Linear(beta=7.84, num_steps=20)",
        "Constant(beta=0.5)",
        "Sigmoid(beta=2, num_steps=20)",
        "Cyclical(beta=2, num_steps=20, num_cycles=2, ramp=0.7)",
    ]


def test_a_constant_is_a_warm_up_of_no_steps():
    steps = np.arange(5)
    np.testing.assert_array_equal(Constant(0.784)(steps), Linear(0.784, num_steps=0)(steps))
