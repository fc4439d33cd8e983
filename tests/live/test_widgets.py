"""Show the live pictures in notebooks as widgets; test_web.py tests the side of the browser."""

import importlib
import sys
import types
from email.message import Message

import pytest
from invented import result

import vaelib
from vaelib.live.data import latent_data, script, style
from vaelib.live.film import film_data


@pytest.fixture(scope="module")
def models():
    return {"kl_wt 1e-3 (β = 0.784)": vaelib.dense_vae(hidden_dim=4)}


def test_each_widget_carries_its_data_and_the_same_javascript(models, small):
    x, y = small.x_test, small.y_test
    film = vaelib.posterior_film({"a": result()})
    explorer, draw = vaelib.latent_explorer(models, x, y), vaelib.draw_a_digit(models, x, y)
    assert [widget.kind for widget in (film, explorer, draw)] == ["film", "explorer", "draw"]
    assert film.data == film_data({"a": result()})
    assert explorer.data == draw.data == latent_data(models, x, y)
    for widget in (film, explorer, draw):
        assert (str(widget._esm), str(widget._css)) == (script("widget"), style())
        assert {"kind", "data"} <= set(widget.keys)


def test_in_colab_it_asks_for_widgets_other_than_colabs_own(monkeypatch):
    asked = []
    colab = types.ModuleType("google.colab")
    colab.output = types.SimpleNamespace(enable_custom_widget_manager=lambda: asked.append(True))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    vaelib.posterior_film({"a": result()})
    assert asked == [True]


PAGES = {
    "film": "06_watch_the_posterior",
    "explorer": "10_ask_the_model",
    "draw": "10_ask_the_model",
    "overlap": "02_derive_the_elbo",
}


@pytest.mark.parametrize("kind", PAGES)
def test_where_there_are_no_widgets_a_sentence_links_to_the_page(kind, models, small, monkeypatch):
    package = Message()
    package["Project-URL"] = "Book, https://ada.github.io/book/"
    package["Project-URL"] = "Source, https://github.com/ada/book"
    monkeypatch.setattr(importlib.import_module("vaelib.live.widgets"), "metadata", {"vaelib": package}.get)
    show = {
        "film": lambda: vaelib.posterior_film({"a": result()}),
        "explorer": lambda: vaelib.latent_explorer(models, small.x_test, small.y_test),
        "draw": lambda: vaelib.draw_a_digit(models, small.x_test, small.y_test),
        "overlap": vaelib.live.kl_overlap,
    }
    shown = show[kind]()
    data, _ = shown._repr_mimebundle_()
    address = f"https://ada.github.io/book/notebooks/{PAGES[kind]}.html"
    assert data["text/plain"] == (
        f"This picture is live where there are widgets, as in JupyterLab and Colab, and on the book's page: {address}"
    )
    assert f'<a href="{address}">' in data["text/html"]
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == shown.model_id
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    assert "text/html" not in shown._repr_mimebundle_()[0]
    del package["Project-URL"]
    data, _ = shown._repr_mimebundle_()
    assert data["text/plain"].endswith("and on the book's page.")
