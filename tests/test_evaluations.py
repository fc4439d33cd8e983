"""What is measured on a run is measured once, on the weights that it has, and read back whole."""

import dataclasses
import json

import numpy as np
import pytest

import vaelib
from vaelib import evaluations, results

SPEC = vaelib.RunSpec(beta=2.0, hidden_dim=8, num_epochs=1, num_train=1280, num_test=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a small run is."""
    path = tmp_path_factory.mktemp("runs")
    vaelib.train_or_load(SPEC, path, verbose=False)
    return path


@pytest.fixture
def copy(folder, tmp_path):
    """The same run in a folder of its own."""
    for file in results.files_of(SPEC, folder):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.fixture
def never_measure(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("it measured")

    monkeypatch.setattr(evaluations, "trained_model", fail)


def test_it_measures_the_trained_model_on_the_first_test_images(copy, digits):
    model, x = vaelib.trained_model(SPEC, copy), digits.x_test[:6]
    best = vaelib.best_posteriors(model, x, beta=3, verbose=False)
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
            found = function(SPEC, 6, folder=copy, verbose=False, **arguments)
            np.testing.assert_array_equal(found, values.astype("float32"))
            np.testing.assert_array_equal(function(SPEC, 6, folder=copy, verbose=False, **arguments), found)
    names = {file.name for file in copy.glob("*")} - {file.name for file in results.files_of(SPEC, copy)}
    wanted = [
        "exact-6",
        "exact-beta-2-6",
        "importance-num_samples-3-6",
        "elbo-6",
        "elbo-beta-3-6",
        "best-elbo-beta-3-6",
    ]
    assert names == {f"{SPEC.name}.{what}.npz" for what in wanted}
    # They are no results, and do not disturb where results are listed.
    assert [run.spec for run in vaelib.list_runs(copy) if run.spec.num_train == 1280] == [SPEC]


def test_a_run_on_binarized_images_is_measured_on_its_own_test_images(tmp_path, digits):
    spec = dataclasses.replace(SPEC, binarize=True, seed=2)
    found = vaelib.log_likelihood_of_run(spec, 6, num_samples=3, folder=tmp_path, verbose=False)
    x = vaelib.binarize(digits.x_test[: spec.num_test], seed=2)[:6]
    expected = vaelib.importance_log_likelihood(vaelib.trained_model(spec, tmp_path), x, 3, verbose=False)
    np.testing.assert_array_equal(found, expected.astype("float32"))


@pytest.fixture(scope="module")
def measured(folder):
    """The ELBO of ten images, on disk."""
    return vaelib.elbo_of_run(SPEC, 10, folder=folder, verbose=False)


@pytest.mark.usefixtures("never_measure")
@pytest.mark.parametrize("num_images", [1, 9, 10])
def test_what_has_been_measured_serves_as_many_images_or_fewer(folder, measured, num_images):
    np.testing.assert_array_equal(vaelib.elbo_of_run(SPEC, num_images, folder=folder), measured[:num_images])


@pytest.mark.usefixtures("never_measure", "measured")
@pytest.mark.parametrize(
    "change", [{"num_images": 11}, {"beta": 2}, {"best": True}, {"spec": dataclasses.replace(SPEC, seed=2)}], ids=str
)
def test_it_never_serves_another_question(folder, change):
    with pytest.raises(AssertionError, match="it measured"):
        vaelib.elbo_of_run(**{"spec": SPEC, "num_images": 10, "folder": folder} | change)


def with_about(content, **changes):
    with np.load(content) as archive:
        arrays = dict(archive)
    about = json.loads(str(arrays["about"])) | changes
    return results.npz_bytes({**arrays, "about": np.array(json.dumps(about))})


@pytest.mark.usefixtures("never_measure", "measured")
@pytest.mark.parametrize(
    "change", [{"weights_sha256": "0"}, {"beta": 1.5}, {"spec": SPEC.as_dict() | {"seed": 2}}], ids=str
)
def test_a_file_of_something_else_under_this_name_is_not_served(folder, copy, change):
    name = f"{SPEC.name}.elbo-10.npz"
    (copy / name).write_bytes(with_about(folder / name, **change))
    with pytest.raises(AssertionError, match="it measured"):
        vaelib.elbo_of_run(SPEC, 10, folder=copy)


def flipped(content):
    middle = len(content) // 3
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


@pytest.mark.usefixtures("never_measure", "measured")
@pytest.mark.parametrize("damage", [lambda content: content[:-30], lambda content: b"", flipped])
def test_a_damaged_file_is_never_served(folder, copy, damage):
    name = f"{SPEC.name}.elbo-10.npz"
    (copy / name).write_bytes(damage((folder / name).read_bytes()))
    with pytest.warns(UserWarning, match="cannot be read"), pytest.raises(AssertionError, match="it measured"):
        vaelib.elbo_of_run(SPEC, 10, folder=copy)


@pytest.mark.usefixtures("never_measure")
def test_what_comes_with_vaelib_is_served_too(folder, measured, monkeypatch, tmp_path):
    monkeypatch.setattr(results, "places", lambda asked: [tmp_path, folder])
    monkeypatch.setattr(evaluations, "places", lambda asked: [tmp_path, folder])
    np.testing.assert_array_equal(vaelib.elbo_of_run(SPEC, 10, folder=tmp_path), measured)


def test_a_kill_while_it_is_written_leaves_nothing_under_its_name(copy, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("vaelib.checkpoints.os.fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        vaelib.elbo_of_run(SPEC, 2, folder=copy, verbose=False)
    monkeypatch.undo()
    assert not list(copy.glob("*.elbo-*.npz"))
    assert len(vaelib.elbo_of_run(SPEC, 2, folder=copy, verbose=False)) == 2


def test_a_file_says_how_it_was_made(folder, measured):
    with np.load(folder / f"{SPEC.name}.elbo-10.npz") as archive:
        about = json.loads(str(archive["about"]))
        assert archive["values"].dtype == "float32"
    assert about["versions"].keys() == {"python", "vaelib", "tensorflow", "keras", "numpy"}
    assert about["seconds"] > 0
    assert about["cores"] >= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_images": 0}, "num_images must be at least 1, got 0"),
        ({"num_images": 10**6}, "1000000 test images are asked for, but load_mnist found"),
        ({"num_samples": 5, "beta": 2}, "num_samples=5 bounds log p\\(x\\), of beta 1 only, got beta=2"),
    ],
)
def test_what_cannot_be_measured_is_refused(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        vaelib.log_likelihood_of_run(SPEC, folder=folder, **arguments)
