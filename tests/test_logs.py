"""TensorBoard reads the same curves from a history as from a training."""

import pytest
from invented import result
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

import vaelib


def scalars(folder):
    """{(part, tag): values} of a run's logs."""
    found = {}
    for part in ("train", "validation"):
        events = EventAccumulator(str(folder / part), size_guidance={"tensors": 0})
        events.Reload()
        for tag in events.Tags()["tensors"]:
            found[part, tag] = [make_ndarray(event.tensor_proto).item() for event in events.Tensors(tag)]
    return found


def test_logs_hold_the_history(tmp_path):
    run = result(num_epochs=3)
    run.history["distortion"][:] = [180.0, 160.0, 150.0]
    run.history["val_distortion"][:] = [181.0, 161.0, 151.0]
    assert vaelib.write_tensorboard_logs([run], tmp_path) == tmp_path
    found = scalars(tmp_path / run.spec.name)
    assert found["train", "epoch_distortion"] == [180, 160, 150]
    assert found["validation", "epoch_distortion"] == [181, 161, 151]


def test_logs_that_are_there_are_left_alone(tmp_path):
    run = result(num_epochs=2)
    (tmp_path / run.spec.name).mkdir()
    vaelib.write_tensorboard_logs([run], tmp_path)
    assert not list((tmp_path / run.spec.name).iterdir())


def test_they_are_the_logs_that_training_writes(tmp_path):
    spec = vaelib.RunSpec(hidden_dim=8, num_epochs=2, num_train=640, num_test=100)
    run = vaelib.train_or_load(spec, tmp_path / "runs", verbose=False)
    vaelib.write_tensorboard_logs([run], tmp_path / "replayed")
    trained, replayed = scalars(tmp_path / "runs/logs" / spec.name), scalars(tmp_path / "replayed" / spec.name)
    assert trained.keys() == replayed.keys()
    assert {tag for _, tag in trained} >= {"epoch_loss", "epoch_distortion", "epoch_rate", "epoch_beta"}
    for key, values in trained.items():
        assert values == pytest.approx(replayed[key])
