"""Draw what a network does with one image, and what its gradients pass, with the numbers and shapes they have."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from figures import numbers_after, texts

import vaelib


@pytest.fixture
def axes():
    """Return three empty Axes in a figure of their own."""
    figure, axes = plt.subplots(1, 3)
    yield axes
    plt.close(figure)


def draw_seven(digits, axes, z=(1.9, -1.5)):
    x = digits.x_test[0]
    return vaelib.plots.draw_one_image(x, [1.8, -1.7], [0.3, 0.2], z, 0.5 * x, axes)


def test_one_image_is_drawn_with_its_posterior_its_sample_and_its_reconstruction(digits, axes):
    image, plane, decoded = draw_seven(digits, axes)
    np.testing.assert_array_equal(image.images[0].get_array(), digits.x_test[0, ..., 0])
    np.testing.assert_array_equal(decoded.images[0].get_array(), 0.5 * digits.x_test[0, ..., 0])
    (ellipse,) = plane.patches
    assert ellipse.get_center() == (1.8, -1.7)
    assert (ellipse.width, ellipse.height) == pytest.approx((0.6, 0.4)), "one standard deviation to each side"
    circle, point = plane.lines
    np.testing.assert_allclose(np.hypot(*circle.get_data()), 1)
    np.testing.assert_array_equal(point.get_xydata(), [[1.9, -1.5]])
    assert plane.get_aspect() == 1
    assert [ax.get_title(loc="center") for ax in axes] == ["x", "posterior q(z|x)", "x_mean"]


def test_one_image_wants_a_plane_and_three_axes(digits, axes):
    with pytest.raises(ValueError, match=r"shape \(2,\), a latent plane, got \(2,\), \(2,\) and \(3,\)"):
        draw_seven(digits, axes, z=[0, 0, 0])
    with pytest.raises(ValueError, match="three Axes, got 2"):
        draw_seven(digits, axes[:2])


def stages_of(model, x):
    """Return what a real network makes of an image, stage by stage."""
    output = model(x)
    halves = {"z_mean": output.z_mean[0], "z_log_var": output.z_log_var[0]}
    return [{"x": x[0]}, halves, {"z": output.z[0]}, {"x_logits": output.x_logits[0]}]


def test_the_stages_have_their_names_and_real_shapes(digits, ax):
    stages = stages_of(vaelib.dense_vae(), digits.x_test[:1])
    shown = [text.get_text() for text in vaelib.plots.draw_data_flow(stages, ax).texts]
    named = [(name, "×".join(map(str, values.shape))) for stage in stages for name, values in stage.items()]
    assert named == [
        ("x", "28×28×1"),
        ("z_mean", "2"),
        ("z_log_var", "2"),
        ("z", "2"),
        ("x_logits", "28×28×1"),
    ]
    for name, shape in named:
        assert shown[shown.index(name) + 1] == shape
    # Two numbers are written in their box.
    z = np.asarray(stages[2]["z"])
    assert "\n".join(f"{number:.2f}" for number in z).replace("-", "−") in shown
    assert shown.count("") == len(stages) - 1, "an arrow between two stages"


def test_a_stage_of_more_numbers_is_higher_and_an_image_is_drawn_as_it_is(digits, ax):
    ax = vaelib.plots.draw_data_flow([{"x": digits.x_test[0]}, {"h": np.arange(32.0)}, {"z": [1.0, -2.0]}], ax)
    heights = [np.ptp(line.get_ydata()) for line in ax.lines]
    assert heights[0] > heights[1] > heights[2] > 0.2
    np.testing.assert_array_equal(ax.images[0].get_array(), digits.x_test[0, ..., 0])
    np.testing.assert_array_equal(ax.images[1].get_array(), np.arange(32.0).reshape(-1, 1))


def test_a_flow_without_stages_is_refused():
    with pytest.raises(ValueError, match="at least one stage"):
        vaelib.plots.draw_data_flow([{"x": [1.0]}, {}])


def test_what_passes_back_is_the_derivative(axes):
    """Compare the numbers at the arrows with finite differences of a function of mean and standard deviation."""
    mean, std, noise, step = 0.6, 0.7, -1.1, 1e-6

    def f(mean, std):
        return -np.log1p(np.exp(-3 * (mean + std * noise)))

    z = mean + std * noise
    slope = 3 / (1 + np.exp(3 * z))
    drawn, shifted = vaelib.plots.draw_reparameterisation(mean, std, noise, slope, axes[:2])
    said = texts(shifted)
    by_mean = (f(mean + step, std) - f(mean - step, std)) / (2 * step)
    by_std = (f(mean, std + step) - f(mean, std - step)) / (2 * step)
    assert numbers_after("∂f/∂μ =", said) == [round(by_mean, 2)]
    assert numbers_after("∂f/∂σ =", said) == [round(by_std, 2)]
    assert numbers_after("∂f/∂z =", said) == [round(slope, 2)]
    assert "\nz = −0.17\n" in said
    assert z == pytest.approx(-0.17)
    assert numbers_after("ε =", said) == [noise]
    assert texts(drawn).count("no way back") == 2
    assert "∂f/∂μ" not in texts(drawn)
    with pytest.raises(ValueError, match="std > 0 and two Axes, got 0 and 2"):
        vaelib.plots.draw_reparameterisation(0, 0, 0, 0, axes[:2])
