"""Hold chapter 11 to its sources, and what it says about our side to runs/."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import scipy.stats
from replay import claims_of, replay

CHAPTER = Path(__file__).parents[2] / "notebooks/11_stand_beside_the_literature.ipynb"

# Keep the one table of what is printed elsewhere, nats per image: -log p, -ELBO, distortion, rate.
PLANE = {
    "Davidson et al. 2018": (135.73, 137.08, 129.84, 7.24),  # table 1, N-VAE, d = 2
    "Keras' example": (None, 146.95, 140.15, 6.80),  # epoch 30
    "Mohapatra's benchmark": (None, 153.77, 147.70, 6.08),  # test, epoch 30
}
# Burda et al. 2015: table 1, one stochastic layer, k = 1; and table 3, on static pixels.
IWAE, IWAE_UNITS, IWAE_STATIC = 86.76, 19, 88.71


@pytest.fixture(scope="module")
def cells():
    return nbformat.read(CHAPTER, as_version=4).cells


def _assigned(cells, name):
    """Return the literal that the chapter gives a name."""
    for cell in cells:
        if cell.cell_type == "code" and f"{name} = " in cell.source and "%pip" not in cell.source:
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.Assign) and node.targets[0].id == name:
                    return ast.literal_eval(node.value)
    raise AssertionError(f"the chapter defines no {name}")


def test_the_chapters_table_is_that_of_its_sources(cells):
    assert {name: row[2:] for name, row in _assigned(cells, "published").items()} == PLANE
    assert _assigned(cells, "published_iwae") == {"-log p": IWAE, "active units": IWAE_UNITS}


def test_a_published_bound_is_the_sum_of_its_parts():
    """Agree to the last digit or two: each of the three is rounded."""
    for _, minus_elbo, distortion, rate in PLANE.values():
        assert minus_elbo == pytest.approx(distortion + rate, abs=0.0151)


def test_the_text_quotes_burda_et_al_right(cells):
    text = " ".join(
        cell.source for cell in cells if cell.cell_type == "markdown" and "cover" not in cell.get("tags", [])
    )
    for quoted in (
        rf"{IWAE}\W+nats",
        rf"\b{IWAE_UNITS} active",
        f"{IWAE} nats dynamically",
        f"{IWAE_STATIC} statically",
    ):
        assert re.search(quoted, text), quoted


@pytest.fixture(scope="module")
def replayed():
    """Return the cells that load runs, what they define now, and what each prints."""
    cells = claims_of(CHAPTER.name)
    return cells, *replay(cells)


def test_what_it_prints_of_our_runs_is_what_the_runs_say(replayed):
    cells, _, printed = replayed
    for cell, text in zip(cells, printed, strict=True):
        assert text == "".join(output.text for output in cell.outputs if "text" in output)


def test_figure_2_is_of_the_size_of_the_papers(replayed):
    runs = replayed[1]["runs"]
    assert list(runs) == [3, 5, 10, 20, 200]
    for run in runs.values():
        assert run.spec.num_epochs * run.spec.num_train >= 1e7


def test_superfluous_latent_variables_do_not_overfit(replayed):
    """Hold the caption of figure 2 of Kingma & Welling (2013) to a nat between training and test."""
    runs = replayed[1]["runs"]
    gap = {k: np.mean((run.bound() - run.bound(validation=False))[-10:]) for k, run in runs.items()}
    assert gap[200] - gap[20] <= 1


def test_the_chapter_says_how_far_the_row_of_2015_is(replayed):
    """Take as many samples and images as the paper does; the aim was 87.5 nats."""
    log_ps = replayed[1]["log_ps"]
    for by_samples in log_ps.values():
        assert {some: len(log_p) for some, log_p in by_samples.items()} == {1: 10_000, 50: 10_000, 5000: 10_000}
        one, fifty, many = (-log_p.mean() for log_p in by_samples.values())
        assert IWAE - 1 < many < fifty < one
    best = min(-by_samples[5000].mean() for by_samples in log_ps.values())
    assert f"the aim, 87.5 nats: {'reached' if best <= 87.5 else 'missed'}" in "".join(replayed[2])


def test_the_starts_differ_in_nothing_else(replayed):
    specs = [run.spec.as_dict() for run in replayed[1]["trained"].values()]
    choices = [(spec.pop("num_epochs"), spec.pop("start_at_mean_image")) for spec in specs]
    fifth, half = 3280 // 5, 3280 // 2
    assert choices == [(fifth, False), (fifth, True), (half, False), (half, True)]
    assert all(spec == specs[0] for spec in specs)


def test_more_passes_and_a_better_start_come_nearer(replayed):
    """Differ by ten standard errors on the same images."""
    log_ps = replayed[1]["log_ps"]
    a_fifth, from_mean, half, both = (by_samples[5000] for by_samples in log_ps.values())
    for worse, better in ((a_fifth, from_mean), (a_fifth, half), (from_mean, both), (half, both)):
        gain = better - worse
        assert gain.mean() > 10 * scipy.stats.sem(gain)
