"""Refuse a stream that is none of images: before it is read if it says so itself, else by the number of its batch."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import small_vae

import vaelib

pytestmark = pytest.mark.slow

X = np.random.default_rng(0).random((40, 28, 28, 1), "float32")


def _dataset(x=X, batch_size=4):
    return tf.data.Dataset.from_tensor_slices(x).batch(batch_size)


def _with(value, at=30):
    x = X.copy()
    x[at, 5, 5, 0] = value
    return _dataset(x)


def _generated(batches, shape=(None, None, None, None)):
    return tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=tf.TensorSpec(shape, tf.float32))


class Broken(keras.utils.PyDataset):
    """Lose a file on the way."""

    def __len__(self):
        return 5

    def __getitem__(self, i):
        if i == 3:
            raise FileNotFoundError("There is no b.png")
        return X[4 * i : 4 * (i + 1)]


class Empty(keras.utils.PyDataset):
    """Have no batches."""

    def __len__(self):
        return 0

    def __getitem__(self, i):
        return X[:0]


class Endless(keras.utils.PyDataset):
    """Have no number of batches."""

    num_batches = None

    def __getitem__(self, i):
        return X[:4]


MIXED = [X[:4], np.zeros((4, 32, 20, 1), "float32")]
AT_ONCE = {
    "single images": (tf.data.Dataset.from_tensor_slices(X), "single images (28, 28, 1): batch it"),
    "8-bit": (_dataset((255 * X).astype("uint8")), "got uint8: map it, dataset.map("),
    "dict": (_dataset({"image": X}), "got elements of dict: map it"),
    "another shape": (_dataset(np.zeros((8, 32, 32, 3), "float32")), "got the shape (0, 32, 32, 3)"),
    "endless": (_dataset().repeat(), "have an end, got a stream without one: "),
    "endless PyDataset": (Endless(), "have an end, got a stream without one: "),
    "empty": (_dataset(X[:0]), "have batches of images, got none"),
    "empty PyDataset": (Empty(), "have batches of images, got none"),
    "empty, unknown number": (_dataset().filter(lambda x: False), "have batches of images, got none in epoch 1"),
    "a generator": ((X for _ in range(3)), "got a generator: collect it into one array"),
}
BY_BATCH = {
    "not a number": (_with(np.nan), 8, "in [0, 1], got 1 pixels that are not a number"),
    "0 to 255": (_with(255.0), 8, "in [0, 1], got values from"),
    "first batch": (_with(255.0, at=0), 1, "in [0, 1], got values from"),
    "mixed sizes": (_generated(MIXED).apply(tf.data.experimental.assert_cardinality(2)), 2, "the shape (4, 32, 20, 1)"),
    "other targets": (_dataset((X, 1 - X)), 1, "got (images, other images)"),
    "weights": (_dataset((X, X, np.ones(40, "float32"))), 1, "got weights too"),
    "a missing file": (Broken(), 4, "cannot be read: There is no b.png"),
}


@pytest.mark.parametrize("name", ["x", "validation_data"])
@pytest.mark.parametrize("kind", AT_ONCE)
def test_what_a_stream_says_of_itself_is_refused_at_once(kind, name):
    stream, words = AT_ONCE[kind]
    model = small_vae()
    with pytest.raises(ValueError, match=f"^{name} must .*{re.escape(words)}") as error:
        vaelib.fit(model, **{"x": X, name: stream}, verbose=False, **({} if name == "x" else {"batch_size": 4}))
    assert "\n" not in str(error.value)
    assert getattr(model, "_loops", None) is None, "it was compiled before"


@pytest.mark.parametrize("kind", BY_BATCH)
def test_a_bad_batch_is_named_and_what_was_trained_is_kept(kind, tmp_path):
    stream, number, words = BY_BATCH[kind]
    model = small_vae()
    # Train batch by batch.
    settings = {"checkpoint": tmp_path, "buffer_megabytes": 0.001, "verbose": False}
    with pytest.raises(ValueError, match=rf"^batch {number} of x .*{re.escape(words)}"):
        vaelib.fit(model, stream, **settings)
    assert int(model.optimizer.iterations) == number - 1
    assert len(list(tmp_path.glob("step-*"))) == (number > 1)
    if kind == "not a number":
        # Repair it, and go on: the same bits as if it had never been bad.
        good = [_with(0.5) for _ in range(2)]
        resumed = vaelib.fit(small_vae(seed=3), good[0], **settings)
        whole = vaelib.fit(small_vae(), good[1], verbose=False)
        assert resumed.history["loss"] == whole.history["loss"]


@pytest.mark.parametrize("kind", ["not a number", "a missing file"])
def test_a_bad_batch_of_the_validation_is_named(kind, tmp_path):
    stream, number, words = BY_BATCH[kind]
    with pytest.raises(ValueError, match=rf"^batch {number} of validation_data .*{re.escape(words)}"):
        vaelib.fit(small_vae(), X, stream, batch_size=40, verbose=False)


def test_a_stream_that_ends_early_says_where(tmp_path):
    given = iter(range(3))

    def once():
        # Give ten batches, then six, as a file that is cut meanwhile.
        yield from [X[4 * i : 4 * (i + 1)] for i in range(10 if next(given) < 2 else 6)]

    stream = tf.data.Dataset.from_generator(once, output_signature=tf.TensorSpec((None, 28, 28, 1), tf.float32))
    stream = stream.apply(tf.data.experimental.assert_cardinality(10))
    model = small_vae()
    with pytest.raises(
        ValueError, match=r"^x must have 10 batches in every epoch, got 6 in epoch 2: .*steps_per_epoch"
    ):
        vaelib.fit(model, stream, num_epochs=2, checkpoint=tmp_path, verbose=False)
    assert int(model.optimizer.iterations) == 16
    assert max(tmp_path.glob("step-*")).name == "step-000000016.npz"


NOT_FOR_STREAMS = {
    "batch_size": ({"batch_size": 8}, "batch_size is for arrays, got 8 and a stream"),
    "shuffle": ({"shuffle": True}, r"shuffle=True is for arrays.*shuffle\(10_000, seed=1\)"),
    "sample_weight": ({"sample_weight": np.ones(40)}, "sample_weight is for arrays"),
    "no steps": ({"steps_per_epoch": 0}, "steps_per_epoch must be a whole number of at least 1, got 0"),
    "half a step": ({"steps_per_epoch": 1.5}, "steps_per_epoch must be a whole number of at least 1, got 1.5"),
    "no memory": ({"buffer_megabytes": 0}, "buffer_megabytes must be a positive number of megabytes, got 0"),
}


@pytest.mark.parametrize("kind", NOT_FOR_STREAMS)
def test_what_cannot_act_on_a_stream_is_refused(kind):
    settings, message = NOT_FOR_STREAMS[kind]
    with pytest.raises(ValueError, match=message):
        vaelib.fit(small_vae(), _dataset(), verbose=False, **settings)


def test_steps_per_epoch_is_for_streams():
    with pytest.raises(ValueError, match="steps_per_epoch is for streams, got 3 and an array"):
        vaelib.fit(small_vae(), X, batch_size=4, steps_per_epoch=3)


# A folder of pictures


@pytest.fixture
def folder(tmp_path):
    """Return a folder of eight small pictures in colour."""
    folder = tmp_path / "pictures"
    for i in range(8):
        pixels = np.random.default_rng(i).integers(0, 256, (12, 10, 3)).astype("uint8")
        (folder / "cats").mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(folder / "cats" / f"{i}.jpg", pixels, scale=False)
    return folder


def _pictures(folder, batch_size=2):
    pictures = keras.utils.image_dataset_from_directory(
        folder, image_size=(12, 10), batch_size=batch_size, shuffle=False, verbose=False
    )
    return pictures.map(lambda x, y: (x / 255, y))


def _colour_vae():
    return small_vae(image_shape=(12, 10, 3))


def test_a_folder_of_pictures_trains(folder):
    run = vaelib.fit(_colour_vae(), _pictures(folder), _pictures(folder), num_epochs=2, verbose=False)
    x = np.concatenate([x for x, _ in _pictures(folder)])
    expected = vaelib.fit(_colour_vae(), x, x, num_epochs=2, batch_size=2, shuffle=False, verbose=False)
    assert run.history["val_loss"] == expected.history["val_loss"]


def test_pictures_that_were_not_divided_are_refused(folder):
    pictures = keras.utils.image_dataset_from_directory(folder, image_size=(12, 10), batch_size=2, verbose=False)
    with pytest.raises(ValueError, match=r"^batch 1 of x must be .* got values from .* rescale them, x / 255"):
        vaelib.fit(_colour_vae(), pictures, verbose=False)


def test_a_truncated_picture_is_named_and_skipped_if_asked(folder):
    bad = folder / "cats" / "5.jpg"
    bad.write_bytes(bad.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"^batch 3 of x cannot be read: .*ignore_errors.*; damaged: .*cats/5\.jpg\.$"):
        vaelib.fit(_colour_vae(), _pictures(folder), buffer_megabytes=0.001, verbose=False)
    run = vaelib.fit(_colour_vae(), _pictures(folder).ignore_errors(), verbose=False)
    assert len(run.posteriors[1].mean) == 3


def test_deep_pixels_become_8_bit_and_hidden_colours_show(tmp_path):
    """Pin what TensorFlow makes of 16-bit and of transparent pictures, for the docstring of fit says it."""
    deep, hidden = np.full((12, 10), 0x80FF, "uint16"), np.zeros((12, 10, 4), "uint8")
    hidden[..., 0] = 200
    tf.io.write_file(str(tmp_path / "a.png"), tf.io.encode_png(deep[..., None]))
    tf.io.write_file(str(tmp_path / "b.png"), tf.io.encode_png(hidden))
    pictures = keras.utils.image_dataset_from_directory(
        tmp_path, labels=None, image_size=(12, 10), batch_size=1, shuffle=False, verbose=False
    )
    first, second = (np.array(x).reshape(-1, 3) for x in pictures)
    assert np.unique(first).tolist() == [128.0]
    assert np.unique(second, axis=0).tolist() == [[200.0, 0.0, 0.0]]
