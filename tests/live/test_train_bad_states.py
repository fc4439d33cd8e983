"""Train in a page where something is missing: it says so in a sentence, and offers to try again."""

import pytest
from training_page import SMALL, press, read, visit, wait_for

# Run something in the worker before its own script.
INSIDE = """(before => {
  const Plain = window.Blob;
  window.Blob = class extends Plain {
    constructor(parts, options) { super(options?.type === "text/javascript" ? [before, ...parts] : parts, options); }
  };
})"""
NO_MEMORY = """
WebAssembly.instantiate = WebAssembly.instantiateStreaming = () => Promise.reject(new RangeError("No memory"));
""".strip()


def test_settings_that_are_none_are_left_out(page, address):
    visit(page, address, "#train=klWeight:99,hidden:7,seed:3,wrong:1")
    settings = read(page)["settings"]
    assert (settings["klWeight"], settings["hidden"], settings["seed"]) == (1e-3, 500, 3)


@pytest.mark.parametrize(
    ("without", "sentence"),
    [
        ("delete window.Worker", "Training has stopped"),
        ("delete window.DecompressionStream", "too old to unpack"),
        (f"{INSIDE}('delete self.WebAssembly;')", "WebAssembly is switched off"),
        (f"{INSIDE}('WebAssembly.validate = () => false;')", "has no SIMD"),
        (f"{INSIDE}('{NO_MEMORY}')", "refused them memory"),
        ("window.Blob = class { constructor() { throw new Error('none'); } }", "Training has stopped"),
    ],
)
def test_a_browser_that_cannot_says_so(page, address, without, sentence):
    page.add_init_script(without)
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, sentence)
    assert page.get_by_role("button", name="Try again").is_enabled()


def test_missing_digits_are_named_and_loaded_when_they_come(page, address):
    page.route("**/train-digits-0.js", lambda route: route.abort())
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, "train-digits-0.js could not be loaded")
    page.unroute("**/train-digits-0.js")
    press(page, "Try again")
    wait_for(page, "Finished")


def test_a_network_without_digits_to_ask_about_says_so(page, address):
    page.route("**/digits.js", lambda route: route.abort())
    visit(page, address, SMALL)
    press(page, "Train")
    wait_for(page, "Finished")
    press(page, "Explore and draw with it")
    for kind in ("explorer", "draw"):
        page.locator(f"[data-own={kind}]", has_text="digits.js could not be loaded").wait_for()
    assert "press the button again" in page.locator("[data-own=draw]").inner_text()
    page.unroute("**/digits.js")
    press(page, "Explore and draw with it")
    page.locator("[data-own=draw][data-state=ready]").wait_for()
