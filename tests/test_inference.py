"""The best posteriors, against SciPy's optimiser and a model whose posterior is known."""

import numpy as np
import pytest
from known_models import PATTERNS, probabilistic_pca, tiny_vae
from scipy import optimize

import vaelib

IMAGES = PATTERNS[3:5]


@pytest.mark.parametrize("beta", [1.0, 3.0])
def test_they_are_what_scipy_finds(beta):
    model = tiny_vae(scale=1.0, shift=0.3)
    mean, std = vaelib.best_posteriors(model, IMAGES, beta, num_steps=300, num_nodes=10, verbose=False)
    for i in range(len(IMAGES)):

        def loss(parameters, image=IMAGES[i : i + 1]):
            return -vaelib.elbo(model, image, [parameters[:2]], [np.exp(parameters[2:])], beta, num_nodes=10)[0]

        # Distortions are float32, so steps of the finite differences must not be too small.
        best = optimize.minimize(loss, [0.3, 0.3, -0.7, -0.7], method="Powell", options={"xtol": 1e-4, "ftol": 1e-9})
        np.testing.assert_allclose(mean[i], best.x[:2], atol=0.01)
        np.testing.assert_allclose(std[i], np.exp(best.x[2:]), rtol=0.01)


def test_a_spoiled_encoder_is_put_right():
    model, gaussian = probabilistic_pca()
    x = np.random.default_rng(1).random((5, 2, 2, 1), "float32")
    exact_mean, exact_log_var = (np.array(part) for part in model.encode(x))
    model.encoder.z_mean.bias.assign_add([0.5, -0.3])
    model.encoder.z_log_var.assign_add([1.0, -1.0])
    mean, std = vaelib.best_posteriors(model, x, verbose=False)
    np.testing.assert_allclose(mean, exact_mean, atol=1e-3)
    np.testing.assert_allclose(std, np.exp(0.5 * exact_log_var), rtol=1e-3)
    np.testing.assert_allclose(vaelib.elbo(model, x, mean, std), gaussian.logpdf(x.reshape(5, 4)), atol=1e-4)


def test_they_lie_between_the_encoders_and_the_exact_likelihood(monkeypatch):
    # Two blocks, the second one smaller.
    monkeypatch.setattr("vaelib.inference._IMAGES", 10)
    model = tiny_vae(std=0.3, shift=0.5)
    best = vaelib.best_posteriors(model, PATTERNS, verbose=False)
    elbo, ceiling = vaelib.elbo(model, PATTERNS), vaelib.elbo(model, PATTERNS, *best)
    assert np.all(elbo < ceiling)
    assert np.all(ceiling <= vaelib.exact_log_likelihood(model, PATTERNS, verbose=False) + 1e-4)


def test_a_higher_hill_is_found_wherever_the_encoder_stands(monkeypatch):
    """White pixels are likely where |z_1| > 1, and more so on the left; the encoder says 1.9, on the right."""
    model, white = tiny_vae(shift=1.9), np.ones((1, 2, 2, 1), "float32")
    hidden, logits = model.decoder.layers[1], model.decoder.layers[2]
    hidden.set_weights([np.array([[4.0, -4, 0, 0, 0], [0, 0, 0, 0, 0]]), np.array([-4.0, -4, 0, 0, 0])])
    logits.set_weights([np.array([[2.0] * 4, [2.5] * 4, [0] * 4, [0] * 4, [0] * 4]), np.zeros(4)])
    mean, std = vaelib.best_posteriors(model, white, verbose=False)
    assert mean[0, 0] < -1
    monkeypatch.setattr("vaelib.inference._highest_points", lambda model, x, mean, beta: mean)
    trapped = vaelib.best_posteriors(model, white, verbose=False)
    assert trapped[0][0, 0] > 1
    assert vaelib.elbo(model, white, *trapped) < vaelib.elbo(model, white, mean, std) - 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"beta": 0}, "got beta=0"), ({"num_steps": 0}, "num_steps=0"), ({"learning_rate": -1.0}, r"learning_rate=-1\.0")],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        vaelib.best_posteriors(tiny_vae(), IMAGES, **arguments)
    with pytest.raises(ValueError, match="one or two latent dimensions, got 3"):
        vaelib.best_posteriors(tiny_vae(latent_dim=3), IMAGES)
