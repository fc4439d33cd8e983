"""Hold the tables of the page on beta to the losses themselves, on the same tensors, and to the library."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from published_losses import ASIDES, DISPERSION, PROGRAMS
from scipy import linalg, special

import vaelib

PAGE = Path(__file__).parents[2] / "book/beta.md"
# A term of a loss: a number before it, if there is one, and how it is reduced, over how many.
TERM = re.compile(r"(?:(?P<weight>[\d.,e-]+|½) · )?(?P<reduction>sum|mean over (?P<count>[\d,]+))")


class Row(NamedTuple):
    """Hold a line of a table."""

    program: str
    beta: str
    error: re.Match
    kl: re.Match
    section: str
    links: list


def rows():
    """Return the lines of the page's tables that name a program."""
    found, section = [], ""
    for line in PAGE.read_text().splitlines():
        section = line.removeprefix("## ") if line.startswith("## ") else section
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and "**" in cells[1]:
            name = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", cells[0]).replace("*", "").replace("`", "")
            terms = [TERM.match(cell) for cell in cells[2:]]
            found.append(Row(name, cells[1].strip("*"), *terms, section, re.findall(r"\]\((http[^)]+)\)", cells[0])))
    return found


ROWS = rows()


def number(text):
    return 0.5 if text == "½" else float((text or "1").replace(",", ""))


def by_the_library(row):
    """Return what `effective_beta` makes of the words of a line."""
    weight = number(row.error["weight"]) * (2 if row.section == "Squared error" else 1)
    return vaelib.effective_beta(
        number(row.kl["weight"]) / weight,
        distortion=row.error["reduction"].split()[0],
        kl=row.kl["reduction"].split()[0],
        num_pixels=int(number(row.error["count"])),
        latent_dim=int(number(row.kl["count"])),
    )


@pytest.fixture(scope="module")
def tensors():
    """Return what all losses are evaluated on, as many pixels and latents as any needs."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0.05, 0.95, (3, 64 * 64 * 3))
    return x, rng.normal(size=x.shape), rng.normal(1.5, size=(3, 256)), rng.normal(0.5, size=(3, 256))


def by_gradients(program, tensors):
    """Return the ratio of the loss' gradients, each to that of a term in nats, for every pair of latent and pixel.

    The gradients of the terms are written down, not computed: sigmoid(a) - x for coins, a - x for Gaussian pixels of
    variance 1, and for the KL the mean itself and half of the variance less one.
    """
    x, decoded, mean, log_var = tensors
    x, decoded = x[:, : program.num_pixels], decoded[:, : program.num_pixels]
    mean, log_var = mean[:, : program.latent_dim], log_var[:, : program.latent_dim]
    if program.likelihood == "count":
        x = np.round(10 * x)
    inputs = [tf.constant(each) for each in (decoded, mean, log_var)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = program.loss(tf.constant(x), *inputs)
    of_decoded, of_mean, of_log_var = (gradient.numpy() for gradient in tape.gradient(loss, inputs))
    expected = {
        "coin": special.expit(decoded) - x,
        "Gaussian": decoded - x,
        "count": np.exp(decoded) * (x + DISPERSION) / (np.exp(decoded) + DISPERSION) - x,
    }[program.likelihood]
    per_nat = of_decoded / expected
    np.testing.assert_allclose(per_nat, per_nat.mean(), rtol=1e-6)
    ratios = np.hstack([of_mean / mean, of_log_var / (np.expm1(log_var) / 2)]) / per_nat.mean()
    return ratios


def test_there_are_programs_enough_and_no_line_is_forgotten():
    assert len({row.program for row in ROWS if row.links}) >= 14
    assert [row.program for row in ROWS] == list(PROGRAMS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.program)
def test_the_gradients_of_the_loss_give_its_beta(row, tensors):
    ratios = by_gradients(PROGRAMS[row.program], tensors)
    np.testing.assert_allclose(ratios, by_the_library(row), rtol=1e-6)
    assert row.beta == f"{ratios.mean():.4g}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.program)
def test_the_words_of_a_line_give_its_beta(row):
    assert row.beta == f"{by_the_library(row):.4g}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.program)
def test_a_line_counts_what_its_program_trains_on(row):
    program = PROGRAMS[row.program]
    for term, count in ((row.error, program.num_pixels), (row.kl, program.latent_dim)):
        assert term["count"] is None or number(term["count"]) == count


@pytest.mark.parametrize("beta", ASIDES)
def test_the_betas_of_the_text_are_those_of_their_losses(beta, tensors):
    np.testing.assert_allclose(by_gradients(ASIDES[beta], tensors), number(beta), rtol=1e-6)
    assert f" {beta}." in PAGE.read_text().replace("\n", " ")


@pytest.mark.parametrize("row", [row for row in ROWS if row.links], ids=lambda row: row.program)
def test_a_program_is_linked_at_the_commit_that_was_read(row):
    for link in row.links:
        assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/blob/[0-9a-f]{40}/[\w./-]+", link)


@pytest.mark.slow
def test_the_predictions_are_the_librarys(x_train_full):
    """Hold the two numbers that the calculator is given to the 60,000 images."""
    text = PAGE.read_text()
    given = {name: float(re.search(f":{name}: (.+)", text)[1]) for name in ("collapse", "eigenvalue")}
    assert given["collapse"] == round(vaelib.collapse_threshold(x_train_full)[0], 3)
    covariance = np.cov(x_train_full.reshape(len(x_train_full), -1).T.astype("float64"), bias=True)
    assert given["eigenvalue"] == round(linalg.eigvalsh(covariance)[-1], 3)
    assert f"above {given['eigenvalue']}," in text
