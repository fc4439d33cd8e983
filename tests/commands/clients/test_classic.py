"""The live pictures and exercises in the classic notebook with Colab's versions of widgets, and in nbconvert's HTML."""

import re
import subprocess

import pytest
from asking import answer_in_every_way, questions_of
from browsing import ROOT
from clients import (
    FILM,
    OVERLAP,
    PICTURES,
    QUESTIONS,
    environment,
    has_colour_of_theme,
    ink,
    opened,
    server,
    settle,
    train,
    use_a_finger,
    use_the_keyboard,
    use_the_mouse,
    wait_for_pictures,
)
from colab_page import COLAB, set_theme
from registry import install_packages, serve_packages

from vaelib.exercises.questions import chapters

# Wait until the classic notebook's manager has asked its kernel for widgets, which it does once on opening and in up to
# three messages, and loses those that are made meanwhile. The kernel answers in order.
ASKED = """async () => {
  for (let i = 0; i < 3; i++) await new Promise(done => Jupyter.notebook.kernel.comm_info("jupyter.widget", done));
}"""
# The colours of a picture's own texts: the program's style sheet has others for some kinds of elements.
COLOURS = """host => [...new Set(
  [host, ...host.querySelectorAll("p, label, output, legend, figcaption, strong, small")]
    .filter(node => node.checkVisibility()).map(node => getComputedStyle(node).color))]"""


@pytest.fixture(scope="module")
def home(pythons, notebook):
    """Return the address of the classic notebook's server."""
    # The networks are more than this program lets through in a second; Colab has no such limit.
    options = ("--NotebookApp.token=", "--NotebookApp.iopub_data_rate_limit=1e9")
    with server(pythons["classic"], "notebook", notebook, *options) as home:
        yield home


def execute(page):
    """Run all cells."""
    page.wait_for_function("() => window.Jupyter?.notebook?.kernel?.widget_manager")
    page.evaluate(ASKED)
    page.evaluate("() => Jupyter.notebook.execute_all_cells()")


def test_exercises_in_the_classic_notebook(home, browser):
    with opened(browser, f"{home}notebooks/exercises.ipynb") as (page, errors):
        execute(page)
        page.locator(QUESTIONS).nth(2 * len(chapters()) - 1).wait_for()
        for chapter in chapters():
            for question in questions_of(chapter):
                answer_in_every_way(page, question)
        assert errors == []


@pytest.mark.parametrize("look", ["its own", "Colab's dark theme"])
def test_the_classic_notebook_with_colabs_versions(look, home, browser):
    with opened(browser, f"{home}notebooks/pictures.ipynb") as (page, errors):
        execute(page)
        wait_for_pictures(page)
        settle(page)
        assert min(min(planes) for planes in ink(page)) > 100
        if look != "its own":
            page.add_style_tag(content=COLAB)
            for theme in ("dark", "light", "dark"):
                set_theme(page, theme)
                settle(page)
                assert has_colour_of_theme(page, FILM)
                assert has_colour_of_theme(page, OVERLAP)
                text = {"light": "rgb(0, 0, 0)", "dark": "rgb(213, 213, 213)"}[theme]
                assert [host.evaluate(COLOURS) for host in page.locator(PICTURES).all()] == 5 * [[text]]
        for use in (use_the_keyboard, use_the_mouse, use_a_finger):
            use(page)
        page.evaluate("() => Jupyter.notebook.toggle_all_output()")
        settle(page)
        page.evaluate("() => Jupyter.notebook.toggle_all_output()")
        settle(page)
        assert min(min(planes) for planes in ink(page)) > 100
        assert train(page)["step"] == 5 * 8
        page.evaluate("() => Jupyter.notebook.kernel.restart()")
        use_the_keyboard(page)
        # The pictures of the old kernel are in the page until their cells run.
        page.locator(PICTURES).first.evaluate("host => host.id = 'before'")
        page.evaluate("() => Jupyter.notebook.clear_all_output()")
        execute(page)
        wait_for_pictures(page)
        settle(page)
        assert page.locator("#before").count() == 0
        use_the_mouse(page)
        assert errors == []


@pytest.fixture(scope="module", params=["pictures", "exercises"])
def html(request, pythons, notebook, browser, aloud):
    """Return a page that nbconvert made of a notebook, its name, and its errors; the widget manager is npm's."""
    with aloud():
        print("\nInstall the widget manager of nbconvert's HTML into _build/clients-npm", flush=True)
        packages = install_packages(
            ROOT / "_build/clients-npm", "requirejs@2", "@jupyter-widgets/html-manager@1", "anywidget@0.11"
        )
    if packages is None:
        pytest.skip("no npm: install it")
    command = [pythons["jupyter"], "-m", "nbconvert", "--to", "html", "--execute", f"{request.param}.ipynb"]
    subprocess.run(command, cwd=notebook, env=environment(notebook), check=True)
    address = (notebook / f"{request.param}.html").as_uri()
    missing = []
    with opened(browser, address, lambda page: missing.append(serve_packages(page, packages))) as (page, errors):
        yield request.param, page, errors
    # It may do without its formulas and diagrams here, but not without what widgets need.
    assert [url for url in missing[0] if not re.search("mathjax|mermaid", url, re.IGNORECASE)] == []


def test_the_html_of_an_executed_notebook(html):
    name, page, errors = html
    if name == "exercises":
        for chapter in chapters():
            for question in questions_of(chapter):
                answer_in_every_way(page, question)
    else:
        wait_for_pictures(page)
        settle(page)
        assert min(min(planes) for planes in ink(page)) > 100
        for use in (use_the_keyboard, use_the_mouse, use_a_finger):
            use(page)
    assert errors == []
