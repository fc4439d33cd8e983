"""Use the page of the training as a reader does."""

# A training of a second.
SMALL = "#train=hidden:125,count:1000,numEpochs:5"


def visit(page, address, settings=""):
    """Open the page in a folder of bare pages, with the settings of a link, and wait for its picture."""
    page.goto(f"{address}train.html{settings}")
    page.locator("[data-live=train]").scroll_into_view_if_needed()
    page.locator("[data-live=train][data-state=ready]").wait_for()


def press(page, name):
    """Press the button of this name."""
    page.get_by_role("button", name=name).click()


def wait_for(page, text):
    """Wait until the training says so."""
    page.locator(".vaelib-status", has_text=text).wait_for()


def read(page):
    """Return what the training holds."""
    return page.evaluate("() => document.querySelector('[data-live=train]').live.read()")
