"""Let every warning point at the line outside of vaelib that led to it, however deep it arises."""

import warnings

import pytest

from vaelib._warnings import warn


def _inside(depth):
    """Return a function of a module of vaelib that warns after some calls of its own."""
    names = {"__name__": "vaelib.deep.module", "warn": warn}
    exec("def call(depth):\n    call(depth - 1) if depth else warn('look here')", names)  # noqa: S102
    return lambda: names["call"](depth)


@pytest.mark.parametrize("depth", [0, 1, 7])
def test_a_warning_points_at_the_caller(depth):
    with pytest.warns(UserWarning, match="look here") as caught:
        _inside(depth)()
    assert caught[0].filename == __file__


def test_a_program_that_is_named_alike_is_outside():
    names = {"__name__": "vaelibrary", "inside": _inside(2)}
    code = compile("def call():\n    inside()", "theirs.py", "exec")
    exec(code, names)  # noqa: S102
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        names["call"]()
    assert [warning.filename for warning in caught] == [__file__]
