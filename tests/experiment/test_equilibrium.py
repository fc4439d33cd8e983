"""Predict the width of a cloud from the sizes of gradients alone, and see small networks keep to it."""

import dataclasses
import importlib

import keras
import numpy as np
import pytest
from small_models import small_vae

import vaelib
from vaelib.experiment import NoiseBalance

pytestmark = pytest.mark.slow


def test_the_balance_is_that_of_the_formula(images):
    """Write roots of v into the optimizer: 3 and 1 for a head of 8 weights and a bias, 2 and 1 for a row of 8."""
    model = small_vae(keras.optimizers.RMSprop(0.01), beta=4.0)
    model.optimizer.build(model.trainable_variables)
    head, row = model.encoder.z_mean, model.decoder.hidden
    roots = {head.kernel.path: [3, 1], head.bias.path: [5, 7], row.kernel.path: [[2], [1]]}
    velocities = [v for v in model.optimizer.variables if v.name.endswith("velocity")]
    for variable, velocity in zip(model.trainable_variables, velocities, strict=True):
        velocity.assign(np.broadcast_to(np.square(roots.get(variable.path, 100)), velocity.shape))
    measure = NoiseBalance(images, beta=4.0, num_epochs=0)
    measure.set_model(model)
    measure.on_epoch_begin(0)
    measure.on_train_batch_end(0)
    measure.on_epoch_end(0)
    np.testing.assert_allclose(measure.balance, [1 + 0.01 / 8 * np.array([3 * 8 + 5 - 16, 8 + 7 - 8])], rtol=1e-6)
    mean, std = vaelib.encode_all(model, images)
    np.testing.assert_allclose(measure.second_moment, [np.mean(mean**2 + std**2, axis=0)], rtol=1e-5)


def test_a_network_at_rest_keeps_to_the_balance(small):
    """Take large steps, which reach the balance soon and hold the cloud much wider than 1."""
    keras.utils.set_random_seed(0)
    model, x = vaelib.dense_vae(hidden_dim=20, beta=4.0), small.x_train[:1000]
    model.compile(optimizer=keras.optimizers.RMSprop(0.03))
    measure = NoiseBalance(x, beta=4.0, num_epochs=100)
    vaelib.fit(model, x, num_epochs=200, batch_size=50, callbacks=[measure], posterior_epochs=[])
    assert len(measure.second_moment) == 100
    found = np.mean(measure.second_moment)
    assert found > 1.2
    assert np.mean(measure.balance) == pytest.approx(found, rel=0.05)


def test_it_is_measured_once_and_kept(trained, tmp_path, monkeypatch):
    spec = trained[1].spec
    for file in trained[0].glob("*.npz"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    found = vaelib.experiment.noise_balance_of_run(spec, tmp_path, verbose=False)
    assert found.shape == (2, 2)
    assert (tmp_path / f"{spec.name}.noise-balance-2.npz").is_file()

    def again(*_):
        raise AssertionError("it measured again")

    monkeypatch.setattr(importlib.import_module("vaelib.experiment.evaluations"), "noise_balance", again)
    np.testing.assert_array_equal(vaelib.experiment.noise_balance_of_run(spec, tmp_path), found)


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "adam"},
        {"learning_rate_schedule": "cosine"},
        {"annealing": "linear"},
        {"free_bits": 0.5},
        {"l2": 0.1},
        {"ema_momentum": 0.9},
        {"binarize": True},
    ],
    ids=str,
)
def test_what_the_formula_leaves_out_is_refused(trained, change):
    spec = dataclasses.replace(trained[1].spec, **change)
    with pytest.raises(ValueError, match=f"expects a run with RMSprop's constant steps, .* got {next(iter(change))}="):
        vaelib.experiment.noise_balance_of_run(spec)
