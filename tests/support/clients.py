"""Run programs for notebooks with the live pictures and the exercises in them, and use both in a browser."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.request

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


def picked_moved_drew(page):
    """Tell whether an ellipse is picked, the explorer's point is elsewhere and the pad has ink; clear the pad."""
    settle(page)
    film, explorer, draw = (read(page, i) for i in (FILM, EXPLORER, DRAW))
    page.locator(PICTURES).nth(DRAW).get_by_role("button", name="Clear").click()
    return film["picked"] is not None, min(map(abs, explorer["z"])) > 0.2, sum(draw["image"]) > 10


def use_the_mouse(page):
    """Pick an ellipse, move the explorer's point, and draw a line."""
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


def train(page):
    """Train a small network to the end; return what the picture says."""
    picture = page.locator(PICTURES).nth(TRAIN)
    picture.get_by_label("hidden units").select_option("125")
    picture.locator("[data-setting=numEpochs]").select_option("5")
    picture.get_by_role("button", name="Train", exact=False).first.click()
    picture.locator(".vaelib-status", has_text="Finished").wait_for()
    return read(page, TRAIN)
