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
)
PICTURES = ".vaelib-live[data-state=ready]"
# How many pixels of each plane have ink.
INK = """hosts => hosts.map(host => [...host.querySelectorAll("canvas:is(.vaelib-plane,.vaelib-trace)")].map(canvas => {
  if (!canvas.width || !canvas.height) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, i) => i % 4 === 3 && value > 0).length;
}))"""


@pytest.fixture(scope="session")
def notebook(tmp_path_factory):
    """Return a folder with a notebook of the three pictures."""
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
    page = browser.new_page(viewport={"width": 1280, "height": 900})
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
        for i in range(3):
            page.locator(PICTURES).nth(i).wait_for()
        yield page, errors


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
    film, explorer, draw = (page.locator(PICTURES).nth(i) for i in range(3))
    film.get_by_role("slider", name="batch").press("ArrowLeft")
    film.locator("canvas[tabindex]").first.press("ArrowLeft")
    film.get_by_role("combobox", name="epoch").press("ArrowDown")
    explorer.get_by_role("radio").first.press("ArrowDown")
    explorer.locator("canvas[tabindex]").press("ArrowUp")
    pad = draw.locator("canvas[tabindex]")
    for key in (" ", "ArrowDown", "ArrowDown", "ArrowDown", " "):
        pad.press(key)
    settle(page)
    assert (read(page, 0)["batch"], read(page, 0)["epoch"]) == (468, 2)
    assert read(page, 1)["run"] == 1
    assert read(page, 1)["z"] == pytest.approx([0, 0.1])
    assert sum(read(page, 2)["image"]) > 10
    draw.get_by_role("button", name="Clear").press("Enter")
    film.get_by_role("button", name="Play").press(" ")
    film.get_by_role("button", name="Pause").press(" ")
    film.locator("canvas[tabindex]").first.press("ArrowLeft")
    settle(page)
    assert read(page, 2) is None
    assert read(page, 0)["picked"] is not None
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
    page.locator(PICTURES).nth(2).wait_for()
    settle(page)
    after = ink(page)
    assert [len(planes) for planes in after] == [len(planes) for planes in before]
    assert min(min(planes) for planes in after) > 100
    assert errors == []


def test_the_classic_notebook_with_colabs_versions(pythons, notebook, browser):
    # The networks are more than this program lets through in a second; Colab has no such limit.
    options = ("--NotebookApp.token=", "--NotebookApp.iopub_data_rate_limit=1e9")
    address = server(pythons["classic"], "notebook", notebook, *options)
    with address as home, opened(browser, f"{home}notebooks/pictures.ipynb") as (page, errors):
        page.wait_for_function("() => window.Jupyter?.notebook?.kernel?.is_connected()")
        page.evaluate("() => Jupyter.notebook.execute_all_cells()")
        for i in range(3):
            page.locator(PICTURES).nth(i).wait_for()
        settle(page)
        assert min(min(planes) for planes in ink(page)) > 100
        page.locator(PICTURES).first.get_by_role("slider").press("ArrowLeft")
        settle(page)
        assert read(page, 0)["batch"] == 468
        assert errors == []


def test_the_html_of_an_executed_notebook(pythons, notebook, browser, aloud):
    html = notebook / "pictures.html"
    command = [pythons["jupyter"], "-m", "nbconvert", "--to", "html", "--execute", "pictures.ipynb"]
    subprocess.run(command, cwd=notebook, env=environment(notebook), check=True)
    with opened(browser, html.as_uri()) as (page, errors):
        if page.evaluate("() => typeof requirejs") == "undefined":
            pytest.skip("needs the network: nbconvert's HTML loads its widget manager from a server")
        for i in range(3):
            page.locator(PICTURES).nth(i).wait_for()
        settle(page)
        assert min(min(planes) for planes in ink(page)) > 100
        assert errors == []
