"""Show exercises in notebooks as widgets: with the questions as text beside them, and answered in a browser."""

import json
import sys
import types

import pytest
from asking import answer_in_every_way, form_of, questions_of, reply_of
from browsing import served
from pictures import opened_notebook, write_notebook

from vaelib import exercises
from vaelib.exercises.questions import exercise_data, script, style, text_of


@pytest.mark.parametrize("kind", ["predict", "ask", "intuition"])
def test_each_widget_carries_its_questions_and_the_same_javascript(kind):
    chapter = () if kind == "intuition" else ("03",)
    widget = getattr(exercises, kind)(*chapter)
    assert (widget.kind, widget.data) == (kind, exercise_data(kind, *chapter))
    assert (str(widget._esm), str(widget._css)) == (script("widget"), style())
    shown, _ = widget._repr_mimebundle_()
    assert shown["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert shown["text/markdown"] == text_of(widget.data)
    assert shown["text/plain"] == widget.data["title"]


def test_in_colab_the_widget_alone_is_shown(monkeypatch):
    asked = []
    colab = types.ModuleType("google.colab")
    colab.output = types.SimpleNamespace(enable_custom_widget_manager=lambda: asked.append(True))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    shown, _ = exercises.ask("03")._repr_mimebundle_()
    assert asked == [True]
    assert "text/markdown" not in shown


def test_a_chapter_without_questions_is_named():
    with pytest.raises(ValueError, match=r"one of 01, 02, .* got '99'"):
        exercises.predict("99")


@pytest.fixture(scope="module", params=["predict", "ask"])
def notebook(request, tmp_path_factory):
    """Return the address of a page with one widget of chapter 03, and its questions."""
    folder = tmp_path_factory.mktemp("notebook")
    widget = getattr(exercises, request.param)("03")
    write_notebook(folder, widget)
    questions = [each for each in questions_of("03") if ("predict" in each) == (request.param == "predict")]
    with served(folder) as address:
        yield address, questions


def test_each_question_is_answered_right_and_wrong_in_a_notebook(browser, notebook):
    address, questions = notebook
    with opened_notebook(browser, address) as seen:
        for question in questions:
            answer_in_every_way(seen.page, question)
        kept = json.loads(seen.page.evaluate("() => localStorage.getItem('vaelib-exercises')"))
        assert kept.keys() == {each["id"] for each in questions if "predict" not in each}
        # When the cell is run again, the old widget lets go.
        seen.page.evaluate("() => notebook.close()")
        seen.page.evaluate("() => { localStorage.clear(); dispatchEvent(new Event('vaelib-kept')) }")
        if "predict" not in questions[0]:
            assert reply_of(form_of(seen.page, questions[0])) != ""
        assert seen.errors == []


def test_every_control_keeps_its_keys_from_jupyter(browser, notebook):
    address, _ = notebook
    with opened_notebook(browser, address) as seen:
        found = """() => [...notebook.cell.querySelectorAll("*")].filter(node => node.tabIndex >= 0)
          .map(node => node.dataset.lmSuppressShortcuts)"""
        controls = seen.page.evaluate(found)
        assert len(controls) >= 4
        assert set(controls) == {"true"}
