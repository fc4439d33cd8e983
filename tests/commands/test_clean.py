"""Cleaning a chapter takes away what differs from run to run, and nothing that an eye could see of its pictures."""

import ast
import base64
import io
import re

import nbformat
import numpy as np
import pytest
import small_pictures
from nbconvert import ScriptExporter
from PIL import Image

import notebooks
import vaelib

WIDGET = "application/vnd.jupyter.widget-view+json"
RNG = np.random.default_rng(1)
PICTURES = {
    "grey digits": np.repeat(RNG.integers(0, 256, (60, 60, 1)), 3, axis=2),
    "few colours": RNG.integers(0, 256, (256, 3))[RNG.integers(0, 256, (60, 60))],
    "many colours": RNG.integers(0, 256, (60, 60, 3)),
}


def png_of(pixels):
    """Return pixels as a PNG, base64, as a notebook keeps it."""
    file = io.BytesIO()
    Image.fromarray(pixels.astype("uint8")).save(file, format="png")
    return base64.b64encode(file.getvalue()).decode()


def pixels_of(png):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"))


def chapter(png):
    """Return a chapter as papermill leaves it: with a picture, a progress bar, a widget and times."""
    outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="100%"),
        nbformat.v4.new_output("display_data", data={WIDGET: {}, "text/plain": "a widget"}),
        nbformat.v4.new_output("execute_result", data={WIDGET: {}, "text/markdown": "What is 1 + 1?"}),
        nbformat.v4.new_output("display_data", data={"image/png": png}),
    ]
    times = {"papermill": {"duration": 1.0}, "execution": {}, "tags": []}
    cell = nbformat.v4.new_code_cell("%pip install nothing\n1 + 1", outputs=outputs, metadata=times)
    kept = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(
        cells=[cell], metadata={**kept, "papermill": {}, "language_info": {"name": "python", "version": "3.11.7"}}
    )


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_shrinks_and_keeps_every_pixel(kind):
    opaque = np.dstack([PICTURES[kind], np.full((60, 60), 255)])
    png = png_of(opaque)
    small = small_pictures.small_png(png)
    assert len(small) < len(png)
    np.testing.assert_array_equal(pixels_of(small), opaque)
    assert small_pictures.small_png(small) == small


def test_a_picture_with_many_colours_changes_less_than_an_eye_could_see():
    shades = np.array([(red, 0, blue) for red in range(256) for blue in (0, 200)])
    many = shades[RNG.integers(0, len(shades), (60, 60))]
    small = small_pictures.small_png(png_of(many))
    off = pixels_of(small)[..., :3] - many
    assert 0 < np.sqrt(np.mean(off**2)) <= small_pictures.MAX_ERROR
    assert len(small) < len(png_of(many))


def test_a_picture_of_lines_keeps_its_ellipses_and_loses_its_date(ax, tmp_path):
    """Find mean and standard deviation again in the ellipses that are written; keep the prior's circle as it is."""
    ax.figure.set_size_inches(6, 6)
    mean, std = RNG.normal(size=(7, 2)), RNG.uniform(0.1, 1, (7, 2))
    vaelib.plot_posteriors(mean, std, ax=ax, num_marks=0)
    ax.figure.savefig(tmp_path / "plane.svg")
    before = (tmp_path / "plane.svg").read_text()
    after = small_pictures.small_svg(before)
    assert "<dc:date>" in before
    assert "<dc:date>" not in after
    found = re.findall(r'<ellipse cx="(.*?)" cy="(.*?)" rx="(.*?)" ry="(.*?)" stroke="#\w{6}"/>', after)
    x, y, rx, ry = np.array(found, "float64").T
    # The file counts in points, 72 to an inch, from its upper left corner.
    points = 72 / ax.figure.dpi
    across, up = (ax.transData.transform(mean) * points).T
    np.testing.assert_allclose([x, 6 * 72 - y], [across, up], atol=0.01)
    scale = np.diff(ax.transData.transform([[0, 0], [1, 1]]), axis=0) * points
    np.testing.assert_allclose([rx, ry], (std * scale).T, atol=0.01)
    assert before.count("<path") - after.count("<path") == 7
    assert small_pictures.small_svg(after) == after


def test_digits_in_a_picture_of_lines_keep_every_pixel(ax, tmp_path):
    digits = RNG.random((4, 28, 28))
    shown = vaelib.plot_images(digits, num_columns=2, ax=ax).get_images()[0]
    ax.figure.savefig(tmp_path / "digits.svg")
    before = (tmp_path / "digits.svg").read_text()
    after = small_pictures.small_svg(before)
    assert len(after) < len(before)
    (png,) = re.findall(r'data:image/png;base64,([^"]+)', after)
    np.testing.assert_array_equal(pixels_of(png), shown.to_rgba(shown.get_array(), bytes=True))


def test_a_picture_that_is_transparent_stays_so():
    png = png_of(np.dstack([PICTURES["few colours"], RNG.integers(0, 256, (60, 60))]))
    assert small_pictures.small_png(png) == png


def test_a_clean_chapter_says_nothing_of_the_run():
    cleaned = notebooks.clean(chapter(png_of(PICTURES["few colours"])))
    assert cleaned.metadata.keys() == {"kernelspec", "language_info"}
    assert "3.11.7" not in nbformat.writes(cleaned)
    (cell,) = cleaned.cells
    assert cell.metadata == {}
    assert [list(output.data) for output in cell.outputs] == [["text/markdown"], ["image/png"]]
    text = nbformat.writes(cleaned)
    assert nbformat.writes(notebooks.clean(nbformat.reads(text, as_version=4))) == text


def test_lines_that_a_progress_bar_parted_are_together_again():
    say = [("stdout", "one\n"), ("stderr", "100%"), ("stdout", "two\n")]
    notebook = chapter(png_of(PICTURES["few colours"]))
    notebook.cells[0].outputs[:0] = [nbformat.v4.new_output("stream", name=name, text=text) for name, text in say]
    first, *others = notebooks.clean(notebook).cells[0].outputs
    assert first.text == "one\ntwo\n"
    assert [other.output_type for other in others] == ["execute_result", "display_data"]


def test_a_clean_chapter_becomes_a_python_script():
    source, resources = ScriptExporter().from_notebook_node(notebooks.clean(chapter(png_of(PICTURES["grey digits"]))))
    assert resources["output_extension"] == ".py"
    ast.parse(source)
