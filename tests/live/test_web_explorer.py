"""The explorer, in a real browser: what it decodes is what Keras does, and it follows mouse, finger and keyboard."""

import base64
from datetime import datetime, timedelta

import numpy as np
import pytest
from browsing import PHONE
from pictures import opened

import vaelib

PHONE_SIZE = {"width": PHONE, "height": 740}


@pytest.fixture
def explorer(browser, address):
    with opened(browser, f"{address}explorer.html") as explorer:
        yield explorer
        assert explorer.errors == []


@pytest.fixture(scope="module")
def posteriors(models, digits):
    return [vaelib.encode_all(model, digits.x_test[:3000]) for model in models]


def hover(explorer, across, down):
    """Move the mouse to shares of the plane's width and height."""
    box = explorer.page.locator(".vaelib-target").bounding_box()
    explorer.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    explorer.settle()


def decoded(model, z):
    return np.reshape(model.generate(np.array(z, "float32")), (-1, 28, 28))


def assert_decoded(read, models, z, atol):
    np.testing.assert_allclose(read["z"], z, atol=atol)
    for image, model in zip(read["images"], models, strict=True):
        np.testing.assert_allclose(image, decoded(model, [read["z"]]).ravel(), atol=1e-3)


def ink_of(canvas):
    """Return the ink (height, width) in [0, 1] on a transparent canvas."""
    text = canvas.evaluate("""canvas => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return btoa(Array.from({ length: data.length / 4 }, (_, i) => String.fromCharCode(data[4 * i + 3])).join(""));
    }""")
    height, width = (int(canvas.get_attribute(name)) for name in ("height", "width"))
    return np.frombuffer(base64.b64decode(text), "u1").reshape(height, width) / 255


def test_the_explorer_follows_the_mouse_and_the_arrow_keys(explorer, models):
    hover(explorer, 0.7, 0.4)
    assert_decoded(explorer.read("explorer"), models, [2.4, 1.2], 0.02)
    canvas = explorer.page.locator(".vaelib-target")
    canvas.press("Home")
    for key in ("ArrowLeft", "Shift+ArrowDown", "Shift+ArrowDown", "ArrowUp"):
        canvas.press(key)
    explorer.settle()
    assert_decoded(explorer.read("explorer"), models, [-0.1, -0.9], 1e-9)


def test_a_click_keeps_the_point_when_the_mouse_leaves(explorer):
    hover(explorer, 0.25, 0.5)
    explorer.page.mouse.down()
    explorer.page.mouse.up()
    hover(explorer, 0.75, 0.5)
    assert explorer.read("explorer")["z"] == pytest.approx([3, 0], abs=0.05)
    explorer.page.mouse.move(5, 5)
    explorer.settle()
    assert explorer.read("explorer")["z"] == pytest.approx([-3, 0], abs=0.05)


def test_the_collapsed_network_decodes_the_same_everywhere(explorer):
    images = []
    for across, down in ((0.2, 0.3), (0.5, 0.5), (0.8, 0.6)):
        hover(explorer, across, down)
        images.append(explorer.read("explorer")["images"])
    spread = np.ptp(np.array(images), axis=0).max(axis=1)
    assert spread[0] > 0.9
    assert spread[2] < 0.35


def test_the_explorer_shows_and_names_the_chosen_plane(explorer):
    explorer.page.get_by_role("radio", name="kl_wt 0.01").check()
    explorer.settle()
    assert explorer.read("explorer")["run"] == 1
    assert "kl_wt 0.01 (β = 7.84)" in explorer.page.locator("[aria-live]").inner_text()
    assert "The planes have nothing in common but their prior" in explorer.host("explorer").inner_text()


def test_it_says_how_far_the_nearest_digit_is_and_where_none_comes(explorer, posteriors):
    for across, down, far in ((0.45, 0.5, [False, False, False]), (0.995, 0.005, [True, True, True])):
        hover(explorer, across, down)
        z = explorer.read("explorer")["z"]
        distances = [np.linalg.norm((z - mean) / std, axis=1).min() for mean, std in posteriors]
        captions = explorer.page.locator(".vaelib-distance").all_inner_texts()
        for distance, caption, none in zip(distances, captions, far, strict=True):
            assert caption == ("no digit comes here" if none else f"a digit at {distance:.1f} σ")
        said = explorer.page.locator(".vaelib-where").inner_text()
        assert f"{distances[0]:.1f} of its own standard deviations" in said
        assert ("No digit comes here" in said) == far[0]


def test_ten_samples_of_the_prior_are_decoded_by_every_network(explorer, models):
    z, strips = [], explorer.page.locator(".vaelib-samples canvas").all()
    for _ in range(20):
        explorer.page.get_by_role("button", name="Sample again").click()
        z.append(explorer.read("explorer")["samples"])
    for strip, model in zip(strips, models, strict=True):
        np.testing.assert_allclose(ink_of(strip), np.hstack(decoded(model, z[-1])), atol=0.004)
    z = np.reshape(z, (-1, 2))
    assert np.abs(z.mean(axis=0)).max() < 4 / len(z) ** 0.5
    assert np.abs(z.std(axis=0) - 1).max() < 4 / (2 * len(z)) ** 0.5


# A walk


def test_a_walk_goes_from_a_to_b_and_stops(explorer, posteriors, digits, models):
    ends = [np.median(posteriors[0].mean[digits.y_test[:3000] == digit], axis=0) for digit in (1, 0)]
    np.testing.assert_allclose(explorer.read("explorer")["ends"], ends, atol=0.02)
    # Take the clock from the page: a walk lasts for six seconds, and a busy machine may be late.
    clock = explorer.page.clock
    clock.install()
    clock.pause_at(datetime.now() + timedelta(hours=1))
    explorer.page.get_by_role("button", name="Walk").press("Enter")
    clock.run_for(2000)
    explorer.page.get_by_role("button", name="Stop").press("Enter")
    z = np.array(explorer.read("explorer")["z"])
    np.testing.assert_allclose(z, ends[0] + (ends[1] - ends[0]) / 3, atol=0.03)
    clock.run_for(1000)
    assert explorer.read("explorer")["z"] == z.tolist()


def test_the_strip_shows_the_way_between_marked_points(explorer, models):
    canvas = explorer.page.locator(".vaelib-target")
    explorer.page.get_by_role("radio", name="kl_wt 0.01").check()
    for keys, name in (("Home Shift+ArrowLeft Shift+ArrowLeft", "A is here"), ("Home Shift+ArrowUp", "B is here")):
        for key in keys.split():
            canvas.press(key)
        explorer.page.get_by_role("button", name=name).click()
    assert explorer.read("explorer")["ends"] == [[-1, 0], [0, 0.5]]
    way = np.linspace([-1, 0], [0, 0.5], 10)
    shown = ink_of(explorer.page.get_by_role("img", name="on the way from A to B"))
    np.testing.assert_allclose(shown, np.hstack(decoded(models[1], way)), atol=0.004)


def test_without_motion_a_walk_jumps(browser, address):
    with opened(browser, f"{address}explorer.html", reduced_motion="reduce") as explorer:
        explorer.page.get_by_role("button", name="Walk").click()
        seen = explorer.page.evaluate("""async () => {
          const seen = new Set(), start = performance.now();
          while (performance.now() - start < 2000) {
            seen.add(document.querySelector("[data-live]").live.read().z.join());
            await new Promise(requestAnimationFrame);
          }
          return seen.size;
        }""")
        # The walk of six seconds has nine places.
        assert 2 <= seen <= 4


# Tiles and zoom


def test_zoom_by_key_and_button_shows_a_part_of_the_plane(explorer):
    canvas = explorer.page.locator(".vaelib-target")
    for key in ("Home", "Shift+ArrowRight", "+", "+"):
        canvas.press(key)
    read = explorer.read("explorer")
    assert (read["limit"], read["centre"]) == (1.5, [0.5, 0])
    # The view follows a point that would leave it, and a step is a part of the view.
    for _ in range(12):
        canvas.press("Shift+ArrowRight")
    read = explorer.read("explorer")
    assert read["z"] == pytest.approx([2, 0])
    hover(explorer, 0.5, 0.5)
    assert explorer.read("explorer")["z"] == pytest.approx(read["centre"], abs=0.02)
    for _ in range(3):
        explorer.page.get_by_role("button", name="Zoom out").click()
    assert explorer.read("explorer")["limit"] == 6


def test_tiles_and_test_digits_can_be_switched(explorer):
    explorer.page.wait_for_timeout(1500)
    canvas, sizes = explorer.page.locator(".vaelib-target"), {}
    tiles, dots = (explorer.page.get_by_role("checkbox", name=name) for name in ("decoded digits", "test digits"))
    for tiled in (True, False):
        for dotted in (False, True):
            tiles.set_checked(tiled)
            dots.set_checked(dotted)
            explorer.settle()
            sizes[tiled, dotted] = len(canvas.screenshot())
    assert sizes[False, False] < sizes[True, False]
    assert sizes[False, False] < sizes[False, True]


# A finger


def swipe(explorer, across, down):
    """Swipe over the plane with a finger, by pixels."""
    box = explorer.page.locator(".vaelib-target").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = explorer.page.context.new_cdp_session(explorer.page)
    for kind, share in [("Start", 0), *(("Move", i / 10) for i in range(1, 11)), ("End", None)]:
        points = [] if share is None else [{"x": x + share * across, "y": y + share * down}]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        explorer.page.wait_for_timeout(20)
    explorer.page.wait_for_timeout(300)
    explorer.settle()


def test_a_swipe_up_scrolls_the_page_and_one_across_moves_the_point(browser, address):
    with opened(browser, f"{address}explorer.html", viewport=PHONE_SIZE, has_touch=True, is_mobile=True) as explorer:
        scrolled = explorer.page.evaluate("() => scrollY")
        swipe(explorer, 0, -150)
        assert explorer.page.evaluate("() => scrollY") > scrolled + 100
        assert explorer.read("explorer")["z"] == [0, 0]
        scrolled = explorer.page.evaluate("() => scrollY")
        swipe(explorer, 100, 0)
        assert explorer.page.evaluate("() => scrollY") == pytest.approx(scrolled, abs=2)
        assert explorer.read("explorer")["z"][0] > 1
        swipe(explorer, 0, 0)
        assert explorer.read("explorer")["z"] == pytest.approx([0, 0], abs=0.1)
        assert explorer.errors == []
