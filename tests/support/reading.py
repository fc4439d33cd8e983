"""Open a page of the book once, and note what readers of all kinds would meet: themes, screens, text sizes, paper."""

from typing import NamedTuple

from axe_playwright_python.sync_playwright import Axe
from browsing import DESK, PHONE
from pictures import look_at_live_pictures

THEMES = ("light", "dark")
NARROWEST = 320  # CSS pixels: a screen of 1280 enlarged to 400 %, WCAG 1.4.10
COLUMN = 680  # CSS pixels: what A4 leaves between the margins
# Leave out the live pictures where text is enlarged and spaced: they have tests of their own.
NOT_LIVE = "[data-live] { display: none }"
SETTINGS = {
    "320 pixels wide": (NARROWEST, ""),
    "360 pixels wide": (PHONE, ""),
    "text of twice the size": (1280 // 2, f"html {{ font-size: 200% }} {NOT_LIVE}"),
    # What a reader may set without losing anything, WCAG 1.4.12.
    "wide spacing": (
        PHONE,
        "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }"
        f"p {{ margin-bottom: 2em !important; }} {NOT_LIVE}",
    ),
}
# What the page says about itself, once all is loaded and MathJax has drawn its formulas.
LOOK = """async () => {
  const images = [...document.images]
  // Those that wait for the reader would never decode.
  images.forEach(image => { image.loading = "eager" })
  await Promise.allSettled(images.map(image => image.decode()))
  return {
    formulas: document.querySelectorAll(".math").length,
    drawn: document.querySelectorAll(".math mjx-container").length,
    // An error, or an unknown command, which MathJax shows in red.
    broken: document.querySelectorAll("mjx-merror, mjx-mtext[style*='color: red']").length,
    nameless: images.filter(image => !image.alt.trim()).map(image => image.outerHTML.slice(0, 200)),
    clipped: [...document.querySelectorAll(".cell_output .stream pre")]
      .filter(printed => printed.scrollWidth > printed.clientWidth).map(printed => printed.textContent.slice(0, 100)),
    missing: images.filter(image => !image.naturalWidth).map(image => image.outerHTML.slice(0, 200)),
    links: [...document.querySelectorAll("a[href]")].map(link => link.href.split("#")[0]),
    live: [...document.querySelectorAll("[data-live]")].map(place => place.dataset.live),
  }
}"""
STRETCHED = """() => [...document.images]
  .filter(({ clientWidth: w, clientHeight: h, naturalWidth: nw, naturalHeight: nh }) =>
    w > 50 && Math.abs((w * nh) / (h * nw) - 1) > 0.05)
  .map(image => image.outerHTML.slice(-200))"""
# Find numbers such as 1e-3 and 25 % that go over the end of a line.
TORN = """() => {
  const words = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT), found = [];
  while (words.nextNode()) {
    const text = words.currentNode;
    if (text.parentElement.closest("pre, code, mjx-container, [data-live], [data-exercise]")) continue;
    for (const number of text.data.matchAll(/\\d+(e-\\d+| %)/g)) {
      const range = document.createRange();
      range.setStart(text, number.index);
      range.setEnd(text, number.index + number[0].length);
      const lines = new Set([...range.getClientRects()].map(box => box.top));
      if (lines.size > 1) found.push(text.data.slice(Math.max(number.index - 40, 0), number.index + 9));
    }
  }
  return found;
}"""
# Find short formulas whose full stop, or another mark, stands on the next line.
ALONE = """() => [...document.querySelectorAll("article span.math")].filter(formula => {
  const text = formula.nextSibling, box = formula.getBoundingClientRect(), range = document.createRange();
  if (text?.nodeType !== Node.TEXT_NODE || !/^[.,;:!?)]/.test(text.data) || box.width > 100) return false;
  range.setStart(text, 0);
  range.setEnd(text, 1);
  return range.getBoundingClientRect().left < box.left;
}).map(formula => formula.closest("p, li, td").textContent.slice(0, 80))"""
# Find what reaches out of the screen, or hides a part of itself, and is in nothing that scrolls.
LOST = """() => [...document.querySelectorAll("article *, .bd-header-article *")].filter(element => {
  const box = element.getBoundingClientRect();
  if (!box.width || !element.checkVisibility({ visibilityProperty: true })) return false;
  if (element.closest("mjx-container *, .vaelib-spoken, .dropdown-menu, .visually-hidden")) return false;
  for (let up = element.parentElement; up && up.tagName !== "ARTICLE"; up = up.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return false;
  const clips = ["hidden", "clip"].includes(getComputedStyle(element).overflowX);
  return box.right > innerWidth + 1 || box.left < -1 || (clips && element.scrollWidth > element.clientWidth + 1);
}).map(element => element.outerHTML.slice(0, 160))"""
# Find what reaches out of the column on paper, and what hides a part of itself.
CUT = """column => [...document.querySelectorAll("article *")].filter(element => {
  const box = element.getBoundingClientRect();
  if (!box.width || !element.checkVisibility() || element.closest("mjx-container *, .vaelib-spoken")) return false;
  const style = getComputedStyle(element);
  const hides = style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
  return hides || box.right > column + 1;
}).map(element => element.outerHTML.slice(0, 120))"""
# Take the formulas out, which are MathJax's, and make plain text of the words of code but for the first of each colour:
# axe looks at the contrast of each of these thousands of elements, which takes it half a minute.
THINNED = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll(".highlight span:not(:has(*))")) {
    if (seen.has(word.className)) word.replaceWith(word.textContent);
    seen.add(word.className);
  }
  window.formulas = [...document.querySelectorAll("mjx-container")].map(formula => {
    const place = document.createComment("");
    formula.replaceWith(place);
    return [place, formula];
  });
}"""
WITH_FORMULAS = "() => window.formulas.forEach(([place, formula]) => place.replaceWith(formula))"
OPEN = """() => {
  const answers = [...document.querySelectorAll("article details")];
  return [answers.filter(answer => answer.open).length, answers.length];
}"""


class Reading(NamedTuple):
    """Hold what a browser saw of a page."""

    elsewhere: list
    """Addresses on other hosts that the page asked for."""
    errors: list
    seen: dict
    """The answer to LOOK."""
    violations: dict
    """For each theme, what axe found: {rule: elements}."""
    lost: dict
    """For each of SETTINGS, what a reader cannot get at, and how wide the page is."""
    stretched: list
    """Pictures whose sides are not in proportion on a phone."""
    torn: list
    """Numbers that go over the end of a line on a phone, and texts in which a formula leaves its full stop behind."""
    cut: list
    """What is cut off on paper."""
    unfolded: list
    """How many answers are open on paper, and afterwards, each of how many."""


def read(browser, address, home, folder=None):
    """Open a page in one browser window, and look at it in every way; its home is all that it may ask.

    Leave screenshots in a folder if there is one.
    """
    asked, errors = [], []
    page = browser.new_page(viewport={"width": DESK, "height": 800}, reduced_motion="reduce")
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address, wait_until="networkidle")
    wait_for_formulas(page)
    seen = page.evaluate(LOOK)
    if folder:
        for theme, width in (("light", DESK), ("dark", DESK), ("phone", PHONE)):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            page.set_viewport_size({"width": width, "height": 800})
            look_at_live_pictures(page)
            page.evaluate("() => scrollTo(0, 0)")
            name = address.removeprefix(home).removesuffix(".html").replace("/", "_")
            page.screenshot(path=folder / f"{name}.{theme}.png", full_page=True)
        page.set_viewport_size({"width": DESK, "height": 800})
    page.evaluate(THINNED)
    violations = {theme: violated(page, theme) for theme in THEMES}
    page.evaluate(WITH_FORMULAS)
    page.emulate_media(color_scheme="light")
    lost = {name: lost_at(page, *setting) for name, setting in SETTINGS.items()}
    page.set_viewport_size({"width": PHONE, "height": 800})
    stretched, torn = page.evaluate(STRETCHED), page.evaluate(TORN) + page.evaluate(ALONE)
    cut, unfolded = on_paper(page)
    page.close()
    elsewhere = [url for url in asked if not url.startswith((home, "data:", "blob:"))]
    return Reading(elsewhere, errors, seen, violations, lost, stretched, torn, cut, unfolded)


def wait_for_formulas(page):
    """Wait until MathJax has drawn the formulas of a page, if it has some: MathJax itself may be late."""
    page.wait_for_function("() => !document.querySelector('.math') || window.MathJax?.startup?.promise")
    page.evaluate("async () => { await window.MathJax?.startup?.promise }")


def violated(page, theme):
    """Return what axe finds. In the dark, only colours can be other than in the light."""
    page.emulate_media(color_scheme=theme)
    look_at_live_pictures(page)
    options = {"resultTypes": ["violations"], "preload": False}
    if theme == "dark":
        options["runOnly"] = ["color-contrast"]
    found = Axe().run(page, options=options).response["violations"]
    return {each["id"]: [node["html"][:120] for node in each["nodes"]] for each in found}


def lost_at(page, width, style):
    """Return what a reader cannot get at who has set a width and a style, and how wide the page is."""
    page.set_viewport_size({"width": width, "height": 800})
    added = page.add_style_tag(content=style or " ")
    page.wait_for_timeout(100)
    found = page.evaluate(LOST), page.evaluate("() => document.documentElement.scrollWidth")
    added.evaluate("style => style.remove()")
    return found


def put_on_paper(page):
    """Lay a page out as a browser does that prints it."""
    page.evaluate("() => { dispatchEvent(new Event('beforeprint')) }")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": COLUMN, "height": 1000})


def on_paper(page):
    """Return what is cut off on paper, and how many answers are open there and afterwards, of how many."""
    page.set_viewport_size({"width": DESK, "height": 800})
    put_on_paper(page)
    cut, during = page.evaluate(CUT, COLUMN), page.evaluate(OPEN)
    page.evaluate("() => { dispatchEvent(new Event('afterprint')) }")
    return cut, [during, page.evaluate(OPEN)]
