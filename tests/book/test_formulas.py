"""Formulas in the middle of a sentence: they stand on its line, and scroll where a screen is too narrow."""

import pytest
from browsing import DESK
from reading import NARROWEST, wait_for_formulas


def test_a_formula_that_is_wider_than_the_column_scrolls(browser, site):
    page = browser.new_page(viewport={"width": NARROWEST, "height": 800})
    page.goto(site + "book/reference.html", wait_until="networkidle")
    wait_for_formulas(page)
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
    wait_for_formulas(page)
    tops = "all => all.map(formula => formula.getBoundingClientRect().top + scrollY)"
    formulas = page.locator("span.math mjx-math")
    scrolling = formulas.evaluate_all(tops)
    page.add_style_tag(content="span.math, span.math mjx-container { overflow: visible !important }")
    assert formulas.evaluate_all(tops) == pytest.approx(scrolling, abs=0.5)
    assert formulas.count() > 20
    page.close()
