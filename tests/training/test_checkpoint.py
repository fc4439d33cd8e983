"""Go on from what `fit` saved, and notice what is damaged, full or another run's."""

import errno
import functools
import os
import shutil
import signal
import subprocess
import sys
import types

import keras
import numpy as np
import pytest
from small_models import small_vae
from small_runs import assert_same_training

import vaelib
from vaelib import _files
from vaelib.training import checkpoint

pytestmark = pytest.mark.slow

SPEC = {"model": {"hidden_dim": 3}, "seed": 1}
# XLA would take seconds to compile: test_two_processes.py trains with it.
_model = functools.partial(small_vae, beta=2.0)


def _saved(folder):
    return sorted(folder.glob("step-*"))


class CrashError(Exception):
    """Stand for something of the reader's own that goes wrong."""


class CrashAt(keras.callbacks.Callback):
    """Raise at the end of a batch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise CrashError


ARGUMENTS = {"num_epochs": 3, "batch_size": 16, "seed": 5}


@pytest.fixture(scope="module")
def undisturbed(images):
    """Return a run that keeps no checkpoints."""
    return vaelib.fit(_model(), images, images[:20], **ARGUMENTS)


@pytest.fixture(scope="module")
def finished(images, tmp_path_factory):
    """Return the folder of a run that has come to its end."""
    folder = tmp_path_factory.mktemp("finished")
    vaelib.fit(_model(), images, images[:20], checkpoint=folder, **ARGUMENTS)
    return folder


@pytest.fixture
def kept(finished, tmp_path):
    """Return a copy of that folder, to spoil."""
    return shutil.copytree(finished, tmp_path / "kept")


@pytest.mark.parametrize("minutes", [0, 5], ids=["every stretch", "every epoch"])
@pytest.mark.parametrize("at", [(0, 1), (1, 0), (1, 4), (2, 3)], ids=str)
def test_after_a_crash_the_same_call_reaches_the_same_bits(at, minutes, images, tmp_path, undisturbed):
    arguments = {**ARGUMENTS, "checkpoint": tmp_path, "save_minutes": minutes}
    with pytest.raises(CrashError):
        vaelib.fit(_model(), images, images[:20], callbacks=[CrashAt(*at)], **arguments)
    begun = []
    watcher = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch))
    # Begin with other weights: all must come from the checkpoint, if there is one.
    first_weights = 1 if _saved(tmp_path) else 0
    model = _model(seed=first_weights)
    assert_same_training(vaelib.fit(model, images, images[:20], callbacks=[watcher], **arguments), undisturbed)
    assert begun == list(range(at[0], 3))


@pytest.fixture(scope="module", params=["adam", "adagrad"])
def drawn(images, request):
    """Return a function that makes a model, arguments of `fit` that draw pixels, and a run that is not disturbed."""
    spec = vaelib.RunSpec(
        hidden_dim=8, num_hidden=2, optimizer=request.param, learning_rate_schedule="iwae", num_epochs=3, num_train=70
    )

    def model():
        model = spec.build()
        model.compile(optimizer=model.optimizer, jit_compile=False)
        return model

    arguments = {**ARGUMENTS, "binarize": True, "posterior_epochs": [1, 3]}
    return model, arguments, vaelib.fit(model(), images, images[:20], **arguments)


@pytest.mark.parametrize("at", [(1, 2), (2, 0)], ids=str)
def test_drawn_pixels_and_a_falling_rate_reach_the_same_bits(drawn, at, images, tmp_path):
    model, arguments, expected = drawn
    arguments = {**arguments, "checkpoint": tmp_path, "save_minutes": 0}
    with pytest.raises(CrashError):
        vaelib.fit(model(), images, images[:20], callbacks=[CrashAt(*at)], **arguments)
    assert_same_training(vaelib.fit(model(), images, images[:20], **arguments), expected)
    assert list(expected.posteriors) == [1, 3]


def test_a_finished_training_is_loaded_and_can_be_longer(images, tmp_path, undisturbed):
    arguments = {**ARGUMENTS, "checkpoint": str(tmp_path / "new" / "folder")}
    vaelib.fit(_model(), images, images[:20], **{**arguments, "num_epochs": 2})
    assert_same_training(vaelib.fit(_model(seed=1), images, images[:20], **arguments), undisturbed)
    loaded = vaelib.fit(_model(seed=1), images, images[:20], **arguments)
    assert_same_training(loaded, undisturbed)
    fewer = vaelib.fit(_model(), images, images[:20], **{**arguments, "num_epochs": 1})
    assert len(fewer.history["loss"]) == 3, "epochs were thrown away"


def test_the_two_newest_are_kept(finished):
    assert [file.name[:14] for file in _saved(finished)] == ["step-000000010", "step-000000015"]


def test_a_long_epoch_is_saved_every_five_minutes(images, tmp_path, monkeypatch):
    model = _model()
    # Let every step take a minute by the clock.
    monkeypatch.setattr(
        checkpoint, "time", types.SimpleNamespace(monotonic=lambda: 60 * int(model.optimizer.iterations))
    )
    vaelib.fit(model, images[:20], batch_size=2, checkpoint=tmp_path)
    assert [file.name[:14] for file in _saved(tmp_path)] == ["step-000000005", "step-000000010"]


DAMAGES = {
    "cut": lambda content: content[:-1],
    "empty": lambda content: b"",
    "a bit flipped": lambda content: content[:500] + bytes([content[500] ^ 1]) + content[501:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(damage, images, kept, undisturbed):
    newest = _saved(kept)[-1]
    newest.write_bytes(damage(newest.read_bytes()))
    with pytest.warns(UserWarning, match=rf"The checkpoint .*{newest.name} .*: using the one before"):
        run = vaelib.fit(_model(seed=1), images, images[:20], checkpoint=kept, **ARGUMENTS)
    assert_same_training(run, undisturbed)


def test_if_all_are_damaged_nothing_is_thrown_away(images, kept):
    for file in _saved(kept):
        file.write_bytes(file.read_bytes()[:-1])
    before = _saved(kept)
    with (
        pytest.warns(UserWarning, match="using the one before"),
        pytest.raises(ValueError, match=r"All 2 checkpoints in .* are damaged: restore"),
    ):
        vaelib.fit(_model(), images, images[:20], checkpoint=kept, **ARGUMENTS)
    assert _saved(kept) == before


OTHER_RUNS = {
    "beta": ({"beta": 3.0}, {}, "beta.config.beta is 2.0 there and 3.0 here"),
    "schedule": ({"beta": vaelib.schedules.Linear(2.0, 9)}, {}, "beta.class_name is Constant there and Linear here"),
    "width": ({"hidden_dim": 9}, {}, "hidden_dim is 8 there and 9 here"),
    "latents": ({"latent_dim": 3}, {}, "latent_dim is 2 there and 3 here"),
    "weight decay": ({"l2": 0.5}, {}, "l2 is 0.0 there and 0.5 here"),
    "optimizer": ({"optimizer": "adam"}, {}, "optimizer.class_name is RMSprop there and Adam here"),
    "learning rate": ({"optimizer": keras.optimizers.RMSprop(0.5)}, {}, "learning_rate is 0.001.* there and 0.5 here"),
    "seed": ({}, {"seed": 6}, "seed is 5 there and 6 here"),
    "batches": ({}, {"batch_size": 17}, "batch_size is 16 there and 17 here"),
    "order": ({}, {"shuffle": False}, "shuffle is True there and False here"),
    "pixels": ({}, {"binarize": True}, "binarize is False there and True here"),
    "depth": ({"num_hidden": 2}, {}, "num_hidden is 1 there and 2 here"),
}


@pytest.mark.parametrize(("settings", "arguments", "difference"), OTHER_RUNS.values(), ids=OTHER_RUNS)
def test_another_run_is_refused_with_the_differences(settings, arguments, difference, images, kept):
    model, before = _model(**settings), {file: file.read_bytes() for file in _saved(kept)}
    weights = model.get_weights()
    with pytest.raises(ValueError, match=f"belongs to another run: .*{difference}.*use another folder"):
        vaelib.fit(model, images, images[:20], checkpoint=kept, **{**ARGUMENTS, **arguments})
    assert {file: file.read_bytes() for file in _saved(kept)} == before
    for untouched, weight in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(untouched, weight)


def test_other_images_are_refused(images, kept):
    for x, validation in ((images[::-1], images[:20]), (images, images[:21]), (images, None)):
        with pytest.raises(ValueError, match=r"another run: (x|validation_data) is .*sha256.* there and"):
            vaelib.fit(_model(), x, validation, checkpoint=kept, **ARGUMENTS)


def test_a_functional_model_of_another_process_is_recognised(images, tmp_path):
    """Let Keras number its layers as it goes: that is no difference."""

    def functional():
        z, x = keras.Input((2,)), keras.Input((28, 28, 1))
        h = keras.layers.Dense(8, "tanh")(keras.layers.Flatten()(x))
        encoder = keras.Model(x, [keras.layers.Dense(2)(h), keras.layers.Dense(2)(h)])
        decoder = keras.Model(z, keras.layers.Reshape((28, 28, 1))(keras.layers.Dense(784)(z)))
        model = vaelib.VAE(encoder, decoder)
        model.compile(optimizer="rmsprop", jit_compile=False)
        return model

    first = vaelib.fit(functional(), images, checkpoint=tmp_path, **ARGUMENTS)
    assert_same_training(vaelib.fit(functional(), images, checkpoint=tmp_path, **ARGUMENTS), first)


def _full_disk(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_costs_one_checkpoint_and_no_more(images, tmp_path, monkeypatch, undisturbed):
    arguments = {**ARGUMENTS, "checkpoint": tmp_path}
    vaelib.fit(_model(), images, images[:20], **{**arguments, "num_epochs": 1})
    before = {file: file.read_bytes() for file in _saved(tmp_path)}
    with monkeypatch.context() as patch:
        patch.setattr(_files.os, "fsync", _full_disk)
        with pytest.warns(UserWarning, match=r"could not be saved \(.*No space left.*training goes on") as caught:
            run = vaelib.fit(_model(), images, images[:20], **arguments)
    assert_same_training(run, undisturbed)
    assert len(caught) == 2
    assert before.keys() == set(_saved(tmp_path)), "half a checkpoint was left"
    assert {file: file.read_bytes() for file in _saved(tmp_path)} == before
    assert_same_training(vaelib.fit(_model(), images, images[:20], **arguments), undisturbed)


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs to mount a file system: run it as root on Linux"
)
def test_a_tiny_file_system_keeps_the_checkpoint_that_fits(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs to mount a file system: run it where that is allowed")
    try:
        rng = np.random.default_rng(0)
        small, large = ({"x": rng.random(size)} for size in (4000, 7000))
        first = checkpoint.save_checkpoint(folder, 1, small, SPEC)
        with pytest.raises(OSError, match="No space left"):
            checkpoint.save_checkpoint(folder, 2, large, SPEC)
        assert _saved(folder) == [first]
        file, arrays, owner = checkpoint.load_checkpoint(folder, SPEC)
        assert (file, owner) == (first, SPEC)
        np.testing.assert_array_equal(arrays["x"], small["x"])
    finally:
        subprocess.run(["umount", folder], check=True)


def test_nothing_is_unpickled(tmp_path):
    np.savez(tmp_path / "step-000000001.npz", x=np.array([{}], dtype=object), about="{}")
    with (
        pytest.warns(UserWarning, match="allow_pickle=False"),
        pytest.raises(ValueError, match=r"All 1 checkpoints in .* are damaged"),
    ):
        checkpoint.load_checkpoint(tmp_path, SPEC)


def test_no_checkpoint_is_no_error(tmp_path):
    assert checkpoint.load_checkpoint(tmp_path / "nowhere", SPEC) is None


class Interrupt(keras.callbacks.Callback):
    """Press Ctrl-C, really, in the second stretch of the second epoch, once or twice."""

    def __init__(self, times):
        super().__init__()
        self.times = times

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and 1 <= batch <= self.times:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_ends_the_epoch_and_returns_the_run(images, tmp_path, undisturbed, capfd):
    arguments = {**ARGUMENTS, "checkpoint": tmp_path}
    handler = signal.getsignal(signal.SIGINT)
    run = vaelib.fit(_model(), images, images[:20], callbacks=[Interrupt(1)], **arguments)
    assert run.history["loss"] == undisturbed.history["loss"][:2]
    assert list(run.posteriors) == [1, 2]
    assert "stops after this epoch" in "".join(capfd.readouterr())
    assert signal.getsignal(signal.SIGINT) is handler
    assert_same_training(vaelib.fit(_model(), images, images[:20], **arguments), undisturbed)


def test_a_second_ctrl_c_stops_and_keeps_what_was_saved(images, tmp_path, undisturbed):
    arguments = {**ARGUMENTS, "checkpoint": tmp_path}
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        vaelib.fit(_model(), images, images[:20], callbacks=[Interrupt(2)], **arguments)
    assert signal.getsignal(signal.SIGINT) is handler
    assert_same_training(vaelib.fit(_model(), images, images[:20], **arguments), undisturbed)


class StopAfter(keras.callbacks.Callback):
    """Press a stop button in an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            self.model.stop_training = True


def _falling():
    return keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3 * 0.5**epoch)


@pytest.mark.parametrize("kernel", ["the same", "another"])
def test_a_stopped_training_goes_on_with_the_rate_that_a_callback_set(kernel, images, tmp_path):
    arguments = {"num_epochs": 4, "batch_size": 35, "verbose": False}
    whole = vaelib.fit(_model(), images, callbacks=[_falling()], **arguments)
    model = _model()
    vaelib.fit(model, images, callbacks=[_falling(), StopAfter(1)], checkpoint=tmp_path, **arguments)
    again = model if kernel == "the same" else _model(seed=1)
    stopped = vaelib.fit(again, images, callbacks=[_falling(), StopAfter(2)], checkpoint=tmp_path, **arguments)
    assert len(stopped.history["loss"]) == 3
    # A model as it began belongs to the training as well as one that stands where the training does.
    resumed = vaelib.fit(_model(), images, callbacks=[_falling()], checkpoint=tmp_path, **arguments)
    assert_same_training(resumed, whole)


def test_a_rate_that_no_callback_set_is_another_run(images, tmp_path):
    arguments = {"num_epochs": 3, "batch_size": 35, "verbose": False, "checkpoint": tmp_path}
    model = _model()
    vaelib.fit(model, images, callbacks=[StopAfter(0)], **arguments)
    model.optimizer.learning_rate = 0.25
    with pytest.raises(ValueError, match=r"learning_rate is 0.001.* there and 0.25 here"):
        vaelib.fit(model, images, **arguments)
