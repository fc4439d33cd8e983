"""Hold a VAE to its objective, to all that a Keras model can do, and to the same bits after saving."""

import keras
import loading
import numpy as np
import processes
import pytest
import tensorflow as tf
from scipy import special, stats

import vaelib

NOISE = np.random.default_rng(0).normal(size=(70, 2)).astype("float32")


def _compiled(model, optimizer="rmsprop"):
    # Skip XLA, which takes seconds to compile.
    model.compile(optimizer=optimizer, jit_compile=False)
    return model


def _dense(**kwargs):
    keras.utils.set_random_seed(0)
    return _compiled(vaelib.dense_vae(hidden_dim=16, **kwargs))


def _functional_parts(posterior_is_narrow=False):
    """Return an encoder and a decoder from Keras' functional API; where q(z|x) is a point, noise does not matter."""
    narrow = {"kernel_initializer": "zeros", "bias_initializer": keras.initializers.Constant(-60.0)}
    x, z = keras.Input((28, 28, 1)), keras.Input((2,))
    h = keras.layers.Dense(8, activation="tanh")(keras.layers.Flatten()(x))
    z_log_var = keras.layers.Dense(2, trainable=not posterior_is_narrow, **(narrow if posterior_is_narrow else {}))
    encoder = keras.Model(x, [keras.layers.Dense(2)(h), z_log_var(h)])
    decoder = keras.Model(z, keras.layers.Reshape((28, 28, 1))(keras.layers.Dense(784)(z)))
    return encoder, decoder


def _distortion_and_rate(x, output):
    """Return both terms in double precision, from the definitions."""
    x, logits = np.asarray(x, "float64"), np.asarray(output.x_logits, "float64")
    mean, log_var = np.asarray(output.z_mean, "float64"), np.asarray(output.z_log_var, "float64")
    log_likelihood = x * special.log_expit(logits) + (1 - x) * special.log_expit(-logits)
    return -log_likelihood.sum(axis=(1, 2, 3)), 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)


@pytest.mark.parametrize(("latent_dim", "hidden_dim"), [(2, 500), (20, 30)])
def test_dense_vae_has_the_parameters_of_kingma_and_welling(latent_dim, hidden_dim):
    encoder = (784 + 1) * hidden_dim + 2 * (hidden_dim + 1) * latent_dim
    decoder = (latent_dim + 1) * hidden_dim + (hidden_dim + 1) * 784
    assert vaelib.dense_vae(latent_dim, hidden_dim).count_params() == encoder + decoder


def test_more_hidden_layers_are_tanh_layers_one_after_the_other(images):
    """Compute by hand from the variables, in the order in which they are kept."""
    model = vaelib.dense_vae(latent_dim=5, hidden_dim=30, num_hidden=3)
    model.set_weights([np.random.default_rng(0).normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    parts = iter([w.numpy().astype("float64") for w in model.trainable_variables])
    h = images.reshape(-1, 784).astype("float64")
    for _ in range(3):
        h = np.tanh(h @ next(parts) + next(parts))
    z_mean, z_log_var = h @ next(parts) + next(parts), h @ next(parts) + next(parts)
    np.testing.assert_allclose(model.encode(images), (z_mean, z_log_var), rtol=1e-4, atol=1e-4)
    h = z_mean
    for _ in range(3):
        h = np.tanh(h @ next(parts) + next(parts))
    expected = (h @ next(parts) + next(parts)).reshape(-1, 28, 28, 1)
    np.testing.assert_allclose(model.decode(z_mean), expected, rtol=1e-4, atol=1e-4)


def test_z_is_the_reparameterised_sample_that_is_decoded(images):
    model = _dense()
    output = model(images, noise=NOISE)
    np.testing.assert_allclose(output.z, output.z_mean + np.exp(output.z_log_var / 2) * NOISE, rtol=1e-5)
    np.testing.assert_array_equal(output.x_logits, model.decode(output.z))
    np.testing.assert_array_equal((output.z_mean, output.z_log_var), model.encode(images))


@pytest.mark.parametrize("weights", [None, np.linspace(0, 1, 70, dtype="float32")], ids=["unweighted", "weighted"])
def test_objective_is_distortion_plus_beta_rate_plus_decay(images, weights):
    model = _dense(beta=3.0, l2=0.01)
    output = model(images, noise=NOISE)
    distortion, rate = _distortion_and_rate(images, output)
    kernels = [w for w in model.get_weights() if w.ndim == 2]
    decay = 0.01 * sum(np.sum(np.square(kernel)) for kernel in kernels)
    objective = model.objective(images, output, weights)
    np.testing.assert_allclose(objective.distortion, distortion, rtol=1e-5)
    np.testing.assert_allclose(objective.rate, rate, rtol=1e-4)
    np.testing.assert_allclose(objective.beta, 3)
    expected = np.average(distortion + 3 * rate, weights=weights) + decay
    np.testing.assert_allclose(objective.loss, expected, rtol=1e-5)


@pytest.mark.parametrize("weights", [None, np.r_[np.ones(60), np.zeros(10)].astype("float32")], ids=["all", "weighted"])
@pytest.mark.parametrize("free_bits", [1e-6, 0.05, 0.2, 3.0])
def test_free_bits_count_a_low_rate_as_that_many_nats(images, weights, free_bits):
    model = _dense(latent_dim=2, beta=1.5, free_bits=free_bits)
    output = model(images, noise=NOISE)
    objective = model.objective(images, output, weights)
    distortion, rate = _distortion_and_rate(images, output)
    mean, log_var = np.asarray(output.z_mean, "float64"), np.asarray(output.z_log_var, "float64")
    per_dim = np.average(0.5 * (mean**2 + np.exp(log_var) - 1 - log_var), axis=0, weights=weights)
    expected = np.average(distortion, weights=weights) + 1.5 * np.maximum(per_dim, free_bits).sum()
    np.testing.assert_allclose(objective.loss, expected, rtol=1e-5)
    # Report the whole rate.
    np.testing.assert_allclose(objective.rate, rate, rtol=1e-4)


def test_below_the_free_bits_nothing_pulls_at_the_posterior(images):
    model = _dense(free_bits=100.0)
    with tf.GradientTape() as tape:
        output = model(images, noise=NOISE)
        rate_in_loss = model.objective(images, output).loss - tf.reduce_mean(model.objective(images, output).distortion)
    gradients = tape.gradient(rate_in_loss, model.encoder.trainable_variables)
    assert all(np.abs(gradient).max() < 1e-6 for gradient in gradients)


@pytest.mark.slow
def test_free_bits_are_trained_alike_by_both_fits(images):
    ours, theirs = _dense(free_bits=0.3), _dense(free_bits=0.3)
    history = vaelib.fit(ours, images, num_epochs=3, batch_size=70, shuffle=False, verbose=False).history
    by_keras = theirs.fit(images, epochs=3, batch_size=70, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], by_keras["loss"], rtol=0.02)


def test_free_bits_below_zero_are_refused():
    with pytest.raises(ValueError, match=r"free_bits must be zero \(none\) or positive, in nats, got -0\.1"):
        vaelib.dense_vae(free_bits=-0.1)


def test_free_bits_survive_saving(tmp_path):
    _dense(free_bits=0.3).save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").free_bits == 0.3


@pytest.mark.parametrize("model", [vaelib.dense_vae(hidden_dim=16), vaelib.conv_vae()], ids=["dense", "conv"])
def test_gradients_reach_every_weight(model, images):
    _compiled(model)
    with tf.GradientTape() as tape:
        loss = model.objective(images, model(images, noise=NOISE)).loss
    for variable, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        assert np.any(np.array(gradient)), f"{variable.path} has no gradient"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["array", "dataset", "dataset of tuples"])
def test_keras_fit_evaluate_and_predict_work_on(kind, small):
    x = small.x_train[:500]
    dataset = tf.data.Dataset.from_tensor_slices(x if kind == "dataset" else (x,)).batch(100)
    data, batch = (x, {"batch_size": 100}) if kind == "array" else (dataset, {"shuffle": False})
    model = _dense(beta=0.5)
    history = model.fit(data, epochs=3, validation_data=data, verbose=0, **batch).history
    assert history["loss"][-1] < history["loss"][0]
    for prefix in ("", "val_"):
        loss, distortion, rate = (np.array(history[prefix + name]) for name in ("loss", "distortion", "rate"))
        np.testing.assert_allclose(loss, distortion + 0.5 * rate, rtol=1e-5)
    assert set(model.evaluate(data, return_dict=True, verbose=0)) >= {"loss", "distortion", "rate"}
    output = model.predict(data, verbose=0)
    assert isinstance(output, vaelib.models.VAEOutput)
    np.testing.assert_allclose(output.z_mean, model.encode(x)[0], rtol=1e-4, atol=1e-5)
    assert output.x_logits.shape == (500, 28, 28, 1)


@pytest.mark.slow
def test_keras_evaluate_weighs_images_by_sample_weight(images):
    model = _compiled(vaelib.VAE(*_functional_parts(posterior_is_narrow=True), beta=2.0))
    weights = np.linspace(0, 1, 70, dtype="float32")
    distortion, rate = _distortion_and_rate(images, model(images))
    # Pass labels, although a VAE ignores them: without any, Keras drops the weights.
    result = model.evaluate(images, images, sample_weight=weights, batch_size=70, return_dict=True, verbose=0)
    np.testing.assert_allclose(result["loss"], np.average(distortion + 2 * rate, weights=weights), rtol=1e-5)
    np.testing.assert_allclose(result["distortion"], np.average(distortion, weights=weights), rtol=1e-5)


@pytest.mark.slow
def test_beta_follows_the_optimizers_steps_under_keras_fit(images):
    model = _dense(beta=vaelib.schedules.Linear(2.0, num_steps=5))
    history = model.fit(images, batch_size=32, epochs=3, verbose=0).history
    betas = [2 * min((step + 1) / 6, 1) for step in range(9)]
    np.testing.assert_allclose(history["beta"], np.mean(np.reshape(betas, (3, 3)), axis=1), rtol=1e-6)


@pytest.mark.slow
def test_a_keras_schedule_may_be_a_beta(images):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [4.0, 1.0])
    history = _dense(beta=schedule).fit(images, batch_size=32, verbose=0).history
    np.testing.assert_allclose(history["beta"], [(4 + 4 + 1) / 3], rtol=1e-6)


@pytest.mark.parametrize("beta", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("make", [vaelib.dense_vae, vaelib.conv_vae])
def test_a_beta_that_is_negative_or_not_finite_is_refused(make, beta):
    with pytest.raises(ValueError, match=f"beta must be zero or positive and finite, got {beta}"):
        make(beta=beta)


@pytest.mark.parametrize(
    "arguments", [{"latent_dim": 0}, {"hidden_dim": 0}, {"hidden_dim": -3}, {"l2": -1.0}, {"num_hidden": 0}]
)
def test_impossible_sizes_are_refused(arguments):
    with pytest.raises(ValueError, match=str(*arguments.values())):
        vaelib.dense_vae(**arguments)


@pytest.mark.parametrize("make", [vaelib.dense_vae, vaelib.conv_vae, vaelib.linear_vae])
def test_no_latent_dimension_is_refused(make):
    with pytest.raises(ValueError, match="0"):
        make(latent_dim=0)


def test_the_seed_decides_the_draws_of_plain_calls(images):
    one, two, other = (vaelib.VAE(*_functional_parts(), seed=seed) for seed in (1, 1, 2))
    eps = [
        (output.z - output.z_mean) / np.exp(output.z_log_var / 2) for output in (m(images) for m in (one, two, other))
    ]
    np.testing.assert_allclose(eps[0], eps[1], atol=1e-4)
    assert not np.allclose(eps[0], eps[2], atol=1e-1)


@pytest.mark.slow
def test_a_loaded_model_has_the_same_bits_and_trains_on(images, tmp_path):
    model = _dense(beta=vaelib.schedules.Linear(2.0, num_steps=5), l2=0.01)
    model.fit(images, batch_size=32, verbose=0)
    model.save(tmp_path / "dense.keras")
    expected = model(images, noise=NOISE)
    loaded = keras.saving.load_model(tmp_path / "dense.keras", safe_mode=True)
    for ours, theirs in zip(expected, loaded(images, noise=NOISE), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    ours, theirs = (float(m.objective(images, expected).loss) for m in (model, loaded))
    assert ours == theirs, "the weight decay or beta was lost"
    assert loaded.fit(images, batch_size=32, verbose=0).history["beta"] == [pytest.approx(2 * (4 + 5 + 6) / 6 / 3)]


@pytest.mark.slow
def test_another_process_computes_the_same_bits(images, tmp_path):
    models = {
        "dense": vaelib.dense_vae(hidden_dim=16, beta=vaelib.schedules.Linear(2.0, 5), l2=0.01),
        "deep": vaelib.dense_vae(hidden_dim=16, num_hidden=2),
        "conv": vaelib.conv_vae(beta=0.5),
        "functional": vaelib.VAE(*_functional_parts()),
    }
    expected = {name: model(images, noise=NOISE) for name, model in models.items()}
    for name, model in models.items():
        model.save(tmp_path / f"{name}.keras")
    np.savez(tmp_path / "inputs.npz", images=images, noise=NOISE)
    processes.finish(processes.start(loading.compute, tmp_path, list(models)))
    for name, output in expected.items():
        for ours, theirs in zip(output, np.load(tmp_path / f"{name}.npz").values(), strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=name)


@pytest.mark.slow
@pytest.mark.usefixtures("mixed_precision")
def test_mixed_precision_keeps_the_objective_in_float32(images):
    model = _dense()
    output = model(images)
    assert output.z.dtype == output.x_logits.dtype == "float16"
    assert output.z_mean.dtype == output.z_log_var.dtype == "float32"
    objective = model.objective(images, output)
    assert objective.rate.dtype == objective.distortion.dtype == objective.loss.dtype == "float32"
    history = model.fit(images, batch_size=32, epochs=2, verbose=0).history
    assert np.all(np.isfinite([history[name] for name in ("loss", "distortion", "rate")]))


def test_generate_returns_pixels_and_not_logits():
    model, z = vaelib.dense_vae(hidden_dim=4), np.random.default_rng(0).normal(size=(5, 2)).astype("float32")
    np.testing.assert_allclose(model.generate(z), special.expit(np.array(model.decode(z))), rtol=1e-6)
    gaussian = vaelib.linear_vae(image_shape=(3, 3, 1))
    np.testing.assert_array_equal(gaussian.generate(z), gaussian.decode(z))


def test_a_trace_has_a_radius_and_a_width_for_each_posterior():
    rng = np.random.default_rng(0)
    trace = vaelib.models.PosteriorTrace(rng.normal(size=(7, 3)), rng.uniform(0.01, 2, (7, 3)))
    np.testing.assert_allclose(trace.radius, (trace.mean**2).sum(axis=1) ** 0.5)
    np.testing.assert_allclose(trace.width, stats.gmean(trace.std, axis=1))


@pytest.mark.parametrize("asked", [True, False, "auto"])
def test_what_compile_was_told_of_xla_survives_saving(asked, tmp_path):
    model = vaelib.dense_vae(hidden_dim=4)
    model.compile(optimizer="rmsprop", jit_compile=asked)
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").asked_jit_compile == asked
