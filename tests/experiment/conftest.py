"""Train once what several files of this folder look at."""

import dataclasses
import importlib

import pytest

import vaelib


@pytest.fixture(scope="session", autouse=True)
def loaded_once(digits):
    """Load MNIST once for all runs and evaluations of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("vaelib.experiment.runs"), "load_mnist", lambda: digits)
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return (folder, result) of one small run of two epochs of ten steps; tests leave the folder as it is."""
    spec = vaelib.RunSpec(beta=0.784, hidden_dim=8, num_epochs=2, num_train=1280, num_test=100)
    folder = tmp_path_factory.mktemp("trained")
    return folder, vaelib.train_or_load(spec, folder, verbose=False)


@pytest.fixture(scope="session")
def binarized(trained, tmp_path_factory):
    """Return (folder, result) of another: deeper, with five latent dimensions, on binarised images."""
    changes = {"num_epochs": 1, "num_hidden": 2, "latent_dim": 5, "binarize": True, "start_at_mean_image": True}
    folder = tmp_path_factory.mktemp("binarized")
    return folder, vaelib.train_or_load(dataclasses.replace(trained[1].spec, **changes), folder, verbose=False)
