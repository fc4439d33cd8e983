"""The picture of two Gaussians, in a real browser: it computes their KL, and follows keyboard and finger."""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import served
from pictures import opened, write_page
from scipy import integrate, stats

from vaelib.live import data, kl_overlap


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return the address of a page with this picture alone, which has no data."""
    folder = tmp_path_factory.mktemp("overlap")
    (folder / "live").mkdir()
    (folder / "live/live.js").write_text(data.script("page"))
    (folder / "live/live.css").write_text(data.style())
    write_page(folder, ("overlap",))
    with served(folder) as address:
        yield f"{address}overlap.html"


@pytest.fixture
def overlap(browser, bare):
    with opened(browser, bare) as overlap:
        overlap.page.locator("[data-live][data-state=ready]").wait_for()
        yield overlap
        assert [error for error in overlap.errors if "film.png" not in error and "404" not in error] == []


def kl_by_integration(mean, std):
    q, p = stats.norm(mean, std), stats.norm()
    return integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), mean - 12 * std, mean + 12 * std)[0]


def number_after(name, text):
    return float(text.replace("−", "-").split(f"{name} ")[1].split()[0].strip(","))


MOVES = [
    ("", 1, "", -0.7),
    ("Home", -3, "End", 1.1),
    ("End", 3, "Home", -2.3),
    ("ArrowLeft", 0.95, "ArrowRight", -0.65),
]


@pytest.mark.parametrize(("of_mean", "mean", "of_width", "log_std"), MOVES)
def test_the_keyboard_moves_the_posterior_and_the_kl_is_right(of_mean, mean, of_width, log_std, overlap):
    for name, key in (("mean", of_mean), ("log σ", of_width)):
        if key:
            overlap.page.get_by_role("slider", name=name).press(key)
    overlap.settle()
    read = overlap.read("overlap")
    assert (read["mean"], read["logStd"]) == pytest.approx((mean, log_std))
    expected = kl_by_integration(mean, np.exp(log_std))
    assert read["total"] == pytest.approx(expected, rel=1e-6, abs=1e-9)
    said = overlap.host("overlap").inner_text()
    assert number_after("KL", said) == pytest.approx(expected, abs=0.0051)
    parts = [number_after(name, said) for name in ("½ μ²:", "½ (σ² - 1):", "-log σ:")]
    assert sum(parts) == pytest.approx(expected, abs=0.016)


def test_a_finger_pulls_a_slider(browser, bare):
    with opened(browser, bare, has_touch=True) as overlap:
        overlap.page.locator("[data-live][data-state=ready]").wait_for()
        before = overlap.read("overlap")["total"]
        box = overlap.page.get_by_role("slider", name="mean").bounding_box()
        overlap.page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
        overlap.settle()
        assert overlap.read("overlap")["mean"] == pytest.approx(2.4, abs=0.2)
        assert overlap.read("overlap")["total"] > before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(scheme, browser, bare):
    with opened(browser, bare, viewport={"width": 320, "height": 700}, color_scheme=scheme) as overlap:
        overlap.page.locator("[data-live][data-state=ready]").wait_for()
        for key in ("Home", "End"):
            overlap.page.get_by_role("slider", name="mean").press(key)
            overlap.page.get_by_role("slider", name="log σ").press(key)
            overlap.settle()
            assert overlap.page.evaluate("() => document.documentElement.scrollWidth") <= 320
        assert Axe().run(overlap.page).response["violations"] == []


def test_in_a_notebook_it_is_a_widget_without_data():
    shown = kl_overlap()
    assert (shown.kind, shown.data, str(shown._esm)) == ("overlap", {}, data.script("widget"))
