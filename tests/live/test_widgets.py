"""Show the live pictures in notebooks as widgets; test_web.py tests the side of the browser."""

import sys
import types

import pytest
from invented import result

import vaelib
from vaelib.live.data import film_data, latent_data, script, style


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
