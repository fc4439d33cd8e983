"""Write a bare page with nothing but live pictures of the book's own runs, and use it in a browser."""

import json
import re
from contextlib import contextmanager
from typing import NamedTuple

# The pictures of trained networks, and all of them.
KINDS = ("film", "explorer", "draw")
ALL_KINDS = (*KINDS, "overlap", "train")
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The live pictures</title>
<link rel="icon" href="live/film.png">
<link rel="stylesheet" href="live/live.css">
<main><h1>The live pictures</h1>{places}</main>
<script src="live/{script}.js"></script>
"""


def write_page(folder, kinds=KINDS):
    """Write the page, beside the folder live/."""
    script = "live-train" if "train" in kinds else "live"
    places = "".join(f'<div data-live="{kind}"></div>' for kind in kinds)
    (folder / f"{'-'.join(kinds)}.html").write_text(PAGE.format(places=places, script=script))


class Opened(NamedTuple):
    """Hold a page in the browser, and what it asked for and complained about."""

    page: object
    requests: list
    errors: list

    def host(self, kind):
        """Return the element of a live picture."""
        return self.page.locator(f"[data-live={kind}]")

    def read(self, kind):
        """Return what a live picture says of itself."""
        return self.page.evaluate("kind => document.querySelector(`[data-live=${kind}]`).live.read()", kind)

    def settle(self):
        """Let two frames pass: what was asked for has been drawn."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def press(self, name):
        """Click the first button of a name."""
        self.page.get_by_role("button", name=name, exact=True).first.click()
        self.settle()

    def stroke(self, *points):
        """Draw on the pad with the mouse; points are shares of its width and height."""
        pad = self.page.locator(".vaelib-pad")
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=3)
        self.page.mouse.up()
        self.settle()


@contextmanager
def opened(browser, address, *, ready=True, prepare=None, **options):
    """Open a page and scroll to every live picture that its name names; wait for them unless told otherwise."""
    context = browser.new_context(**{"viewport": {"width": 900, "height": 900}, **options})
    page = context.new_page()
    requests, errors = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    if prepare:
        prepare(page)
    page.goto(address)
    state = "='ready'" if ready else ""
    for kind in re.findall("|".join(ALL_KINDS), address.rpartition("/")[2]):
        page.locator(f"[data-live={kind}]").scroll_into_view_if_needed()
        page.locator(f"[data-live={kind}][data-state{state}]").wait_for()
    yield Opened(page, requests, errors)
    context.close()


def look_at_live_pictures(page):
    """Scroll to every live picture, and wait until it is there."""
    for place in page.locator("[data-live]").all():
        place.scroll_into_view_if_needed()
        place.and_(page.locator("[data-state=ready]")).wait_for()


def forbid_inline(page):
    """Serve it with the strictest Content-Security-Policy: no inline script, no inline style, no other host."""

    def add_policy(route):
        response = route.fetch()
        policy = {"content-security-policy": "default-src 'self'"}
        route.fulfill(response=response, headers={**response.headers, **policy})

    page.route("**/*.html", add_policy)


@contextmanager
def opened_without_inline(browser, address):
    """Open a page of the book under that policy; yield what `opened` does, and its complaints so far, at least one.

    The theme's own scripts are inline, so where there is no complaint there is no policy.
    """
    complaints = []

    def note(message):
        if "Content Security Policy" in message.text:
            complaints.append(message)

    def prepare(page):
        forbid_inline(page)
        page.on("console", note)

    with opened(browser, address, prepare=prepare) as seen:
        yield seen, complaints
    assert complaints


# Render a widget into an element that enters the page when `attach` is called, as programs for notebooks do.
NOTEBOOK = """
import widget from "./widget.js";
const data = await (await fetch("widget.json")).json(), cell = document.createElement("div");
const hearing = new Set();
const model = {
  get: name => data[name], on: (_, hear) => hearing.add(hear), off: (_, hear) => hearing.delete(hear),
  // Answer as Python does; what it answers lies in files.
  async send({ part }) {
    const answer = await fetch(`${part}.json`);
    if (!answer.ok) return;
    const value = await answer.json();
    for (const hear of hearing) hear({ part, value });
  },
};
const close = widget.render({ model, el: cell });
window.notebook = { attach: () => document.querySelector("main").append(cell), close, cell };
"""
NOTEBOOK_PAGE = """<!doctype html>
<html lang="en">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A notebook</title>
<link rel="icon" href="live/film.png">
<link rel="stylesheet" href="live/live.css">
<main></main>
<script type="module" src="notebook.js"></script>
"""


def write_notebook(folder, widget, answers=()):
    """Write notebook.html, which shows a widget, and what it gets from Python."""
    (folder / "widget.js").write_text(str(widget._esm))
    (folder / "widget.json").write_text(json.dumps({"kind": widget.kind, "data": widget.data}))
    (folder / "notebook.js").write_text(NOTEBOOK)
    (folder / "notebook.html").write_text(NOTEBOOK_PAGE)
    (folder / "live").mkdir()
    (folder / "live/live.css").write_text(str(widget._css))
    (folder / "live/film.png").touch()
    for answer in answers:
        (folder / f"{answer['part']}.json").write_text(json.dumps(answer["value"]))


def answers_of(widget):
    """Return all that a widget of the training answers, part by part, and what it answers to nonsense."""
    sent = []
    widget.send = sent.append
    for question in ({"part": "train-kernels"}, {"part": "train-digits-0"}, {"part": "train-digits-test"}, {"a": 1}):
        widget._handle_custom_msg(question, [])
    return sent


@contextmanager
def opened_notebook(browser, address, *, attach=True, **options):
    """Open notebook.html; wait for the widget, in the page or not yet."""
    with opened(browser, f"{address}notebook.html", **options) as seen:
        seen.page.wait_for_function("() => window.notebook")
        if attach:
            seen.page.evaluate("() => notebook.attach()")
        seen.page.wait_for_function("() => notebook.cell.querySelector('[data-state]')")
        seen.settle()
        yield seen
