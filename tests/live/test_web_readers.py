"""The live pictures for readers with settings of their own: colours, sizes, spacing, paper."""

import pytest
from browsing import DESK
from pictures import KINDS, opened

ALL = f"{'-'.join(KINDS)}.html"
# Return pairs of texts and controls that lie on top of each other, by more than a hair.
OVERLAPS = """() => {
  const boxes = [];
  for (const host of document.querySelectorAll("[data-live]")) {
    const walker = document.createTreeWalker(host, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, range = document.createRange();
      if (!node.data.trim() || node.parentElement.closest(".vaelib-spoken, select")) continue;
      if (!node.parentElement.checkVisibility()) continue;
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) boxes.push([node, box]);
    }
    const controls = host.querySelectorAll("button, select, input, canvas");
    for (const node of controls) boxes.push([node, node.getBoundingClientRect()]);
  }
  const name = node => (node.outerHTML ?? node.data).slice(0, 60), found = [];
  boxes.forEach(([a, one], i) => boxes.slice(i + 1).forEach(([b, other]) => {
    const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    if (across > 2 && down > 4 && !a.contains(b) && !b.contains(a)) found.push([name(a), name(b), across, down]);
  }));
  return found;
}"""
# Texts that are cut off, or stand out of their box.
CUT = """() => [...document.querySelectorAll("[data-live] *")]
  .filter(node => !node.closest(".vaelib-spoken, select") && node.tagName !== "CANVAS")
  .filter(node => node.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(node => node.outerHTML.slice(0, 100))"""
SETTINGS = {
    "320 pixels wide": (320, ""),
    "text at 200 %": (DESK, "html { font-size: 200%; }"),
    # WCAG 2.2, success criterion 1.4.12.
    "wide spacing": (
        DESK,
        "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }"
        "p { margin-bottom: 2em !important; }",
    ),
    "wide spacing, 320 pixels wide": (
        320,
        "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }"
        "p { margin-bottom: 2em !important; }",
    ),
}
# The colour of the prior's circle of the film's first panel, where nothing lies on top of it.
CIRCLE = """() => {
  const host = document.querySelector("[data-live=film]"), canvas = host.querySelector(".vaelib-plane");
  const middle = canvas.width / 2, reach = (Math.SQRT1_2 * middle) / host.live.read().limit;
  return [...canvas.getContext("2d").getImageData(middle - reach, middle - reach, 1, 1).data];
}"""
BLACK, WHITE = [0, 0, 0], [255, 255, 255]


@pytest.mark.parametrize("setting", SETTINGS)
def test_nothing_overlaps_or_is_cut(setting, browser, address):
    width, css = SETTINGS[setting]
    with opened(browser, address + ALL, viewport={"width": width, "height": 900}) as seen:
        if css:
            seen.page.add_style_tag(content=css)
        seen.page.get_by_role("button", name="test digit 8").first.click()
        seen.settle()
        assert seen.page.evaluate("() => document.documentElement.scrollWidth") <= width
        assert seen.page.evaluate(CUT) == []
        assert seen.page.evaluate(OVERLAPS) == []
        seen.page.locator("[data-live] details").evaluate_all("nodes => nodes.forEach(node => node.open = true)")
        seen.settle()
        assert seen.page.evaluate(CUT) == []
        assert seen.page.evaluate(OVERLAPS) == []
        assert seen.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_keep_what_colours_mean(scheme, browser, address):
    options = {"forced_colors": "active", "color_scheme": scheme}
    with opened(browser, address + ALL, **options) as seen:
        bars = seen.page.locator(".vaelib-legend li").evaluate_all(
            "nodes => nodes.map(node => getComputedStyle(node).borderBottomColor)"
        )
        assert len(set(bars)) == len(bars) == 10
        lines = seen.page.locator(".vaelib-line").evaluate_all(
            "nodes => nodes.map(node => getComputedStyle(node).borderTopColor)"
        )
        assert len(set(lines)) == len(lines) == 3
        # The prior's circle has the reader's colour for text.
        assert seen.page.evaluate(CIRCLE)[:3] == pytest.approx({"light": BLACK, "dark": WHITE}[scheme], abs=60)


def test_a_dark_page_prints_dark_on_white_what_it_shows(browser, address):
    with opened(browser, address + ALL) as seen:
        seen.page.evaluate("() => document.documentElement.dataset.theme = 'dark'")
        seen.page.add_style_tag(
            content="html[data-theme=dark] { --pst-color-text-base: #eee; --pst-color-background: #111; }"
        )
        seen.page.get_by_role("slider", name="batch").press("ArrowLeft")
        seen.settle()
        assert min(seen.page.evaluate(CIRCLE)[:3]) > 180
        seen.page.evaluate(
            f"""() => {{
              window.printed = [];
              matchMedia("print").addEventListener("change", ({{ matches }}) => printed.push([matches, ({CIRCLE})()]));
            }}"""
        )
        assert len(seen.page.pdf()) > 50_000
        seen.settle()
        (on_paper, printed), (back, _) = seen.page.evaluate("() => window.printed")
        assert (on_paper, back) == (True, False)
        assert printed[:3] == pytest.approx(BLACK, abs=60)
        assert min(seen.page.evaluate(CIRCLE)[:3]) > 180
        assert seen.read("film")["batch"] == 468
        assert seen.errors == []
