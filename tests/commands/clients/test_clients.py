"""The live pictures and the exercises in JupyterLab and Notebook 7, in a real browser: `make clients`.

Each program is in an environment of its own, which borrows TensorFlow and vaelib from this one.
"""

import contextlib
import itertools
import re

import pytest
from asking import answer_in_every_way, questions_of
from clients import (
    FILM,
    OVERLAP,
    PICTURES,
    QUESTIONS,
    TRAIN,
    has_colour_of_theme,
    ink,
    opened,
    read,
    server,
    settle,
    train,
    use_a_finger,
    use_the_keyboard,
    use_the_mouse,
    wait_for_pictures,
)

from vaelib.exercises.questions import chapters

CHAPTERS = chapters()
# Give each notebook a workspace of its own: JupyterLab would bring back the one that was open before.
JUPYTER = {
    "lab": ("jupyterlab", "LabApp", "lab/workspaces/{0}/tree/{0}.ipynb"),
    "notebook 7": ("notebook", "JupyterNotebookApp", "notebooks/{0}.ipynb"),
}
SHOW = "i => jupyterapp.shell.currentWidget.content.scrollToItem(i, 'start')"


@pytest.fixture(scope="module", params=JUPYTER)
def program(request, pythons, notebook):
    """Return the address at which JupyterLab, or Notebook 7, opens a notebook, to be filled in with its name."""
    name, section, path = JUPYTER[request.param]
    options = ("--ServerApp.token=", f"--{section}.expose_app_in_browser=True")
    with server(pythons["jupyter"], name, notebook, *options) as home:
        yield home + path


@contextlib.contextmanager
def executed(browser, address):
    """Open a notebook and run its cells; yield the page and its errors."""
    with opened(browser, address) as (page, errors):
        page.wait_for_function("() => window.jupyterapp?.commands.hasCommand('notebook:run-all-cells')")
        page.wait_for_function(
            "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )
        run(page, "notebook:run-all-cells")
        yield page, errors


@pytest.fixture(scope="module")
def jupyter(program, browser):
    """Return a page with the pictures, and its errors."""
    with executed(browser, program.format("pictures")) as (page, errors):
        wait_for_pictures(page)
        yield page, errors


def test_every_exercise_answers_by_keyboard(program, browser):
    with executed(browser, program.format("exercises")) as (page, errors):
        page.locator(QUESTIONS).first.wait_for()
        for i, (chapter, predicts) in enumerate(itertools.product(CHAPTERS, (True, False)), start=1):
            # What is out of sight may not be in the page.
            page.evaluate(SHOW, i)
            settle(page)
            for question in questions_of(chapter):
                if ("predict" in question) == predicts:
                    answer_in_every_way(page, question)
        assert page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets.length") == 1 + i
        assert errors == []


def run(page, command, **arguments):
    """Execute a command of the program."""
    page.evaluate("([command, args]) => jupyterapp.commands.execute(command, args)", [command, arguments])


@pytest.mark.parametrize("use", [use_the_keyboard, use_the_mouse, use_a_finger])
def test_every_picture_answers(use, jupyter):
    page, errors = jupyter
    use(page)
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
        assert has_colour_of_theme(page, FILM)
        assert has_colour_of_theme(page, OVERLAP)
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
    assert has_colour_of_theme(page, FILM)
    assert errors == []


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
