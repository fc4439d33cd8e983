"""Compare the parts of the rate with closed forms and Monte Carlo."""

import numpy as np
import pytest
from scipy import special, stats

import vaelib
from vaelib.analysis import information


def test_equal_posteriors_tell_nothing_of_the_image():
    mean, std = np.tile([0.7, -0.3], (5, 1)), np.tile([0.5, 1.4], (5, 1))
    rate, mutual_information, marginal_kl = vaelib.elbo_surgery(mean, std)
    kl = float(np.sum(0.5 * (mean[0] ** 2 + std[0] ** 2 - 1) - np.log(std[0])))
    assert rate == pytest.approx(kl)
    assert marginal_kl == pytest.approx(kl, abs=1e-9)
    assert mutual_information == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("n", [2, 7])
def test_posteriors_far_apart_tell_which_image_it_is(n):
    mean = np.stack([np.linspace(-3, 3, n), np.zeros(n)], axis=1)
    assert vaelib.elbo_surgery(mean, np.full((n, 2), 0.02)).mutual_information == pytest.approx(np.log(n), abs=1e-9)


def test_collapsed_posteriors_have_neither_part():
    parts = vaelib.elbo_surgery(np.zeros((4, 2)), np.ones((4, 2)))
    np.testing.assert_allclose(parts, 0, atol=1e-12)


def test_the_parts_are_those_of_monte_carlo(monkeypatch):
    # Take some blocks, the last one smaller.
    monkeypatch.setattr(information, "_POSTERIORS", 30)
    rng = np.random.default_rng(0)
    mean, std = rng.normal(0, 1.2, (100, 2)), rng.uniform(0.1, 0.6, (100, 2))
    image = rng.integers(100, size=20_000)
    z = mean[image] + std[image] * rng.standard_normal((len(image), 2))
    each = stats.norm.logpdf(z[:, np.newaxis], mean, std).sum(axis=2)
    marginal = special.logsumexp(each, axis=1) - np.log(100)
    samples = {
        "mutual_information": each[np.arange(len(z)), image] - marginal,
        "marginal_kl": marginal - stats.norm.logpdf(z).sum(axis=1),
    }
    found = vaelib.elbo_surgery(mean, std)
    assert found.rate == found.mutual_information + found.marginal_kl
    for name, values in samples.items():
        assert getattr(found, name) == pytest.approx(values.mean(), abs=4 * values.std() / len(values) ** 0.5)


def test_a_grid_that_is_too_coarse_is_made_finer(monkeypatch):
    mean, std = np.array([[0.0, 0.0], [0.3, 0.1]]), np.full((2, 2), 0.1)
    expected = vaelib.elbo_surgery(mean, std)
    monkeypatch.setattr(information, "_SPACING", 4.0)
    np.testing.assert_allclose(vaelib.elbo_surgery(mean, std), expected, atol=1e-3)
    monkeypatch.setattr(information, "_MAX_HALVINGS", 0)
    with pytest.raises(ArithmeticError, match=r"disagree by \S+ nats even 0\.4 apart"):
        vaelib.elbo_surgery(mean, std)


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        (np.zeros((3, 3)), np.ones((3, 3)), r"one shape \(n, 2\), got \(3, 3\)"),
        (np.zeros((3, 2)), np.ones((2, 2)), r"got \(3, 2\) and \(2, 2\)"),
        (np.zeros((3, 2)), np.zeros((3, 2)), "positive standard deviations"),
    ],
)
def test_bad_input_is_refused(mean, std, message):
    with pytest.raises(ValueError, match=message):
        vaelib.elbo_surgery(mean, std)
