"""The film's digits, what is decoded of them, and picking an ellipse, in a real browser."""

import base64
import zlib

import numpy as np
import pytest
from pictures import opened

from vaelib import load_run
from vaelib.live.film import film_data


@pytest.fixture
def film(browser, address, x_train_full):
    with opened(browser, f"{address}film.html") as film:
        film.page.wait_for_function("() => document.querySelector('[data-live]').live.read().digits[0].pixels")
        yield film
        assert film.errors == []


def choose(film, epoch, batch):
    film.page.get_by_role("combobox", name="epoch").select_option(str(epoch))
    pull = "(node, value) => { node.value = value; node.dispatchEvent(new Event('input')); }"
    film.page.get_by_role("slider", name="batch").evaluate(pull, batch)
    film.settle()


def painted(film, i):
    """Return the small pictures of a panel as they stand on the screen, ink in [0, 1]."""
    images = film.page.locator(".vaelib-panel").nth(i).locator(".vaelib-image")
    pixels = """images => images.map(image => [...image.getContext("2d").getImageData(0, 0, 28, 28).data]
      .filter((_, j) => j % 4 === 0).map(value => 1 - value / 255))"""
    return np.array(images.evaluate_all(pixels))


def text(film):
    return film.page.locator(".vaelib-named").inner_text()


@pytest.mark.parametrize(("epoch", "batch"), [(1, 1), (1, 133), (50, 469), (100, 8)])
def test_the_digit_is_the_one_that_opened_the_batch(epoch, batch, film, x_train_full, digits):
    choose(film, epoch, batch)
    row = 128 * (batch - 1)
    for i in range(3):
        np.testing.assert_allclose(painted(film, i)[0], x_train_full[row].ravel(), atol=0.5 / 15 + 0.003)
    label = digits.y_train[row]
    assert f"Batch {batch}, {'an' if label == 8 else 'a'} {label}." in text(film)


def test_only_the_last_epoch_is_decoded_with_the_weights_that_were_kept(film, specs, models, x_train_full):
    choose(film, 100, 300)
    film.page.wait_for_function("() => document.querySelector('[data-live]').live.read().digits[2].decoded")
    film.settle()
    for i, (spec, model) in enumerate(zip(specs, models, strict=True)):
        mean = load_run(spec).posteriors[100].mean[299:300]
        np.testing.assert_allclose(painted(film, i)[1], np.ravel(model.generate(mean)), atol=0.5 / 15 + 0.003)
    assert "with the weights that training ended with" in text(film)
    choose(film, 50, 300)
    assert all(digits.get("decoded") is None for digits in film.read("film")["digits"])
    assert painted(film, 0)[1].max() == 0
    assert "earlier weights were not kept" in text(film)


def test_what_is_decoded_is_loaded_only_when_it_is_wanted(film):
    assert not [url for url in film.requests if "film-decoded" in url]
    assert len([url for url in film.requests if "film-digits" in url]) == 1
    choose(film, 100, 1)
    film.page.wait_for_function("() => document.querySelector('[data-live]').live.read().digits[2].decoded")
    assert len([url for url in film.requests if "film-decoded" in url]) == 3


@pytest.mark.usefixtures("x_train_full")
def test_a_playing_film_waits_with_its_digits_for_a_touch(browser, address, pictures):
    page = (pictures / "film.html").read_text().replace('data-live="film"', 'data-live="film" data-autoplay')
    (pictures / "playing-film.html").write_text(page)
    with opened(browser, f"{address}playing-film.html") as film:
        film.page.wait_for_load_state("networkidle")
        assert not [url for url in film.requests if "film-digits" in url]
        assert "Point at an ellipse to see its digit." in text(film)
        film.page.locator(".vaelib-plane").first.hover()
        film.page.wait_for_function("() => document.querySelector('[data-live]').live.read().digits[0].pixels")
        film.settle()
        assert painted(film, 0)[0].max() > 0.9
        assert film.errors == []


def test_the_rate_is_that_of_the_posterior(film, specs):
    for epoch, batch in ((1, 8), (100, 133)):
        choose(film, epoch, batch)
        for i, spec in enumerate(specs):
            mean, std = (part[batch - 1].astype("float64") for part in load_run(spec).posteriors[epoch])
            # Integrate log q - log p over q, by Gauss-Hermite quadrature in each dimension.
            nodes, weights = np.polynomial.hermite_e.hermegauss(20)
            z = mean + std * nodes[:, None]
            log_ratio = -0.5 * nodes[:, None] ** 2 - np.log(std) + 0.5 * z**2
            expected = (weights / weights.sum() @ log_ratio).sum()
            numbers = film.page.locator(".vaelib-panel .vaelib-numbers").nth(i).inner_text()
            assert float(numbers.split("rate ")[1].split()[0]) == pytest.approx(expected, abs=0.051)


@pytest.mark.parametrize("epoch", [1, 100])
def test_at_first_all_ellipses_are_inside_the_frame(epoch, film, specs):
    choose(film, epoch, 469)
    reach = max((np.abs(mean) + std).max() for mean, std in (load_run(spec).posteriors[epoch] for spec in specs))
    assert reach <= film.read("film")["limit"] < reach + 1.01
    film.page.get_by_role("combobox", name="axes").select_option("4")
    film.settle()
    assert film.read("film")["limit"] == 4


def test_an_ellipse_is_picked_by_pointer_and_named(film, specs, digits):
    choose(film, 1, 469)
    mean, std = load_run(specs[0]).posteriors[1]
    limit, canvas = film.read("film")["limit"], film.page.locator(".vaelib-plane").first
    box = canvas.bounding_box()
    # Point at the ellipse that lies farthest out: there it is alone.
    far = int(np.argmax(np.linalg.norm(mean, axis=1)))
    place = mean[far] + [0, 0]
    x, y = (
        (box["x"] + box["width"] * (0.5 + place[0] / (2 * limit))),
        (box["y"] + box["height"] * (0.5 - place[1] / (2 * limit))),
    )
    film.page.mouse.move(x, y)
    film.settle()
    assert film.read("film")["picked"] == far + 1
    assert f"Batch {far + 1}, " in text(film)
    film.page.mouse.move(5, 5)
    film.settle()
    assert film.read("film")["picked"] is None
    film.page.mouse.click(x, y)
    film.page.mouse.move(5, 5)
    film.settle()
    read = film.read("film")
    assert (read["picked"], read["batch"]) == (far + 1, 469)
    np.testing.assert_allclose(read["posteriors"][0], [*mean[far], *std[far]], atol=2e-4)
    film.page.get_by_role("slider", name="batch").press("ArrowLeft")
    film.settle()
    assert (film.read("film")["picked"], film.read("film")["shown"]) == (None, 468)


def test_an_ellipse_is_picked_by_keys_and_named(film):
    choose(film, 1, 100)
    plane = film.page.locator(".vaelib-plane").nth(1)
    for keys, shown in (
        ("ArrowLeft ArrowLeft", 98),
        ("Home", 1),
        ("ArrowLeft", 1),
        ("End ArrowRight", 100),
        ("Home Escape", 100),
    ):
        for key in keys.split():
            plane.press(key)
            film.settle()
        assert (film.read("film")["shown"], film.read("film")["batch"]) == (shown, 100)
        assert text(film).startswith(f"Batch {shown}, ")
    assert f"Batch {shown}, " in film.page.locator("[aria-live]").inner_text()


@pytest.mark.usefixtures("x_train_full")
def test_without_digits_the_film_says_only_the_batch(browser, address, pictures, specs):
    with opened(
        browser,
        f"{address}film.html",
        prepare=lambda page: page.route("**/film-digits-0.js", lambda route: route.fulfill(status=404)),
    ) as film:
        film.page.get_by_text("Its digit cannot be shown.").wait_for()
        assert "film-digits-0.js could not be loaded" in text(film)
        assert film.page.locator(".vaelib-panel").first.inner_text().count("nats") == 1


def unpacked(packed):
    return np.frombuffer(zlib.decompress(base64.b64decode(packed["base64"])), "uint8").reshape(-1, 28, 28)


@pytest.mark.slow
def test_runs_with_other_orders_have_digits_of_their_own(x_train_full, digits, specs):
    run = load_run(specs[0])
    shuffled = run._replace(spec=type(run.spec)(**{**run.spec.as_dict(), "shuffle": True}))
    data = film_data({"a": run, "b": shuffled, "c": run}, x_train_full, digits.y_train)
    assert data["film-0"]["digits"] == data["film-2"]["digits"] == [0] * 7
    assert data["film-1"]["digits"] == list(range(1, 8))
    assert {"film-digits-0", "film-digits-7"} <= data.keys()
    assert "film-digits-8" not in data
    rows = shuffled.first_rows(100)
    np.testing.assert_allclose(unpacked(data["film-digits-7"]["images"]) / 15, x_train_full[rows, ..., 0], atol=0.034)
