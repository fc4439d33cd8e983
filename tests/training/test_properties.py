"""Try properties that must hold for all shapes, batches, latent spaces and numbers (hypothesis)."""

import itertools
import tempfile
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import vaelib
from vaelib.training import checkpoint, sources

SIZES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)


def _arrays(shape, low, high, dtype="float64"):
    return hnp.arrays(dtype, shape, elements=st.floats(low, high, width=32))


@st.composite
def posteriors(draw):
    """Draw means and log-variances, up to the exploded."""
    shape = draw(SIZES)
    return draw(_arrays(shape, -1e3, 1e3)), draw(_arrays(shape, -80, 80))


@pytest.mark.slow
@given(posteriors())
def test_the_rate_is_finite_not_negative_and_a_sum(posterior):
    z_mean, z_log_var = posterior
    rate = np.array(vaelib.gaussian_kl(z_mean, z_log_var))
    expected = 0.5 * (z_mean**2 + np.expm1(z_log_var) - z_log_var)
    np.testing.assert_allclose(rate, expected.sum(axis=1), rtol=1e-9, atol=1e-12)
    assert (rate >= 0).all()
    # Change signs of means, and the order of the dimensions: neither matters.
    np.testing.assert_allclose(vaelib.gaussian_kl(-z_mean[:, ::-1], z_log_var[:, ::-1]), rate, rtol=1e-9)
    single = np.array(vaelib.gaussian_kl(z_mean.astype("float32"), z_log_var.astype("float32")))
    np.testing.assert_allclose(single, rate, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@given(st.data())
def test_the_distortion_is_at_least_the_entropy_of_the_pixels(data):
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=4, max_side=5))
    x, logits = data.draw(_arrays(shape, 0, 1)), data.draw(_arrays(shape, -1e4, 1e4))
    distortion = np.array(vaelib.bernoulli_distortion(x, logits))
    assert distortion.shape == shape[:1]
    assert np.isfinite(distortion).all()
    inside = np.clip(x, 1e-300, 1 - 1e-16)
    entropy = -(x * np.log(inside) + (1 - x) * np.log1p(-inside))
    assert (distortion >= entropy.reshape(len(x), -1).sum(axis=1) * (1 - 1e-9) - 1e-9).all()
    # Swap black and white on both sides: nothing changes.
    np.testing.assert_allclose(vaelib.bernoulli_distortion(1 - x, -logits), distortion, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
@given(st.just(0.0) | st.floats(1e-6, 1e6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_schedule_rises_to_its_beta_and_stays(beta, num_steps, step):
    schedule = vaelib.schedules.Linear(beta, num_steps)
    now, later = float(schedule(step)), float(schedule(step + 1))
    assert 0 <= now <= later <= beta * (1 + 1e-6)
    np.testing.assert_allclose(now, beta * min((step + 1) / (num_steps + 1), 1), rtol=1e-5)
    np.testing.assert_allclose(float(schedule(num_steps)), beta, rtol=1e-6)
    same = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert float(same(step)) == now


@pytest.mark.slow
@given(st.integers(1, 300), st.data(), st.booleans(), st.integers(0, 2**31 - 1), st.integers(0, 10**6))
def test_every_image_is_in_one_batch_of_an_epoch(num_images, data, shuffle, seed, step):
    batch_size = data.draw(st.integers(1, num_images))
    rows, weights = (
        np.array(a) for a in sources._batches(sources.epoch_order(num_images, shuffle, seed, step), batch_size)
    )
    num_steps = -(-num_images // batch_size)
    assert rows.shape == weights.shape == (num_steps, batch_size)
    assert sorted(rows[weights == 1]) == list(range(num_images))
    assert set(np.unique(weights)) <= {0, 1}
    assert (rows[weights == 0] == 0).all()


@given(st.integers(1, 5000), st.data())
def test_the_stretches_of_an_epoch_join_wherever_it_goes_on(num_steps, data):
    stretches = sources._stretches(num_steps, 0)
    assert stretches[0][0] == 0
    assert stretches[-1][1] == num_steps
    assert all(one[1] == next_one[0] for one, next_one in itertools.pairwise(stretches))
    assert len(stretches) == min(num_steps, 10)
    done = data.draw(st.sampled_from([0, *(stop for _, stop in stretches)]))
    assert sources._stretches(num_steps, done) == [s for s in stretches if s[0] >= done]


@pytest.mark.slow
@settings(max_examples=8)
@given(st.data(), st.integers(1, 40), st.integers(1, 5), st.sampled_from([1.0, 78.4, 1e4]))
def test_the_loop_means_over_all_images_whatever_the_sizes(data, num_images, latent_dim, beta):
    """Take a learning rate of 0: then an epoch is a mean over images, in whatever batches."""
    batch_size = data.draw(st.integers(1, num_images))
    x = np.random.default_rng(num_images).random((num_images, 28, 28, 1), "float32")
    model = vaelib.dense_vae(latent_dim, hidden_dim=3, beta=beta)
    # Make posteriors points, so that noise does not matter.
    model.encoder.z_log_var.set_weights([np.zeros((3, latent_dim)), np.full(latent_dim, -60.0)])
    model.compile(optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    run = vaelib.fit(model, x, x[: num_images // 2 + 1], num_epochs=2, batch_size=batch_size, verbose=False)
    output = model(x)
    distortion = np.array(vaelib.bernoulli_distortion(x, output.x_logits), "float64")
    rate = np.array(vaelib.gaussian_kl(output.z_mean, output.z_log_var), "float64")
    np.testing.assert_allclose(run.history["distortion"], distortion.mean(), rtol=1e-5)
    np.testing.assert_allclose(run.history["rate"], rate.mean(), rtol=1e-5)
    np.testing.assert_allclose(run.history["loss"], (distortion + beta * rate).mean(), rtol=1e-5)
    np.testing.assert_allclose(run.history["val_rate"], rate[: num_images // 2 + 1].mean(), rtol=1e-5)
    assert run.posteriors[2].std.shape == (-(-num_images // batch_size), latent_dim)


NAMES = st.text("abcdefghij/_0123456789", min_size=1).filter(lambda name: name != "about")
NUMBERS = hnp.arrays(st.sampled_from(["float32", "float64", "int32"]), hnp.array_shapes(max_dims=3, max_side=4))


@settings(max_examples=25)
@given(st.dictionaries(NAMES, NUMBERS, max_size=4), st.integers(0, 10**9 - 1))
def test_a_checkpoint_gives_back_the_very_bits(arrays, step):
    spec = {"seed": 3, "nested": {"list": [1, 2.5, None, "x"]}}
    with tempfile.TemporaryDirectory() as folder:
        file = checkpoint.save_checkpoint(Path(folder), step, arrays, spec)
        found, back, _ = checkpoint.load_checkpoint(Path(folder), spec)
    assert found == file
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        assert back[name].tobytes() == array.tobytes()
