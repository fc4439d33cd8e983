"""The live picture follows its controls."""

import numpy as np
import pytest
from invented import NUM_BATCHES, result

import vaelib
from vaelib import widgets


@pytest.fixture
def drawn(monkeypatch):
    """The figures that the widget draws, in order."""
    figures = []
    draw = widgets._frame

    def record(posteriors, num_batches):
        figures.append(draw(posteriors, num_batches))
        return figures[-1]

    monkeypatch.setattr(widgets, "_frame", record)
    return figures


def controls(film):
    return film.children[0].children


def test_it_opens_with_the_whole_first_epoch_of_the_first_run(drawn):
    film = vaelib.posterior_film({"a": result(), "b": result(1e-2)})
    run, epoch, batch = controls(film)
    assert (run.value, epoch.value, batch.value) == ("a", 1, NUM_BATCHES)
    assert list(run.options) == ["a", "b"]
    assert list(epoch.options) == [1, 100]
    assert drawn[-1].get_suptitle() == f"a, epoch 1, batches 1 to {NUM_BATCHES}"


def test_every_control_draws_anew_what_it_says(drawn):
    film = vaelib.posterior_film({"a": result(), "b": result(1e-2, num_epochs=7)})
    run, epoch, batch = controls(film)
    before = bytes(film.children[1].value)
    batch.value = 20
    assert bytes(film.children[1].value).startswith(b"\x89PNG")
    assert bytes(film.children[1].value) != before
    assert len(drawn[-1].axes[0].collections[0].get_offsets()) == 20
    limit = drawn[-1].axes[0].get_xlim()
    batch.value = 400
    assert drawn[-1].axes[0].get_xlim() == limit, "the scale must stay while batches are scrubbed"
    epoch.value = 100
    np.testing.assert_allclose(np.linalg.norm(drawn[-1].axes[0].collections[0].get_offsets(), axis=1), 1)
    run.value = "b"
    assert list(epoch.options) == [1, 7]
    assert drawn[-1].get_suptitle() == f"b, epoch {epoch.value}, batches 1 to {batch.value}"


def test_without_results_it_says_what_it_needs():
    with pytest.raises(ValueError, match="expects at least one result, got an empty dict"):
        vaelib.posterior_film({})
