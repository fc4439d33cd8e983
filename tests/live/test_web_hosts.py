"""Where the live pictures live: on a server, in a file; and what they ask of it."""

import re

from pictures import KINDS, forbid_inline, opened


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


def test_a_phrase_of_the_text_sets_the_film(browser, address, pictures):
    phrase = '<p>See <span data-drive="film epoch=100 batch=30 axes=4 panel=2">batch 30</span>.</p>'
    page = (pictures / "film.html").read_text().replace("<main>", f"<main>{phrase}")
    # A phrase about a picture that the page does not have remains text.
    page = page.replace("</main>", '<p><span data-drive="draw">a drawing</span></p></main>')
    (pictures / "driven-film.html").write_text(page)
    with opened(browser, f"{address}driven-film.html") as seen:
        button = seen.page.get_by_role("button", name="batch 30")
        assert button.locator("..").inner_text() == "See batch 30."
        button.press("Enter")
        seen.page.wait_for_function("() => document.querySelector('[data-live]').live.read().batch === 30")
        seen.settle()
        read = seen.read("film")
        assert (read["epoch"], read["limit"], read["panel"]) == (100, 4, 1)
        assert seen.page.get_by_role("combobox", name="epoch").input_value() == "100"
        assert seen.page.locator(".vaelib-meant").count() == 1
        assert seen.page.get_by_role("button", name="a drawing").count() == 0
        assert seen.errors == []


def test_a_phrase_of_the_text_sets_the_explorer(browser, address, pictures):
    phrase = '<p>See <span data-drive="explorer panel=2 z1=1.6 z2=-0.8 dots=1">the 1s</span>.</p>'
    page = (pictures / "explorer.html").read_text().replace("<main>", f"<main>{phrase}")
    (pictures / "driven-explorer.html").write_text(page)
    with opened(browser, f"{address}driven-explorer.html") as seen:
        seen.page.get_by_role("button", name="the 1s").press("Enter")
        seen.page.wait_for_function("() => document.querySelector('[data-live]').live.read().run === 1")
        assert seen.read("explorer")["z"] == [1.6, -0.8]
        assert seen.page.get_by_role("radio").nth(1).is_checked()
        assert seen.page.get_by_role("checkbox", name="test digits", exact=True).is_checked()
        assert seen.page.locator(".vaelib-spoken").inner_text().startswith("z = (1.60, −0.80).")
        assert seen.errors == []
