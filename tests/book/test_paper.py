"""A page prints in the light, with a still picture where a live one has not come."""

from contextlib import contextmanager

from browsing import DESK, PAGES
from pictures import look_at_live_pictures
from reading import put_on_paper, wait_for_formulas

CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]


@contextmanager
def on_paper(browser, address, **options):
    """Open a page as a desk shows it, and lay it out for paper."""
    page = browser.new_page(viewport={"width": DESK, "height": 800}, **options)
    page.goto(address, wait_until="networkidle")
    wait_for_formulas(page)
    put_on_paper(page)
    yield page
    page.close()


def test_paper_is_light_whatever_the_screen_is(browser, site):
    colours = """() => [...document.querySelectorAll("article :is(h2, p, pre, a)")].map(element => {
      const [red, green, blue] = getComputedStyle(element).color.match(/[0-9.]+/g).map(Number);
      return red + green + blue;
    })"""
    with on_paper(browser, site + CHAPTERS[1], color_scheme="dark") as paper:
        # Of 765, which is white: links are the lightest.
        assert max(paper.evaluate(colours)) < 450
        assert paper.evaluate("() => document.documentElement.dataset.theme") == "light"
        paper.evaluate("() => { dispatchEvent(new Event('afterprint')) }")
        assert paper.evaluate("() => document.documentElement.dataset.theme") == "dark"


def test_code_that_was_folded_is_printed_at_once(browser, site):
    """A fade that begins as the page is printed leaves the place of the code empty."""
    parts = """() => [...document.querySelectorAll("details[open] > *")].map(element => getComputedStyle(element))"""
    with on_paper(browser, site + CHAPTERS[1]) as paper:
        assert paper.locator("details.hide[open] pre").count() >= 3
        assert set(paper.evaluate(f"() => ({parts})().map(style => style.animationName)")) == {"none"}


def printed(paper):
    """Return, for each live picture, the heights of its place and of its still picture."""
    return paper.evaluate("""async () => {
      const images = [...document.querySelectorAll(".on-paper img")].filter(image => image.checkVisibility());
      images.forEach(image => { image.loading = "eager" });
      await Promise.all(images.map(image => image.decode()));
      const height = element => element.getBoundingClientRect().height;
      const places = [...document.querySelectorAll("[data-live]")];
      return places.map(place => [height(place), height(place.nextElementSibling)]);
    }""")


def test_a_live_picture_that_has_not_come_is_printed_as_a_still_one(browser, site):
    with on_paper(browser, site + CHAPTERS[9]) as paper:
        assert len(printed(paper)) == 3
        assert all(place == 0 and still > 300 for place, still in printed(paper))


def test_a_live_picture_that_is_there_is_printed_as_it_is(browser, site):
    page = browser.new_page(viewport={"width": DESK, "height": 800})
    page.goto(site + CHAPTERS[5])
    look_at_live_pictures(page)
    page.locator("[data-live][data-state=ready]").wait_for()
    page.emulate_media(media="print")
    ((place, still),) = printed(page)
    assert place > 300
    assert still == 0
    page.close()


def test_without_javascript_one_still_picture_is_printed(browser, site):
    page = browser.new_page(java_script_enabled=False)
    page.goto(site + CHAPTERS[5])
    page.emulate_media(media="print")
    assert page.locator("[data-live] img").is_visible()
    assert not page.locator(".on-paper img").is_visible()
    page.close()
