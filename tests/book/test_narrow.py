"""Pages fit a narrow screen, large text and wide spacing: nothing scrolls sideways but code, tables and formulas."""

import pytest
from browsing import DESK, PAGES, PHONE
from pictures import look_at_live_pictures

NARROWEST = 320  # CSS pixels: a screen of 1280 enlarged to 400 %, WCAG 1.4.10
# What a reader may set without losing anything, WCAG 1.4.12.
SPACING = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }"""
# The live pictures have tests of their own.
NOT_LIVE = "[data-live] { display: none }"
# Find what reaches out of the screen, or hides a part of itself, and is in nothing that scrolls.
LOST = """() => [...document.querySelectorAll("article *, .bd-header-article *")].filter(element => {
  const box = element.getBoundingClientRect();
  if (!box.width || !element.checkVisibility({ visibilityProperty: true })) return false;
  if (element.closest("mjx-container *, .vaelib-spoken, .dropdown-menu, .visually-hidden")) return false;
  for (let up = element.parentElement; up && up.tagName !== "ARTICLE"; up = up.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return false;
  const clips = ["hidden", "clip"].includes(getComputedStyle(element).overflowX);
  return box.right > innerWidth + 1 || box.left < -1 || (clips && element.scrollWidth > element.clientWidth + 1);
}).map(element => element.outerHTML.slice(0, 160))"""


def lost(browser, address, width, style=""):
    """Return what a reader cannot get at on a page, and how wide the page is."""
    page = browser.new_page(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page.goto(address, wait_until="networkidle")
    page.evaluate("async () => { await window.MathJax?.startup?.promise }")
    if style:
        page.add_style_tag(content=style)
    if NOT_LIVE not in style:
        look_at_live_pictures(page)
    page.wait_for_timeout(100)
    found = page.evaluate(LOST), page.evaluate("() => document.documentElement.scrollWidth")
    page.close()
    return found


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [NARROWEST, PHONE])
def test_a_page_fits_a_narrow_screen(width, page, browser, site):
    assert lost(browser, site + page, width) == ([], width)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_stands_text_of_twice_the_size(page, browser, site):
    found, width = lost(browser, site + page, 1280 // 2, f"html {{ font-size: 200% }} {NOT_LIVE}")
    assert (found, width) == ([], 640)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_stands_wide_spacing(page, browser, site):
    assert lost(browser, site + page, PHONE, SPACING + NOT_LIVE) == ([], PHONE)


def test_a_formula_that_is_wider_than_the_column_scrolls(browser, site):
    page = browser.new_page(viewport={"width": NARROWEST, "height": 800})
    page.goto(site + "notebooks/02_derive_the_elbo.html", wait_until="networkidle")
    page.evaluate("async () => { await window.MathJax.startup.promise }")
    moved = page.locator("span.math mjx-container").evaluate_all("""all => all.map(formula => {
      formula.scrollLeft = 10_000;
      return [formula.scrollLeft, formula.scrollWidth - formula.clientWidth];
    })""")
    assert max(moved)[0] > 10
    assert all(left == pytest.approx(hidden, abs=1) for left, hidden in moved)
    page.close()


def test_a_formula_stands_on_the_line_of_its_sentence(browser, site):
    """A box that scrolls has another baseline in some layouts: compare with the formula that does not."""
    page = browser.new_page(viewport={"width": DESK, "height": 800})
    page.goto(site + "notebooks/02_derive_the_elbo.html", wait_until="networkidle")
    page.evaluate("async () => { await window.MathJax.startup.promise }")
    tops = "all => all.map(formula => formula.getBoundingClientRect().top + scrollY)"
    formulas = page.locator("span.math mjx-math")
    scrolling = formulas.evaluate_all(tops)
    page.add_style_tag(content="span.math, span.math mjx-container { overflow: visible !important }")
    assert formulas.evaluate_all(tops) == pytest.approx(scrolling, abs=0.5)
    assert formulas.count() > 20
    page.close()
