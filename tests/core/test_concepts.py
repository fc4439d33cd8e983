"""Draw the book's ideas from the numbers that they are about, and say those numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from figures import numbers_after, texts
from scipy import integrate, optimize, stats

import vaelib

BOOK = "vaelib.plots.book"


def valleys(betas=(6.0, 4.0, 3.0, 2.0), largest=4.0):
    size = np.linspace(-3, 3, 301)
    return size, [vaelib.theory.linear_vae_valley(size, largest, beta=beta) for beta in betas], betas, largest


# The ELBO as a bar


def test_the_bars_split_the_same_length_in_two_ways(ax):
    vaelib.plots.draw_elbo_bar(115.6, 12.3, 7.9, ax)
    distortion, rate, log_p, gap = ax.patches
    np.testing.assert_allclose([bar.get_width() for bar in (distortion, rate, gap)], [115.6, 12.3, 7.9])
    assert distortion.get_x() == log_p.get_x() == 0
    assert rate.get_x() == distortion.get_width()
    assert gap.get_x() == log_p.get_width()
    # -log p(x) is what distortion and rate leave when the gap is taken away.
    assert log_p.get_width() == pytest.approx(115.6 + 12.3 - 7.9)
    assert rate.get_x() + rate.get_width() == pytest.approx(gap.get_x() + gap.get_width())
    assert distortion.get_y() == rate.get_y() > log_p.get_y() == gap.get_y()


def test_the_bars_say_their_nats(ax):
    said = texts(vaelib.plots.draw_elbo_bar(115.6, 12.3, 7.9, ax))
    named = {"distortion": 115.6, "rate": 12.3, "gap": 7.9, "log p(x)": 120.0}
    assert {name: numbers_after(name, said) for name in named} == {name: [nats] for name, nats in named.items()}
    assert "−ELBO = 127.9 nats" in said
    assert ax.get_xlabel() == "nats"


def test_a_gap_below_zero_is_refused():
    with pytest.raises(ValueError, match=r"a gap of at least 0 nats, got -1.0: pass log p\(x\) - ELBO"):
        vaelib.plots.draw_elbo_bar(100.0, 5.0, -1.0)
    with pytest.raises(ValueError, match="a rate of at least 0 nats, got nan"):
        vaelib.plots.draw_elbo_bar(100.0, np.nan, 1.0)


# The KL as an overlap


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1.4, 1.0), (-0.5, 0.3)])
def test_the_curves_are_the_two_densities(mean, std, ax):
    prior, posterior = vaelib.plots.draw_kl_overlap(mean, std, 0.0, ax).lines
    np.testing.assert_allclose(prior.get_ydata(), stats.norm.pdf(prior.get_xdata()), atol=1e-12)
    np.testing.assert_allclose(posterior.get_ydata(), stats.norm.pdf(posterior.get_xdata(), mean, std), atol=1e-12)
    assert ax.get_ylim()[1] > posterior.get_ydata().max()


def test_what_both_cover_is_shaded(ax):
    (shade,) = vaelib.plots.draw_kl_overlap(1.4, 1.0, 0.98, ax).collections
    z, height = shade.get_paths()[0].vertices.T
    both = np.minimum(stats.norm.pdf(z), stats.norm.pdf(z, 1.4))
    assert np.all(np.isclose(height, both, atol=1e-9) | (height == 0))
    assert height.max() == pytest.approx(stats.norm.pdf(0.7), abs=1e-6)


def test_the_title_is_the_kl_in_nats(ax):
    kl, _ = integrate.quad(
        lambda z: stats.norm.pdf(z, 1.4, 0.3) * (stats.norm.logpdf(z, 1.4, 0.3) - stats.norm.logpdf(z)), -6, 6
    )
    drawn = float(vaelib.gaussian_kl(np.array([[1.4]]), np.array([[2 * np.log(0.3)]]))[0])
    said = texts(vaelib.plots.draw_kl_overlap(1.4, 0.3, drawn, ax))
    assert numbers_after("KL", ax.get_title(loc="center")) == [round(kl, 2)], said


def test_panels_that_share_a_height_show_the_highest_peak():
    fig, axes = plt.subplots(1, 2, sharey=True)
    for ax, std in zip(axes, (1.0, 0.2), strict=True):
        vaelib.plots.draw_kl_overlap(0.0, std, 0.0, ax)
    assert axes[0].get_ylim()[1] == axes[1].get_ylim()[1] > stats.norm.pdf(0, scale=0.2)
    plt.close(fig)


# The valley


def test_the_valley_is_lowest_where_the_linear_optimum_is():
    """Look for the lowest point by optimisation, and compare it with the closed form of the whole model."""
    spectrum, noise = [4.0, 0.7, 0.5], 0.5
    for beta in (0.5, 3.0, 7.9, 8.1, 20.0):
        best = vaelib.linear_vae_optimum(spectrum, 1, noise, beta)
        collapsed = vaelib.linear_vae_optimum(spectrum, 1, noise, beta=1e9)
        found = optimize.minimize_scalar(
            lambda w, beta=beta: float(vaelib.theory.linear_vae_valley(w, 4.0, noise, beta)),
            bounds=(0, 5),
            method="bounded",
        )
        assert found.fun == pytest.approx(best.loss - collapsed.loss, abs=1e-6)
        assert found.x == pytest.approx(best.decoder_norm[0], abs=2e-2 if beta > 7 else 1e-4)


def test_the_valley_is_the_loss_with_the_best_encoder():
    """Write the loss of one dimension down in full, and let an optimiser find the encoder."""
    eigenvalue, noise, beta, w = 4.0, 0.5, 3.0, 1.3

    def loss(encoder):
        row, log_var = encoder
        var = np.exp(log_var)
        distortion = ((1 - w * row) ** 2 * eigenvalue + w**2 * var) / (2 * noise)
        return distortion + beta * 0.5 * (row**2 * eigenvalue + var - 1 - log_var)

    best = optimize.minimize(loss, [0.1, 0.0], tol=1e-12).fun
    collapsed = eigenvalue / (2 * noise)
    assert vaelib.theory.linear_vae_valley(w, eigenvalue, noise, beta) == pytest.approx(best - collapsed, abs=1e-8)


@pytest.mark.parametrize("wrong", [{"eigenvalue": -1.0}, {"noise_variance": 0.0}, {"beta": np.inf}])
def test_a_valley_of_impossible_numbers_is_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be a"):
        vaelib.theory.linear_vae_valley(1.0, **({"eigenvalue": 4.0} | wrong))


def test_the_balls_lie_in_the_middle_above_the_threshold_and_in_valleys_below(ax):
    size, changes, betas, largest = valleys()
    vaelib.plots.draw_collapse_valley(size, changes, betas, largest, ax)
    curves, balls = ax.lines[:-1:2], ax.lines[1:-1:2]
    for curve, change in zip(curves, changes, strict=True):
        np.testing.assert_array_equal(curve.get_xydata(), np.stack([size, change], axis=1))
    places = [ball.get_xdata().round(2).tolist() for ball in balls]
    assert places == [[0], [0], [-1, 1], [-1.42, 1.42]]
    assert [text.get_text() for text in ax.texts] == ["1.5 β$_c$", "β$_c$", "0.75 β$_c$", "0.5 β$_c$"]
    assert "nats" in ax.get_ylabel()


def test_changes_of_another_shape_are_refused():
    size, changes, betas, largest = valleys()
    with pytest.raises(ValueError, match=r"\(4, 301\), got \(301, 4\)"):
        vaelib.plots.draw_collapse_valley(size, np.transpose(changes), betas, largest)


# The trade

RATE, DISTORTION, BETA = [7.7, 3.0, 0.0, 2.2], [147.7, 159.3, 206.0, 169.4], [0.784, 7.84, 78.4, 11.76]


def test_the_price_falls_by_beta_for_a_nat_of_rate(ax):
    runs, line, corner, dot = vaelib.plots.draw_trade(RATE, DISTORTION, BETA, 1, ax).lines
    np.testing.assert_array_equal(runs.get_xydata(), sorted(zip(RATE, DISTORTION, strict=True)))
    np.testing.assert_array_equal(dot.get_xydata(), [[3.0, 159.3]])
    (left, high), (right, low) = line.get_xydata()
    assert (high - low) / (right - left) == pytest.approx(7.84)
    # All points of the line have one loss.
    np.testing.assert_allclose(line.get_xydata() @ [7.84, 1], 159.3 + 7.84 * 3.0)
    np.testing.assert_allclose(np.abs(np.diff(corner.get_xydata(), axis=0)), [[0, 7.84], [1, 0]])
    assert "β = 7.84 nats\nof distortion" in texts(ax)


@pytest.mark.parametrize(
    ("distortion", "said"),
    [(DISTORTION, "no run"), ([147.7, 159.3, 150.0, 164.0], "2 runs"), ([147.7, 159.3, 206.0, 164.0], "1 run")],
)
def test_it_counts_the_runs_of_smaller_loss(distortion, said, ax):
    assert f"smaller loss: {said}" in texts(vaelib.plots.draw_trade(RATE, distortion, BETA, 1, ax)).split("\n")


def test_a_trade_of_other_shapes_is_refused():
    with pytest.raises(ValueError, match=r"of one shape \(n,\), got \(4,\), \(4,\) and \(1,\)"):
        vaelib.plots.draw_trade(RATE, DISTORTION, BETA[:1], 0)


# The mean over pixels


def test_a_mean_over_pixels_is_a_larger_weight_of_the_kl(ax):
    vaelib.plots.draw_mean_over_pixels(150.0, 7.5, [1.0, 5e-4], 784, ax)
    shares = [bar.get_width() for bar in ax.patches]
    np.testing.assert_allclose(np.add(shares[::2], shares[1::2]), 100)
    for share, beta in zip(shares[::2], (1.0, 784.0, 0.392), strict=True):
        # The share is that of the loss in sums, with the beta that the picture names.
        assert share == pytest.approx(100 * 150 / (150 + beta * 7.5))
        assert f"β = {beta:.3g}" in texts(ax)
    assert vaelib.beta_from_kl_wt(5e-4) == pytest.approx(0.392)


def test_weights_that_are_not_positive_are_refused():
    with pytest.raises(ValueError, match="expects positive numbers"):
        vaelib.plots.draw_mean_over_pixels(150.0, 7.5, [0.0], 784)


# Annealing


def schedules_of(beta, num_steps):
    names = vaelib.schedules
    return {
        "Constant": names.Constant(beta),
        "Linear": names.Linear(beta, num_steps // 2),
        "Cyclical": names.Cyclical(beta, num_steps),
    }


def test_the_price_is_the_schedules_own(ax):
    schedules = schedules_of(0.784, 1000)
    lines = vaelib.plots.draw_annealing(schedules, 1000, ax).lines
    assert [line.get_label() for line in lines] == list(schedules)
    for i, (line, schedule) in enumerate(zip(lines, schedules.values(), strict=True)):
        share, price = line.get_data()
        expected = np.array(schedule(share / 100 * 1000)) / 0.784 * np.ones_like(share)
        # Later lines lie a little lower, so that none hides another.
        np.testing.assert_allclose(price + 0.012 * i, expected, atol=1e-6)
        assert share[0] == 0
        assert share[-1] == pytest.approx(99.9)


def test_schedules_of_other_targets_are_refused():
    with pytest.raises(ValueError, match="one target, got largest betas"):
        vaelib.plots.draw_annealing({"a": vaelib.schedules.Constant(1.0), "b": vaelib.schedules.Constant(2.0)}, 10)


# All of them

ONE_AXES = {
    "bar": lambda ax: vaelib.plots.draw_elbo_bar(115.6, 12.3, 7.9, ax),
    "overlap": lambda ax: vaelib.plots.draw_kl_overlap(1.4, 0.3, 0.98, ax),
    "valley": lambda ax: vaelib.plots.draw_collapse_valley(*valleys(), ax),
    "trade": lambda ax: vaelib.plots.draw_trade(RATE, DISTORTION, BETA, 1, ax),
    "flow": lambda ax: vaelib.plots.draw_data_flow([{"x": np.ones((4, 4, 1))}, {"z": [1.0, -2.0]}], ax),
    "annealing": lambda ax: vaelib.plots.draw_annealing(schedules_of(0.784, 1000), 1000, ax),
    "mean": lambda ax: vaelib.plots.draw_mean_over_pixels(150.0, 7.5, [1.0, 5e-4], 784, ax),
}


@pytest.mark.parametrize("draw", ONE_AXES.values(), ids=ONE_AXES)
def test_it_draws_into_the_given_axes_only_or_the_current_ones(draw, ax):
    settings, other = dict(plt.rcParams), plt.figure().add_subplot()
    assert draw(ax) is ax
    assert ax.has_data()
    assert not other.has_data(), "it drew into the current Axes"
    assert dict(plt.rcParams) == settings
    assert draw(None) is other
    plt.close(other.figure)


@pytest.mark.parametrize("draw", ONE_AXES.values(), ids=ONE_AXES)
def test_its_type_is_readable_on_a_phone_and_inside_the_picture(draw):
    """Show 8 inches in the 328 pixels that a phone of 360 leaves: no letter smaller than 7 pixels, none cut off."""
    with plt.style.context(BOOK):
        fig, ax = plt.subplots(figsize=(8, 4))
        draw(ax)
        fig.canvas.draw()
        shown = [text for text in fig.findobj(plt.Text) if text.get_text() and text.get_visible()]
        ticks = [label for axis in (ax.xaxis, ax.yaxis) for label in axis.get_ticklabels()]
        for text in shown:
            if text not in ticks:
                assert text.get_fontsize() / 72 * 328 / 8 >= 7, text
                box = text.get_window_extent()
                assert box.x0 >= -1, text
                assert box.x1 <= fig.bbox.x1 + 1, text
                assert box.y0 >= -1, text
                assert box.y1 <= fig.bbox.y1 + 1, text
        plt.close(fig)
