"""Where the live pictures live: on a server, in a file, in a notebook; and what they ask of it."""

import json
import re

import pytest
from browsing import served
from pictures import KINDS, forbid_inline, opened

from vaelib import draw_a_digit, latent_explorer, load_run, posterior_film


@pytest.fixture(scope="module")
def address(pictures):
    with served(pictures) as address:
        yield address


def test_from_a_file_they_are_the_same_and_ask_nobody(browser, pictures):
    page = pictures / f"{'-'.join(KINDS)}.html"
    with opened(browser, page.as_uri()) as seen:
        seen.stroke((0.5, 0.2), (0.5, 0.8))
        assert len(seen.read("draw")["beliefs"]) == 3
        assert [url for url in seen.requests if not url.startswith(pictures.as_uri())] == []
        assert seen.errors == []


def test_they_need_no_more_than_their_own_server(browser, address):
    """Under the strictest Content-Security-Policy: no inline script, no inline style, no other host."""
    with opened(browser, f"{address}{'-'.join(KINDS)}.html", prepare=forbid_inline) as seen:
        seen.stroke((0.5, 0.2), (0.5, 0.8))
        assert len(seen.read("draw")["beliefs"]) == 3
        assert seen.errors == []
        # The policy is in force.
        seen.page.evaluate("() => fetch('https://example.org').catch(() => null)")
        assert any("Content Security Policy" in error for error in seen.errors)


def test_nothing_is_loaded_before_a_reader_comes_near(browser, address, pictures):
    (pictures / "film-below.html").write_text(
        (pictures / "film.html").read_text().replace("<main>", '<link rel="stylesheet" href="below.css"><main>')
    )
    (pictures / "below.css").write_text("main { padding-top: 3000px; }")
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(re.sub(".*/", "", request.url)))
    page.goto(f"{address}film-below.html", wait_until="networkidle")
    assert not [name for name in asked if name.startswith("film-") and name.endswith(".js")]
    page.locator("[data-live]").scroll_into_view_if_needed()
    page.locator("[data-state=ready]").wait_for()
    assert {"film-0.js", "film-1.js", "film-2.js"} <= set(asked)
    page.close()


def test_whoever_wants_no_motion_gets_none(browser, address, pictures):
    (pictures / "autoplay.html").write_text(
        (pictures / "film.html").read_text().replace('data-live="film"', 'data-live="film" data-autoplay')
    )
    for wish, plays in (("no-preference", True), ("reduce", False)):
        page = browser.new_page(reduced_motion=wish)
        page.goto(f"{address}autoplay.html")
        page.locator("[data-state=ready]").wait_for()
        assert page.get_by_role("button", name="Pause").count() == plays
        page.close()


WIDGET = """
import widget from "./widget.js";
const data = await (await fetch("widget.json")).json();
window.close = widget.render({ model: { get: name => data[name] }, el: document.querySelector("main") });
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_notebook_shows_the_same_pictures(kind, browser, address, pictures, specs, models, small):
    labels = ("a", "b", "c")
    if kind == "film":
        widget = posterior_film({label: load_run(spec) for label, spec in zip(labels, specs, strict=True)})
    else:
        show = {"explorer": latent_explorer, "draw": draw_a_digit}[kind]
        widget = show(dict(zip(labels, models, strict=True)), small.x_test, small.y_test)
    (pictures / "widget.js").write_text(str(widget._esm))
    (pictures / "widget.json").write_text(json.dumps({"kind": widget.kind, "data": widget.data}))
    (pictures / "notebook.js").write_text(WIDGET)
    (pictures / "notebook.html").write_text(
        '<!doctype html><html lang="en"><title>A notebook</title><link rel="icon" href="live/film.png">'
        '<link rel="stylesheet" href="live/live.css"><main></main><script type="module" src="notebook.js"></script>'
    )
    with opened(browser, f"{address}notebook.html") as seen:
        host = seen.page.locator(".vaelib-live[data-state=ready]")
        host.wait_for()
        assert host.locator("canvas").first.bounding_box()["height"] > 100
        assert {"film": "|μ|", "explorer": "decoded by each network", "draw": "Nothing is drawn yet"}[
            kind
        ] in host.inner_text()
        # A notebook has no address that others could open.
        assert host.get_by_role("button", name="Copy link").count() == 0
        # When the cell is run again, the old widget lets go.
        seen.page.evaluate("() => window.close()")
        seen.page.set_viewport_size({"width": 500, "height": 700})
        seen.settle()
        assert seen.errors == []
