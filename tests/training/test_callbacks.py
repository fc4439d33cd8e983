"""Use ordinary Keras callbacks in `fit` as in Keras' own."""

import csv

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import vaelib

pytestmark = pytest.mark.slow

HISTORY = {"loss", "distortion", "rate", "beta", "seconds", "val_loss", "val_distortion", "val_rate"}


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    model = vaelib.dense_vae(hidden_dim=8, beta=2.0)
    # Skip XLA, which takes seconds to compile, and changes nothing that callbacks see.
    model.compile(optimizer=keras.optimizers.RMSprop(), jit_compile=False)
    return model


def _recorder(calls, epoch_logs):
    """Return a callback that writes down every call, and what it is told at the end of an epoch."""
    return keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: calls.append("train begin"),
        on_epoch_begin=lambda epoch, logs: calls.append(f"epoch {epoch} begin"),
        on_train_batch_end=lambda batch, logs: calls.append(f"batch {batch} end"),
        on_epoch_end=lambda epoch, logs: (calls.append(f"epoch {epoch} end"), epoch_logs.append(dict(logs))),
        on_train_end=lambda logs: calls.append("train end"),
    )


def test_hooks_are_called_in_keras_order_with_the_history(model, images):
    calls, epoch_logs = [], []
    recorder = _recorder(calls, epoch_logs)
    history = vaelib.fit(model, images, images[:20], num_epochs=2, batch_size=32, callbacks=[recorder]).history
    epochs = [[f"epoch {i} begin", "batch 0 end", "batch 1 end", "batch 2 end", f"epoch {i} end"] for i in (0, 1)]
    assert calls == ["train begin", *epochs[0], *epochs[1], "train end"]
    assert recorder.params == {"epochs": 2, "steps": 3, "verbose": 0}
    assert set(history) == HISTORY
    assert epoch_logs == [{name: values[epoch] for name, values in history.items()} for epoch in (0, 1)]
    # Compare with Keras' own record.
    assert model.history.history == history
    for prefix in ("", "val_"):
        loss, distortion, rate = (np.array(history[prefix + name]) for name in ("loss", "distortion", "rate"))
        np.testing.assert_allclose(loss, distortion + 2 * rate, rtol=1e-6)


def test_a_long_epoch_comes_back_about_ten_times(model, images):
    calls = []
    vaelib.fit(model, images, batch_size=2, callbacks=[_recorder(calls, [])])
    batches = [int(call.split()[1]) for call in calls if call.startswith("batch")]
    assert len(batches) == 10
    assert batches == sorted(batches)
    assert batches[-1] == 34


def test_csv_logger_writes_the_history(model, images, tmp_path):
    logger = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    history = vaelib.fit(model, images, num_epochs=3, batch_size=32, callbacks=[logger]).history
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == history["loss"]
    assert [float(row["rate"]) for row in rows] == history["rate"]


def test_early_stopping_stops_and_restores_the_best_weights(model, images):
    stopper = keras.callbacks.EarlyStopping("loss", min_delta=1e9, restore_best_weights=True)
    first_epoch = []
    keeper = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: first_epoch.append(model.get_weights()))
    run = vaelib.fit(model, images, num_epochs=9, batch_size=32, callbacks=[keeper, stopper])
    assert len(run.history["loss"]) == len(run.posteriors) == 2
    for kept, restored in zip(first_epoch[0], model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, restored)


def test_training_goes_on_after_an_early_stop(model, images):
    stopper = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: setattr(model, "stop_training", True))
    assert len(vaelib.fit(model, images, num_epochs=3, callbacks=[stopper], batch_size=32).posteriors) == 1
    assert len(vaelib.fit(model, images, num_epochs=2, batch_size=32).posteriors) == 2


def test_tensorboard_writes_every_epoch(model, images, tmp_path):
    board = keras.callbacks.TensorBoard(tmp_path)
    history = vaelib.fit(model, images, images[:20], num_epochs=2, batch_size=32, callbacks=[board]).history
    for folder, prefix in (("train", ""), ("validation", "val_")):
        events = EventAccumulator(str(tmp_path / folder)).Reload()
        assert {"epoch_loss", "epoch_distortion", "epoch_rate"} <= set(events.Tags()["tensors"])
        written = [np.frombuffer(e.tensor_proto.tensor_content, "float32") for e in events.Tensors("epoch_loss")]
        np.testing.assert_allclose(np.ravel(written), history[prefix + "loss"], rtol=1e-6)


def test_model_checkpoint_saves_the_model_of_the_epoch(model, images, tmp_path):
    saver = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", monitor="loss")
    vaelib.fit(model, images, num_epochs=2, batch_size=32, callbacks=[saver])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1.keras", "2.keras"]
    noise = np.zeros((70, 2), "float32")
    loaded = keras.saving.load_model(tmp_path / "2.keras", safe_mode=True)
    for ours, theirs in zip(model(images, noise=noise), loaded(images, noise=noise), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert int(loaded.optimizer.iterations) == 6


def test_modelcheckpoint_continues_to_the_same_bits(model, images, tmp_path):
    saver = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    unbroken = vaelib.fit(model, images, num_epochs=2, batch_size=32, callbacks=[saver])
    loaded = keras.saving.load_model(tmp_path / "1.keras")
    continued = vaelib.fit(loaded, images, batch_size=32)
    assert continued.history["loss"] == unbroken.history["loss"][1:]
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_learning_rate_schedule_reaches_the_compiled_loop(model, images):
    weights = []
    callbacks = [
        keras.callbacks.LearningRateScheduler(lambda epoch: [1e-3, 0.0][epoch]),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: weights.append(model.get_weights())),
    ]
    before = model.get_weights()
    vaelib.fit(model, images, num_epochs=2, batch_size=32, callbacks=callbacks)
    assert not any(np.array_equal(*pair) for pair in zip(before, weights[0], strict=True) if pair[0].ndim == 2)
    assert all(np.array_equal(*pair) for pair in zip(*weights, strict=True))


def test_a_convolutional_model_trains(small):
    keras.utils.set_random_seed(0)
    model = vaelib.conv_vae()
    model.compile(optimizer="rmsprop")
    run = vaelib.fit(model, small.x_train[:200], num_epochs=2, batch_size=50)
    assert run.posteriors[2].mean.shape == run.posteriors[2].std.shape == (4, 2)
    assert run.history["loss"][1] < run.history["loss"][0]


def _with_averages(**settings):
    keras.utils.set_random_seed(0)
    model = vaelib.dense_vae(hidden_dim=8)
    # Make posteriors points, so that only the weights decide the losses.
    model.encoder.z_log_var.set_weights([np.zeros((8, 2)), np.full(2, -60.0)])
    model.encoder.z_log_var.trainable = False
    model.compile(keras.optimizers.SGD(1e-3, use_ema=True, ema_momentum=0.8), jit_compile=False)
    return model


@pytest.mark.parametrize("swap", [None, False, True], ids=["no swap", "for validation", "for the epoch's end"])
def test_averaged_weights_are_judged_and_kept_as_under_keras_fit(swap, images):
    histories, models = [], [_with_averages() for _ in range(2)]
    for model, by_keras in zip(models, (True, False), strict=True):
        callbacks = [] if swap is None else [keras.callbacks.SwapEMAWeights(swap_on_epoch=swap)]
        arguments = {"shuffle": False, "batch_size": 35, "callbacks": callbacks}
        if by_keras:
            validation = (images[:20], images[:20])
            histories.append(model.fit(images, validation_data=validation, epochs=3, verbose=0, **arguments).history)
        else:
            run = vaelib.fit(model, images, (images[:20], np.zeros(20)), num_epochs=3, verbose=False, **arguments)
            histories.append(run.history)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(histories[1][name], histories[0][name], rtol=1e-5)
    for theirs, ours in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_averages_in_place_at_the_end_of_an_epoch_are_not_checkpointed(model, images, tmp_path):
    callbacks = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)]
    with pytest.raises(ValueError, match=r"expects no SwapEMAWeights.* beside checkpoint="):
        vaelib.fit(model, images, batch_size=35, callbacks=callbacks, checkpoint=tmp_path / "run")


def test_backup_and_restore_is_refused_with_what_to_use(model, images, tmp_path):
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(ValueError, match=r"expects no BackupAndRestore.*pass checkpoint='folder'"):
        vaelib.fit(model, images, batch_size=35, callbacks=[backup])
    assert int(model.optimizer.iterations) == 0


def test_a_learning_rate_is_in_the_history_as_under_keras_fit(model, images):
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: [1e-3, 5e-4][epoch])
    history = vaelib.fit(model, images, num_epochs=2, batch_size=35, callbacks=scheduler).history
    assert history["learning_rate"] == [pytest.approx(1e-3), pytest.approx(5e-4)]
    assert model.history.history == history


def test_no_callbacks_may_be_none(model, images):
    assert len(vaelib.fit(model, images, batch_size=35, callbacks=None).history["loss"]) == 1


def test_early_stopping_waits_for_the_end_of_the_warm_up(images):
    """See the rise of the loss in a warm-up end a training, and `start_from_epoch` prevent that, as the docs say."""
    lengths = {}
    for start in (0, 6):
        keras.utils.set_random_seed(0)
        model = vaelib.dense_vae(hidden_dim=8, beta=vaelib.schedules.Linear(100.0, num_steps=10))
        model.compile(keras.optimizers.Adam(3e-3), jit_compile=False)
        stopper = keras.callbacks.EarlyStopping("loss", start_from_epoch=start)
        lengths[start] = len(
            vaelib.fit(model, images, num_epochs=12, batch_size=35, callbacks=[stopper]).history["loss"]
        )
    assert lengths[0] < 6 < lengths[6]


def test_validation_with_labels_is_validation(model, images):
    labels = np.arange(20) % 10
    runs = [
        vaelib.fit(model, images, validation, batch_size=70)
        for validation in (images[:20], (images[:20], labels), (images[:20], images[:20]), (images[:20],))
    ]
    assert all("val_loss" in run.history for run in runs)
    for wrong, what in (((images[:20], images[1:21]), "other images"), ((images, labels, labels), "weights too")):
        with pytest.raises(ValueError, match=f"validation_data must be images, or .*got .*{what}"):
            vaelib.fit(model, images, wrong, batch_size=70)
