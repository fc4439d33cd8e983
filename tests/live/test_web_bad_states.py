"""Live pictures whose files are missing or damaged, whose readers do odd things, and for whom a mouse is no way."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import PHONE
from pictures import KINDS, opened

ALL = f"{'-'.join(KINDS)}.html"


def cut(text):
    return text[:1000]


def altered(text):
    place = text.index('"base64":"') + 500
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


def shortened(text):
    place = text.index('"base64":"') + 500
    return text[:place] + text[place + 40 :]


FILES = [
    ("film", "film-1"),
    ("explorer", "decoder-2"),
    ("explorer", "points-1"),
    ("draw", "encoder-0"),
    ("draw", "softplus-2"),
]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (None, "could not be loaded"),
        (cut, "is incomplete"),
        (shortened, "are incomplete"),
        (altered, "are damaged: their checksum is wrong"),
    ],
)
@pytest.mark.parametrize(("kind", "file"), FILES)
def test_a_file_that_is_not_whole_is_a_sentence(kind, file, spoil, words, browser, address):
    def prepare(page):
        def answer(route):
            if spoil is None:
                return route.fulfill(status=404)
            response = route.fetch()
            return route.fulfill(response=response, body=spoil(response.text()))

        page.route(f"**/{file}.js", answer)

    with opened(browser, f"{address}{kind}.html", ready=False, prepare=prepare) as seen:
        problem = seen.host(kind).get_by_role("alert")
        problem.wait_for()
        assert f"{file}" in problem.inner_text()
        assert words in problem.inner_text()
        assert seen.host(kind).locator("canvas").count() == 0


def test_a_pad_with_nothing_on_it_says_so(browser, address):
    with opened(browser, f"{address}draw.html") as draw:
        assert "Nothing is drawn yet" in draw.host("draw").inner_text()
        draw.stroke((0.5, 0.2), (0.5, 0.8))
        assert "Nothing is drawn yet" not in draw.host("draw").inner_text()
        draw.page.get_by_role("button", name="Clear").click()
        draw.settle()
        assert "Nothing is drawn yet" in draw.host("draw").inner_text()
        assert draw.read("draw") is None
        draw.page.get_by_role("button", name="Sample again").click()
        draw.settle()
        assert draw.errors == []


@pytest.mark.parametrize("drawing", ["all of it", "a dot"])
def test_extreme_drawings_have_numbers_too(drawing, browser, address):
    with opened(browser, f"{address}draw.html") as draw:
        if drawing == "a dot":
            draw.stroke((0.1, 0.9), (0.1, 0.9))
        else:
            rows = [i / 20 for i in range(21)]
            draw.stroke(*[point for y in rows for point in ((0.0, y), (1.0, y))])
        read = draw.read("draw")
        assert sum(read["image"]) == pytest.approx(400 if drawing == "all of it" else 314, rel=0.06)
        assert "NaN" not in draw.host("draw").inner_text()
        assert all(belief["elbo"] < -50 for belief in read["beliefs"])
        assert draw.errors == []


def test_two_hundred_resizes_leave_every_canvas_sharp(browser, address):
    with opened(browser, address + ALL) as seen:
        # Draw one ellipse in each panel of the film at every size, not one for every batch.
        seen.page.get_by_role("slider", name="batch").press("Home")
        resize = """async () => {
          for (let i = 0; i < 200; i++) {
            document.querySelector("main").style.width = `${320 + (i * 37) % 500}px`;
            await new Promise(requestAnimationFrame);
          }
        }"""
        seen.page.evaluate(resize)
        seen.settle()
        sharp = """() => [...document.querySelectorAll("canvas.vaelib-plane, canvas.vaelib-trace")].map(canvas =>
          [canvas.width - Math.round(canvas.clientWidth * devicePixelRatio), canvas.clientWidth > 50])"""
        assert all(found == [0, True] for found in seen.page.evaluate(sharp))
        assert seen.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(theme, browser, address):
    with opened(browser, address + ALL) as seen:
        seen.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        seen.page.get_by_role("button", name="test digit 5").first.click()
        seen.settle()
        # A bare page has the colours of the browser: those of the book are tested on its pages.
        found = Axe().run(seen.page).response["violations"]
        ours = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
        assert [each for each in ours if theme == "light" or each[0] != "color-contrast"] == []


def test_every_control_can_be_used_with_the_keyboard(browser, address):
    with opened(browser, address + ALL) as seen:
        controls = "canvas[tabindex], button:enabled, input:enabled, select, summary"
        expected = seen.page.locator(controls).count()
        seen.page.evaluate("() => document.body.focus()")
        names = "nodes => nodes.map(node => node.getAttribute('aria-label')?.length ?? 0)"
        assert min(seen.page.eval_on_selector_all("canvas[tabindex]", names)) > 30
        reached = set()
        for _ in range(expected + 2):
            seen.page.keyboard.press("Tab")
            reached.add(
                seen.page.evaluate(
                    """all => [...document.querySelectorAll(all)].indexOf(document.activeElement)""", controls
                )
            )
            outline = seen.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none" or seen.page.evaluate("() => document.activeElement === document.body")
        # Of radio buttons only the chosen one is reached; arrow keys lead to the others.
        assert len(reached - {-1}) == expected - 2


def test_a_phone_shows_all_of_it(browser, address):
    size = {"width": PHONE, "height": 740}
    with opened(browser, address + ALL, viewport=size, has_touch=True, is_mobile=True) as seen:
        assert seen.page.evaluate("() => document.documentElement.scrollWidth") <= PHONE
        small = """() => [...document.querySelectorAll("button, select")]
          .filter(node => !node.closest(".vaelib-thumbnails"))
          .filter(node => node.getBoundingClientRect().height < 24).map(node => node.outerHTML)"""
        assert seen.page.evaluate(small) == []
