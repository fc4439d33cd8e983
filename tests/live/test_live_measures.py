"""Compare what the live pictures set beside an answer with plain loops, quantiles and sums."""

import numpy as np
import pytest
from scipy import special

import vaelib
from vaelib.live import measures
from vaelib.models import PosteriorTrace


@pytest.fixture(scope="module")
def model():
    return vaelib.dense_vae(hidden_dim=8)


def test_quartiles_of_prices_are_those_of_each_class(model, small):
    x, labels = small.x_test, np.where(small.y_test == 4, 5, small.y_test)
    posteriors = vaelib.encode_all(model, x)
    quartiles = measures.price_quartiles(model, x, labels, posteriors)
    noise = np.random.default_rng(0).standard_normal(posteriors.mean.shape, "float32")
    output = model(x, noise=noise)
    distortion = np.array(vaelib.bernoulli_distortion(x, output.x_logits))
    rate = np.array(vaelib.gaussian_kl(output.z_mean, output.z_log_var))
    assert len(quartiles) == 11
    assert quartiles[4] is None
    for digit in (5, 7, 10):
        some = labels == digit if digit < 10 else labels >= 0
        for found, price in zip(quartiles[digit], (distortion, rate, -distortion - rate), strict=True):
            np.testing.assert_allclose(found, np.percentile(price[some], [25, 50, 75]), atol=0.006)


def test_reach_is_the_distance_of_almost_all_z_from_another_image():
    rng = np.random.default_rng(1)
    posteriors = PosteriorTrace(rng.standard_normal((300, 2)), rng.uniform(0.1, 0.3, (300, 2)))
    z = posteriors.mean + posteriors.std * np.random.default_rng(0).standard_normal((300, 2), "float32")
    nearest = []
    for i in range(300):
        away = [np.hypot(*((z[i] - posteriors.mean[j]) / posteriors.std[j])) for j in range(300) if j != i]
        nearest.append(min(away))
    assert measures.reach(posteriors) == pytest.approx(np.quantile(nearest, 0.99), rel=1e-6)


def test_reach_in_parts_is_reach_in_one(monkeypatch):
    rng = np.random.default_rng(1)
    posteriors = PosteriorTrace(rng.standard_normal((100, 2)), np.full((100, 2), 0.2))
    whole = measures.reach(posteriors)
    monkeypatch.setattr(measures, "_DISTANCES", 700)
    assert measures.reach(posteriors) == whole


def test_one_image_is_as_far_as_its_own_posterior_reaches():
    assert 0 < measures.reach(PosteriorTrace(np.zeros((1, 2)), np.ones((1, 2)))) < 4


def test_the_sums_are_the_softplus_of_the_logits(model):
    sums = measures.softplus_sums(model)
    side = len(sums)
    for row, column in ((0, 0), (0, side - 1), (side // 2, side // 2), (17, 80)):
        z = [[-7 + 14 * column / (side - 1), -7 + 14 * row / (side - 1)]]
        logits = np.array(model.decode(np.array(z, "float32")), "float64")
        assert sums[row, column] == pytest.approx(np.sum(special.log1p(np.exp(logits))), rel=1e-5)
