"""Show what was measured in the book's pages about speed and sweeps, and run the races: one turn each, few images."""

import heapq
import json
from pathlib import Path

import numpy as np
import parts
import plan
import pytest
import report
import speed
import stream
import sweep
import tensorflow as tf
import together
from dask_workers import quick_workers

import vaelib
from vaelib.experiment.store import save_run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["speed", "speed_avx512"])
def test_a_table_of_the_book_is_the_last_race(name):
    race = json.loads((ROOT / f"benchmarks/{name}.json").read_text())
    assert report.table(race) in (ROOT / "book/speed.md").read_text()


def test_a_table_is_put_into_its_place_and_nowhere_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text((ROOT / "book/sweep.md").read_text())
    report.put(page, "sweep", "| another |\n")
    changed = page.read_text()
    assert changed.count("| another |\n\n<!-- end of sweep -->") == 1
    assert "| workers |" not in changed
    assert "| machines |" in changed
    with pytest.raises(ValueError, match=r"one place for 'race'.* found 0"):
        report.put(page, "race", "")


def test_the_products_of_a_step_are_those_of_its_gradients():
    """Compare with TensorFlow's gradients of half the squared logits, whose slope is the logits."""
    x, encoder, decoder = map(tf.Variable, parts.factors())
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum((x @ encoder @ decoder) ** 2) / 2
    expected = tape.gradient(loss, [decoder, encoder])
    for ours, theirs in zip(parts.products(np.matmul, np.transpose, *parts.factors()), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_every_contender_is_a_script():
    for name in speed.CONTENDERS:
        assert (ROOT / f"benchmarks/contenders/{name}.py").is_file()


@pytest.mark.slow
def test_contenders_of_this_environment_run_and_learn(capsys):
    names = [name for name in speed.CONTENDERS if name not in speed.NEED_PEERS]
    x = np.random.default_rng(0).random((640, 28, 28, 1), "float32")
    results = speed.race(names, x, batch_size=64, hidden_dim=8, rounds=1)
    assert list(results) == names, capsys.readouterr().out
    for name in names:
        assert len(results[name]["seconds"]) == 1
        if name != "sgemm_numpy":
            first, last = results[name]["losses"]
            assert last < first
    text = list(speed.table(results))
    assert len(text) == len(names) + 1


def test_the_tables_about_sweeps_are_of_the_last_measurement():
    measured = json.loads((ROOT / "benchmarks/sweep.json").read_text())
    page = (ROOT / "book/sweep.md").read_text()
    assert plan.sweep_table(measured) in page
    assert plan.plan_table(measured) in page


@pytest.mark.parametrize("cores", [2, 16])
@pytest.mark.parametrize("machines", [1, 7, 10, 100])
def test_the_plan_is_what_free_workers_do(machines, cores):
    free_at = [20.0] * (machines * cores)
    for _ in range(1000):
        heapq.heapreplace(free_at, free_at[0] + 340.0)
    _, seconds = plan.plan(machines, cores, start_seconds=20.0, run_seconds=340.0)
    assert seconds == max(free_at)


def test_a_run_costs_its_epochs_and_what_it_does_besides():
    # Two at a time, 12 seconds each: 4 epochs of 2 seconds, and 4 seconds besides. The run of the book has 100 epochs.
    two = {"start_seconds": 15.0, "seconds": [24.0, 24.0, 60.0], "epoch_seconds": [2.0, 2.0, 5.0]}
    work = {"runs": 4, "epochs": 4, "steps_per_epoch": 469}
    start_seconds, run_seconds = plan.costs({"results": {"1": None, "2": two}, "work": work})
    np.testing.assert_allclose([start_seconds, run_seconds], [15, 4 + 100 * 2])


@pytest.mark.slow
def test_a_race_of_sweeps_ends_with_the_same_bits():
    # Take one latent dimension: then there is no grid of generated digits to measure.
    specs = sweep.specs_of(2, num_epochs=2, num_train=640, hidden_dim=8, latent_dim=1)
    with quick_workers():
        results, megabytes = sweep.race([1, 2], specs, rounds=1)
    assert list(results) == [1, 2]
    assert 0.01 < megabytes < 1
    assert len(list(sweep.table(results, len(specs)))) == 3
    for result in results.values():
        assert result["peak_megabytes"] > 300
        assert len(result["epoch_seconds"]) == len(result["seconds"]) == 1


@pytest.mark.parametrize(("weight", "loss"), [(1.0, 2.0), (0.0, 3.0)])
def test_a_race_notices_other_bits(weight, loss, tmp_path):
    (spec,) = sweep.specs_of(1, num_epochs=2, num_train=640)
    for place, numbers in (("ours", (0.0, 2.0)), ("theirs", (weight, loss))):
        (tmp_path / place).mkdir()
        history = {"loss": [numbers[1]], "seconds": [numbers[0]]}
        save_run(vaelib.experiment.RunResult(spec, history, {}, {}, {}), [np.full(2, numbers[0])], tmp_path / place)
    sweep._check_same_bits([spec], tmp_path / "ours", tmp_path / "ours")
    with pytest.raises(RuntimeError, match="ended with other numbers in theirs"):
        sweep._check_same_bits([spec], tmp_path / "ours", tmp_path / "theirs")


@pytest.mark.slow
def test_a_stream_and_an_array_race_with_the_same_images():
    megabytes = 3 * stream.BATCH_GIGABYTES * 1e3
    results = {kind: stream.measured(kind, 4 * stream.BATCH_GIGABYTES, megabytes) for kind in ("stream", "array")}
    for kind, result in results.items():
        assert result["kind"] == kind
        assert result["gigabytes"] == 4 * stream.BATCH_GIGABYTES
        assert result["speed"] > 0
        assert result["peak_megabytes"] > 300
    images = stream.filled(stream.batches(2), 2)
    assert images.nbytes / 1e9 == 2 * stream.BATCH_GIGABYTES
    np.testing.assert_array_equal(images[:127], images[129:])


@pytest.mark.slow
def test_one_run_takes_the_same_steps_in_either_program():
    at_start, stacked, side_by_side = (
        float(make(1, num_steps)().numpy())
        for make, num_steps in ((together.side_by_side, 0), (together.stacked, 3), (together.side_by_side, 3))
    )
    assert abs(side_by_side - at_start) > 1
    np.testing.assert_allclose(stacked, side_by_side, rtol=1e-4)
