"""The live pictures, in a real browser: what they compute is what Keras does, and they follow mouse and keyboard."""

import numpy as np
import pytest
from browsing import served
from pictures import opened

from vaelib import load_run


@pytest.fixture(scope="module")
def address(pictures):
    with served(pictures) as address:
        yield address


@pytest.fixture
def film(browser, address):
    with opened(browser, f"{address}film.html") as film:
        yield film
        assert film.errors == []


@pytest.fixture
def explorer(browser, address):
    with opened(browser, f"{address}explorer.html") as explorer:
        yield explorer
        assert explorer.errors == []


@pytest.fixture
def draw(browser, address):
    with opened(browser, f"{address}draw.html") as draw:
        yield draw
        assert draw.errors == []


# The film


def test_the_film_shows_the_posterior_of_the_pulled_batch(film, specs):
    scrubber = film.page.get_by_role("slider", name="batch")
    for keys, batch in (("Home", 1), ("ArrowRight ArrowRight", 3), ("End", 469)):
        for key in keys.split():
            scrubber.press(key)
        film.settle()
        assert_posteriors(film.read("film"), specs, 1, batch)
    film.page.get_by_role("combobox", name="epoch").select_option("50")
    film.settle()
    assert_posteriors(film.read("film"), specs, 50, 469)


def assert_posteriors(read, specs, epoch, batch):
    assert (read["epoch"], read["batch"]) == (epoch, batch)
    for shown, spec in zip(read["posteriors"], specs, strict=True):
        mean, std = load_run(spec).posteriors[epoch]
        np.testing.assert_allclose(shown, [*mean[batch - 1], *std[batch - 1]], atol=2e-4)


def test_the_film_has_the_epochs_that_were_kept(film):
    options = film.page.get_by_role("combobox", name="epoch").locator("option").all_inner_texts()
    assert options == ["1", "2", "5", "10", "20", "50", "100"]


def test_pulling_back_draws_what_pulling_forth_did(film):
    scrubber, shot = film.page.get_by_role("slider", name="batch"), film.page.locator(".vaelib-panels").screenshot
    pull = "(node, value) => { node.value = value; node.dispatchEvent(new Event('input')); }"
    pictures = []
    for batch in (1, 300, 1):
        scrubber.evaluate(pull, batch)
        film.settle()
        pictures.append(shot())
    assert pictures[0] == pictures[2]
    # A picture with three hundred ellipses more takes more bytes.
    assert len(pictures[0]) < 0.5 * len(pictures[1])


def test_play_runs_through_the_batches_and_pause_stops(film):
    play = film.page.get_by_role("button", name="Play")
    play.focus()
    play.press("Enter")
    film.page.wait_for_function("() => document.querySelector('[data-live]').live.read().batch > 20")
    film.page.get_by_role("button", name="Pause").press("Enter")
    film.settle()
    stopped = film.read("film")["batch"]
    film.page.wait_for_timeout(100)
    assert film.read("film")["batch"] == stopped < 469


def test_play_goes_on_to_the_next_epoch_and_ends_with_the_last(film):
    film.page.get_by_role("combobox", name="speed").select_option("4")
    film.page.get_by_role("combobox", name="epoch").select_option("50")
    film.page.get_by_role("slider", name="batch").press("End")
    film.page.get_by_role("slider", name="batch").press("ArrowLeft")
    film.page.get_by_role("button", name="Play").click()
    film.page.wait_for_function("() => document.querySelector('[data-live]').live.read().epoch === 100")
    film.page.get_by_role("button", name="Play").wait_for()
    assert film.read("film")["batch"] == 469


def test_the_trace_is_a_scrubber_too(film):
    box = film.page.locator(".vaelib-trace").bounding_box()
    film.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 60)
    film.settle()
    assert film.read("film")["batch"] == pytest.approx(235, abs=1)


# The explorer


def test_the_explorer_follows_the_mouse_and_the_arrow_keys(explorer, models):
    canvas = explorer.page.locator(".vaelib-target")
    box = canvas.bounding_box()
    explorer.page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"])
    explorer.settle()
    assert_decoded(explorer.read("explorer"), models, [2.4, 1.2], 0.02)
    canvas.press("Home")
    for key in ("ArrowLeft", "Shift+ArrowDown", "Shift+ArrowDown", "ArrowUp"):
        canvas.press(key)
    explorer.settle()
    assert_decoded(explorer.read("explorer"), models, [-0.1, -0.9], 1e-9)


def assert_decoded(read, models, z, atol):
    np.testing.assert_allclose(read["z"], z, atol=atol)
    for image, model in zip(read["images"], models, strict=True):
        logits = model.decode(np.array([read["z"]], "float32"))
        np.testing.assert_allclose(image, 1 / (1 + np.exp(-np.ravel(logits))), atol=1e-3)


def test_the_collapsed_network_decodes_the_same_everywhere(explorer):
    canvas = explorer.page.locator(".vaelib-target")
    box, images = canvas.bounding_box(), []
    for across, up in ((0.2, 0.3), (0.5, 0.5), (0.8, 0.6)):
        explorer.page.mouse.move(box["x"] + across * box["width"], box["y"] + up * box["height"])
        explorer.settle()
        images.append(explorer.read("explorer")["images"])
    spread = np.ptp(np.array(images), axis=0).max(axis=1)
    assert spread[0] > 0.9
    assert spread[2] < 0.35


def test_the_explorer_shows_and_names_the_chosen_plane(explorer):
    explorer.page.get_by_role("radio", name="kl_wt 0.01").check()
    explorer.settle()
    assert explorer.read("explorer")["run"] == 1
    assert "kl_wt 0.01 (β = 7.84)" in explorer.page.locator("[aria-live]").inner_text()


# The pad


def test_a_seven_drawn_with_the_mouse_lands_among_the_sevens(draw, models, digits):
    draw.stroke((0.25, 0.2), (0.75, 0.2), (0.45, 0.85))
    read = draw.read("draw")
    for belief, model in zip(read["beliefs"][:2], models, strict=False):
        mean = np.array(model.encode(digits.x_test[:3000])[0])
        nearest = np.argsort(np.linalg.norm(mean - belief["mean"], axis=1))[:25]
        sevens = np.mean(digits.y_test[nearest] == 7)
        assert sevens > 0.5
        assert belief["near"] == {"digit": 7, "votes": round(25 * sevens), "count": 25}
    # The collapsed network believes the same of everything: the prior.
    np.testing.assert_allclose(read["beliefs"][2]["mean"], [0, 0], atol=0.3)
    np.testing.assert_allclose(read["beliefs"][2]["std"], [1, 1], atol=0.2)


def test_the_table_says_in_nats_what_was_computed(draw):
    draw.page.get_by_role("button", name="test digit 7").first.click()
    draw.settle()
    cells = [row.locator("td").all_inner_texts() for row in draw.page.locator("tbody tr").all()[2:5]]
    for column, belief in enumerate(draw.read("draw")["beliefs"]):
        shown = [float(row[column].replace("−", "-")) for row in cells]
        np.testing.assert_allclose(shown, [belief[name] for name in ("distortion", "rate", "elbo")], atol=0.051)
        assert belief["elbo"] == pytest.approx(-(belief["distortion"] + belief["rate"]))


def test_sample_again_draws_new_z_from_the_same_posteriors(draw):
    draw.page.get_by_role("button", name="test digit 3").first.click()
    draw.settle()
    draws = []
    for _ in range(40):
        draw.page.get_by_role("button", name="Sample again").click()
        draws.append(draw.read("draw")["beliefs"])
    for run in range(3):
        z, mean, std = (np.array([beliefs[run][name] for beliefs in draws]) for name in ("z", "mean", "std"))
        assert np.ptp(mean, axis=0).max() == 0
        noise = (z - mean) / std
        assert np.abs(noise.mean(axis=0)).max() < 4 / 40**0.5
        assert np.abs(noise.std(axis=0) - 1).max() < 0.5


def test_the_arrow_keys_draw_too(draw):
    pad = draw.page.locator(".vaelib-pad")
    pad.press(" ")
    for _ in range(15):
        pad.press("ArrowDown")
    pad.press(" ")
    draw.settle()
    image = np.reshape(draw.read("draw")["image"], (28, 28))
    rows, columns = np.nonzero(image > 0.5)
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
