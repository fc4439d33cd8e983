"""Schedules follow their formula at every kind of step, survive saving, and refuse impossible numbers."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaelib import check_reaches_target, constant, cyclical, dense_vae, fit, linear, sigmoid


@pytest.mark.parametrize("num_steps", [0, 1, 7, 1000])
def test_linear_follows_its_formula(num_steps):
    steps = np.arange(2 * num_steps + 3)
    expected = [0.784 * min((step + 1) / (num_steps + 1), 1) for step in steps]
    np.testing.assert_allclose(linear(0.784, num_steps)(steps), expected, rtol=1e-6)


@pytest.mark.parametrize("num_steps", [1, 7, 469])
def test_linear_rises_until_it_reaches_beta_exactly_at_num_steps(num_steps):
    betas = np.array(linear(7.84, num_steps)(np.arange(2 * num_steps)))
    assert np.all(np.diff(betas[: num_steps + 1]) > 0)
    assert betas[num_steps - 1] < np.float32(7.84)
    assert np.all(betas[num_steps:] == np.float32(7.84))


def test_linear_weighs_the_kl_a_little_from_the_first_step():
    assert float(linear(1.0, num_steps=9)(0)) == pytest.approx(0.1)


def test_sigmoid_is_the_usual_formula_at_5000_steps():
    steps = np.arange(0, 20_000, 100)
    np.testing.assert_allclose(sigmoid(7.84)(steps), 7.84 / (1 + np.exp(-0.0025 * (steps - 2500.0))), rtol=1e-5)


@pytest.mark.parametrize("num_steps", [1, 10, 4690])
def test_sigmoid_rises_through_a_half_in_the_middle(num_steps):
    betas = np.array(sigmoid(2.0, num_steps)(np.linspace(0, num_steps, 11)))
    assert np.all(np.diff(betas) > 0)
    assert betas[5] == pytest.approx(1.0)
    assert betas[0] < 0.01 * 2.0
    assert betas[-1] > 0.99 * 2.0


@pytest.mark.parametrize(("num_steps", "num_cycles", "ramp"), [(100, 4, 0.5), (99, 4, 0.25), (60, 1, 1.0), (7, 7, 0.5)])
def test_cyclical_follows_its_formula(num_steps, num_cycles, ramp):
    steps = np.arange(num_steps)
    tau = np.mod(steps, num_steps / num_cycles) / (num_steps / num_cycles)
    expected = 0.784 * np.minimum(tau / ramp, 1)
    schedule = cyclical(0.784, num_steps, num_cycles, ramp)
    np.testing.assert_allclose(schedule(steps), expected, rtol=1e-5, atol=1e-6)
    assert np.all(np.array(schedule(np.arange(num_steps, 3 * num_steps))) == np.float32(0.784))


def test_constant_is_beta_at_every_step():
    assert np.all(constant(78.4)(np.array([0, 1, 10**6])) == np.float32(78.4))


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
    np.testing.assert_allclose(np.ravel(linear(1.0, num_steps=3)(step)), [0.75])


def test_schedules_run_inside_compiled_code():
    schedule = tf.function(linear(1.0, num_steps=3), jit_compile=True)
    assert [float(schedule(tf.constant(step))) for step in range(5)] == [0.25, 0.5, 0.75, 1, 1]


@pytest.mark.parametrize(
    "schedule", [linear(7.84, num_steps=20), constant(0.5), sigmoid(2.0, 20), cyclical(2.0, 20, 2, 0.7)], ids=repr
)
def test_schedules_are_the_same_after_keras_serialised_them(schedule):
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    steps = np.arange(30)
    np.testing.assert_array_equal(loaded(steps), schedule(steps))
    assert repr(loaded) == repr(schedule)


@pytest.mark.parametrize("beta", [-1e-9, float("nan"), float("inf")])
@pytest.mark.parametrize(
    "schedule",
    [constant, lambda beta: linear(beta, num_steps=10), sigmoid, lambda beta: cyclical(beta, num_steps=10)],
    ids=["constant", "linear", "sigmoid", "cyclical"],
)
def test_a_beta_that_is_negative_or_not_finite_is_refused(schedule, beta):
    with pytest.raises(ValueError, match=f"beta must be zero or positive and finite, got {beta}"):
        schedule(beta)


def test_negative_warm_up_is_refused():
    with pytest.raises(ValueError, match=r"num_steps must be zero .* or positive, got -1"):
        linear(1.0, num_steps=-1)


def test_a_sigmoid_without_steps_is_refused():
    with pytest.raises(ValueError, match=r"num_steps must be at least 1, got 0"):
        sigmoid(1.0, num_steps=0)


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
        cyclical(1.0, num_steps=10, **arguments)


@pytest.mark.parametrize(
    ("schedule", "enough"), [(linear(2.0, 100), 101), (sigmoid(2.0, 100), 90), (cyclical(2.0, 100, 2), 25)], ids=repr
)
def test_a_schedule_that_misses_its_target_is_refused(schedule, enough):
    check_reaches_target(schedule, enough + 5)
    # Of 2.0, 99 % is 1.98, as the schedule itself has it.
    with pytest.raises(ValueError, match=r"must reach beta 2 within the training, but is at .* at the last of its 20"):
        check_reaches_target(schedule, 20)


def test_the_last_step_decides_whether_a_target_is_reached():
    # At step s, (s + 1) / 101 of beta: 99 % at step 99, the last one of 100.
    check_reaches_target(linear(1.0, 100), 100)
    with pytest.raises(ValueError, match=r"is at 0\.98 at the last of its 99 steps"):
        check_reaches_target(linear(1.0, 100), 99)


@pytest.mark.parametrize("schedule", [constant(0), linear(0, 10), sigmoid(0), cyclical(0, 10)], ids=repr)
def test_the_kl_may_weigh_nothing(schedule):
    assert np.all(np.array(schedule(np.arange(12))) == 0)
    check_reaches_target(schedule, 12)


def test_schedules_without_a_target_pass():
    check_reaches_target(lambda step: 0.1, 5)
    check_reaches_target(keras.optimizers.schedules.ExponentialDecay(1.0, 10, 0.5), 100)


def test_fit_warns_of_a_schedule_that_misses_its_target(images):
    model = dense_vae(hidden_dim=4, beta=linear(1.0, num_steps=4))
    model.compile(optimizer=keras.optimizers.RMSprop())
    with pytest.warns(
        UserWarning, match=r"linear\(beta=1, num_steps=4\) must reach beta 1 .* last of its 2 steps"
    ) as caught:
        fit(model, images, batch_size=35, verbose=False)
    assert caught[0].filename == __file__, "the warning points at a line that is not the caller's"
    # The steps of both calls together get it there.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(model, images, batch_size=14, verbose=False).history["beta"][0] > 0.75


def test_schedules_say_what_they_are():
    assert [repr(constant(0.5)), repr(linear(78.4, num_steps=9))] == ["constant(0.5)", "linear(beta=78.4, num_steps=9)"]
    assert repr(cyclical(2.0, 20)) == "cyclical(beta=2, num_steps=20, num_cycles=4, ramp=0.5)"
