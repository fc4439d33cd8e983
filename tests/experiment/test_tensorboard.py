"""Let TensorBoard read the same curves from a history as from a training."""

import pytest
from invented import result
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

import vaelib


def scalars(folder):
    """Return {(part, tag): values} of a run's logs."""
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


@pytest.mark.slow
def test_they_are_the_logs_that_training_writes(trained, tmp_path):
    folder, run = trained
    vaelib.write_tensorboard_logs([run], tmp_path)
    by_training, replayed = scalars(folder / "logs" / run.spec.name), scalars(tmp_path / run.spec.name)
    # Leave out what Keras' callback writes once more, by step, after each validation.
    by_training = {key: values for key, values in by_training.items() if not key[1].startswith("evaluation_")}
    assert by_training.keys() == replayed.keys()
    assert {tag for _, tag in by_training} >= {"epoch_loss", "epoch_distortion", "epoch_rate", "epoch_beta"}
    for key, values in by_training.items():
        assert values == pytest.approx(replayed[key])
