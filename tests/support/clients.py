"""Run programs for notebooks with the live pictures and the exercises in them, and use both in a browser."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.request

import pytest
from browsing import ROOT

PATIENCE = 180  # seconds, for a kernel that imports TensorFlow on a busy machine
PICTURES = ".vaelib-live[data-state=ready]:not(.vaelib-exercise)"
QUESTIONS = ".vaelib-exercise[data-state=ready]"
FILM, EXPLORER, DRAW, TRAIN, OVERLAP = range(5)
# How many pixels of each plane have ink.
INK = """hosts => hosts.map(host => [...host.querySelectorAll("canvas:is(.vaelib-plane,.vaelib-trace,.vaelib-overlap)")]
  .filter(canvas => !canvas.closest("[hidden]")).map(canvas => {
  if (!canvas.width || !canvas.height) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, i) => i % 4 === 3 && value > 0).length;
}))"""

# How many pixels of a picture have the colour that its first run has in the page's theme.
RUN_0 = """host => {
  const colour = getComputedStyle(host).getPropertyValue("--vaelib-run-0").trim();
  return [...host.querySelectorAll("canvas")].reduce((sum, canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const hex = i => "#" + [0, 1, 2].map(k => data[i + k].toString(16).padStart(2, "0")).join("");
    return sum + data.filter((value, i) => i % 4 === 3 && value === 255 && hex(i - 3) === colour).length;
  }, 0);
}"""


def environment(folder):
    """Return the variables of a program that knows this checkout's runs, and nothing of the user's settings."""
    own = {name: str(folder / name.lower()) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    return {**os.environ, **own, "VAELIB_RUNS": str(ROOT / "runs"), "TF_CPP_MIN_LOG_LEVEL": "3"}


@contextlib.contextmanager
def server(python, program, folder, *options):
    """Run a notebook server in a folder; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    general = ["--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1"]
    process = subprocess.Popen(
        [python, "-m", program, *general, *options], cwd=folder, env=environment(folder), stderr=subprocess.PIPE
    )
    address = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(PATIENCE):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}api", timeout=5):  # noqa: S310
                break
            assert process.poll() is None, process.stderr.read().decode()[-2000:]
            time.sleep(1)
        yield address
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def opened(browser, address, prepare=None):
    """Open a page, prepared by a function; yield it, and a list of its errors that concern pictures."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, has_touch=True)
    if prepare:
        prepare(page)
    errors = []
    # The programs have errors of their own; the pictures are a module that anywidget loads from a blob.
    page.on("pageerror", lambda error: errors.append(str(error)) if "blob:" in (error.stack or "") else None)
    page.goto(address)
    yield page, errors
    page.close()


def wait_for_pictures(page):
    for i in (FILM, EXPLORER, DRAW, TRAIN, OVERLAP):
        page.locator(PICTURES).nth(i).wait_for()


def read(page, i):
    return page.locator(PICTURES).nth(i).evaluate("host => host.live.read()")


def settle(page):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_timeout(500)


def ink(page):
    return page.locator(PICTURES).evaluate_all(INK)


def has_colour_of_theme(page, i):
    """Tell whether a picture that draws the first run draws it in the colour of the page's theme."""
    return page.locator(PICTURES).nth(i).evaluate(RUN_0) > 100


def middle(locator):
    """Return where the middle of an element is in the window."""
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def use_the_keyboard(page):
    """Use every kind of control by keys alone; assert that each answers."""
    film, explorer, draw, train, overlap = page.locator(PICTURES).all()
    batch, epoch = film.get_by_role("slider", name="batch"), film.get_by_role("combobox", name="epoch")
    for control, *keys in (
        (batch, "End", "ArrowLeft"),
        (film.locator("canvas[tabindex]").first, "ArrowLeft"),
        (epoch, "Home", "ArrowDown"),
        (explorer.get_by_role("radio").first, "ArrowDown"),
        (draw.locator("canvas[tabindex]"), " ", "ArrowDown", "ArrowDown", "ArrowDown", " "),
        (train.get_by_role("combobox", name="hidden units"), "End", "ArrowUp"),
        (overlap.get_by_role("slider", name="mean"), "Home"),
    ):
        for key in keys:
            control.press(key)
    z, weight = read(page, EXPLORER)["z"], read(page, TRAIN)["settings"]["klWeight"]
    explorer.locator("canvas[tabindex]").press("ArrowUp")
    train.get_by_role("slider").press("ArrowRight")
    settle(page)
    assert (read(page, FILM)["batch"], read(page, FILM)["epoch"]) == (468, 2)
    assert read(page, EXPLORER)["run"] == 1
    assert read(page, EXPLORER)["z"][1] > z[1]
    assert sum(read(page, DRAW)["image"]) > 10
    assert read(page, TRAIN)["settings"]["klWeight"] > weight
    assert read(page, TRAIN)["settings"]["hidden"] == 250
    assert read(page, OVERLAP)["place"] == 4.5
    draw.get_by_role("button", name="Clear").press("Enter")
    film.get_by_role("button", name="Play").press(" ")
    film.get_by_role("button", name="Pause").press(" ")
    film.locator("canvas[tabindex]").first.press("ArrowLeft")
    settle(page)
    assert read(page, DRAW) is None
    assert read(page, FILM)["picked"] is not None


def sliders(page):
    """Return the sliders that a pointer pulls: the weight of the training, and the mean of the two Gaussians."""
    train, overlap = (page.locator(PICTURES).nth(i) for i in (TRAIN, OVERLAP))
    return train.get_by_role("slider"), overlap.get_by_role("slider", name="mean")


def on_slider(slider, share):
    """Return where a slider has a share of its range in the window."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


def assert_answered(page, share):
    """Assert that an ellipse is picked, the point elsewhere, the pad inked, and sliders at a share; clear the pad."""
    settle(page)
    film, explorer, draw = (read(page, i) for i in (FILM, EXPLORER, DRAW))
    assert film["picked"] is not None
    assert min(map(abs, explorer["z"])) > 0.2
    assert sum(draw["image"]) > 10
    for slider in sliders(page):
        place = slider.evaluate("node => (node.value - node.min) / (node.max - node.min)")
        assert place == pytest.approx(share, abs=0.08)
    page.locator(PICTURES).nth(DRAW).get_by_role("button", name="Clear").click()


def use_the_mouse(page):
    """Pick an ellipse, move the explorer's point, draw a line and pull sliders; assert that each answers."""
    film, explorer, draw = page.locator(PICTURES).all()[:TRAIN]
    # Show all ellipses, so that there is one to pick.
    film.get_by_role("slider", name="batch").press("End")
    x, y = middle(film.locator("canvas[tabindex]").first)
    page.mouse.click(x, y + 10)
    x, y = middle(explorer.locator("canvas[tabindex]"))
    page.mouse.click(x + 50, y - 20)
    x, y = middle(draw.locator("canvas[tabindex]"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 50, steps=5)
    page.mouse.up()
    for slider in sliders(page):
        page.mouse.click(*on_slider(slider, 0.8))
    assert_answered(page, 0.8)


def touch(page, *points):
    """Put a finger down, move it, and lift it."""
    finger = page.context.new_cdp_session(page)
    for kind, point in zip(("Start", *["Move"] * (len(points) - 1), "End"), (*points, None), strict=True):
        at = [dict(zip("xy", point, strict=True))] if point else []
        finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at})


def use_a_finger(page):
    """Do the same by touch."""
    film, explorer, draw = page.locator(PICTURES).all()[:TRAIN]
    # Show all ellipses, so that there is one to pick.
    film.get_by_role("slider", name="batch").press("End")
    x, y = middle(film.locator("canvas[tabindex]").first)
    touch(page, (x, y - 10))
    x, y = middle(explorer.locator("canvas[tabindex]"))
    touch(page, (x - 50, y + 20))
    x, y = middle(draw.locator("canvas[tabindex]"))
    touch(page, (x, y - 30), (x + 10, y), (x + 20, y + 40))
    for slider in sliders(page):
        touch(page, on_slider(slider, 0.2))
    assert_answered(page, 0.2)


def train(page):
    """Train a small network to the end; return what the picture says."""
    picture = page.locator(PICTURES).nth(TRAIN)
    picture.get_by_label("hidden units").select_option("125")
    picture.locator("[data-setting=numEpochs]").select_option("5")
    picture.get_by_role("button", name="Train", exact=False).first.click()
    picture.locator(".vaelib-status", has_text="Finished").wait_for()
    return read(page, TRAIN)
