"""Show how far training has come, and count the seconds that it takes."""

import importlib
import io
import types

import keras
import pytest
import tqdm
from small_models import small_vae

import vaelib
from vaelib import _progress
from vaelib.training import loop

pytestmark = pytest.mark.slow

FIT = importlib.import_module("vaelib.training.fit")


@pytest.fixture
def bars(monkeypatch):
    """Collect the bars that are made, tqdm's own, written to nowhere."""
    made = []

    class Bar(tqdm.tqdm):
        def __init__(self, **settings):
            # Show it whatever the variable said when tqdm was imported, unless it was told otherwise.
            super().__init__(**{"disable": False, **settings}, file=io.StringIO())
            self.first, self.hidden, self.postfixes = settings["initial"], self.disable, []
            made.append(self)

        def set_postfix(self, **values):
            self.postfixes.append({name: values[name] for name in ("epoch", "loss")})
            super().set_postfix(**values)

    monkeypatch.setattr(_progress, "tqdm", Bar)
    return made


@pytest.mark.parametrize("verbose", [True, False])
def test_the_bar_counts_every_step_once_after_resuming_too(images, bars, tmp_path, verbose):
    for num_epochs in (1, 3):
        vaelib.fit(small_vae(), images, num_epochs=num_epochs, batch_size=10, verbose=verbose, checkpoint=tmp_path)
    assert [bar.hidden for bar in bars] == [not verbose] * 2
    if verbose:
        assert [(bar.first, bar.n, bar.total) for bar in bars] == [(0, 7, 7), (7, 21, 21)]
        assert all("21/21" in bar.fp.getvalue() for bar in bars[1:])


class Crash(keras.callbacks.Callback):
    """Raise an error in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (1, 3):
            raise OSError


def test_the_bar_tells_the_epoch_and_the_loss_so_far(images, bars):
    history = vaelib.fit(small_vae(), images, num_epochs=2, batch_size=70).history
    losses = [f"{loss:.2f}" for loss in history["loss"]]
    assert bars[0].postfixes == [{"epoch": 1, "loss": losses[0]}, {"epoch": 2, "loss": losses[1]}]


def test_a_run_resumed_within_an_epoch_has_the_rest_to_go(images, bars, tmp_path):
    arguments = {"num_epochs": 3, "batch_size": 10, "checkpoint": tmp_path, "save_minutes": 0}
    beta = vaelib.schedules.Linear(1.0, num_steps=30)
    with pytest.warns(UserWarning, match="21 steps"), pytest.raises(OSError):  # noqa: PT011
        vaelib.fit(small_vae(beta=beta), images, callbacks=[Crash()], **arguments)
    with pytest.warns(UserWarning, match="21 steps"):
        vaelib.fit(small_vae(beta=beta), images, **arguments)
    assert [(bar.first, bar.total) for bar in bars] == [(0, 21), (10, 21)]


def test_seconds_are_those_of_the_training_only(images, monkeypatch):
    """Count by a clock that only a callback and the compiled loop move."""
    clock = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(FIT, "time", types.SimpleNamespace(perf_counter=lambda: clock.now))

    def counted(model):
        train, evaluate = loop.compiled_loops(model)
        return lambda *arguments: setattr(clock, "now", clock.now + 1) or train(*arguments), evaluate

    monkeypatch.setattr(FIT, "compiled_loops", counted)
    slow = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: setattr(clock, "now", clock.now + 100))
    run = vaelib.fit(small_vae(), images, num_epochs=2, batch_size=35, callbacks=[slow])
    assert run.history["seconds"] == [2.0, 2.0]


@pytest.mark.parametrize("num_images", [129, 256])
def test_by_default_a_batch_has_128_images_and_a_bar_is_shown(small, bars, num_images):
    vaelib.fit(small_vae(), small.x_train[:num_images])
    assert [(bar.total, bar.hidden) for bar in bars] == [(2, False)]
