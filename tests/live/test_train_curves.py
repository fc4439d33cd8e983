"""Look where the curves of a training write the names of the runs beside it, and how a weight is written."""

import numpy as np
import pytest

import vaelib
from vaelib.live import data

TOP, BOTTOM = 18, 82
# Draw on a canvas of 300 by 100 pixels, and hear what is written where.
WRITTEN = """ends => {
  const canvas = make("canvas", { style: "width: 300px; height: 100px" }), heights = {};
  document.body.replaceChildren(canvas);
  canvas.getContext("2d").fillText = (text, x, y) => { heights[text] = y; };
  const run = (end, i) => ({ beta: 784 * 10 ** -(i + 1), steps: [1, 10], distortion: [100, end], rate: [0, 0] });
  const train = { distortion: [], rate: [] }, mine = { steps: [], distortion: [], rate: [], train };
  const runs = { mine, kept: [], known: ends.map(run), numSteps: 10 };
  drawCurve(canvas, ...CURVES[0], runs, coloursOf(canvas));
  return ends.map((_, i) => heights[String(10 ** -(i + 1))]);
}"""


# Hear where the thin line goes, in a strip of three epochs.
THIN = """() => {
  const canvas = make("canvas", { style: "width: 300px; height: 100px" }), points = [];
  document.body.replaceChildren(canvas);
  const context = canvas.getContext("2d");
  context.lineTo = (x, y) => { if (context.lineWidth === 1) points.push([x, y]); };
  const train = { distortion: [300, 60, 10], rate: [0, 0, 0], beta: [1, 1, 1] };
  const mine = { steps: [0, 5, 10, 15], distortion: [110, 70, 50, 50], rate: [0, 0, 0, 0], train };
  drawCurve(canvas, ...CURVES[0], { mine, kept: [], known: [], numSteps: 15 }, coloursOf(canvas));
  return points;
}"""

# Hear how the lines of this run and of three that were kept are drawn, the thickest last.
LOOKS = """() => {
  const canvas = make("canvas", { style: "width: 300px; height: 100px" }), looks = [];
  document.body.replaceChildren(canvas);
  const context = canvas.getContext("2d");
  context.stroke = () => { looks.push(`${context.strokeStyle} ${context.getLineDash()}`); };
  const train = { distortion: [], rate: [], beta: [] };
  const curve = () => ({ steps: [0, 9], distortion: [9, 8], rate: [1, 2], train });
  const colours = { text: "#111111", faint: "#cccccc", back: "#ffffff", runs: ["#0000aa", "#aa0000", "#00aa00"] };
  const kept = [curve(), curve(), curve()];
  drawCurve(canvas, ...CURVES[0], { mine: curve(), kept, known: [], numSteps: 9 }, colours);
  return looks;
}"""

# Draw posteriors of epochs one after another, and hear how far the plane is shown.
LIMITS = """epochs => {
  const canvas = make("canvas", { style: "width: 200px; height: 200px" }), shown = [];
  document.body.replaceChildren(canvas);
  canvas.getContext("2d").fillText = text => { if (text.startsWith("z₁")) shown.push(Number(text.slice(5))); };
  const panel = { canvas, ink: document.createElement("canvas"), key: "", drawn: 0, far: 0, least: 0 };
  for (const means of epochs) {
    drawTrainPanel(panel, means.flatMap(mean => [mean, 0, 0.5, 0.5]), 2, coloursOf(canvas));
  }
  return shown;
}"""


@pytest.fixture(scope="module")
def page(browser):
    """Return a page with the functions of the curves and the plane as globals."""
    page = browser.new_page()
    for part in ("dom", "plane", "train_settings", "train_curves", "train_panels"):
        page.add_script_tag(content=(data._WEB / f"{part}.js").read_text())
    yield page
    page.close()


@pytest.mark.parametrize("ends", [[90, 50, 10], [90, 13, 10], [12, 11, 10], [10, 11, 12], [99, 98, 97]], ids=str)
def test_names_of_runs_cover_none_and_keep_their_order(ends, page):
    heights = np.array(page.evaluate(WRITTEN, ends))[np.argsort(ends)]
    assert np.all(np.diff(heights) <= -12)
    assert np.all((heights > TOP) & (heights < BOTTOM))


def test_names_far_apart_stand_at_the_ends_of_their_lines(page):
    heights = page.evaluate(WRITTEN, [70, 40, 10])
    np.testing.assert_allclose(heights[:2], [BOTTOM - (end - 10) / 90 * (BOTTOM - TOP) for end in (70, 40)])


def test_the_thin_line_is_the_training_digits_from_epoch_2_on(page):
    (first, middle), (last, bottom) = page.evaluate(THIN)
    # The lowest value in sight is 10, the highest 70: that of the test digits after epoch 1.
    assert (middle, bottom) == (pytest.approx(BOTTOM - (60 - 10) / (70 - 10) * (BOTTOM - TOP)), BOTTOM)
    assert last == 300 - 6
    assert first - 34 == pytest.approx((last - 34) * 2 / 3)


@pytest.mark.parametrize("kl_wt", [1e-4, 1e-3, 3.2e-3, 0.01234, 0.1, 1.0])
def test_a_weight_is_written_as_in_the_library(kl_wt, page):
    assert page.evaluate("weightLabel", kl_wt) == vaelib.RunSpec.from_kl_wt(kl_wt).label


def test_the_plane_is_shown_as_far_as_the_epoch_before_needed(page):
    # A first epoch, the second from its beginning, a third that is collapsed, a fourth, and a training begun anew.
    seen = [[0], [0, 5], [1], [1, 2], [0], [0, 0], [0], [0, 0], [], [0]]
    assert page.evaluate(LIMITS, seen) == [2, 6, 6, 6, 3, 3, 2, 2, 2, 2]


def test_three_runs_that_were_kept_look_unlike_this_one_and_each_other(page):
    *kept, thin, mine = page.evaluate(LOOKS)
    assert len(kept) == 3
    assert thin == mine
    assert len({*kept, mine}) == 4
