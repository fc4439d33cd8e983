"""Compare what the browser computes with Keras and SciPy, number by number."""

import itertools

import numpy as np
import pytest
from browsing import served
from packed import BYTES, numbers
from scipy import ndimage

import vaelib
from vaelib.live import data

NUM_IMAGES = 1000
PIXELS = "const pixels = (x, i) => Float32Array.from(x.values.subarray(784 * i, 784 * (i + 1)), value => value / 255);"


@pytest.fixture(scope="module")
def page(browser, pictures):
    """Return a page with the functions of the live pictures as globals, and the exported data."""
    page = browser.new_page()
    with served(pictures) as address:
        page.goto(f"{address}live/live.css")
        for part in ("packing", "network", "ink", "dom", "plane", "classes", "tiles", "posterior", "belief"):
            page.add_script_tag(content=(data._WEB / f"{part}.js").read_text())
        page.add_script_tag(content=f"{BYTES} {PIXELS} window.vaelibData = {{}};")
        for i in range(3):
            for kind in ("encoder", "decoder", "softplus", "points"):
                page.add_script_tag(url=f"{kind}-{i}.js")
        yield page


def packed_images(x):
    return data.pack(np.round(255 * x[..., 0]), "uint8")


@pytest.mark.parametrize("run", range(3))
def test_encoder_decoder_and_nats_are_those_of_keras(run, page, models, digits):
    model, x = models[run], digits.x_test[:NUM_IMAGES]
    mean, log_var = (np.array(part) for part in model.encode(x))
    z = mean + np.exp(0.5 * log_var) * np.random.default_rng(0).standard_normal(mean.shape, "float32")
    logits = model.decode(z)
    seen = page.evaluate(
        """([run, packed, z]) => {
          const name = kind => `${kind}-${run}`, images = unpack("x", packed);
          const all = { encoded: [], decoded: new Float32Array(784 * z.length), nats: [] };
          const [encoder, decoder] = ["encoder", "decoder"].map(kind => unpack(name(kind), vaelibData[name(kind)]));
          for (let i = 0; i < z.length; i++) {
            const x = pixels(images, i), posterior = encode(encoder, x), logits = decode(decoder, z[i]);
            const { distortion, rate, elbo } = nats(pixelCosts(x, logits), posterior);
            all.encoded.push(...posterior.mean, ...posterior.logVar, ...posterior.std);
            all.decoded.set(sigmoid(logits), 784 * i);
            all.nats.push(distortion, rate, elbo);
          }
          return Object.fromEntries(Object.entries(all).map(([key, values]) => [key, asText(values)]));
        }""",
        [run, packed_images(x), z.tolist()],
    )
    encoded = numbers(seen["encoded"], NUM_IMAGES, 3, 2)
    expected = np.stack([mean, log_var, np.exp(0.5 * log_var)], axis=1)
    np.testing.assert_allclose(encoded, expected, rtol=0, atol=1e-2)
    decoded = numbers(seen["decoded"], NUM_IMAGES, 784)
    np.testing.assert_allclose(decoded, 1 / (1 + np.exp(-np.reshape(logits, (-1, 784)))), rtol=0, atol=1e-3)
    distortion, rate, elbo = numbers(seen["nats"], NUM_IMAGES, 3).T
    np.testing.assert_allclose(distortion, vaelib.bernoulli_distortion(x, logits), rtol=2e-3)
    np.testing.assert_allclose(rate, vaelib.gaussian_kl(mean, log_var), rtol=2e-3, atol=5e-3)
    np.testing.assert_allclose(elbo, -(distortion + rate), rtol=1e-6)


def as_mnist(page, drawings):
    """Return the page's answer to drawings (n, side, side) in [0, 1]."""
    side = drawings.shape[-1]
    text = page.evaluate(
        """([packed, side]) => {
          const all = unpack("ink", packed).values, images = [];
          for (let i = 0; i < all.length; i += side * side) {
            images.push(...asMnist(Float32Array.from(all.subarray(i, i + side * side), value => value / 255), side));
          }
          return asText(images);
        }""",
        [data.pack(np.round(255 * drawings), "uint8"), side],
    )
    return numbers(text, len(drawings), 28, 28)


def test_digits_of_mnist_drawn_large_become_themselves_again(page, digits):
    x = digits.x_test[:100, ..., 0]
    # Ten times as large, and not in the middle.
    large = np.pad(np.kron(x, np.ones((10, 10))), ((0, 0), (5, 35), (30, 10)))
    np.testing.assert_allclose(as_mnist(page, large), x, atol=1e-6)


def test_a_drawing_is_scaled_and_centred_as_scipy_does_it(page):
    rng = np.random.default_rng(0)
    drawings = np.zeros((20, 140, 140))
    for drawing in drawings:
        points = rng.uniform(20, 120, (4, 2))
        for start, end in itertools.pairwise(points):
            for share in np.linspace(0, 1, 200):
                row, column = (start + share * (end - start)).astype(int)
                drawing[row - 5 : row + 6, column - 5 : column + 6] = 1
    seen = as_mnist(page, drawings)
    for drawing, image in zip(drawings, seen, strict=True):
        (rows, columns) = ndimage.find_objects((drawing > 0).astype(int))[0]
        height, width = rows.stop - rows.start, columns.stop - columns.start
        down, across = (max(1, round(20 * side / max(height, width))) for side in (height, width))
        # So fine that every small pixel consists of whole fine ones: their mean is the mean over its area.
        fine = np.kron(drawing[rows, columns], np.ones((down, across)))
        small = fine.reshape(down, height, across, width).mean(axis=(1, 3))
        top, left = np.round(14 - np.array(ndimage.center_of_mass(small))).astype(int)
        expected = np.zeros((28, 28))
        expected[top : top + small.shape[0], left : left + small.shape[1]] = small
        np.testing.assert_allclose(image, expected, atol=1e-5)
        np.testing.assert_allclose(ndimage.center_of_mass(image), [14, 14], atol=0.51)


STROKES = [
    {"width": 22, "points": [[60, 60], [200, 70], [110, 250]]},
    {"width": 14, "points": [[40, 40]]},
    {"width": 32, "points": [[100, 30], [101, 32], [140, 90], [180, 91], [181, 200]]},
    {"width": 22, "points": [[0, 0], [280, 200]]},
    {"width": 22, "points": [[140, 280], [140, 140]]},
]


@pytest.mark.parametrize("mark", STROKES, ids=lambda mark: f"{mark['width']} wide, {len(mark['points'])} points")
def test_the_ink_of_a_stroke_is_what_the_canvas_draws(mark, page):
    ours, canvas, small, of_canvas = page.evaluate(
        """mark => {
          const canvas = Object.assign(document.createElement("canvas"), { width: 280, height: 280 });
          const context = canvas.getContext("2d", { willReadFrequently: true });
          Object.assign(context, { lineWidth: mark.width, lineCap: "round", lineJoin: "round" });
          context.beginPath();
          context.moveTo(mark.points[0][0] + 0.01, mark.points[0][1]);
          for (const [x, y] of mark.points) context.lineTo(x, y);
          context.stroke();
          const { data } = context.getImageData(0, 0, 280, 280), ours = inkOf([mark], 280);
          const read = Float32Array.from({ length: 280 * 280 }, (_, i) => data[4 * i + 3] / 255);
          return [ours, read, asMnist(ours, 280), asMnist(read, 280)].map(asText);
        }""",
        mark,
    )
    difference = np.abs(numbers(ours, 280, 280) - numbers(canvas, 280, 280))
    # Only pixels at the edge differ, where each has its own way of counting shares.
    edge = (numbers(canvas, 280, 280) % 1 > 0) | (numbers(ours, 280, 280) % 1 > 0)
    assert difference[~edge].max() < 0.01
    assert difference.max() < 0.3
    assert difference[edge].mean() < 0.1
    # A dot is enlarged to 20 pixels, and the differences at its edge with it.
    tolerance = 0.2 if len(mark["points"]) == 1 else 0.04
    np.testing.assert_allclose(numbers(small, 28, 28), numbers(of_canvas, 28, 28), atol=tolerance)


def test_ink_of_several_marks_is_the_most_of_each(page, digits):
    pixels = np.round(255 * digits.x_test[0].ravel()).astype(int).tolist()
    marks = [{"pixels": pixels}, STROKES[0], STROKES[2]]
    together, *single = (
        numbers(text, 280, 280)
        for text in page.evaluate(
            "marks => [marks, ...marks.map(mark => [mark])].map(some => asText(inkOf(some, 280)))", marks
        )
    )
    np.testing.assert_array_equal(together, np.max(single, axis=0))
    np.testing.assert_allclose(single[0], np.kron(np.reshape(pixels, (28, 28)), np.ones((10, 10))) / 255, atol=1e-6)


NUMBERS = """([points, size, limit]) => {
  const labels = points.map((_, i) => i % 10), plane = planeOf(null, size, limit);
  return classNumbers(plane, Float32Array.from(points.flat()), labels).map(({ text, place }) => [text, place]);
}"""


@pytest.mark.parametrize("scale", [0, 0.01, 0.3, 2], ids="scale {}".format)
def test_numbers_of_classes_cover_none_and_are_one_after_collapse(scale, page, ax):
    """The text of one is eight pixels wide, and all are merged where `plot_latent_means` merges them."""
    rng = np.random.default_rng(1)
    middles = rng.standard_normal((10, 2))
    points = np.concatenate([scale * middles + shift for shift in (-0.001, 0, 0.001)])
    found = page.evaluate(NUMBERS, [points.tolist(), 220, 6])
    vaelib.plot_latent_means(points, np.arange(len(points)) % 10, limit=6, ax=ax)
    assert [text for text, _ in found] == [text.get_text() for text in ax.texts]
    places = np.array([place for _, place in found])
    apart = np.hypot(*(places[:, None] - places).T)[np.triu_indices(len(places), 1)]
    assert apart.size in (0, 45)
    assert np.all(apart > 14)


def test_a_number_with_none_near_stands_at_the_median_of_its_class(page):
    middles = np.array([[-4, 2], [0, -3], [5, 1]])
    points = np.concatenate([middles + shift for shift in (-0.1, 0, 0.5)])
    found = page.evaluate(NUMBERS.replace("% 10", "% 3"), [points.tolist(), 220, 6])
    np.testing.assert_allclose([place for _, place in found], 110 + 220 / 12 * middles * [1, -1], atol=1e-3)


@pytest.mark.parametrize("run", range(3))
def test_the_true_posterior_is_that_of_keras(run, page, models, digits):
    """Compare log p(x, z) with Keras on the page's own lattice, and log p(x) with `exact_log_likelihood`."""
    model, x = models[run], digits.x_test[:12]
    seen = page.evaluate(
        """([run, packed, count]) => {
          const images = unpack("x", packed), [decoder, sums] = ["decoder", "softplus"]
            .map(kind => unpack(`${kind}-${run}`, vaelibData[`${kind}-${run}`]));
          return Array.from({ length: count }, (_, i) => {
            const work = truePosterior(decoder, sums, pixels(images, i));
            let next = work.next();
            while (!next.done) next = work.next();
            return { ...next.value, values: asText(next.value.values), contours: null };
          });
        }""",
        [run, packed_images(x), len(x)],
    )
    exact = vaelib.exact_log_likelihood(model, x, verbose=False)
    for image, found, log_p in zip(x, seen, exact, strict=True):
        # What the page sums is rounded: a digit of more ink is further off.
        np.testing.assert_allclose(found["logEvidence"], log_p, atol=0.05, rtol=1e-4)
        axes = [low + step * np.arange(found["side"]) for low, step in zip(found["low"], found["step"], strict=True)]
        nodes = vaelib.analysis.grids.lattice(axes)
        z = np.array(nodes, "float32")
        distortion = vaelib.bernoulli_distortion(np.repeat(image[None], len(z), axis=0), model.decode(z))
        joint = -np.array(distortion) - 0.5 * np.sum(z**2, axis=1) - np.log(2 * np.pi)
        values = numbers(found["values"], found["side"] ** 2)
        high = joint > joint.max() - 8
        np.testing.assert_allclose(values[high], joint[high], atol=0.1, rtol=1e-4)


@pytest.mark.parametrize(("limit", "centre"), [(6, [0, 0]), (0.75, [1.5, -2])])
def test_tiles_are_what_keras_decodes_and_faint_where_no_digit_comes(limit, centre, page, models, digits):
    posteriors = vaelib.encode_all(models[0], digits.x_test[:3000])
    text, reach = page.evaluate(
        """([limit, centre]) => {
          const [decoder, points] = ["decoder-0", "points-0"].map(name => unpack(name, vaelibData[name]));
          const canvas = make("canvas", { width: TILES * SIDE, height: TILES * SIDE });
          for (const _ of tilePlane(canvas, decoder, points, { limit, centre }, () => {}));
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const ink = Float32Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 3] / 255);
          return [asText(ink), points.reach];
        }""",
        [limit, centre],
    )
    ticks = limit * ((2 * np.arange(15) + 1) / 15 - 1)
    z = vaelib.analysis.grids.lattice((centre[0] + ticks, centre[1] - ticks))
    nearest = [np.linalg.norm((point - posteriors.mean) / posteriors.std, axis=1).min() for point in z]
    strength = np.where(np.array(nearest) <= reach, 1, 0.15)[:, None, None]
    tiles = numbers(text, 15, 28, 15, 28).swapaxes(1, 2).reshape(-1, 28, 28)
    np.testing.assert_allclose(tiles, strength * models[0].generate(z)[..., 0], atol=0.004)
    assert 0 < np.mean(strength < 1) < 1 or limit < 6


def test_the_view_around_a_posterior_holds_the_true_one_too(page):
    alone, both = page.evaluate(
        """() => {
          const belief = { mean: [1, 2], std: [0.1, 0.2] };
          const exact = { contours: [[[1, 2, 1.1, 2]], [[3, 2, 3.1, 2.1], [1, -2, 1, -1.9]]] };
          return [viewOf(null, belief), viewOf(null, { ...belief, exact })];
        }"""
    )
    assert (alone["limit"], alone["centre"]) == (pytest.approx(1.05 * 0.6), pytest.approx([1, 2]))
    # From 0.7 to 3.1 and from -2 to 2.6.
    assert (both["limit"], both["centre"]) == (pytest.approx(1.05 * 2.3), pytest.approx([1.9, 0.3]))
