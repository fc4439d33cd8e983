"""The reference is written from the library: every public name once, in the room where it lives."""

import re
from typing import NamedTuple

import docstrings
import pytest
import reference

import vaelib


def names():
    """Return all names of the reference, in its order."""
    return [name for room in reference.rooms().values() for name in room]


def test_every_flat_name_is_there_once_and_in_order():
    flat = [name.removeprefix("vaelib.") for name in names() if name.count(".") == 1]
    rooms = [reference._room(getattr(vaelib, name)) for name in vaelib.__all__]
    assert flat == sorted(vaelib.__all__, key=lambda name: rooms.index(reference._room(getattr(vaelib, name))))
    assert len(set(names())) == len(names())


def test_types_that_nobody_constructs_are_there():
    types = "data.Digits models.VAEOutput models.PosteriorTrace theory.LinearVAEOptimum training.Run"
    types += " analysis.ELBOSurgery experiment.RunResult experiment.Claim schedules.Linear"
    assert {f"vaelib.{name}" for name in types.split()} <= set(names())


def test_a_new_type_needs_no_entry_anywhere(monkeypatch):
    class New(NamedTuple):
        """Hold something."""

        number: int

    New.__module__ = "vaelib.losses"
    monkeypatch.setattr(vaelib.losses, "New", New, raising=False)
    monkeypatch.setattr(vaelib.losses, "__all__", [*vaelib.losses.__all__, "New"])
    assert reference.rooms()["vaelib.losses"][-1] == "vaelib.losses.New"
    assert reference.documented("vaelib.losses.New")[:2] == [".. autoclass:: vaelib.losses.New()", "   :members:"]


def test_no_folder_comes_before_the_core():
    rooms = list(reference.rooms())
    assert rooms.index("vaelib.schedules") < rooms.index("vaelib.training")
    assert rooms[0] == "vaelib.data"
    assert not [room for room in rooms if "._" in room]


@pytest.mark.parametrize(
    ("markdown", "translated"),
    [
        ("gives `x`, ``y`` too", "gives ``x``, ``y`` too"),
        ("with $a +\nb$ pixels", "with :math:`a + b` pixels"),
        ("see [a page](https://example.org/a_b)", "see `a page <https://example.org/a_b>`__"),
    ],
)
def test_docstrings_are_translated(markdown, translated):
    assert docstrings.translate(markdown) == translated


def test_the_page_has_a_place_for_every_name(html):
    page = (html / "book/reference.html").read_text()
    places = set(re.findall(r'<dt class="[^"]*" id="([^"]+)"', page))
    assert set(names()) <= places
    assert {"vaelib.VAE.generate", "vaelib.experiment.RunResult.bound"} <= places
    assert "Alias for field number" not in page
