"""Share a server of the bare pages, an empty page, and that of the pad, among the tests of the live pictures."""

import re

import pytest
from browsing import served
from pictures import opened


@pytest.fixture(scope="module")
def address(pictures):
    """Return the address of the folder of bare pages."""
    with served(pictures) as address:
        yield address


@pytest.fixture
def page(browser):
    """Open a page that notes what it asks for; at the end it must have complained of nothing."""
    context = browser.new_context(viewport={"width": 900, "height": 900})
    page = context.new_page()
    page.errors, page.asked = [], []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("request", lambda request: page.asked.append(re.sub(".*/", "", request.url)))
    yield page
    assert page.errors == []
    context.close()


@pytest.fixture
def draw(browser, address):
    """Open the pad; at the end the page must have complained of nothing."""
    with opened(browser, f"{address}draw.html") as draw:
        yield draw
        assert draw.errors == []
