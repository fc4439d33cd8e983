"""Hold states and thresholds beyond collapse to finite differences, to dense matrices and to the collapsed state."""

import numpy as np
import pytest
from scipy import special

import vaelib
from vaelib.analysis import best_code, one_unit_state, second_threshold
from vaelib.analysis.stability import _NODES, _weights

NODES, HERMITE = np.polynomial.hermite_e.hermegauss(9)
HERMITE = HERMITE / HERMITE.sum()


@pytest.fixture(scope="module")
def x():
    """Return images of six pixels: two hidden causes, of three pixels each, the first one clearer than the second."""
    rng = np.random.default_rng(0)
    causes = rng.standard_normal((400, 2))
    tilts = np.array([[2, 2, 2, 0, 0, 0], [0, 0, 0, 1.5, -1.5, 1.5]])
    return special.expit(causes @ tilts + 0.3 * rng.standard_normal((400, 6))).reshape(400, 2, 3, 1).astype("float32")


@pytest.fixture(scope="module")
def beta(x):
    return 0.75 * vaelib.collapse_threshold(x)[0]


@pytest.fixture(scope="module")
def state(x, beta):
    return one_unit_state(x, beta, steps=500)


def whole_loss(x, state, beta, u, f):
    """Return distortion + beta * rate of two dimensions, the second tilting logits by z2 u(z1), by plain sums."""
    pixels, weights = x.reshape(len(x), -1).astype("float64"), _weights(state.mean, state.std)
    total = 0
    for node, weight in zip(NODES, HERMITE, strict=True):
        logits = special.logit(state.decoded) + (f[:, None, None] + node) * u
        distortion = (np.logaddexp(0, logits) - pixels[:, None] * logits).sum(axis=2)
        total += weight * (weights * distortion).sum(axis=1).mean()
    return total + beta * (state.rate + np.mean(f**2) / 2)


def test_the_gain_is_the_loss_computed_by_hand(x, state, beta):
    none = np.zeros_like(state.decoded)
    loss = whole_loss(x, state, beta, none, np.zeros(len(x)))
    assert vaelib.collapsed_loss(x) - loss == pytest.approx(state.gain, abs=1e-4)
    assert state.gain > 0.01
    assert np.mean(state.mean**2 + state.std**2) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("constant", [True, False])
def test_the_threshold_is_where_small_steps_change_sign(x, state, beta, constant):
    """Build the eigenproblem as dense matrices, and take the step of its best direction in the whole loss."""
    pixels, weights = x.reshape(len(x), -1).astype("float64"), _weights(state.mean, state.std).astype("float64")
    # Let g be linear in u: one column for each node and pixel, or for each pixel.
    told = weights[:, :, None] * (pixels[:, None] - state.decoded)
    cost = weights.mean(axis=0)[:, None] * state.decoded * (1 - state.decoded)
    if constant:
        told, cost = told.sum(axis=1, keepdims=True), cost.sum(axis=0, keepdims=True)
    told, cost = told.reshape(len(x), -1), cost.ravel()
    used = cost > 1e-7
    scaled = told[:, used] / np.sqrt(cost[used])
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(x))
    threshold = second_threshold(x, state, constant)
    assert threshold == pytest.approx(values[-1], rel=2e-3)

    u = np.zeros(len(cost))
    u[used] = vectors[:, -1] / np.sqrt(cost[used])
    before = whole_loss(x, state, beta, np.zeros_like(state.decoded), np.zeros(len(x)))
    for at in (0.8 * threshold, 1.25 * threshold):
        size = 0.03
        f = size * (told @ u) / at
        tilt = np.broadcast_to(size * u.reshape(-1, 6), state.decoded.shape)
        changed = whole_loss(x, state, beta, tilt, f) - before + (at - beta) * np.mean(f**2) / 2
        assert changed == pytest.approx(size**2 / 2 * (1 - threshold / at), rel=0.05)


def test_a_constant_direction_is_no_better_than_a_free_one(x, state):
    assert second_threshold(x, state, constant=True) <= second_threshold(x, state) * (1 + 1e-3)


def test_around_the_collapsed_state_it_is_the_first_threshold(x):
    first = vaelib.collapse_threshold(x)[0]
    state = one_unit_state(x, 3 * first, steps=200)
    assert state.rate < 1e-6
    assert second_threshold(x, state) == pytest.approx(first, rel=1e-2)


def test_a_code_of_classes_saves_what_their_means_save(x):
    labels = (x[:, 0, 0, 0] > 0.5).astype(int)
    shares = labels.mean(), 1 - labels.mean()
    code = best_code(x, 1e-3, np.eye(2)[labels], steps=1)
    assert code.rate <= special.entr(shares).sum() + 1e-6
    losses = [vaelib.collapsed_loss(x[labels == value]) for value in (1, 0)]
    saved = vaelib.collapsed_loss(x) - np.dot(shares, losses)
    assert code.gain >= saved - 1e-3 * special.entr(shares).sum() - 1e-4


@pytest.mark.parametrize(("ratio", "used"), [(0.7, True), (3, False)])
def test_a_code_is_used_below_the_threshold_only(x, ratio, used):
    start = np.eye(2)[(x[:, 0, 0, 0] > 0.5).astype(int)]
    code = best_code(x, ratio * vaelib.collapse_threshold(x)[0], start, steps=500)
    assert (code.gain > 0.01, code.rate > 0.01) == (used, used)


def test_bad_input_is_refused(x, state):
    with pytest.raises(ValueError, match="positive"):
        one_unit_state(x, 0)
    with pytest.raises(ValueError, match="same 100 images"):
        one_unit_state(x[:100], 1, state)
    with pytest.raises(ValueError, match="same images"):
        second_threshold(x[:100], state)
    with pytest.raises(ValueError, match="rows of sum 1"):
        best_code(x, 1, np.ones((400, 2)))
    with pytest.raises(ValueError, match="alike"):
        best_code(np.zeros((3, 2, 2, 1)), 1, np.ones((3, 1)))


def test_posteriors_on_the_nodes_have_their_moments():
    weights = _weights(np.array([0.3]), np.array([0.6]))
    assert weights @ _NODES == pytest.approx([0.3], abs=1e-6)
    assert weights @ (_NODES - 0.3) ** 2 == pytest.approx([0.36], abs=1e-6)
