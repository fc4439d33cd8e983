"""The live pictures in the programs in which people open notebooks, with a kernel, in a real browser.

JupyterLab, Notebook 7, the classic notebook with Colab's versions of widgets, and the HTML of nbconvert: each in an
environment of its own, which borrows TensorFlow and vaelib from this one. Run by `make clients`.
"""

import contextlib
import os
import re
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from venvs import make_venv

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[3]
PATIENCE = 180  # seconds, for a kernel that imports TensorFlow on a busy machine
CELLS = (
    """
import vaelib
specs = [vaelib.RunSpec.from_kl_wt(kl_wt) for kl_wt in (1e-3, 1e-2, 1e-1)]
results = {spec.label: vaelib.load_run(spec) for spec in specs}
models = {spec.label: vaelib.trained_model(spec) for spec in specs}
digits = vaelib.load_mnist()
x, y = digits.x_test[:500], digits.y_test[:500]
""",
    "vaelib.posterior_film(results)",
    "vaelib.latent_explorer(models, x, y)",
    "vaelib.draw_a_digit(models, x, y)",
    "vaelib.train_here(digits.x_train[:1000], x, y, results)",
)
PICTURES = ".vaelib-live[data-state=ready]"
FILM, EXPLORER, DRAW, TRAIN = range(4)
# How many pixels of each plane have ink.
INK = """hosts => hosts.map(host => [...host.querySelectorAll("canvas:is(.vaelib-plane,.vaelib-trace)")]
  .filter(canvas => !canvas.closest("[hidden]")).map(canvas => {
  if (!canvas.width || !canvas.height) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, i) => i % 4 === 3 && value > 0).length;
}))"""


@pytest.fixture(scope="session")
def notebook(tmp_path_factory):
    """Return a folder with a notebook of the four pictures."""
    folder = tmp_path_factory.mktemp("clients")
    cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec}), folder / "pictures.ipynb")
    return folder


@pytest.fixture(scope="session")
def aloud(pytestconfig):
    """Show the output of a context at once."""
    return pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled


@pytest.fixture(scope="session")
def pythons(aloud):
    """Return the Python of each environment, by the name of its requirements."""

    def make(name):
        with aloud():
            print(f"\nInstall {name}.txt into _build/clients-{name}: a minute the first time", flush=True)
            return make_venv(ROOT / f"_build/clients-{name}", HERE / f"{name}.txt", borrow=True)

    return {name: make(name) for name in ("jupyter", "classic")}


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
def opened(browser, address):
    """Open a page; yield it, and a list of its errors that concern pictures."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, has_touch=True)
    page.set_default_timeout(PATIENCE * 1000)
    errors = []
    # The programs have errors of their own; the pictures are a module that anywidget loads from a blob.
    page.on("pageerror", lambda error: errors.append(str(error)) if "blob:" in (error.stack or "") else None)
    page.goto(address)
    yield page, errors
    page.close()


JUPYTER = {"lab": ("jupyterlab", "LabApp", "lab/tree"), "notebook 7": ("notebook", "JupyterNotebookApp", "notebooks")}


@pytest.fixture(scope="module", params=JUPYTER)
def jupyter(request, pythons, notebook, browser):
    """Return a page of JupyterLab, or of Notebook 7, with the pictures; and its errors."""
    program, section, path = JUPYTER[request.param]
    options = ("--ServerApp.token=", f"--{section}.expose_app_in_browser=True")
    address = server(pythons["jupyter"], program, notebook, *options)
    with address as home, opened(browser, f"{home}{path}/pictures.ipynb") as (page, errors):
        page.wait_for_function("() => window.jupyterapp?.commands.hasCommand('notebook:run-all-cells')")
        page.wait_for_function(
            "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )
        run(page, "notebook:run-all-cells")
        wait_for_pictures(page)
        yield page, errors


def wait_for_pictures(page):
    for i in (FILM, EXPLORER, DRAW, TRAIN):
        page.locator(PICTURES).nth(i).wait_for()


def run(page, command, **arguments):
    """Execute a command of the program."""
    page.evaluate("([command, args]) => jupyterapp.commands.execute(command, args)", [command, arguments])


def read(page, i):
    return page.locator(PICTURES).nth(i).evaluate("host => host.live.read()")


def settle(page):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_timeout(500)


def ink(page):
    return page.locator(PICTURES).evaluate_all(INK)


def test_every_control_works_by_keyboard(jupyter):
    page, errors = jupyter
    film, explorer, draw, train = page.locator(PICTURES).all()
    film.get_by_role("slider", name="batch").press("ArrowLeft")
    film.locator("canvas[tabindex]").first.press("ArrowLeft")
    film.get_by_role("combobox", name="epoch").press("ArrowDown")
    explorer.get_by_role("radio").first.press("ArrowDown")
    explorer.locator("canvas[tabindex]").press("ArrowUp")
    pad = draw.locator("canvas[tabindex]")
    for key in (" ", "ArrowDown", "ArrowDown", "ArrowDown", " "):
        pad.press(key)
    train.get_by_role("slider").press("ArrowRight")
    train.get_by_role("combobox", name="hidden units").press("ArrowUp")
    settle(page)
    assert (read(page, 0)["batch"], read(page, 0)["epoch"]) == (468, 2)
    assert read(page, 1)["run"] == 1
    assert read(page, 1)["z"] == pytest.approx([0, 0.1])
    assert sum(read(page, 2)["image"]) > 10
    settings = read(page, TRAIN)["settings"]
    assert (settings["klWeight"], settings["hidden"]) == (1.1e-3, 250)
    draw.get_by_role("button", name="Clear").press("Enter")
    film.get_by_role("button", name="Play").press(" ")
    film.get_by_role("button", name="Pause").press(" ")
    film.locator("canvas[tabindex]").first.press("ArrowLeft")
    settle(page)
    assert read(page, 2) is None
    assert read(page, 0)["picked"] is not None
    assert errors == []


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


def test_a_mouse_moves_picks_and_draws(jupyter):
    page, errors = jupyter
    film, explorer, draw, _ = page.locator(PICTURES).all()
    x, y = middle(film.locator("canvas[tabindex]").first)
    page.mouse.click(x, y + 10)
    x, y = middle(explorer.locator("canvas[tabindex]"))
    page.mouse.click(x + 50, y - 20)
    x, y = middle(draw.locator("canvas[tabindex]"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 50, steps=5)
    page.mouse.up()
    assert picked_moved_drew(page) == (True, True, True)
    assert errors == []


def touch(page, *points):
    """Put a finger down, move it, and lift it."""
    finger = page.context.new_cdp_session(page)
    for kind, point in zip(("Start", *["Move"] * (len(points) - 1), "End"), (*points, None), strict=True):
        at = [dict(zip("xy", point, strict=True))] if point else []
        finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at})


def test_a_finger_moves_picks_and_draws(jupyter):
    page, errors = jupyter
    film, explorer, draw, _ = page.locator(PICTURES).all()
    x, y = middle(film.locator("canvas[tabindex]").first)
    touch(page, (x, y - 10))
    x, y = middle(explorer.locator("canvas[tabindex]"))
    touch(page, (x - 50, y + 20))
    x, y = middle(draw.locator("canvas[tabindex]"))
    touch(page, (x, y - 30), (x + 10, y), (x + 20, y + 40))
    assert picked_moved_drew(page) == (True, True, True)
    assert errors == []


def test_every_key_reaches_every_control(jupyter):
    """Press what Jupyter has commands for, on each control: none of it may move a cell or its selection."""
    page, errors = jupyter
    cells = (
        "() => [document.querySelectorAll('.jp-Cell').length, jupyterapp.shell.currentWidget.content.activeCellIndex]"
    )
    controls = page.locator(f"{PICTURES} :is(canvas[tabindex], button, select, input)")
    for i in range(controls.count()):
        controls.nth(i).focus()
        before = page.evaluate(cells)
        for key in ("ArrowDown", "ArrowUp", "j", "k", "b", "m", "Home"):
            page.keyboard.press(key)
        assert page.evaluate(cells) == before, controls.nth(i).evaluate("node => node.outerHTML.slice(0, 200)")
    assert errors == []


def test_another_theme_leaves_no_panel_blank(jupyter):
    page, errors = jupyter
    for theme, dark in (("JupyterLab Dark", True), ("JupyterLab Light", False)):
        page.locator(PICTURES).first.scroll_into_view_if_needed()
        run(page, "apputils:change-theme", theme=theme)
        page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{str(not dark).lower()}'")
        settle(page)
        assert min(min(planes) for planes in ink(page)) > 100
        text = page.locator(PICTURES).first.evaluate("host => getComputedStyle(host).color")
        light = sum(map(int, re.findall(r"\d+", text)[:3])) > 380
        assert light == dark
    assert errors == []


def test_collapsed_outputs_come_back(jupyter):
    page, errors = jupyter
    before = ink(page)
    run(page, "notebook:hide-all-cell-outputs")
    settle(page)
    run(page, "apputils:change-theme", theme="JupyterLab Dark")
    settle(page)
    run(page, "apputils:change-theme", theme="JupyterLab Light")
    run(page, "notebook:show-all-cell-outputs")
    wait_for_pictures(page)
    settle(page)
    after = ink(page)
    assert [len(planes) for planes in after] == [len(planes) for planes in before]
    assert min(min(planes) for planes in after) > 100
    assert errors == []


def train(page):
    """Train a small network to the end; return what the picture says."""
    picture = page.locator(PICTURES).nth(TRAIN)
    picture.get_by_label("hidden units").select_option("125")
    picture.locator("[data-setting=numEpochs]").select_option("5")
    picture.get_by_role("button", name="Train", exact=False).first.click()
    picture.locator(".vaelib-status", has_text="Finished").wait_for()
    return read(page, TRAIN)


def test_a_network_trains_on_digits_of_the_kernel(jupyter):
    page, errors = jupyter
    state = train(page)
    assert state["step"] == 5 * 8
    assert state["mine"]["distortion"][-1] < state["mine"]["distortion"][0]
    assert errors == []


def test_pictures_outlive_their_kernel_and_come_again(jupyter):
    page, errors = jupyter
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    scrubber = page.locator(PICTURES).nth(FILM).get_by_role("slider", name="batch")
    scrubber.press("End")
    scrubber.press("ArrowLeft")
    settle(page)
    assert read(page, FILM)["batch"] == 468
    # It has its digits, and asks nobody again.
    again = page.locator(PICTURES).nth(TRAIN)
    again.get_by_role("button", name="Start again").click()
    again.locator(".vaelib-status", has_text="Finished").wait_for()
    page.wait_for_function("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'")
    run(page, "notebook:clear-all-cell-outputs")
    run(page, "notebook:run-all-cells")
    wait_for_pictures(page)
    assert read(page, FILM)["batch"] == 469
    assert errors == []


# Wait until the classic notebook's manager has asked its kernel for widgets, which it does once on opening and in up to
# three messages, and loses those that are made meanwhile. The kernel answers in order.
ASKED = """async () => {
  for (let i = 0; i < 3; i++) await new Promise(done => Jupyter.notebook.kernel.comm_info("jupyter.widget", done));
}"""


def test_the_classic_notebook_with_colabs_versions(pythons, notebook, browser):
    # The networks are more than this program lets through in a second; Colab has no such limit.
    options = ("--NotebookApp.token=", "--NotebookApp.iopub_data_rate_limit=1e9")
    address = server(pythons["classic"], "notebook", notebook, *options)
    with address as home, opened(browser, f"{home}notebooks/pictures.ipynb") as (page, errors):
        page.wait_for_function("() => window.Jupyter?.notebook?.kernel?.widget_manager")
        page.evaluate(ASKED)
        page.evaluate("() => Jupyter.notebook.execute_all_cells()")
        wait_for_pictures(page)
        settle(page)
        assert min(min(planes) for planes in ink(page)) > 100
        page.locator(PICTURES).first.get_by_role("slider").press("ArrowLeft")
        settle(page)
        assert read(page, 0)["batch"] == 468
        assert train(page)["step"] == 5 * 8
        assert errors == []


def test_the_html_of_an_executed_notebook(pythons, notebook, browser, aloud):
    html = notebook / "pictures.html"
    command = [pythons["jupyter"], "-m", "nbconvert", "--to", "html", "--execute", "pictures.ipynb"]
    subprocess.run(command, cwd=notebook, env=environment(notebook), check=True)
    with opened(browser, html.as_uri()) as (page, errors):
        if page.evaluate("() => typeof requirejs") == "undefined":
            pytest.skip("needs the network: nbconvert's HTML loads its widget manager from a server")
        wait_for_pictures(page)
        settle(page)
        assert min(min(planes) for planes in ink(page)) > 100
        assert errors == []
