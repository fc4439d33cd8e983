"""The live pictures in the classic notebook with Colab's versions of widgets, and in the HTML of nbconvert."""

import subprocess

import pytest
from clients import (
    FILM,
    PICTURES,
    environment,
    ink,
    opened,
    picked_moved_drew,
    read,
    server,
    settle,
    train,
    use_a_finger,
    use_the_mouse,
    wait_for_pictures,
)

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
        assert read(page, FILM)["batch"] == 468
        for use in (use_the_mouse, use_a_finger):
            use(page)
            assert picked_moved_drew(page) == (True, True, True), use.__name__
        assert train(page)["step"] == 5 * 8
        page.evaluate("() => Jupyter.notebook.kernel.restart()")
        page.locator(PICTURES).first.get_by_role("slider").press("Home")
        settle(page)
        assert read(page, FILM)["batch"] == 1
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
