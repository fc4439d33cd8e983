"""Every page of the book reads well in a real browser that has no other host to ask, whoever reads it and how."""

import re

import pytest
from browsing import PAGES, ROOT
from reading import SETTINGS, read

SCREENSHOTS = ROOT / "_build/screenshots"
# The live pictures of each page that has some.
LIVE = {
    "book/index.html": ["film"],
    "notebooks/02_derive_the_elbo.html": ["overlap"],
    "notebooks/06_watch_the_posterior.html": ["film"],
    "notebooks/07_weigh_the_kl.html": ["explorer", "train"],
    "notebooks/08_find_the_collapse.html": ["train"],
    "book/train_it_here.html": ["train"],
    "notebooks/10_ask_the_model.html": ["film", "explorer", "draw"],
}
# Leave out what is the theme's: the logo outside of any landmark.
OF_THE_THEME = {"region"}

each_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def readings(request, browser, site):
    """Read every page once, in all ways; screenshots take longer than all else that is done on a page."""
    folder = SCREENSHOTS if request.config.getoption("screenshots") else None
    return {page: read(browser, site + page, site, folder) for page in PAGES}


def test_the_first_page_leads_to_every_other(html, site, readings):
    first = re.search(r"url=([^\"]+)", (html / "index.html").read_text())
    assert first, "index.html forwards to the first page"
    reached, waiting = set(), [first[1]]
    while waiting:
        page = waiting.pop()
        if page in readings and page not in reached:
            reached.add(page)
            waiting += [link.removeprefix(site) for link in readings[page].seen["links"]]
    assert reached == set(PAGES)


@each_page
def test_every_link_within_the_book_leads_somewhere(page, html, site, readings):
    inside = {link.removeprefix(site) for link in readings[page].seen["links"] if link.startswith(site)}
    assert [link for link in sorted(inside) if not (html / link.partition("?")[0]).exists()] == []


@each_page
def test_a_page_asks_no_other_host_for_anything(page, readings):
    assert readings[page].elsewhere == []


@each_page
def test_a_page_logs_no_error(page, readings):
    assert readings[page].errors == []


@each_page
def test_every_formula_is_drawn(page, readings):
    seen = readings[page].seen
    assert (seen["drawn"], seen["broken"]) == (seen["formulas"], 0)


def test_there_are_formulas(readings):
    assert sum(reading.seen["formulas"] for reading in readings.values()) > 20


@each_page
def test_every_picture_is_there_and_has_a_text(page, readings):
    seen = readings[page].seen
    assert (seen["nameless"], seen["missing"]) == ([], [])


@each_page
def test_the_live_pictures_are_where_they_should_be(page, readings):
    assert readings[page].seen["live"] == LIVE.get(page, [])


@each_page
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_that_is_ours(theme, page, readings):
    found = readings[page].violations[theme]
    assert {rule: nodes for rule, nodes in found.items() if rule not in OF_THE_THEME} == {}


@each_page
@pytest.mark.parametrize("setting", SETTINGS)
def test_nothing_scrolls_sideways_but_code_and_formulas(setting, page, readings):
    """Whatever the width of the screen, the size of the text and its spacing (tables scroll too)."""
    assert readings[page].lost[setting] == ([], SETTINGS[setting][0])


@each_page
def test_pictures_keep_their_proportions_on_a_phone(page, readings):
    assert readings[page].stretched == []


@each_page
def test_no_number_or_full_stop_goes_over_the_end_of_a_line(page, readings):
    assert readings[page].torn == []


@each_page
def test_what_a_cell_prints_is_seen_in_full_on_a_desk(page, readings):
    assert readings[page].seen["clipped"] == []


@each_page
def test_nothing_is_cut_off_on_paper(page, readings):
    assert readings[page].cut == []


@each_page
def test_answers_are_unfolded_on_paper_and_folded_again(page, readings):
    (on_paper, count), (afterwards, _) = readings[page].unfolded
    assert (on_paper, afterwards) == (count, 0)
    assert count > 0 or not page.startswith("notebooks/")


def test_a_table_that_a_cell_displays_is_a_table_on_its_page(html):
    """Plain CommonMark, in which MyST-NB reads outputs by default, has none."""
    assert '<th class="head"><p>who says it</p></th>' in (html / "notebooks/12_judge_the_claims.html").read_text()


def test_a_page_opened_as_a_file_asks_no_host_either(html, browser):
    page = next(page for page in PAGES if page.startswith("notebooks/"))
    reading = read(browser, (html / page).as_uri(), html.as_uri())
    assert reading.elsewhere == []
    assert reading.seen["drawn"] == reading.seen["formulas"]
