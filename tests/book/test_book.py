"""The book builds without a warning, and reads well in a real browser that has no other host to ask."""

import re
from typing import NamedTuple

import pytest
from browsing import DESK, PAGES, PHONE, ROOT
from pictures import look_at_live_pictures

SCREENSHOTS = ROOT / "_build/screenshots"
# What the page says about itself, once all is loaded and MathJax has drawn its formulas.
LOOK = """async () => {
  await window.MathJax?.startup?.promise
  const images = [...document.images]
  // Those that wait for the reader would never decode.
  images.forEach(image => { image.loading = "eager" })
  await Promise.allSettled(images.map(image => image.decode()))
  return {
    formulas: document.querySelectorAll(".math").length,
    drawn: document.querySelectorAll(".math mjx-container").length,
    // An error, or an unknown command, which MathJax shows in red.
    broken: document.querySelectorAll("mjx-merror, mjx-mtext[style*='color: red']").length,
    nameless: images.filter(image => !image.alt.trim()).map(image => image.outerHTML.slice(0, 200)),
    stretched: images.filter(({ clientWidth: w, clientHeight: h, naturalWidth: nw, naturalHeight: nh }) =>
      w > 50 && Math.abs((w * nh) / (h * nw) - 1) > 0.05).map(image => image.outerHTML.slice(-200)),
    missing: images.filter(image => !image.naturalWidth).map(image => image.outerHTML.slice(0, 200)),
    links: [...document.querySelectorAll("a[href]")].map(link => link.href.split("#")[0]),
    width: document.documentElement.scrollWidth,
  }
}"""


class Visit(NamedTuple):
    """Hold what a browser saw of a page."""

    elsewhere: list
    """Addresses on other hosts that the page asked for."""
    errors: list
    seen: dict
    """Return the answer to LOOK."""


each_page = pytest.mark.parametrize("page", PAGES)


def visit(browser, address, home, width=DESK, views=(), folder=None):
    """Open a page, and note what it asks for and complains about; its home is all that it may ask.

    Look at it in each view, "light" or "dark" or "phone", and leave a screenshot in a folder if there is one.
    """
    elsewhere, errors = [], []
    page = browser.new_page(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page.on("request", lambda request: elsewhere.append(request.url))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address, wait_until="networkidle")
    seen = page.evaluate(LOOK)
    for view in views:
        page.emulate_media(color_scheme="dark" if view == "dark" else "light")
        look_at_live_pictures(page)
        if folder:
            page.evaluate("() => scrollTo(0, 0)")
            name = address.removeprefix(home).removesuffix(".html").replace("/", "_")
            page.screenshot(path=folder / f"{name}.{view}.png", full_page=True)
    page.close()
    return Visit([url for url in elsewhere if not url.startswith((home, "data:", "blob:"))], errors, seen)


@pytest.fixture(scope="module")
def folder(request):
    """Return the folder for screenshots, or None: they take longer than all else that is done on a page."""
    return SCREENSHOTS if request.config.getoption("screenshots") else None


@pytest.fixture(scope="module")
def visits(browser, site, folder):
    """Visit every page, on a desk."""
    return {page: visit(browser, site + page, site, views=("light", "dark"), folder=folder) for page in PAGES}


def test_the_first_page_leads_to_every_other(html, site, visits):
    first = re.search(r"url=([^\"]+)", (html / "index.html").read_text())
    assert first, "index.html forwards to the first page"
    reached, waiting = set(), [first[1]]
    while waiting:
        page = waiting.pop()
        if page in visits and page not in reached:
            reached.add(page)
            waiting += [link.removeprefix(site) for link in visits[page].seen["links"]]
    assert reached == set(PAGES)


@each_page
def test_every_link_within_the_book_leads_somewhere(page, html, site, visits):
    inside = {link.removeprefix(site) for link in visits[page].seen["links"] if link.startswith(site)}
    assert [link for link in sorted(inside) if not (html / link.partition("?")[0]).exists()] == []


@each_page
def test_a_page_asks_no_other_host_for_anything(page, visits):
    assert visits[page].elsewhere == []


@each_page
def test_a_page_logs_no_error(page, visits):
    assert visits[page].errors == []


@each_page
def test_every_formula_is_drawn(page, visits):
    seen = visits[page].seen
    assert (seen["drawn"], seen["broken"]) == (seen["formulas"], 0)


def test_there_are_formulas(visits):
    assert sum(visit.seen["formulas"] for visit in visits.values()) > 20


@each_page
def test_every_picture_is_there_and_has_a_text(page, visits):
    seen = visits[page].seen
    assert (seen["nameless"], seen["missing"]) == ([], [])


@each_page
def test_a_page_and_its_pictures_fit_a_phone(page, browser, site, folder):
    seen = visit(browser, site + page, site, PHONE, views=("phone",), folder=folder).seen
    assert seen["width"] <= PHONE
    assert seen["stretched"] == []


def test_a_table_that_a_cell_displays_is_a_table_on_its_page(html):
    """Plain CommonMark, in which MyST-NB reads outputs by default, has none."""
    assert '<th class="head"><p>who says it</p></th>' in (html / "notebooks/12_judge_the_claims.html").read_text()


def test_a_page_opened_as_a_file_asks_no_host_either(html, browser):
    page = next(page for page in PAGES if page.startswith("notebooks/"))
    seen = visit(browser, (html / page).as_uri(), html.as_uri())
    assert seen.elsewhere == []
    assert seen.seen["drawn"] == seen.seen["formulas"]
