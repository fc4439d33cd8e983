"""A published page says what it is to whom only sees a link, excludes nobody, and loads what it shows."""

import json
import re
import struct
from html.parser import HTMLParser
from urllib.parse import urljoin

import address
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import DESK, PAGES, PHONE
from pictures import opened

CHAPTER_10 = "notebooks/10_ask_the_model.html"
CHAPTER_7 = "notebooks/07_weigh_the_kl.html"


class Head(HTMLParser):
    """Collect the <meta> of a page by their names or properties, and its canonical address."""

    def __init__(self, text):
        super().__init__()
        self.found = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "meta" and "content" in attrs:
            self.found.setdefault(attrs.get("name") or attrs.get("property"), []).append(attrs["content"])
        elif tag == "link" and attrs.get("rel") == "canonical":
            self.found["canonical"] = [attrs["href"]]


def head(html, page):
    """Return what the head of a page says of it, each once."""
    found = Head((html / page).read_text()).found
    return {name: contents[0] for name, contents in found.items() if len(contents) == 1}


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_a_page_has_a_preview(page, html):
    known = head(html, page)
    home = address.site(address.read()[0])
    assert known["og:url"] == known["canonical"] == home + page
    assert 50 <= len(known["description"]) <= 210
    assert known["og:description"] == known["description"]
    assert not re.search(r"Open in Colab|[{}<>]", known["description"])
    assert len(known["og:title"]) > 3
    assert len(known["og:image:alt"]) > 3
    picture = (html / known["og:image"].removeprefix(home)).read_bytes()
    assert picture.startswith(b"\x89PNG")
    # Smaller pictures are shown as icons or not at all.
    width, height = struct.unpack(">II", picture[16:24])
    assert width >= 300
    assert height >= 157


def test_no_two_pages_are_described_alike(html):
    described = [head(html, page)["description"] for page in PAGES]
    assert len(set(described)) == len(PAGES)


def test_the_site_can_be_served_by_a_branch_of_github(html):
    """Without the file, GitHub leaves out the folders whose names begin with "_"."""
    assert (html / ".nojekyll").exists()


def test_an_address_that_does_not_exist_leads_back_from_any_depth(html):
    text = (html / "404.html").read_text()
    home = address.site(address.read()[0])
    inside = [link.removeprefix(home) for link in re.findall(r'href="([^"]+)"', text) if link.startswith(home)]
    assert "book/index.html" in inside
    assert [link for link in inside if not (html / link).exists()] == []
    # It stands at whatever address was asked for, so that nothing in it may be relative.
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert [link for link in links if urljoin("https://example.org/a/b/c.html", link) != link] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page_of_wrong_addresses(theme, browser, site):
    view = browser.new_page(color_scheme=theme, reduced_motion="reduce", viewport={"width": DESK, "height": 800})
    view.goto(f"{site}404.html")
    found = Axe().run(view).response["violations"]
    view.close()
    assert {each["id"]: [node["html"][:120] for node in each["nodes"]] for each in found} == {}


def test_chapter_10_loads_little_until_a_picture_is_asked_for(browser, site):
    sizes = {}

    def prepare(page):
        page.on("response", lambda answer: sizes.update({answer.url: int(answer.headers.get("content-length", 0))}))

    with opened(browser, site + CHAPTER_10, prepare=prepare) as seen:
        seen.page.wait_for_load_state("networkidle")
    assert sum(sizes.values()) <= 2_500_000, json.dumps(sizes, indent=1)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_the_style_of_cards_if_it_has_cards(page, html):
    text = (html / page).read_text()
    assert ("sphinx-design.min.css" in text) == bool(re.search(r'class="[^"]*\bsd-', text))


@pytest.mark.parametrize("page", ["book/index.html", CHAPTER_10])
def test_nothing_moves_while_a_page_loads_and_is_read(page, browser, site):
    # Leave out what moves in the theme's table of contents alone, whose entries are marked while one reads.
    shifts = """window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(({ value, sources }) => {
      const isOurs = ({ node }) => !(node?.parentElement ?? node)?.closest?.(".bd-sidebar-secondary");
      if (sources.length === 0 || sources.some(isOurs)) window.shift += value;
    })).observe({ type: "layout-shift", buffered: true });"""
    view = browser.new_page(viewport={"width": DESK, "height": 800})
    view.add_init_script(shifts)
    view.goto(site + page, wait_until="networkidle")
    for _ in range(60):
        view.mouse.wheel(0, 600)
        view.wait_for_timeout(50)
    assert view.evaluate("() => window.shift") < 0.002
    view.close()


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("page", ["book/index.html", "book/train_it_here.html", CHAPTER_10, CHAPTER_7])
def test_a_picture_takes_no_more_room_than_is_kept_for_it(page, width, browser, site):
    heights = "all => all.map(place => place.getBoundingClientRect().height)"
    # Ask for the room itself: on a fast machine the picture may be there already.
    room = "all => all.map(place => parseFloat(getComputedStyle(place, '::before').height))"
    view = browser.new_page(viewport={"width": width, "height": 800})
    view.goto(site + page, wait_until="domcontentloaded")
    places = view.locator("[data-live]")
    kept = places.evaluate_all(room)
    for place in places.all():
        place.scroll_into_view_if_needed()
    view.wait_for_function("() => document.querySelectorAll('[data-live]:not([data-state=ready])').length === 0")
    view.wait_for_timeout(500)
    assert places.evaluate_all(heights) == pytest.approx(kept, abs=0.5)
    assert len(kept) >= 1
    view.close()


# Keep the page's frames back until they are let go.
HOLD_FRAMES = """
const held = [], frame = window.requestAnimationFrame.bind(window);
let isFree = false;
window.requestAnimationFrame = draw => isFree ? frame(draw) : held.push(draw);
window.letGo = () => { isFree = true; held.splice(0).forEach(draw => frame(draw)); };
"""


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("page", ["book/index.html", "book/train_it_here.html", CHAPTER_10, CHAPTER_7])
def test_nothing_in_a_picture_moves_when_it_is_first_drawn(page, width, browser, site):
    tops = """all => all.map(part => [part.className, part.getBoundingClientRect().top + scrollY])"""
    view = browser.new_page(viewport={"width": width, "height": 800})
    view.add_init_script(HOLD_FRAMES)
    view.goto(site + page, wait_until="domcontentloaded")
    for place in view.locator("[data-live]").all():
        place.evaluate("place => place.scrollIntoView({ behavior: 'instant' })")
        is_ready = "place => place.dataset.state === 'ready'"
        view.wait_for_function(is_ready, arg=place.element_handle(), polling=50)
    parts = view.locator("[data-live] > *, [data-live] tr")
    before = parts.evaluate_all(tops)
    view.evaluate("() => window.letGo()")
    view.wait_for_timeout(500)
    assert parts.evaluate_all(tops) == before
    assert len(before) >= 3
    view.close()


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize(("page", "least"), [("book/questions.html", 25), (CHAPTER_7, 9)])
def test_no_heading_has_an_empty_line_or_leaves_the_page(page, least, width, browser, site):
    heights = "all => all.map(heading => heading.getBoundingClientRect().height)"
    view = browser.new_page(viewport={"width": width, "height": 800})
    view.goto(site + page)
    headings = view.locator(".bd-article h2")
    before = headings.evaluate_all(heights)
    assert len(before) >= least
    assert view.evaluate("() => document.documentElement.scrollWidth") == width
    view.add_style_tag(content="a.headerlink { display: none; }")
    assert headings.evaluate_all(heights) == before
    view.close()


@pytest.mark.parametrize("page", ["notebooks/02_derive_the_elbo.html", "notebooks/03_turn_it_into_classes.html"])
def test_what_you_should_see_is_seen_at_once_on_a_phone(page, browser, site):
    view = browser.new_page(viewport={"width": PHONE, "height": 800})
    view.goto(site + page)
    tables = view.locator(".bd-article table", has_text="99 of 100 seeds")
    hidden = "all => all.map(({ parentElement: around }) => around.scrollWidth - around.clientWidth)"
    assert tables.evaluate_all(hidden) == [0]
    view.close()
