"""The live pictures as widgets: what programs for notebooks do to their cells, without these programs.

`make clients` tries the programs themselves.
"""

import pytest
from browsing import served
from colab_page import COLAB, set_theme
from pictures import ALL_KINDS, KINDS, answers_of, opened_notebook, write_notebook

from vaelib import draw_a_digit, latent_explorer, load_run, posterior_film, train_here
from vaelib.live import kl_overlap

SAYS = {
    "film": "|μ|",
    "explorer": "decoded by each network",
    "draw": "Nothing is drawn yet",
    "overlap": "KL 0.82 nats",
    "train": "One step",
}
# Count the pixels with ink of every canvas that is drawn, not painted.
INK = """() => [...notebook.cell.querySelectorAll("canvas:is(.vaelib-plane, .vaelib-trace, .vaelib-overlap)")]
  .filter(canvas => !canvas.closest("[hidden]")).map(canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, i) => i % 4 === 3 && value > 0).length;
})"""
# Count the pixels of every plane that have the colour of text in Colab's dark theme.
TEXT = """() => [...notebook.cell.querySelectorAll("canvas:is(.vaelib-plane, .vaelib-overlap)")]
  .filter(canvas => !canvas.closest("[hidden]")).map(canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, i) => i % 4 === 0 && value === 0xd5 && data[i + 3] === 255).length;
})"""
# Change the theme, let the picture ask for a frame, and hide the cell until that frame.
DARKEN = """async () => {
  document.documentElement.setAttribute("theme", "dark");
  notebook.cell.style.display = "none";
  await Promise.resolve();
  await new Promise(done => requestAnimationFrame(() => { notebook.cell.style.display = ""; done(); }));
}"""
# Find buttons and menus that cover each other.
COVERED = """nodes => nodes.filter((node, i) => nodes.slice(0, i).some(other => {
  const [a, b] = [node, other].map(each => each.getBoundingClientRect());
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
})).map(node => node.textContent)"""
# The contrast of every text with what lies under it (WCAG 2.2, relative luminance).
CONTRAST = """() => {
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const luminance = text => channels(text).slice(0, 3)
    .map(c => c / 255).map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + [0.2126, 0.7152, 0.0722][i] * c, 0);
  const back = node => {
    const colour = getComputedStyle(node).backgroundColor;
    return channels(colour)[3] === 0 ? back(node.parentElement) : colour;
  };
  return [...notebook.cell.querySelectorAll("*")]
    .filter(node => [...node.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.data.trim()))
    .map(node => {
      const [low, high] = [getComputedStyle(node).color, back(node)].map(luminance).sort((a, b) => a - b);
      return [(high + 0.05) / (low + 0.05), node.outerHTML.slice(0, 100)];
    });
}"""


@pytest.fixture(scope="module", params=ALL_KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(kind, specs, models, small, tmp_path_factory):
    """Return a folder with a page of one widget."""
    labels, answers = ("a", "b", "c"), ()
    if kind == "film":
        widget = posterior_film({label: load_run(spec) for label, spec in zip(labels, specs, strict=True)})
    elif kind == "overlap":
        widget = kl_overlap()
    elif kind == "train":
        widget = train_here(small.x_train, small.x_test, small.y_test)
        answers = answers_of(widget)
    else:
        show = {"explorer": latent_explorer, "draw": draw_a_digit}[kind]
        widget = show(dict(zip(labels, models, strict=True)), small.x_test, small.y_test)
    folder = tmp_path_factory.mktemp(kind)
    write_notebook(folder, widget, answers)
    return folder


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as address:
        yield address


def test_a_notebook_shows_the_same_pictures(kind, browser, address):
    with opened_notebook(browser, address) as seen:
        host = seen.page.locator(".vaelib-live[data-state=ready]")
        assert host.locator("canvas:visible").first.bounding_box()["height"] > 100
        assert SAYS[kind] in host.inner_text()
        # A notebook has no address that others could open.
        assert host.get_by_role("button", name="Copy link").count() == 0
        # When the cell is run again, the old widget lets go.
        seen.page.evaluate("() => notebook.close()")
        seen.page.set_viewport_size({"width": 500, "height": 700})
        seen.settle()
        assert seen.errors == []


def test_a_cell_that_enters_the_page_late_is_drawn_then(browser, address):
    with opened_notebook(browser, address, attach=False) as seen:
        assert seen.page.evaluate("() => notebook.cell.querySelector('[data-state]').dataset.state") == "ready"
        seen.page.evaluate("() => notebook.attach()")
        seen.settle()
        assert min(seen.page.evaluate(INK)) > 100
        assert seen.errors == []


def test_another_theme_in_a_collapsed_cell_is_seen_when_it_opens(browser, address):
    with opened_notebook(browser, address) as seen:
        before = seen.page.evaluate(INK)
        seen.page.evaluate(
            "() => { notebook.cell.style.display = 'none'; document.body.dataset.jpThemeLight = 'false'; }"
        )
        seen.settle()
        seen.page.evaluate("() => { notebook.cell.style.display = ''; }")
        seen.settle()
        after = seen.page.evaluate(INK)
        assert min(after) > 100
        assert len(after) == len(before)
        tint = "() => getComputedStyle(notebook.cell.firstChild).getPropertyValue('--vaelib-tint')"
        assert float(seen.page.evaluate(tint)) > 0
        assert seen.errors == []


def test_another_theme_is_seen_in_a_cell_hidden_for_a_moment(browser, address):
    with opened_notebook(browser, address) as seen:
        seen.page.add_style_tag(content=COLAB)
        seen.settle()
        assert max(seen.page.evaluate(TEXT)) < 20
        seen.page.evaluate(DARKEN)
        seen.settle()
        seen.settle()
        assert min(seen.page.evaluate(TEXT)) > 100
        assert seen.errors == []


def test_every_control_keeps_its_keys_from_jupyter(browser, address):
    with opened_notebook(browser, address) as seen:
        found = """() => [...notebook.cell.querySelectorAll("*")].filter(node => node.tabIndex >= 0)
          .map(node => [node.tagName, node.dataset.lmSuppressShortcuts])"""
        controls = seen.page.evaluate(found)
        assert len(controls) >= 2
        assert {suppresses for _, suppresses in controls} == {"true"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_in_colab(theme, browser, address):
    with opened_notebook(browser, address) as seen:
        seen.page.add_style_tag(content=COLAB)
        set_theme(seen.page, theme)
        seen.settle()
        found = seen.page.evaluate(CONTRAST)
        assert len(found) > 5
        assert [each for each in found if each[0] < 4.5] == []
        text = seen.page.evaluate("() => getComputedStyle(notebook.cell.firstChild).color")
        assert text == {"light": "rgb(0, 0, 0)", "dark": "rgb(213, 213, 213)"}[theme]


def test_nothing_shrinks_in_the_classic_notebook(browser, address):
    """Its style sheet makes a rem of ten pixels."""
    with opened_notebook(browser, address) as seen:
        seen.page.add_style_tag(content="html { font-size: 10px }")
        sizes = seen.page.locator(".vaelib-live :is(label, p, figcaption, button)").evaluate_all(
            "nodes => nodes.map(node => parseFloat(getComputedStyle(node).fontSize))"
        )
        assert len(sizes) > 3
        assert min(sizes) >= 11
        heights = "nodes => nodes.map(node => node.getBoundingClientRect().height)"
        controls = seen.page.locator(".vaelib-live :is(button, select):not(.vaelib-thumbnails *, [hidden])")
        assert min(controls.evaluate_all(heights), default=32) >= 32
        assert controls.evaluate_all(COVERED) == []
        assert min(seen.page.locator(".vaelib-live .vaelib-trace").evaluate_all(heights), default=144) >= 144


@pytest.mark.parametrize("kind", KINDS, indirect=True)
def test_damaged_data_do_not_ask_to_reload_a_notebook(browser, address, folder):
    content = (folder / "widget.json").read_text()
    (folder / "widget.json").write_text(content.replace('"crc32": ', '"crc32": 1'))
    try:
        with opened_notebook(browser, address) as seen:
            problem = seen.page.get_by_role("alert").inner_text()
            assert "their checksum is wrong. To try again, run its cell again." in problem
            assert "page" not in problem
    finally:
        (folder / "widget.json").write_text(content)
