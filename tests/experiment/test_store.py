"""Keep results: a named folder is that folder, what is damaged counts as missing, and old results load as before."""

import dataclasses
import importlib
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from invented import result

from vaelib import RunSpec, dense_vae, fit, list_runs, load_run, trained_model
from vaelib._files import read_npz
from vaelib.experiment import RunResult, rates_by_dimension

store = importlib.import_module("vaelib.experiment.store")
COMMITTED = Path(__file__).parents[2] / "runs"
RESULTS = sorted(COMMITTED.glob("*_????????.npz"))
# Take the weights that git keeps; those of other runs may lie beside them.
KEPT_BY_GIT = re.findall(r"^!runs/(.+)$", (COMMITTED.parent / ".gitignore").read_text(), re.MULTILINE)
WEIGHTS = [COMMITTED / name for name in KEPT_BY_GIT]
EVALUATIONS = sorted({*COMMITTED.glob("*.npz")} - {*RESULTS, *COMMITTED.glob("*.weights.npz")})
KEPT = result(num_epochs=3)
SPEC = KEPT.spec
OTHER = dataclasses.replace(SPEC, seed=2)


def keep(run, folder):
    """Write a result whose two weights say the seed."""
    store.save_run(run, [np.full((2, 3), run.spec.seed, "float32"), np.arange(4.0)], folder)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with one result."""
    keep(KEPT, tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def delivered(tmp_path, monkeypatch):
    """Return the folder of an invented installation of vaelib, with nothing around it; no result is anywhere else."""
    package = tmp_path / "site-packages" / "vaelib"
    package.mkdir(parents=True)
    monkeypatch.setattr(store, "_PACKAGE", package)
    monkeypatch.setenv("VAELIB_RUNS", str(tmp_path / "usual"))
    return package


# What a result says of itself


def test_the_bound_is_distortion_plus_rate_after_every_epoch():
    run = result(num_epochs=3)
    run.history.update(val_distortion=[150.0, 140.0, 139.0], val_rate=[5.0, 6.0, 6.5], rate=[4.0, 5.0, 6.0])
    assert run.bound().tolist() == [155, 146, 145.5]
    assert run.bound(validation=False).tolist() == [147, 148, 149]


def test_the_last_of_a_history_may_be_a_mean():
    run = result(num_epochs=4)
    run.history["rate"][:] = [1.0, 2.0, 4.0, 9.0]
    assert (run.last("rate"), run.last("rate", 2), run.last("rate", 9)) == (9, 6.5, 4)


def test_test_posteriors_are_float64():
    run = result(radius=2.0, std=0.25)
    assert [part.dtype for part in run.test_posteriors] == ["float64", "float64"]
    np.testing.assert_array_equal(run.test_posteriors.mean, run.metrics["test_mean"])
    np.testing.assert_array_equal(run.test_posteriors.width, 0.25)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda run: run.bound(), "expects a run with validation_data, got one without: pass validation=False"),
        (lambda run: run.last("val_rate"), "expects a name of the history, loss, .*, got 'val_rate' and 1"),
        (lambda run: run.last("loss", 0), "at least 1 epoch, got 'loss' and 0"),
        (lambda run: run.test_posteriors, "two latent dimensions, got latent_dim=5, .*call encode_all"),
        (rates_by_dimension, "two latent dimensions, got latent_dim=5"),
    ],
)
def test_a_result_refuses_in_words_what_it_does_not_hold(ask, message):
    run = result(latent_dim=5)
    history = {name: values for name, values in run.history.items() if not name.startswith("val_")}
    with pytest.raises(ValueError, match=message):
        ask(run._replace(history=history, metrics={"active_units": np.asarray(5)}))


# Where results are


def test_the_usual_folder_is_that_of_the_variable_or_runs(monkeypatch, tmp_path):
    monkeypatch.delenv("VAELIB_RUNS", raising=False)
    assert store.where_to_keep() == Path("runs")
    monkeypatch.setenv("VAELIB_RUNS", str(tmp_path))
    assert store.where_to_keep() == tmp_path
    assert store.where_to_keep("elsewhere") == Path("elsewhere")


def test_a_named_folder_means_that_folder(folder, delivered, tmp_path):
    keep(result(seed=2, num_epochs=3), delivered / "trained_runs")
    keep(result(seed=3, num_epochs=3), tmp_path / "usual")
    assert [run.spec for run in list_runs(folder)] == [SPEC]
    assert list_runs(tmp_path / "nowhere") == []
    for seed, found in ((1, True), (2, False), (3, False)):
        assert (load_run(dataclasses.replace(SPEC, seed=seed), folder) is not None) == found
        assert (store.load_weights(dataclasses.replace(SPEC, seed=seed), folder) is not None) == found


def test_no_name_means_the_usual_folder_and_the_delivered(delivered, tmp_path):
    assert list_runs() == []
    keep(result(seed=2, num_epochs=3), delivered / "trained_runs")
    keep(result(seed=3, num_epochs=3), tmp_path / "usual")
    assert [run.spec.seed for run in list_runs()] == [2, 3]
    assert load_run(dataclasses.replace(SPEC, seed=2)).spec.seed == 2
    assert store.load_weights(OTHER)[0].tolist() == [[2] * 3] * 2
    assert load_run(SPEC) is None


def test_a_result_of_the_usual_folder_comes_before_a_delivered(delivered, tmp_path):
    for place, bound in ((delivered / "trained_runs", 100.0), (tmp_path / "usual", 200.0)):
        keep(result(num_epochs=3, bound=bound), place)
    assert load_run(SPEC).bound()[-1] == 200
    assert [run.bound()[-1] for run in list_runs()] == [200]


def test_what_lies_beside_an_installation_is_not_read(delivered):
    beside = delivered.parent / "runs"
    keep(KEPT, beside)
    assert load_run(SPEC) is None
    assert list_runs() == []
    # In a checkout, runs/ is what comes with vaelib.
    (delivered.parent / "pyproject.toml").touch()
    assert load_run(SPEC).spec == SPEC


# What is written


def test_a_result_comes_back_whole(folder):
    loaded = load_run(SPEC, folder)
    assert isinstance(loaded, RunResult)
    assert (loaded.spec, loaded.history) == (SPEC, KEPT.history)
    assert loaded.about.keys() == {"seconds", "finished", "weights_sha256"}
    for ours, theirs in ((loaded.posteriors, KEPT.posteriors), (loaded.metrics, KEPT.metrics)):
        assert ours.keys() == theirs.keys()
        for key in ours:
            np.testing.assert_array_equal(ours[key], theirs[key])
    assert [weight.tolist() for weight in store.load_weights(SPEC, folder)] == [[[1] * 3] * 2, [0, 1, 2, 3]]


def test_every_file_carries_the_checksum_of_its_arrays(folder):
    for file in store.files_of(SPEC, folder):
        with np.load(file) as archive:
            assert len(json.loads(str(archive["about"]))["sha256"]) == 64


def test_a_kill_leaves_both_files_or_no_result(tmp_path, monkeypatch):
    write, written = store.write_npz, []

    def killed(file, *arguments):
        if written:
            raise KeyboardInterrupt
        written.append(file)
        return write(file, *arguments)

    monkeypatch.setattr(store, "write_npz", killed)
    with pytest.raises(KeyboardInterrupt):
        keep(KEPT, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [f"{SPEC.name}.weights.npz"]
    assert load_run(SPEC, tmp_path) is None


# What is damaged, or of something else


def with_about(content, change):
    """Return a file's content with another "about", and everything else as it was."""
    with np.load(content) as archive:
        arrays = dict(archive)
    arrays["about"] = np.array(json.dumps(change(json.loads(str(arrays["about"])))))
    np.savez(content, **arrays)


def with_array(file, name):
    """Change one number of a file, and leave the file whole."""
    with np.load(file) as archive:
        arrays = dict(archive)
    arrays[name] = arrays[name] + 1
    np.savez(file, **arrays)


DAMAGES = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "half": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "empty": lambda file: file.write_bytes(b""),
    "something else": lambda file: file.write_bytes(b"x" * 5000),
    "a bit flipped": lambda file: file.write_bytes(flipped(file.read_bytes())),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "another number": lambda file: with_array(file, "metrics/fuzziness"),
    "no spec": lambda file: with_about(file, lambda about: {"seconds": 1.0}),
    "a field too many": lambda file: with_about(file, lambda about: about | {"spec": {"colour": 1}}),
    "no such spec": lambda file: with_about(file, lambda about: about | {"spec": {"beta": -1.0}}),
}


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_result_counts_as_missing(damage, folder):
    keep(result(seed=2, num_epochs=3), folder)
    damage(store.files_of(SPEC, folder)[1])
    for ask, expected in ((lambda: load_run(SPEC, folder), None), (lambda: len(list_runs(folder)), 1)):
        with pytest.warns(UserWarning, match="cannot be read .*: it counts as missing") as caught:
            assert ask() == expected
        assert {warning.filename for warning in caught} == {__file__}
    assert load_run(OTHER, folder).spec == OTHER


@pytest.mark.parametrize("name", ["cut", "half", "empty", "something else", "a bit flipped", "a folder"])
def test_damaged_weights_count_as_missing(name, folder):
    DAMAGES[name](store.files_of(SPEC, folder)[0])
    with pytest.warns(UserWarning, match=r"weights\.npz .*: the weights count as missing") as caught:
        assert store.load_weights(SPEC, folder) is None
    assert {warning.filename for warning in caught} == {__file__}


def test_weights_of_another_run_count_as_missing(folder):
    keep(result(seed=2, num_epochs=3), folder)
    ours, theirs = (store.files_of(spec, folder)[0] for spec in (SPEC, OTHER))
    ours.write_bytes(theirs.read_bytes())
    with pytest.warns(UserWarning, match=r"weights\.npz is damaged, or of another run"):
        assert store.load_weights(SPEC, folder) is None


def test_a_result_of_another_spec_under_this_name_is_not_it(folder):
    ours, theirs = (store.files_of(spec, folder)[1] for spec in (SPEC, OTHER))
    theirs.write_bytes(ours.read_bytes())
    assert load_run(OTHER, folder) is None


# What is committed


@pytest.mark.slow
def test_all_committed_runs_load_under_their_old_names():
    found = list_runs(COMMITTED)
    assert [f"{run.spec.name}.npz" for run in found] == [file.name for file in RESULTS]
    assert len(found) >= 109, "runs of version 0.1 were lost"
    for run in found:
        assert len(run.history["loss"]) == run.spec.num_epochs
        assert np.isfinite(run.bound()).all()


@pytest.mark.parametrize("file", WEIGHTS, ids=lambda file: file.name)
def test_committed_weights_are_those_of_their_run(file):
    """Of their checksum, and of the shapes that the spec builds."""
    _, about = read_npz(file.with_name(file.name.replace(".weights", "")))
    spec = store.RunSpec(**about["spec"])
    assert file == store.files_of(spec, COMMITTED)[0]
    model = trained_model(spec, COMMITTED)
    for ours, theirs in zip(store.load_weights(spec, COMMITTED), model.trainable_variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("file", EVALUATIONS, ids=lambda file: file.name)
def test_a_committed_evaluation_is_of_its_run(file):
    arrays, about = store.read_about(file)
    assert about["weights_sha256"] == load_run(about["spec"], COMMITTED).about["weights_sha256"]
    assert file.stem.endswith(f"-{len(arrays['values'])}")
    assert np.isfinite(arrays["values"]).all()


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
def test_a_committed_result_is_small(file):
    assert file.stat().st_size <= 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize("shuffle", [False, True])
def test_first_rows_are_the_images_that_were_encoded(shuffle, images):
    model = dense_vae(hidden_dim=8)
    # With steps of size 0 every epoch encodes with the same weights.
    model.compile(optimizer=keras.optimizers.SGD(0.0))
    run = fit(model, images, num_epochs=3, batch_size=32, shuffle=shuffle, seed=5, verbose=False)
    spec = RunSpec(seed=5, shuffle=shuffle, batch_size=32, num_epochs=3, num_train=len(images), num_test=1)
    found = RunResult(spec, run.history, run.posteriors, {}, {})
    for epoch, trace in run.posteriors.items():
        np.testing.assert_allclose(trace.mean, model.encode(images[found.first_rows(epoch)])[0], atol=1e-5)
    assert (len({found.first_rows(epoch).tobytes() for epoch in run.posteriors}) == 3) == shuffle
    with pytest.raises(ValueError, match=r"an epoch that was kept, \[1, 2, 3\], got 4"):
        found.first_rows(4)
