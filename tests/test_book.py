"""The book builds without a warning, and reads well in a real browser that has no other host to ask."""

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESK = 360, 1280  # pixels wide
# What the page says about itself, once all is loaded and MathJax has drawn its formulas.
LOOK = """async () => {
  await window.MathJax?.startup?.promise
  const images = [...document.images]
  await Promise.allSettled(images.map(image => image.decode()))
  return {
    formulas: document.querySelectorAll(".math").length,
    drawn: document.querySelectorAll(".math mjx-container").length,
    // An error, or an unknown command, which MathJax shows in red.
    broken: document.querySelectorAll("mjx-merror, mjx-mtext[style*='color: red']").length,
    nameless: images.filter(image => !image.alt.trim()).map(image => image.outerHTML.slice(0, 200)),
    missing: images.filter(image => !image.naturalWidth).map(image => image.outerHTML.slice(0, 200)),
    links: [...document.querySelectorAll("a[href]")].map(link => link.href.split("#")[0]),
    width: document.documentElement.scrollWidth,
  }
}"""


class Visit(NamedTuple):
    """What a browser saw of a page."""

    elsewhere: list
    """Addresses on other hosts that the page asked for."""
    errors: list
    seen: dict
    """The answer to LOOK."""


def chapters():
    """The files that _toc.yml lists, as pages."""
    table = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [chapter["file"] for part in table["parts"] for chapter in part["chapters"]]
    return [f"{file}.html" for file in (table["root"], *listed)]


PAGES = chapters()
each_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of a book built from nothing, as `make book` does; a warning is an error."""
    output = tmp_path_factory.mktemp("book")
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", ROOT, "-W", "--keep-going", "-n", "-q", "--path-output", output]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return output / "_build/html"


@pytest.fixture(scope="module")
def browser():
    """The Chromium that this machine has."""
    found = [os.environ.get("CHROMIUM"), *map(shutil.which, BROWSERS)]
    executable = next(filter(None, found), None)
    if executable is None:
        reason = f"no browser: install Chromium, or set CHROMIUM to one; looked for {', '.join(BROWSERS)}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(html):
    """The book's address on a server of our own."""

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=html))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def visit(browser, address, home, width=DESK):
    """Open a page, and note what it asks for and complains about; its home is all that it may ask."""
    elsewhere, errors = [], []
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.on("request", lambda request: elsewhere.append(request.url))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address, wait_until="networkidle")
    seen = page.evaluate(LOOK)
    page.close()
    return Visit([url for url in elsewhere if not url.startswith((home, "data:", "blob:"))], errors, seen)


@pytest.fixture(scope="module")
def visits(browser, site):
    """A visit of every page, on a desk."""
    return {page: visit(browser, site + page, site) for page in PAGES}


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
def test_a_page_fits_a_phone(page, browser, site):
    assert visit(browser, site + page, site, width=PHONE).seen["width"] <= PHONE


def test_a_page_opened_as_a_file_asks_no_host_either(html, browser):
    page = next(page for page in PAGES if page.startswith("notebooks/"))
    seen = visit(browser, (html / page).as_uri(), html.as_uri())
    assert seen.elsewhere == []
    assert seen.seen["drawn"] == seen.seen["formulas"]
