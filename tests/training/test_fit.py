"""Do what a loop written by hand and Keras' own `fit` do, to the digit, and always the same for a seed."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from small_models import small_vae

import vaelib

pytestmark = pytest.mark.slow

BATCH = 32
BETA, NUM_STEPS, L2 = 4.0, 4, 1e-3


def _momentum():
    # Unlike RMSprop, it does not blow up the rounding of tiny gradients.
    return keras.optimizers.SGD(1e-3, momentum=0.9)


def _noise(seed, step, jit_compile=False):
    """Return the noise of a step; XLA's generator gives other numbers than TensorFlow's."""
    draw = tf.function(tf.random.stateless_normal, jit_compile=jit_compile)
    return draw((BATCH, 2), (seed, step))


def _terms(model, x, noise):
    """Return means, standard deviations, distortion and rate, from the definitions."""
    z_mean, z_log_var = model.encoder(x)
    std = tf.sqrt(tf.exp(z_log_var))
    logits = model.decoder(z_mean + std * noise[: len(x)])
    distortion = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits), axis=(1, 2, 3))
    return z_mean, std, distortion, tf.reduce_sum((z_mean**2 + std**2 - 1) / 2 - tf.math.log(std), axis=1)


def _train_by_hand(model, x, num_epochs, seed, jit_compile):
    """Train one epoch after the other, one batch after the other; return a table of all steps."""
    steps = []
    for start in list(range(0, len(x), BATCH)) * num_epochs:
        step, batch = len(steps), x[start : start + BATCH]
        beta = BETA * min((step + 1) / (NUM_STEPS + 1), 1)
        with tf.GradientTape() as tape:
            mean, std, distortion, rate = _terms(model, batch, _noise(seed, step, jit_compile))
            decay = L2 * sum(tf.reduce_sum(w**2) for w in model.trainable_variables if len(w.shape) == 2)
            loss = tf.reduce_mean(distortion + beta * rate) + decay
        first = {"mean": mean[0], "std": std[0]}
        terms = {"loss": loss, "distortion": np.mean(distortion), "rate": np.mean(rate), "beta": beta}
        steps.append({"size": len(batch), **first, **terms})
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return {name: np.array([step[name] for step in steps]) for name in steps[0]}


@pytest.fixture(scope="module", params=[False, True], ids=["TensorFlow", "XLA"])
def both(images, request):
    """Train two epochs of three batches, 32 + 32 + 6 images: by `fit` and by hand, from the same weights."""
    beta = vaelib.schedules.Linear(BETA, NUM_STEPS)
    ours, by_hand = (small_vae(_momentum(), request.param, beta=beta, l2=L2) for _ in range(2))
    run = vaelib.fit(ours, images, num_epochs=2, batch_size=BATCH, shuffle=False, seed=3)
    return run, _train_by_hand(by_hand, images, 2, 3, request.param), by_hand


def test_trace_is_each_batchs_first_posterior_before_its_update(both):
    run, steps, _ = both
    assert list(run.posteriors) == [1, 2]
    for name in ("mean", "std"):
        trace = np.concatenate([getattr(run.posteriors[epoch], name) for epoch in (1, 2)])
        np.testing.assert_allclose(trace, steps[name], rtol=1e-4, atol=1e-6)


def test_weights_are_those_of_the_loop_by_hand(both):
    run, _, by_hand = both
    for ours, theirs in zip(run.model.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["loss", "distortion", "rate", "beta"])
def test_history_is_the_mean_over_the_images_of_an_epoch(both, name):
    run, steps, _ = both
    expected = [np.average(steps[name][i], weights=steps["size"][i]) for i in (slice(0, 3), slice(3, 6))]
    np.testing.assert_allclose(run.history[name], expected, rtol=1e-5)


def test_without_noise_fit_takes_the_very_steps_of_keras_fit(images):
    models = [small_vae(_momentum(), beta=vaelib.schedules.Linear(BETA, NUM_STEPS)) for _ in range(2)]
    for model in models:
        # Make posteriors points: the two draw different noise, and now it does not matter.
        model.encoder.z_log_var.set_weights([np.zeros((8, 2)), np.full(2, -60.0)])
        model.encoder.z_log_var.trainable = False
    arguments = {"batch_size": BATCH, "shuffle": False, "validation_data": images[20:60]}
    ours = vaelib.fit(models[0], images, num_epochs=2, **arguments).history
    arguments["validation_data"] = (images[20:60],)
    theirs = models[1].fit(images, epochs=2, verbose=0, **arguments).history
    for name in ("loss", "distortion", "rate", "val_loss", "val_distortion", "val_rate"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, err_msg=name)
    for one, other in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert int(models[0].optimizer.iterations) == int(models[1].optimizer.iterations) == 6


def _averaging():
    return keras.optimizers.SGD(1e-3, use_ema=True, ema_momentum=0.8)


def test_averaged_weights_are_in_place_at_the_end_as_after_keras_fit(images):
    model, steps = small_vae(_averaging()), []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: steps.append(model.get_weights()))
    vaelib.fit(model, images, num_epochs=3, batch_size=len(images), shuffle=False, callbacks=[keep])
    # Average by hand, from the first step on, as Keras does.
    for ours, first, second, third in zip(model.get_weights(), *steps, strict=True):
        average = 0.8 * (0.8 * first + 0.2 * second) + 0.2 * third
        np.testing.assert_allclose(ours, average, rtol=1e-5, atol=1e-7)


def test_a_longer_training_goes_on_from_the_last_weights_not_their_average(images, tmp_path):
    arguments = {"batch_size": len(images), "shuffle": False}
    for num_epochs in (2, 3):
        resumed = small_vae(_averaging())
        vaelib.fit(resumed, images, num_epochs=num_epochs, checkpoint=tmp_path, **arguments)
    uninterrupted = small_vae(_averaging())
    vaelib.fit(uninterrupted, images, num_epochs=3, **arguments)
    for one, other in zip(resumed.get_weights(), uninterrupted.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_image_counts_once_also_in_a_smaller_last_batch(images):
    model = small_vae(keras.optimizers.SGD(0.0))
    run = vaelib.fit(model, images, batch_size=BATCH, shuffle=False, seed=5)
    batches = [_terms(model, images[i : i + BATCH], _noise(5, i // BATCH)) for i in range(0, 70, BATCH)]
    mean, std, distortion, rate = (np.concatenate(column) for column in zip(*batches, strict=True))
    np.testing.assert_allclose(run.history["distortion"], [distortion.mean()], rtol=1e-6)
    np.testing.assert_allclose(run.history["rate"], [rate.mean()], rtol=1e-6)
    np.testing.assert_allclose(run.posteriors[1].mean, mean[::BATCH], rtol=1e-5)
    np.testing.assert_allclose(run.posteriors[1].std, std[::BATCH], rtol=1e-5)


def test_validation_has_its_own_noise_the_same_in_every_epoch(images):
    model = small_vae(keras.optimizers.SGD(0.0))
    history = vaelib.fit(model, images[:40], images, num_epochs=2, batch_size=BATCH, seed=5).history
    # Steps count from 0: below it is noise that no training step has seen.
    batches = [_terms(model, images[i : i + BATCH], _noise(5, -1 - i // BATCH)) for i in range(0, 70, BATCH)]
    distortion = np.mean(np.concatenate([batch[2] for batch in batches]))
    np.testing.assert_allclose(history["val_distortion"], [distortion] * 2, rtol=1e-6)


def _counts_white_pixels():
    """Return a model that learns nothing: softplus(1) nats for every pixel, less one for every white one."""
    model = small_vae(keras.optimizers.SGD(0.0))
    model.decoder.logits.set_weights([np.zeros((8, 784)), np.ones(784)])
    return model


def test_pixels_are_drawn_by_their_grey_value_in_every_epoch():
    grey = np.linspace(0.1, 0.9, 784, dtype="float32").reshape(1, 28, 28, 1).repeat(200, axis=0)
    run = vaelib.fit(
        _counts_white_pixels(), grey, grey[:100], num_epochs=20, shuffle=False, seed=1, binarize=True, verbose=False
    )
    white = 784 * np.log1p(np.e) - np.array(run.history["distortion"])
    spread = np.sqrt(np.sum(grey[0] * (1 - grey[0])) / 200)
    # Expect the known mean and variance over epochs of a sum of independent draws.
    assert abs(white.mean() - grey[0].sum()) < 4 * spread / np.sqrt(20)
    assert 0.5 < white.std(ddof=1) / spread < 1.5
    validation = 784 * np.log1p(np.e) - np.array(run.history["val_distortion"])
    assert len(set(validation)) == 1
    # Expect another number than the mean itself, which grey images would give.
    assert 1e-3 < abs(validation[0] - grey[0].sum()) < 4 * spread * np.sqrt(2)
    assert not np.array_equal(run.posteriors[1].mean, run.posteriors[2].mean), "the encoder sees grey"


def test_binarizing_does_not_change_black_and_white_images(images):
    x = vaelib.binarize(images, seed=0)
    plain, drawn = (
        vaelib.fit(small_vae(), x, x[:20], num_epochs=2, batch_size=32, binarize=binarize).history
        for binarize in (False, True)
    )
    assert {**plain, "seconds": None} == {**drawn, "seconds": None}


def test_every_epoch_has_its_own_order_with_every_image_once(images):
    model = small_vae(keras.optimizers.SGD(0.0))
    posteriors = vaelib.fit(model, images[:20], num_epochs=2, batch_size=1).posteriors
    expected, _ = model.encode(images[:20])
    orders = []
    for epoch in (1, 2):
        distances = np.abs(posteriors[epoch].mean[:, None] - np.array(expected)[None]).sum(axis=-1)
        assert np.max(np.min(distances, axis=1)) < 1e-5
        orders.append(np.argmin(distances, axis=1).tolist())
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(20))
    assert len({tuple(range(20)), *map(tuple, orders)}) == 3


def test_a_seed_gives_the_same_bits_however_the_training_is_cut(images):
    whole, cut, other = (small_vae("rmsprop") for _ in range(3))
    run = vaelib.fit(whole, images, num_epochs=2, batch_size=BATCH, seed=1)
    parts = [vaelib.fit(cut, images, batch_size=BATCH, seed=1) for _ in range(2)]
    different = vaelib.fit(other, images, num_epochs=2, batch_size=BATCH, seed=2)
    for one, same, another in zip(*(m.get_weights() for m in (whole, cut, other)), strict=True):
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, another)
    for name in ("loss", "distortion", "rate", "beta"):
        assert run.history[name] == parts[0].history[name] + parts[1].history[name]
    np.testing.assert_array_equal(run.posteriors[2].mean, parts[1].posteriors[1].mean)
    assert run.history["loss"] != different.history["loss"]


def _loss_and_rate(train, small, beta):
    """Return, (3, 2), test loss at beta = 2 and test rate, after training from each of three seeds."""
    noise, results = np.random.default_rng(0).normal(size=(500, 2)).astype("float32"), []
    # Take one model, compiled once, back to its start for every seed.
    model = small_vae(hidden_dim=32, beta=beta)
    model.optimizer.build(model.trainable_variables)
    start = [variable.numpy() for variable in model.optimizer.variables]
    for seed in (1, 2, 3):
        model.set_weights(small_vae(seed=seed, hidden_dim=32).get_weights())
        for variable, value in zip(model.optimizer.variables, start, strict=True):
            variable.assign(value)
        train(model, small.x_train, seed)
        _, _, distortion, rate = _terms(model, small.x_test, noise)
        results.append([np.mean(distortion + 2 * rate), np.mean(rate)])
    return results


def test_fit_and_keras_fit_reach_the_same_loss_and_rate(small):
    """Ask Welch's t-test at the 1 % level: it measures the difference in units of the spread from seed to seed."""

    def by_fit(model, x, seed):
        vaelib.fit(model, x, num_epochs=4, batch_size=50, seed=seed)

    def by_keras(model, x, seed):
        model.fit(x, epochs=4, batch_size=50, verbose=0)

    ours, keras_fit = _loss_and_rate(by_fit, small, beta=2.0), _loss_and_rate(by_keras, small, beta=2.0)
    assert np.all(stats.ttest_ind(ours, keras_fit, equal_var=False).pvalue > 0.01)
    # The same test does notice a loop that ignores beta.
    ignorant = _loss_and_rate(by_keras, small, beta=0.0)
    assert np.all(stats.ttest_ind(ours, ignorant, equal_var=False).pvalue < 0.01)


def test_by_default_the_seed_is_zero(images):
    default, zero = (vaelib.fit(small_vae(), images, batch_size=35, **seed) for seed in ({}, {"seed": 0}))
    assert default.history["loss"] == zero.history["loss"]


def test_a_resumed_run_is_not_warned_if_its_schedule_ends(images, tmp_path, recwarn):
    for num_epochs in (2, 3):
        keras.utils.set_random_seed(0)
        model = vaelib.dense_vae(hidden_dim=4, beta=vaelib.schedules.Linear(1.0, num_steps=20))
        model.compile(optimizer="rmsprop", jit_compile=False)
        vaelib.fit(model, images, num_epochs=num_epochs, batch_size=10, verbose=False, checkpoint=tmp_path)
    warned = [str(warning.message) for warning in recwarn if "must reach beta" in str(warning.message)]
    assert ["14 steps" in message for message in warned] == [True]


def test_validation_is_not_training(images):
    # Take a layer that differs between the two; nobody's encoder here has one.
    encoder = keras.Sequential([keras.layers.Dropout(0.9, seed=1), vaelib.DenseEncoder(hidden_dim=8)])
    model = vaelib.VAE(encoder, vaelib.DenseDecoder(hidden_dim=8))
    model.compile(optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    history = vaelib.fit(model, images, validation_data=images, num_epochs=2, batch_size=70, verbose=False).history
    assert history["val_rate"][0] == pytest.approx(float(np.mean(vaelib.gaussian_kl(*encoder(images)))), rel=1e-5)
    assert history["rate"][0] != pytest.approx(history["val_rate"][0], rel=1e-2)


@pytest.mark.usefixtures("mixed_precision")
def test_mixed_precision_trains(small):
    model = small_vae("rmsprop")
    assert model.encoder.compute_dtype == "float16"
    history = vaelib.fit(model, small.x_train[:500], num_epochs=3, batch_size=50).history
    assert np.all(np.isfinite(history["loss"]))
    assert history["loss"][-1] < history["loss"][0]


def test_the_bound_is_distortion_plus_rate_after_each_epoch(images):
    run = vaelib.fit(small_vae(), images, images[:20], num_epochs=2, batch_size=35)
    for validation, prefix in ((True, "val_"), (False, "")):
        expected = [
            sum(pair) for pair in zip(*(run.history[f"{prefix}{x}"] for x in ("distortion", "rate")), strict=True)
        ]
        assert run.bound(validation).tolist() == expected
    alone = vaelib.fit(small_vae(), images, batch_size=35)
    with pytest.raises(ValueError, match="validation_data, got one without: pass validation=False"):
        alone.bound()


@pytest.mark.parametrize("shape", [(70,), (70, 1)], ids=str)
def test_an_image_of_weight_three_counts_as_three_images(shape, images):
    """Let posteriors be points, so that it does not matter which draw is whose."""
    weights = np.random.default_rng(0).integers(1, 4, 70)
    runs = []
    for x, settings in (
        (images, {"sample_weight": weights.reshape(shape)}),
        (np.repeat(images, weights, axis=0), {}),
    ):
        model = small_vae(keras.optimizers.SGD(1e-3))
        model.encoder.z_log_var.set_weights([np.zeros((8, 2)), np.full(2, -60.0)])
        runs.append(vaelib.fit(model, x, images[:20], 3, len(x), seed=1, verbose=False, **settings))
    weighed, repeated = runs
    for name in ("loss", "distortion", "rate", "val_loss"):
        np.testing.assert_allclose(weighed.history[name], repeated.history[name], rtol=1e-5)
    for one, other in zip(weighed.model.get_weights(), repeated.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_weights_follow_their_images_through_batches_and_resume(images, tmp_path):
    weights = np.linspace(0.1, 4, 70)
    model = small_vae(keras.optimizers.SGD(0.0))
    arguments = {"num_epochs": 2, "batch_size": 16, "verbose": False, "checkpoint": tmp_path}
    run = vaelib.fit(model, images, sample_weight=weights, **arguments)
    rate = np.average(vaelib.gaussian_kl(*model.encode(images)), weights=weights)
    np.testing.assert_allclose(run.history["rate"], [rate] * 2, rtol=1e-5)
    with pytest.raises(ValueError, match=r"another run: sample_weight is sha256 \w+ there and nothing here"):
        vaelib.fit(small_vae(keras.optimizers.SGD(0.0)), images, **arguments)
