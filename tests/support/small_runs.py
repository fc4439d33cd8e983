"""Compare runs bit by bit."""

import numpy as np

from vaelib import load_run
from vaelib.experiment.store import load_weights


def assert_same(ours, theirs):
    """Compare two results: all but their seconds and how they were made."""
    assert ours.spec == theirs.spec
    assert {**ours.history, "seconds": None} == {**theirs.history, "seconds": None}
    for name in ("posteriors", "metrics"):
        first, second = getattr(ours, name), getattr(theirs, name)
        assert first.keys() == second.keys()
        for key in first:
            np.testing.assert_array_equal(first[key], second[key])


def assert_same_run(spec, ours, theirs):
    """Compare what two folders have of a run, its weights too."""
    assert_same(load_run(spec, ours), load_run(spec, theirs))
    for a, b in zip(load_weights(spec, ours), load_weights(spec, theirs), strict=True):
        np.testing.assert_array_equal(a, b)


def assert_same_training(run, expected):
    """Compare two runs of `fit`: histories but for their seconds, posteriors, weights, the optimizer's variables."""
    assert {**run.history, "seconds": None} == {**expected.history, "seconds": None}
    assert list(run.posteriors) == list(expected.posteriors)
    for epoch, trace in expected.posteriors.items():
        np.testing.assert_array_equal(run.posteriors[epoch], trace)
    ours, theirs = ([*run.model.variables, *run.model.optimizer.variables] for run in (run, expected))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)
