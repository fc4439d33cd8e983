"""Measure a run once, on the weights that it has, and read it back whole."""

import dataclasses
import importlib
import json
from unittest.mock import create_autospec

import numpy as np
import pytest

import vaelib
from vaelib._files import write_npz
from vaelib.experiment.store import files_of
from vaelib.models import PosteriorTrace

evaluations = importlib.import_module("vaelib.experiment.evaluations")
# Train for every test here, once for all of them.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spec(trained):
    return trained[1].spec


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    """Return a folder with the small run, of which ten images have been measured."""
    return copied(trained[1].spec, trained[0], tmp_path_factory.mktemp("evaluated"))


@pytest.fixture
def copy(spec, folder, tmp_path):
    """Return the same run in a folder of its own, of which nothing has been measured."""
    return copied(spec, folder, tmp_path)


def copied(spec, folder, to):
    for file in files_of(spec, folder):
        (to / file.name).write_bytes(file.read_bytes())
    return to


@pytest.fixture(scope="module")
def measured(spec, folder):
    """Return the ELBO of ten images, on disk."""
    return vaelib.elbo_of_run(spec, 10, folder=folder, verbose=False)


@pytest.fixture
def never_measure(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("it measured")

    monkeypatch.setattr(evaluations, "trained_model", fail)


def test_it_measures_the_model_on_the_first_test_images(spec, copy, digits, monkeypatch):
    model, x = vaelib.trained_model(spec, copy), digits.x_test[:6]
    best = PosteriorTrace(np.full((6, 2), 0.5), np.full((6, 2), 0.25))
    # Say what is best instead of looking for it, which takes many seconds.
    search = create_autospec(vaelib.best_posteriors, return_value=best)
    monkeypatch.setattr(evaluations, "best_posteriors", search)
    expected = {
        vaelib.log_likelihood_of_run: [
            ({}, vaelib.exact_log_likelihood(model, x, verbose=False)),
            ({"beta": 2}, vaelib.exact_log_likelihood(model, x, beta=2, verbose=False)),
            ({"num_samples": 3}, vaelib.importance_log_likelihood(model, x, 3, verbose=False)),
        ],
        vaelib.elbo_of_run: [
            ({}, vaelib.elbo(model, x)),
            ({"beta": 3}, vaelib.elbo(model, x, beta=3)),
            ({"beta": 3, "best": True}, vaelib.elbo(model, x, *best, beta=3)),
        ],
    }
    for function, cases in expected.items():
        for arguments, values in cases:
            found = function(spec, 6, folder=copy, verbose=False, **arguments)
            np.testing.assert_array_equal(found, values.astype("float32"))
            np.testing.assert_array_equal(function(spec, 6, folder=copy, verbose=False, **arguments), found)
    (found_model, found_x, beta), _ = search.call_args
    np.testing.assert_array_equal(found_model.get_weights()[0], model.get_weights()[0])
    np.testing.assert_array_equal(found_x, x)
    assert (beta, search.call_count) == (3, 1)
    names = {file.name for file in copy.glob("*.npz")} - {file.name for file in files_of(spec, copy)}
    wanted = [
        "exact-6",
        "exact-beta-2-6",
        "importance-num_samples-3-6",
        "elbo-6",
        "elbo-beta-3-6",
        "best-elbo-beta-3-6",
    ]
    assert names == {f"{spec.name}.{what}.npz" for what in wanted}
    # Keep them out of the list of results: they are none.
    assert [run.spec for run in vaelib.list_runs(copy)] == [spec]


def test_a_binarized_run_is_measured_on_its_own_images(binarized, tmp_path, digits):
    spec = binarized[1].spec
    copied(spec, binarized[0], tmp_path)
    found = vaelib.log_likelihood_of_run(spec, 6, num_samples=3, folder=tmp_path, verbose=False)
    x = vaelib.binarize(digits.x_test[: spec.num_test], seed=spec.seed)[:6]
    expected = vaelib.importance_log_likelihood(vaelib.trained_model(spec, tmp_path), x, 3, verbose=False)
    np.testing.assert_array_equal(found, expected.astype("float32"))


@pytest.mark.usefixtures("never_measure")
@pytest.mark.parametrize("num_images", [1, 9, 10])
def test_what_has_been_measured_serves_fewer_images_too(spec, folder, measured, num_images):
    np.testing.assert_array_equal(vaelib.elbo_of_run(spec, num_images, folder=folder), measured[:num_images])


@pytest.mark.usefixtures("never_measure", "measured")
@pytest.mark.parametrize("change", [{"num_images": 11}, {"beta": 2}, {"best": True}, {"spec": {"seed": 2}}], ids=str)
def test_it_never_serves_another_question(spec, folder, change):
    arguments = {"num_images": 10, "folder": folder} | change
    arguments["spec"] = dataclasses.replace(spec, **change.get("spec", {}))
    with pytest.raises(AssertionError, match="it measured"):
        vaelib.elbo_of_run(**arguments)


@pytest.mark.usefixtures("never_measure", "measured")
def test_a_named_folder_means_that_folder(spec, folder, copy, monkeypatch):
    monkeypatch.setenv("VAELIB_RUNS", str(folder))
    with pytest.raises(AssertionError, match="it measured"):
        vaelib.elbo_of_run(spec, 10, folder=copy)


@pytest.mark.usefixtures("never_measure")
def test_what_comes_with_vaelib_is_served_too(spec, folder, measured, monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.import_module("vaelib.experiment.store"), "_delivered", lambda: (folder,))
    monkeypatch.setenv("VAELIB_RUNS", str(tmp_path))
    np.testing.assert_array_equal(vaelib.elbo_of_run(spec, 10), measured)


def with_about(content, **changes):
    """Write a file again, whole, with another "about"."""
    with np.load(content) as archive:
        arrays = dict(archive)
    about = json.loads(str(arrays.pop("about")))
    return lambda file: write_npz(file, arrays, about | changes)


@pytest.mark.usefixtures("never_measure", "measured")
@pytest.mark.parametrize("change", [{"weights_sha256": "0"}, {"beta": 1.5}, {"spec": {"seed": 2}}], ids=str)
def test_a_file_of_something_else_is_not_served(spec, folder, copy, change):
    name = f"{spec.name}.elbo-10.npz"
    if "spec" in change:
        change = {"spec": spec.as_dict() | change["spec"]}
    with_about(folder / name, **change)(copy / name)
    with pytest.raises(AssertionError, match="it measured"):
        vaelib.elbo_of_run(spec, 10, folder=copy)


def flipped(content):
    middle = len(content) // 3
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


@pytest.mark.usefixtures("never_measure", "measured")
@pytest.mark.parametrize("damage", [lambda content: content[:-30], lambda content: b"", flipped])
def test_a_damaged_file_is_never_served(spec, folder, copy, damage):
    name = f"{spec.name}.elbo-10.npz"
    (copy / name).write_bytes(damage((folder / name).read_bytes()))
    with (
        pytest.warns(UserWarning, match="cannot be read .*: it counts as missing") as caught,
        pytest.raises(AssertionError, match="it measured"),
    ):
        vaelib.elbo_of_run(spec, 10, folder=copy)
    assert {warning.filename for warning in caught} == {__file__}


def test_a_kill_while_it_is_written_leaves_nothing(spec, copy, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("vaelib._files.os.fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        vaelib.elbo_of_run(spec, 2, folder=copy, verbose=False)
    monkeypatch.undo()
    assert not list(copy.glob("*.elbo-*.npz"))
    assert len(vaelib.elbo_of_run(spec, 2, folder=copy, verbose=False)) == 2


def test_a_file_says_how_it_was_made(spec, folder, measured):
    with np.load(folder / f"{spec.name}.elbo-10.npz") as archive:
        about = json.loads(str(archive["about"]))
        assert archive["values"].dtype == "float32"
    assert about["versions"].keys() == {"python", "vaelib", "tensorflow", "keras", "numpy"}
    assert about["seconds"] >= 0
    assert about["cores"] >= 1
    assert len(about["sha256"]) == 64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_images": 0}, "num_images must be at least 1, got 0"),
        ({"num_images": 10**6}, "1000000 test images are asked for, but load_mnist found"),
        ({"num_samples": 5, "beta": 2}, "num_samples=5 bounds log p\\(x\\), of beta 1 only, got beta=2"),
    ],
)
def test_what_cannot_be_measured_is_refused(spec, folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        vaelib.log_likelihood_of_run(spec, folder=folder, **arguments)
