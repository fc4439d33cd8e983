"""Share a server of the bare pages, and the page of the pad, among the tests of the live pictures."""

import pytest
from browsing import served
from pictures import opened


@pytest.fixture(scope="module")
def address(pictures):
    """Return the address of the folder of bare pages."""
    with served(pictures) as address:
        yield address


@pytest.fixture
def draw(browser, address):
    """Open the pad; at the end the page must have complained of nothing."""
    with opened(browser, f"{address}draw.html") as draw:
        yield draw
        assert draw.errors == []
