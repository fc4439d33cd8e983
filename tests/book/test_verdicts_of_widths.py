"""Hold chapter 7's explanation of the wide cloud to runs/: compute it again, by its own cells."""

import numpy as np
import pytest
from replay import claims_of, replay

import vaelib


@pytest.fixture(scope="module")
def chapter():
    """Return what the chapter's cells define."""
    return replay(claims_of("07_weigh_the_kl.ipynb"))[0]


def second_moment(run):
    return float(run.metrics["train_second_moment"].mean())


def along(run):
    """Return E[mean^2 + std^2] by epoch, of the posteriors that a run keeps."""
    return {epoch: float(np.mean(trace.mean**2 + trace.std**2)) for epoch, trace in run.posteriors.items()}


def test_at_the_smallest_weight_the_cloud_comes_in_and_grows_again(chapter):
    for run in chapter["runs"][1e-3]:
        moments = along(run)
        assert moments[1] > 2 * moments[2]
        assert moments[2] < moments[20] < moments[50] < moments[100]
        assert moments[100] > 1.2 * moments[2]


@pytest.mark.parametrize(("kl_wt", "tolerance"), [(1e-3, 0.03), (1e-2, 0.05), (1e-1, 0.07)])
def test_the_cloud_is_as_wide_as_the_balance_says(chapter, kl_wt, tolerance):
    measured, predicted = vaelib.experiment.noise_balance_of_run(chapter["runs"][kl_wt][0].spec).T
    np.testing.assert_allclose(measured, predicted, rtol=tolerance)


def test_steps_that_shrink_let_the_cloud_come_in_and_save_nats(chapter):
    constant, falling = (chapter["others"][name] for name in ("RMSprop, 1e-3", "RMSprop, 1e-3 falling to 0"))
    assert [run.spec.seed for run in constant] == [run.spec.seed for run in falling] == [1, 2, 3]
    assert all(run.spec.learning_rate_schedule == "cosine" for run in falling)
    for wide, narrow in zip(constant, falling, strict=True):
        assert second_moment(narrow) < 0.8 * second_moment(wide)
        assert narrow.bound()[-1] < wide.bound()[-1] - 1


def test_averaging_takes_the_jitter_away_and_leaves_the_width(chapter):
    averages = chapter["others"]["… with averaged weights"]
    assert [run.spec.seed for run in averages] == [1, 2, 3]
    for average, wide in zip(averages, chapter["others"]["RMSprop, 1e-3"], strict=True):
        assert average.spec.seed == wide.spec.seed
        assert second_moment(average) == pytest.approx(second_moment(wide), rel=0.1)
        assert chapter["bound_of"](average) < wide.bound()[-1] - 1


def test_a_thousand_epochs_do_not_bring_the_cloud_in(chapter):
    (longer,) = chapter["others"]["RMSprop, 1e-3, on and on"]
    moments = along(longer)
    assert longer.spec.num_epochs == 1000
    assert moments[1000] > moments[2]
