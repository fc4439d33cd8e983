"""Schedules follow their formula at every kind of step, survive saving, and refuse impossible numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaelib import constant, linear


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


@pytest.mark.parametrize("schedule", [linear(7.84, num_steps=20), constant(0.5)], ids=repr)
def test_schedules_are_the_same_after_keras_serialised_them(schedule):
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    steps = np.arange(30)
    np.testing.assert_array_equal(loaded(steps), schedule(steps))
    assert repr(loaded) == repr(schedule)


@pytest.mark.parametrize("beta", [-1e-9, float("nan"), float("inf")])
@pytest.mark.parametrize("schedule", [constant, lambda beta: linear(beta, num_steps=10)], ids=["constant", "linear"])
def test_a_beta_that_is_negative_or_not_finite_is_refused(schedule, beta):
    with pytest.raises(ValueError, match=f"beta must be zero or positive and finite, got {beta}"):
        schedule(beta)


def test_negative_warm_up_is_refused():
    with pytest.raises(ValueError, match=r"num_steps must be zero .* or positive, got -1"):
        linear(1.0, num_steps=-1)


def test_schedules_say_what_they_are():
    assert [repr(constant(0.5)), repr(linear(78.4, num_steps=9))] == ["constant(0.5)", "linear(beta=78.4, num_steps=9)"]
