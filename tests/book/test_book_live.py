"""The live pictures where they are on the book's pages: they come alive, cost little, and exclude nobody."""

import pytest
from browsing import DESK
from pictures import look_at_live_pictures, opened, opened_without_inline

FIRST = "book/index.html"


def test_the_first_page_plays_a_picture_above_the_fold(browser, site):
    with opened(browser, site + FIRST, viewport={"width": DESK, "height": 800}) as seen:
        box = seen.page.locator("[data-live]").bounding_box()
        assert box["y"] + box["height"] < 800
        seen.page.get_by_role("button", name="Pause").wait_for()


def test_the_first_page_loads_little_and_nothing_of_it_moves(browser, site):
    shifts = """window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(entry => {
      window.shift += entry.value;
    })).observe({ type: "layout-shift", buffered: true });"""
    sizes = {}

    def prepare(page):
        page.add_init_script(shifts)
        page.on("response", lambda answer: sizes.update({answer.url: int(answer.headers.get("content-length", 0))}))

    with opened(browser, site + FIRST, prepare=prepare, viewport={"width": DESK, "height": 800}) as seen:
        look_at_live_pictures(seen.page)
        seen.page.wait_for_load_state("networkidle")
        assert seen.page.evaluate("() => window.shift") < 0.002
    ours = sum(size for url, size in sizes.items() if "/live/" in url)
    assert 100_000 < ours <= 300_000
    # What is left of the theme, with the page's pictures; it was 4 MB with MathJax and the script of Font Awesome.
    assert sum(sizes.values()) <= 1_500_000


@pytest.mark.parametrize("page", [FIRST, "notebooks/08_find_the_collapse.html", "notebooks/10_ask_the_model.html"])
def test_without_javascript_a_still_picture_says_that_it_is_one(page, browser, site):
    with opened(browser, site + page, java_script_enabled=False) as seen:
        for place in seen.page.locator("[data-live]").all():
            place.scroll_into_view_if_needed()
            assert "A still figure: the live one needs JavaScript" in place.inner_text()
            assert place.locator("img").bounding_box()["height"] > 100
            assert len(place.locator("img").get_attribute("alt")) > 30


def test_the_live_pictures_need_no_inline_script_or_style(browser, site):
    """Forbid all inline scripts and styles, the theme's own included: the film still plays."""
    with opened_without_inline(browser, site + FIRST) as (seen, complaints):
        look_at_live_pictures(seen.page)
        assert [each.text for each in complaints if "/live/" in each.location["url"]] == []
