"""Compare log-joints in blocks with SciPy and with a computation by hand."""

import numpy as np
import pytest
from known_models import PATTERNS, log_likelihood, probabilistic_pca, tiny_vae
from scipy import stats

from vaelib.analysis.grids import lattice, log_joints


def _whole(model, x, nodes, beta):
    """Put the blocks together, (len(nodes), len(x))."""
    found = np.full((len(nodes), len(x)), np.nan)
    for some, block, log_joint in log_joints(model, x, nodes, beta):
        found[some, block] = log_joint
    return found


def test_a_lattice_has_every_combination():
    nodes = lattice((np.arange(3), [10.0, 20.0]))
    assert {tuple(node) for node in nodes} == {(i, j) for i in range(3) for j in (10, 20)}
    assert lattice([np.arange(4)]).shape == (4, 1)


@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_blocks_of_any_size_hold_the_joint_densities(beta, monkeypatch):
    monkeypatch.setattr("vaelib.analysis.grids._NODES", 7)
    monkeypatch.setattr("vaelib.analysis.grids._IMAGES", 5)
    model, nodes = tiny_vae(), lattice((np.linspace(-2, 2, 5), np.linspace(-1, 1, 4)))
    expected = [log_likelihood(model, image, nodes) / beta + stats.norm.logpdf(nodes).sum(axis=1) for image in PATTERNS]
    np.testing.assert_allclose(_whole(model, PATTERNS, nodes, beta), np.transpose(expected), atol=1e-5)


def test_gaussian_pixels_have_their_density_too():
    model, _ = probabilistic_pca(noise_variance=0.3)
    nodes, x = lattice((np.linspace(-2, 2, 3),) * 2), np.random.default_rng(1).random((4, 2, 2, 1), "float32")
    means = np.array(model.decode(nodes)).reshape(9, 1, 4)
    expected = stats.norm.logpdf(x.reshape(1, 4, 4), means, 0.3**0.5).sum(axis=2)
    expected += stats.norm.logpdf(nodes).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(_whole(model, x, nodes, 1.0), expected, atol=1e-5)
