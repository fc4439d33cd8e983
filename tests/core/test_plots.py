"""Draw the numbers where they belong, and touch nothing but the given Axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.transforms import Affine2D
from scipy import stats

import vaelib

RNG = np.random.default_rng(0)
MEAN, STD = RNG.normal(size=(20, 2)), RNG.uniform(0.1, 1.5, (20, 2))
HISTORY = {"loss": [3.0, 2.0, 1.5], "val_loss": [3.5, 2.5, 2.0], "beta": [0.0, 0.5, 1.0], "seconds": [1.0, 1.0, 1.0]}

DRAWINGS = {
    "images": lambda ax: vaelib.plot_images(RNG.random((4, 28, 28)), ax=ax),
    "grid": lambda ax: vaelib.plot_latent_grid(RNG.random((9, 28, 28, 1)), vaelib.latent_grid(3), ax=ax),
    "means": lambda ax: vaelib.plot_latent_means(MEAN, np.arange(20) % 10, ax=ax),
    "posteriors": lambda ax: vaelib.plot_posteriors(MEAN, STD, ax=ax),
    "trace": lambda ax: vaelib.plot_posterior_trace(np.arange(1.0, 21.0), STD[:, 0], ax=ax),
    "true posterior": lambda ax: vaelib.plot_true_posterior(RNG.random((4, 5)), np.arange(5), np.arange(4), ax=ax),
    "schedule": lambda ax: vaelib.plot_schedule(vaelib.schedules.Linear(1.0, 10), 20, ax=ax),
    "history": lambda ax: vaelib.plot_history(HISTORY, ax=ax),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_it_draws_into_the_given_axes_only_and_returns_them(draw, ax):
    settings, other = dict(plt.rcParams), plt.figure().add_subplot()
    assert draw(ax) is ax
    assert ax.has_data()
    assert not other.has_data(), "it drew into the current Axes"
    assert dict(plt.rcParams) == settings
    assert plt.gca() is other
    plt.close(other.figure)


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_without_axes_it_takes_the_current_ones(draw, ax):
    plt.sca(ax)
    assert draw(None) is ax


def test_images_stand_in_rows_the_last_filled_with_paper(ax):
    images = RNG.random((5, 4, 3, 1), "float32")
    (picture,) = vaelib.plot_images(images, num_columns=2, ax=ax).get_images()
    shown = picture.get_array()
    assert shown.shape == (3 * 4, 2 * 3)
    for i, image in enumerate(images[..., 0]):
        row, column = divmod(i, 2)
        np.testing.assert_array_equal(shown[4 * row : 4 * row + 4, 3 * column : 3 * column + 3], image)
    np.testing.assert_array_equal(shown[8:, 3:], 0)
    # Ink is black and paper white, whatever the images hold.
    np.testing.assert_array_equal(picture.to_rgba(np.array([0.0, 1.0]))[:, :3], [[1, 1, 1], [0, 0, 0]])
    assert picture.get_clim() == (0, 1)


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (28, 28, 3), (0, 28, 28), (3, 28, 28, 2), (3, 784)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="plot_images expects images"):
        vaelib.plot_images(np.zeros(shape))


@pytest.mark.parametrize(
    ("images", "came"),
    [
        (np.full((2, 28, 28), 255), "got int64: divide 8-bit images by 255"),
        (np.full((2, 28, 28), 255.0), "got values from 255 to 255: rescale them"),
        (np.full((2, 28, 28), np.nan), "got values from nan to nan"),
        (iter(np.zeros((2, 28, 28))), "iterator: give an array"),
        ([np.zeros((28, 28)), np.zeros((8, 8))], "got parts of several shapes"),
    ],
)
def test_images_that_would_be_drawn_wrong_are_refused(images, came):
    with pytest.raises(ValueError, match=came):
        vaelib.plot_images(images)


def test_a_little_beyond_the_ends_is_drawn_as_the_end(ax):
    (picture,) = vaelib.plot_images(np.float32([[[-0.5, 1.5]]]), ax=ax).get_images()
    np.testing.assert_array_equal(picture.get_array(), [[0, 1]])


def test_the_ticks_of_a_latent_grid_are_where_its_points_are(ax):
    """Find a digit that was decoded from z where the axes say z."""
    z = vaelib.latent_grid(15)
    ax = vaelib.plot_latent_grid(np.zeros((225, 28, 28, 1)), z, ax=ax)
    for name, ticks, labels in (
        ("z1", ax.get_xticks(), ax.get_xticklabels()),
        ("z2", ax.get_yticks(), ax.get_yticklabels()),
    ):
        assert len(ticks) == 5
        for tick, label in zip(ticks, labels, strict=True):
            index = int(tick // 28)
            value = z[index, 0] if name == "z1" else z[15 * index, 1]
            assert abs(float(label.get_text().replace("−", "-")) - value) < 0.06
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_1$", "$z_2$")


@pytest.mark.parametrize(("num_images", "num_points"), [(8, 9), (8, 8), (9, 8)])
def test_what_is_no_square_grid_is_refused(num_images, num_points):
    with pytest.raises(ValueError, match=f"square grid, got {num_images} and {num_points}"):
        vaelib.plot_latent_grid(np.zeros((num_images, 28, 28, 1)), np.zeros((num_points, 2)))


def _assert_prior_circle(ax):
    (circle,) = (line for line in ax.lines if line.get_label() == "prior")
    np.testing.assert_allclose(np.hypot(*circle.get_data()), 1)
    assert circle.get_color() == "black"
    assert ax.get_aspect() == 1


def test_posteriors_are_ellipses_of_one_standard_deviation(ax):
    ax = vaelib.plot_posteriors(MEAN, STD, ax=ax)
    ax.figure.draw_without_rendering()
    (ellipses,) = ax.collections
    (path,), to_data = ellipses.get_paths(), ax.transData.inverted()
    for shape, offset, mean, std in zip(ellipses.get_transforms(), ellipses.get_offsets(), MEAN, STD, strict=True):
        on_screen = path.transformed(Affine2D(shape) + ellipses.get_transform()).vertices
        np.testing.assert_array_equal(offset, mean)
        points = to_data.transform(on_screen + ax.transData.transform(mean))
        np.testing.assert_allclose(points.max(axis=0), mean + std, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(points.min(axis=0), mean - std, rtol=1e-3, atol=1e-3)
    _assert_prior_circle(ax)


def test_posteriors_go_from_red_to_violet_and_none_is_pale(ax):
    colors = vaelib.plot_posteriors(MEAN, STD, ax=ax).collections[0].get_edgecolor()
    (red, green, blue), (last_red, last_green, last_blue) = colors[0, :3], colors[-1, :3]
    assert red > 0.8 > 0.2 > max(green, blue)
    assert last_blue > 0.7 > 0.3 > last_green
    assert 0.3 < last_red < 0.7
    linear = np.where(colors[:, :3] < 0.04045, colors[:, :3] / 12.92, ((colors[:, :3] + 0.055) / 1.055) ** 2.4)
    # The contrast to white that WCAG 2 asks of the parts of a picture.
    assert np.all(1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) > 3)


@pytest.mark.parametrize("draw", [DRAWINGS["posteriors"], DRAWINGS["means"]], ids=["posteriors", "means"])
def test_everything_is_shown_in_a_square_unless_a_limit_is_given(draw, ax):
    (left, right), (bottom, top) = draw(ax).get_xlim(), ax.get_ylim()
    assert right - left == pytest.approx(top - bottom)
    assert np.all([left, bottom] < np.minimum(MEAN.min(axis=0), -1)), "the prior's circle is cut"
    assert np.all([right, top] > np.maximum(MEAN.max(axis=0), 1))


def test_a_far_posterior_is_shown_whole_and_a_limit_has_the_prior_in_its_middle(ax):
    ax = vaelib.plot_posteriors([[30.0, 0]], [[2.0, 1]], ax=ax)
    assert ax.get_xlim()[0] < -1
    assert 32 < ax.get_xlim()[1] < 34
    assert vaelib.plot_posteriors([[30.0, 0]], [[2.0, 1]], ax=ax, limit=3).get_xlim() == (-3, 3)
    assert ax.get_ylim() == (-3, 3)


def test_latent_means_have_their_class_in_their_middle(ax):
    labels = np.array([3] * 10 + [8] * 10)
    ax = vaelib.plot_latent_means(MEAN, labels, ax=ax)
    assert [text.get_text() for text in ax.texts] == ["3", "8"]
    np.testing.assert_allclose(ax.texts[1].get_position(), np.median(MEAN[10:], axis=0), atol=1e-5)
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), MEAN[:10])
    assert (ax.collections[0].get_facecolor() != ax.collections[1].get_facecolor()).any()
    _assert_prior_circle(ax)


def test_labels_that_would_cover_each_other_move_apart(ax):
    labels, middles = np.arange(20) % 10, np.stack([np.arange(20) % 10 * 0.1, np.zeros(20)], axis=1)
    ax = vaelib.plot_latent_means(middles, labels, ax=ax, limit=2)
    places = np.array([text.get_position() for text in ax.texts])
    distances = np.hypot(*(places[:, None] - places).T) + 10 * np.eye(10)
    assert distances.min() > 0.3
    assert np.abs(places - middles[:10]).max() < 1.5


def test_classes_in_one_place_share_one_label(ax):
    labels, shift = np.arange(20) % 10, np.array([1.0, -1.0])
    ax = vaelib.plot_latent_means(1e-3 * MEAN + shift, labels, ax=ax, limit=2)
    assert [text.get_text() for text in ax.texts] == ["0–9"]
    np.testing.assert_allclose(ax.texts[0].get_position(), shift, atol=0.01)


@pytest.mark.parametrize("dimensions", [1, 3])
def test_another_number_of_latent_dimensions_is_refused(dimensions):
    with pytest.raises(ValueError, match=r"plot_posteriors expects mean of shape \(n, 2\)"):
        vaelib.plot_posteriors(np.zeros((5, dimensions)), np.ones((5, dimensions)))
    with pytest.raises(ValueError, match=r"plot_latent_means expects z_mean of shape \(n, 2\)"):
        vaelib.plot_latent_means(np.zeros((5, dimensions)), np.zeros(5))


def test_the_order_of_posteriors_shows_without_colour(ax):
    far = np.stack([np.arange(20.0), np.zeros(20)], axis=1)
    vaelib.plot_posteriors(far, STD, ax=ax, num_marks=4)
    marked = {text.get_text(): text.get_position() for text in ax.texts}
    assert marked == {str(batch): tuple(far[batch - 1]) for batch in (1, 3, 7, 20)}
    assert np.ptp(ax.collections[0].get_linewidths()) == 0
    (circle,) = (line for line in ax.lines if line.get_label() == "prior")
    assert circle.get_zorder() > ax.collections[0].get_zorder()


def test_a_number_that_would_cover_another_is_left_out(ax):
    vaelib.plot_posteriors(0.001 * MEAN, STD, ax=ax)
    assert [text.get_text() for text in ax.texts] == ["20"]
    ax.clear()
    assert not vaelib.plot_posteriors(MEAN, STD, ax=ax, num_marks=0).texts


def test_the_bar_of_colours_may_be_left_out(ax):
    (bar,) = vaelib.plot_posteriors(MEAN, STD, ax=ax).child_axes
    assert [text.get_text() for text in bar.texts] == ["batch 1", "20"]
    ax.clear()
    assert not vaelib.plot_posteriors(MEAN, STD, ax=ax, legend=False).child_axes


def test_a_trace_has_radius_and_width_of_every_batch(ax):
    vaelib.plot_posterior_trace([5.0, 1.0], [1.0, 0.2], ax=ax)
    radius, width = (line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_label()[0] != "_")
    np.testing.assert_allclose(radius.get_xydata(), [[1, 5], [2, 1]])
    np.testing.assert_allclose(width.get_xydata(), [[1, 1], [2, 0.2]])
    assert ax.get_yscale() == "log"


@pytest.mark.parametrize(("radius", "width"), [(MEAN, STD), ([1.0, 2.0], [1.0])], ids=["means", "lengths"])
def test_a_trace_of_other_shapes_is_refused(radius, width, ax):
    with pytest.raises(ValueError, match=r"one shape \(n,\), got .*: pass trace.radius and trace.width"):
        vaelib.plot_posterior_trace(radius, width, ax=ax)


COVARIANCE = np.array([[0.04, 0.018], [0.018, 0.01]])


def correlated_gaussian():
    """Return the log-density of a Gaussian about (1, -2) on a grid, and the grid."""
    z_1, z_2 = np.linspace(0, 2, 401), np.linspace(-2.6, -1.4, 241)
    nodes = np.stack(np.meshgrid(z_1, z_2), axis=-1)
    return stats.multivariate_normal([1, -2], COVARIANCE).logpdf(nodes) - 150, z_1, z_2


def test_the_contours_of_a_gaussian_are_its_ellipses(ax):
    ax = vaelib.plot_true_posterior(*correlated_gaussian(), ax=ax)
    outer, inner = ax.collections[0].get_paths()
    for path, radii in ((outer, {1, 2}), (inner, {1})):
        offset = path.vertices - [1, -2]
        radius = np.sqrt(np.einsum("ni,ij,nj->n", offset, np.linalg.inv(COVARIANCE), offset))
        nearest = np.abs(radius[:, None] - sorted(radii)).min(axis=1)
        assert nearest.max() < 0.03
        assert {round(each) for each in radius} == radii
    assert not ax.lines
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 2), (-2.6, -1.4))


def test_the_ellipses_are_those_of_the_gaussian_in_its_place(ax):
    mean, std = np.array([1.1, -2.1]), np.array([0.2, 0.1])
    ax = vaelib.plot_true_posterior(*correlated_gaussian(), mean, std, ax=ax)
    for line, radius in zip(ax.lines, (1, 2), strict=True):
        np.testing.assert_allclose(np.linalg.norm((line.get_xydata() - mean) / std, axis=1), radius)
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--"]


def test_a_true_posterior_on_another_grid_is_refused():
    log_joint, z_1, z_2 = correlated_gaussian()
    with pytest.raises(ValueError, match=r"\(len\(z_2\), len\(z_1\)\), \(241, 401\), got \(401, 241\)"):
        vaelib.plot_true_posterior(log_joint.T, z_1, z_2)


def test_a_schedule_is_drawn_over_all_of_its_steps(ax):
    line = vaelib.plot_schedule(vaelib.schedules.Linear(2.0, 4), 8, ax=ax, label="a").lines[0]
    np.testing.assert_allclose(line.get_ydata(), [0.4, 0.8, 1.2, 1.6, 2, 2, 2, 2], rtol=1e-6)
    np.testing.assert_array_equal(line.get_xdata(), np.arange(8))
    assert line.get_label() == "a"


def test_history_starts_at_epoch_one_and_names_its_unit(ax):
    ax = vaelib.plot_history(HISTORY, ax=ax)
    train, validation = ax.lines
    np.testing.assert_array_equal(train.get_data(), [[1, 2, 3], HISTORY["loss"]])
    np.testing.assert_array_equal(validation.get_data(), [[1, 2, 3], HISTORY["val_loss"]])
    assert train.get_color() == validation.get_color()
    assert (train.get_linestyle(), validation.get_linestyle()) == ("-", "--")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "nats per image")
    assert [text.get_text() for text in ax.get_legend().texts] == ["loss", "val_loss"]


@pytest.mark.parametrize(("name", "unit"), [("seconds", "seconds"), ("beta", "β")])
def test_what_is_not_in_nats_says_so(name, unit, ax):
    assert vaelib.plot_history(HISTORY, (name,), ax=ax).get_ylabel() == unit


def test_an_unknown_name_of_the_history_is_refused():
    with pytest.raises(ValueError, match=r"no \['elbo'\] in the history, which has \['beta', 'loss'"):
        vaelib.plot_history(HISTORY, ("loss", "elbo"))


def test_runs_stand_on_lines_of_slope_minus_beta(ax):
    rate, distortion, beta = [7.0, 0.5, 0.0], [142.0, 195.0, 206.0], [0.5, 20.0, 0.0]
    assert vaelib.plot_rate_distortion(rate, distortion, beta, ax) is ax
    *slopes, dots = ax.lines
    np.testing.assert_array_equal(dots.get_xydata(), np.stack([rate, distortion], axis=1))
    for line, middle, weight in zip(slopes, dots.get_xydata(), beta, strict=True):
        start, end = line.get_xydata()
        np.testing.assert_allclose((start + end) / 2, middle)
        assert (end[1] - start[1]) / (end[0] - start[0]) == pytest.approx(-weight)


def test_the_style_of_the_book_comes_with_the_library():
    with plt.style.context("vaelib.plots.book"):
        assert plt.rcParams["font.size"] > plt.rcParamsDefault["font.size"]
        assert plt.rcParams["figure.facecolor"] == "white", "dark type on a dark page"


def test_images_in_colour_are_drawn_in_their_colours_and_any_size(ax):
    images = RNG.random((3, 4, 5, 3), "float32")
    (picture,) = vaelib.plot_images(images, num_columns=2, ax=ax).get_images()
    drawn = np.asarray(picture.get_array())
    assert drawn.shape == (8, 10, 3)
    np.testing.assert_array_equal(drawn[4:, :5], images[2])
    assert np.all(drawn[4:, 5:] == 1), "the empty place is not white"


def test_the_axes_of_a_grid_fit_images_that_are_not_square(ax):
    z = vaelib.latent_grid(3)
    vaelib.plot_latent_grid(RNG.random((9, 4, 6, 3)), z, ax=ax)
    assert ax.get_xticks().tolist() == [3, 9, 15]
    assert ax.get_yticks().tolist() == [10, 6, 2]
