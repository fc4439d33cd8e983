"""The pad's own tools, in a real browser: strokes, undo, pens, what is kept, and links."""

import numpy as np
import pytest
from pictures import opened


def image_of(draw):
    return np.reshape(draw.read("draw")["image"], (28, 28))


def test_the_arrow_keys_draw_too(draw):
    pad = draw.page.locator(".vaelib-pad")
    pad.press(" ")
    for _ in range(15):
        pad.press("ArrowDown")
    pad.press(" ")
    draw.settle()
    rows, columns = np.nonzero(image_of(draw) > 0.5)
    assert (np.ptp(rows), np.ptp(columns)) == (19, pytest.approx(2, abs=1))


def test_a_finger_draws_too(browser, address):
    with opened(browser, f"{address}draw.html", has_touch=True) as draw:
        box = draw.page.locator(".vaelib-pad").bounding_box()
        touch = draw.page.context.new_cdp_session(draw.page)
        for kind, share in (("Start", 0.2), ("Move", 0.5), ("Move", 0.8), ("End", None)):
            points = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + share * box["height"]}] if share else []
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        draw.settle()
        assert np.sum(draw.read("draw")["image"]) > 20
        assert draw.errors == []


def test_undo_goes_back_stroke_by_stroke_and_over_a_clearing(draw):
    draw.stroke((0.3, 0.2), (0.3, 0.8))
    first = image_of(draw)
    draw.stroke((0.3, 0.5), (0.8, 0.5))
    second = image_of(draw)
    assert not np.array_equal(first, second)
    draw.press("Clear")
    assert draw.read("draw") is None
    draw.press("Undo")
    np.testing.assert_array_equal(image_of(draw), second)
    draw.page.locator(".vaelib-pad").press("Control+z")
    draw.settle()
    np.testing.assert_array_equal(image_of(draw), first)
    for _ in range(3):
        draw.press("Undo")
    assert draw.read("draw") is None


def test_a_thicker_pen_leaves_more_ink(draw):
    ink = []
    for pen in ("thin", "medium", "thick"):
        draw.press("Clear")
        draw.page.get_by_role("combobox", name="pen").select_option(pen)
        draw.stroke((0.2, 0.2), (0.8, 0.8))
        ink.append(image_of(draw).sum())
    assert 1.3 * ink[0] < ink[1] < ink[2] / 1.2


def test_a_test_digit_arrives_as_it_is(draw, digits):
    draw.press("test digit 7")
    sevens = digits.x_test[digits.y_test == 7][:1, ..., 0]
    np.testing.assert_allclose(image_of(draw)[None], sevens, atol=1e-5)


def test_a_browser_that_gives_no_pixels_back_changes_nothing(browser, address):
    """Firefox's resistFingerprinting answers a canvas that is read with noise; here it throws."""

    def prepare(page):
        page.add_init_script("CanvasRenderingContext2D.prototype.getImageData = () => { throw new Error('no'); };")

    with opened(browser, f"{address}draw.html", prepare=prepare) as draw:
        draw.stroke((0.25, 0.2), (0.75, 0.2), (0.45, 0.85))
        assert draw.read("draw")["beliefs"][0]["near"]["digit"] == 7
        assert draw.errors == []


def test_the_trail_is_the_way_of_the_mean_while_one_draws(draw):
    draw.stroke((0.25, 0.2), (0.75, 0.2))
    draw.stroke((0.75, 0.2), (0.45, 0.85))
    for belief in draw.read("draw")["beliefs"]:
        assert len(belief["trail"]) >= 4
        assert belief["trail"][-1] == belief["mean"]
    draw.press("test digit 1")
    assert all(len(belief["trail"]) == 1 for belief in draw.read("draw")["beliefs"])


# Two drawings


def test_a_walk_between_two_drawings_decodes_what_lies_between(draw, models):
    slider = draw.page.get_by_role("slider", name="from A to B")
    assert slider.is_disabled()
    means = []
    for digit, name in ((3, "Keep as A"), (0, "Keep as B")):
        draw.press(f"test digit {digit}")
        draw.press(name)
        means.append([belief["mean"] for belief in draw.read("draw")["beliefs"]])
    slider.fill("25")
    draw.settle()
    assert "On the way from A to B" in draw.page.locator(".vaelib-message").inner_text()
    for i, model in enumerate(models):
        z = np.array([0.75 * np.array(means[0][i]) + 0.25 * np.array(means[1][i])], "float32")
        shown = (
            draw.page.locator(".vaelib-pair canvas")
            .nth(2 * i)
            .evaluate(
                "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)"
            )
        )
        np.testing.assert_allclose(1 - np.divide(shown, 255), np.ravel(model.generate(z)), atol=0.004)
    # Drawing ends the walk.
    draw.stroke((0.5, 0.2), (0.5, 0.8))
    assert "On the way" not in draw.page.locator(".vaelib-message").inner_text()


def test_the_walk_plays_to_its_end(draw):
    for digit, name in ((3, "Keep as A"), (0, "Keep as B")):
        draw.press(f"test digit {digit}")
        draw.press(name)
    draw.page.get_by_role("button", name="Walk").press("Enter")
    slider = draw.page.get_by_role("slider", name="from A to B")
    places = []
    while draw.page.get_by_role("button", name="Stop").count():
        places.append(int(slider.input_value()))
        draw.page.wait_for_timeout(100)
    assert places == sorted(places)
    assert len(set(places)) > 10
    assert slider.input_value() == "100"


# Links


def test_a_link_brings_back_the_drawing_and_the_view(browser, address):
    permissions = ["clipboard-read", "clipboard-write"]
    with opened(browser, f"{address}draw.html", permissions=permissions) as draw:
        draw.press("test digit 4")
        draw.page.get_by_role("combobox", name="pen").select_option("thick")
        draw.stroke((0.2, 0.9), (0.8, 0.9))
        draw.page.get_by_role("combobox", name="axes").select_option("±3")
        draw.page.get_by_label("small numbers: half of").select_option("the 9s")
        draw.press("Copy link")
        link, image = draw.page.evaluate("() => navigator.clipboard.readText()"), image_of(draw)
        assert link.startswith(f"{address}draw.html#draw=")
        assert "Copied" in draw.host("draw").inner_text()
    with opened(browser, link, prepare=lambda page: None) as draw:
        draw.host("draw").locator("canvas").first.wait_for()
        draw.settle()
        np.testing.assert_array_equal(image_of(draw), image)
        assert draw.page.get_by_role("combobox", name="axes").locator(":checked").inner_text() == "±3"
        assert "9s: " in draw.page.locator("tbody small").first.inner_text()
        assert draw.errors == []


@pytest.mark.parametrize("text", ["AQ", "!!", "AgAA", "AQAAFgAB", "AQD_", "AQAAAP__", "AQAAFgAA"])
def test_a_damaged_link_is_a_sentence(text, browser, address):
    with opened(browser, f"{address}draw.html#draw={text}") as draw:
        assert "The drawing of this link cannot be shown." in draw.page.locator(".vaelib-message").inner_text()
        draw.stroke((0.5, 0.2), (0.5, 0.8))
        assert "link" not in draw.page.locator(".vaelib-message").inner_text()
        assert draw.errors == []
