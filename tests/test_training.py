"""`fit` does what a loop written by hand and Keras' own `fit` do, to the digit, and always the same for a seed."""

import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import vaelib
from vaelib import loops, progress

BATCH = 32
BETA, NUM_STEPS, L2 = 4.0, 4, 1e-3


@pytest.fixture
def without_xla(monkeypatch):
    """It takes seconds to compile, and many tests see no difference."""
    monkeypatch.setattr(loops, "_use_xla", lambda model: False)


def _model(optimizer, seed=0, **kwargs):
    keras.utils.set_random_seed(seed)
    model = vaelib.dense_vae(**{"hidden_dim": 8, **kwargs})
    model.compile(optimizer=optimizer)
    return model


def _momentum():
    # Unlike RMSprop, it does not blow up the rounding of tiny gradients.
    return keras.optimizers.SGD(1e-3, momentum=0.9)


@tf.function(jit_compile=True)
def _noise(seed, step):
    """The noise of a step; XLA's generator gives other numbers than TensorFlow's."""
    return tf.random.stateless_normal((BATCH, 2), (seed, step))


def _terms(model, x, noise):
    """Means, standard deviations, distortion and rate, from the definitions."""
    z_mean, z_log_var = model.encoder(x)
    std = tf.sqrt(tf.exp(z_log_var))
    logits = model.decoder(z_mean + std * noise[: len(x)])
    distortion = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits), axis=(1, 2, 3))
    return z_mean, std, distortion, tf.reduce_sum((z_mean**2 + std**2 - 1) / 2 - tf.math.log(std), axis=1)


def _train_by_hand(model, x, num_epochs, seed):
    """One epoch after the other, one batch after the other; returns a table of all steps."""
    steps = []
    for start in list(range(0, len(x), BATCH)) * num_epochs:
        step, batch = len(steps), x[start : start + BATCH]
        beta = BETA * min((step + 1) / (NUM_STEPS + 1), 1)
        with tf.GradientTape() as tape:
            mean, std, distortion, rate = _terms(model, batch, _noise(seed, step))
            decay = L2 * sum(tf.reduce_sum(w**2) for w in model.trainable_variables if len(w.shape) == 2)
            loss = tf.reduce_mean(distortion + beta * rate) + decay
        first = {"mean": mean[0], "std": std[0]}
        terms = {"loss": loss, "distortion": np.mean(distortion), "rate": np.mean(rate), "beta": beta}
        steps.append({"size": len(batch), **first, **terms})
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return {name: np.array([step[name] for step in steps]) for name in steps[0]}


@pytest.fixture(scope="module")
def both(images):
    """Two epochs of three batches, 32 + 32 + 6 images: by `fit` and by hand, from the same weights."""
    ours, by_hand = (_model(_momentum(), beta=vaelib.linear(BETA, NUM_STEPS), l2=L2) for _ in range(2))
    run = vaelib.fit(ours, images, num_epochs=2, batch_size=BATCH, shuffle=False, seed=3)
    return run, _train_by_hand(by_hand, images, num_epochs=2, seed=3), by_hand


def test_trace_is_the_first_posterior_of_every_batch_before_its_update(both):
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
    models = [_model(_momentum(), beta=vaelib.linear(BETA, NUM_STEPS)) for _ in range(2)]
    for model in models:
        # Posteriors that are points: the two draw different noise, and now it does not matter.
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


def test_without_learning_every_image_counts_once_also_in_a_smaller_last_batch(images):
    model = _model(keras.optimizers.SGD(0.0))
    run = vaelib.fit(model, images, batch_size=BATCH, shuffle=False, seed=5)
    batches = [_terms(model, images[i : i + BATCH], _noise(5, i // BATCH)) for i in range(0, 70, BATCH)]
    mean, std, distortion, rate = (np.concatenate(column) for column in zip(*batches, strict=True))
    np.testing.assert_allclose(run.history["distortion"], [distortion.mean()], rtol=1e-6)
    np.testing.assert_allclose(run.history["rate"], [rate.mean()], rtol=1e-6)
    np.testing.assert_allclose(run.posteriors[1].mean, mean[::BATCH], rtol=1e-5)
    np.testing.assert_allclose(run.posteriors[1].std, std[::BATCH], rtol=1e-5)


def test_validation_has_noise_of_its_own_and_the_same_in_every_epoch(images):
    model = _model(keras.optimizers.SGD(0.0))
    history = vaelib.fit(model, images[:40], images, num_epochs=2, batch_size=BATCH, seed=5).history
    # Steps count from 0: below it, noise that no step of a training has seen.
    batches = [_terms(model, images[i : i + BATCH], _noise(5, -1 - i // BATCH)) for i in range(0, 70, BATCH)]
    distortion = np.mean(np.concatenate([batch[2] for batch in batches]))
    np.testing.assert_allclose(history["val_distortion"], [distortion] * 2, rtol=1e-6)


@pytest.mark.usefixtures("without_xla")
def test_another_optimizer_or_choice_of_layers_reaches_the_compiled_loop(images):
    def changed(model):
        parts = model.encoder, model.decoder
        before = [part.get_weights()[0] for part in parts]
        vaelib.fit(model, images, batch_size=35)
        return [not np.array_equal(old, part.get_weights()[0]) for old, part in zip(before, parts, strict=True)]

    model = _model("rmsprop")
    assert changed(model) == [True, True]
    model.decoder.trainable = False
    assert changed(model) == [True, False]
    model.decoder.trainable = True
    assert changed(model) == [True, True]
    model.compile(optimizer=keras.optimizers.SGD(0.0))
    assert changed(model) == [False, False]


def test_nothing_is_compiled_twice_for_a_model_that_is_the_same():
    model = _model("rmsprop")
    assert loops.compiled_loops(model) == loops.compiled_loops(model)
    assert loops.compiled_loops(model) != loops.compiled_loops(_model("rmsprop"))


@pytest.mark.parametrize("devices", [[], ["a GPU"]], ids=str)
def test_xla_compiles_all_but_convolutions_on_a_cpu(monkeypatch, devices):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: devices)
    assert loops._use_xla(vaelib.dense_vae(hidden_dim=4))
    assert loops._use_xla(vaelib.conv_vae()) == bool(devices)


def test_a_learning_rate_that_falls_to_zero_stops_learning_in_the_compiled_loop(images):
    """After the second of three batches."""
    falling = keras.optimizers.schedules.PiecewiseConstantDecay([1], [1e-3, 0.0])
    models = [_model(keras.optimizers.SGD(rate)) for rate in (falling, 1e-3)]
    for model, num_images in zip(models, (70, 64), strict=True):
        vaelib.fit(model, images[:num_images], batch_size=BATCH, shuffle=False, seed=3)
    for ours, theirs in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def _counts_white_pixels():
    """A model that says softplus(1) of every pixel less one nat of every white one, and learns nothing."""
    model = _model(keras.optimizers.SGD(0.0))
    model.decoder.logits.set_weights([np.zeros((8, 784)), np.ones(784)])
    return model


@pytest.mark.usefixtures("without_xla")
def test_binarized_pixels_are_white_with_the_probability_of_their_grey_anew_in_every_epoch():
    grey = np.linspace(0.1, 0.9, 784, dtype="float32").reshape(1, 28, 28, 1).repeat(200, axis=0)
    run = vaelib.fit(
        _counts_white_pixels(), grey, grey[:100], num_epochs=20, shuffle=False, seed=1, binarize=True, verbose=False
    )
    white = 784 * np.log1p(np.e) - np.array(run.history["distortion"])
    spread = np.sqrt(np.sum(grey[0] * (1 - grey[0])) / 200)
    # A sum of independent draws: its mean and its variance over epochs are both known.
    assert abs(white.mean() - grey[0].sum()) < 4 * spread / np.sqrt(20)
    assert 0.5 < white.std(ddof=1) / spread < 1.5
    validation = 784 * np.log1p(np.e) - np.array(run.history["val_distortion"])
    assert len(set(validation)) == 1
    # Not the mean itself, which grey images would give.
    assert 1e-3 < abs(validation[0] - grey[0].sum()) < 4 * spread * np.sqrt(2)
    assert not np.array_equal(run.posteriors[1].mean, run.posteriors[2].mean), "the encoder sees grey"


@pytest.mark.usefixtures("without_xla")
def test_what_is_black_and_white_already_is_not_changed_by_binarizing(images):
    x = vaelib.binarize(images, seed=0)
    plain, drawn = (
        vaelib.fit(_model("rmsprop"), x, x[:20], num_epochs=2, batch_size=32, binarize=binarize).history
        for binarize in (False, True)
    )
    assert {**plain, "seconds": None} == {**drawn, "seconds": None}


def test_every_epoch_has_an_order_of_its_own_with_every_image_once(images):
    model = _model(keras.optimizers.SGD(0.0))
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
    whole, cut, other = (_model("rmsprop") for _ in range(3))
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
    """(3, 2): test loss at beta = 2 and test rate, after training from each of three seeds."""
    noise, results = np.random.default_rng(0).normal(size=(500, 2)).astype("float32"), []
    for seed in (1, 2, 3):
        model = _model("rmsprop", seed, hidden_dim=32, beta=beta)
        train(model, small.x_train, seed)
        _, _, distortion, rate = _terms(model, small.x_test, noise)
        results.append([np.mean(distortion + 2 * rate), np.mean(rate)])
    return results


def test_fit_and_keras_fit_reach_the_same_test_loss_and_rate(small):
    """Welch's t-test at the 1 % level: it measures the difference in units of the spread from seed to seed."""

    def by_fit(model, x, seed):
        vaelib.fit(model, x, num_epochs=4, batch_size=50, seed=seed)

    def by_keras(model, x, seed):
        model.fit(x, epochs=4, batch_size=50, verbose=0)

    ours, keras_fit = _loss_and_rate(by_fit, small, beta=2.0), _loss_and_rate(by_keras, small, beta=2.0)
    assert np.all(stats.ttest_ind(ours, keras_fit, equal_var=False).pvalue > 0.01)
    # The same test does notice a loop that ignores beta.
    ignorant = _loss_and_rate(by_keras, small, beta=0.0)
    assert np.all(stats.ttest_ind(ours, ignorant, equal_var=False).pvalue < 0.01)


class Bar:
    """What tqdm would be told."""

    def __init__(self, told):
        self.told = told

    def __call__(self, **keywords):
        self.told.append(keywords)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.told.append("closed")

    def set_postfix(self, **_):
        pass

    def update(self, num_steps):
        self.told.append(num_steps)


@pytest.mark.usefixtures("without_xla")
@pytest.mark.parametrize("verbose", [True, False])
def test_the_progress_bar_counts_every_step_once_also_those_of_a_resumed_run(images, monkeypatch, tmp_path, verbose):
    told = []
    monkeypatch.setattr(progress, "tqdm", Bar(told))
    for num_epochs in (1, 3):
        keras.utils.set_random_seed(0)
        model = vaelib.dense_vae(hidden_dim=4)
        model.compile(optimizer="rmsprop")
        vaelib.fit(model, images, num_epochs=num_epochs, batch_size=10, verbose=verbose, checkpoint=tmp_path)
    bars = [keywords for keywords in told if isinstance(keywords, dict)]
    assert [(bar["initial"], bar["total"]) for bar in bars] == [(0, 7), (7, 21)]
    # Not given, it is left to TQDM_DISABLE.
    assert [bar.get("disable") for bar in bars] == [None if verbose else True] * 2
    first = told.index("closed")
    assert sum(told[1:first]) == 7
    assert sum(told[first + 2 : -1]) == 14


class Crash(keras.callbacks.Callback):
    """End the process's luck at a step of the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (1, 3):
            raise OSError


@pytest.mark.usefixtures("without_xla")
def test_the_bar_tells_the_epoch_and_the_loss_so_far(images, monkeypatch):
    shown = []
    monkeypatch.setattr(progress, "tqdm", Bar([]))
    monkeypatch.setattr(Bar, "set_postfix", lambda self, **keywords: shown.append(keywords))
    history = vaelib.fit(_model("rmsprop"), images, num_epochs=2, batch_size=70).history
    assert [text["epoch"] for text in shown] == [1, 2]
    assert [text["loss"] for text in shown] == [f"{loss:.2f}" for loss in history["loss"]]


@pytest.mark.usefixtures("without_xla")
def test_a_run_that_is_resumed_within_an_epoch_has_the_rest_of_its_steps_to_go(images, monkeypatch, tmp_path):
    told = []
    monkeypatch.setattr(progress, "tqdm", Bar(told))
    arguments = {"num_epochs": 3, "batch_size": 10, "checkpoint": tmp_path, "save_minutes": 0}
    beta = vaelib.linear(1.0, num_steps=30)
    with pytest.warns(UserWarning, match="21 steps"), pytest.raises(OSError):  # noqa: PT011
        vaelib.fit(_model("rmsprop", beta=beta), images, callbacks=[Crash()], **arguments)
    with pytest.warns(UserWarning, match="21 steps"):
        vaelib.fit(_model("rmsprop", beta=beta), images, **arguments)
    assert [(bar["initial"], bar["total"]) for bar in told if isinstance(bar, dict)] == [(0, 21), (10, 21)]


def test_seconds_are_those_of_the_training_only(images):
    class Sleep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            time.sleep(0.2)

    started = time.perf_counter()
    seconds = vaelib.fit(_model("rmsprop"), images, num_epochs=2, batch_size=35, callbacks=[Sleep()]).history["seconds"]
    assert min(seconds) > 0
    # Twice two batches, after each of which it slept.
    assert sum(seconds) < time.perf_counter() - started - 0.8


@pytest.mark.usefixtures("without_xla")
@pytest.mark.parametrize("num_images", [129, 256])
def test_by_default_a_batch_has_128_images_and_a_bar_is_shown(small, monkeypatch, num_images):
    told = []
    monkeypatch.setattr(progress, "tqdm", Bar(told))
    vaelib.fit(_model("rmsprop"), small.x_train[:num_images])
    assert told[0]["total"] == 2


@pytest.mark.usefixtures("without_xla")
def test_by_default_the_seed_is_zero(images):
    default, zero = (vaelib.fit(_model("rmsprop"), images, batch_size=35, **seed) for seed in ({}, {"seed": 0}))
    assert default.history["loss"] == zero.history["loss"]


@pytest.mark.usefixtures("without_xla")
def test_a_resumed_run_whose_schedule_ends_in_time_is_not_warned_of(images, tmp_path, recwarn):
    for num_epochs in (2, 3):
        keras.utils.set_random_seed(0)
        model = vaelib.dense_vae(hidden_dim=4, beta=vaelib.linear(1.0, num_steps=20))
        model.compile(optimizer="rmsprop")
        vaelib.fit(model, images, num_epochs=num_epochs, batch_size=10, verbose=False, checkpoint=tmp_path)
    warned = [str(warning.message) for warning in recwarn if "must reach beta" in str(warning.message)]
    assert ["14 steps" in message for message in warned] == [True]


def test_validation_is_not_training(images):
    # A layer that differs between the two; nobody's encoder here has one.
    encoder = keras.Sequential([keras.layers.Dropout(0.9, seed=1), vaelib.DenseEncoder(hidden_dim=8)])
    model = vaelib.VAE(encoder, vaelib.DenseDecoder(hidden_dim=8))
    model.compile(optimizer=keras.optimizers.SGD(0.0))
    history = vaelib.fit(model, images, validation_data=images, num_epochs=2, batch_size=70, verbose=False).history
    assert history["val_rate"][0] == pytest.approx(float(np.mean(vaelib.gaussian_kl(*encoder(images)))), rel=1e-5)
    assert history["rate"][0] != pytest.approx(history["val_rate"][0], rel=1e-2)


@pytest.mark.usefixtures("mixed_precision")
def test_mixed_precision_trains(small):
    model = _model("rmsprop")
    assert model.encoder.compute_dtype == "float16"
    history = vaelib.fit(model, small.x_train[:500], num_epochs=3, batch_size=50).history
    assert np.all(np.isfinite(history["loss"]))
    assert history["loss"][-1] < history["loss"][0]
