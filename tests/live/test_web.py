"""The film, in a real browser: it shows the posteriors of training, and follows mouse and keyboard."""

import numpy as np
import pytest
from pictures import opened

from vaelib import load_run


@pytest.fixture
def film(browser, address):
    with opened(browser, f"{address}film.html") as film:
        yield film
        assert film.errors == []


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
