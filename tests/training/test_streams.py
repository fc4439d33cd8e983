"""Train on streams as on arrays, to the bit, killed or not, and refuse what is no stream of images, by its batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import small_vae
from small_runs import assert_same_training

import vaelib
from vaelib.training import reading

pytestmark = pytest.mark.slow

BATCH = 16


def dataset(x, batch_size=BATCH):
    return tf.data.Dataset.from_tensor_slices(x).batch(batch_size)


class Batches(keras.utils.PyDataset):
    """Cut an array into batches, and shuffle it at the end of every epoch if asked to."""

    def __init__(self, x, labels=False, shuffle=False, **settings):
        super().__init__(**settings)
        self.x, self.labels, self.chance = x, labels, np.random.default_rng(1) if shuffle else None
        self.called = []

    def __len__(self):
        return -(-len(self.x) // BATCH)

    def __getitem__(self, i):
        x = self.x[BATCH * i : BATCH * (i + 1)]
        return (x, np.zeros(len(x))) if self.labels else x

    def on_epoch_begin(self):
        self.called.append("begin")

    def on_epoch_end(self):
        self.called.append("end")
        if self.chance:
            self.x = self.chance.permutation(self.x)


STREAMS = {
    "dataset": dataset,
    "labels": lambda x: dataset((x, np.zeros(len(x)))),
    "targets": lambda x: dataset((x, x)),
    "unknown number": lambda x: dataset(x).filter(lambda x: True),
    "generator": lambda x: tf.data.Dataset.from_generator(
        lambda: (x[i : i + BATCH] for i in range(0, len(x), BATCH)),
        output_signature=tf.TensorSpec((None, None, None, None), tf.float32),
    ),
    "other precision": lambda x: dataset(x.astype("float64")),
    "PyDataset": Batches,
    "PyDataset, labels": lambda x: Batches(x, labels=True),
    "PyDataset, threads": lambda x: Batches(x, workers=3),
}


@pytest.fixture(scope="module")
def by_array(images):
    """Return a run on 70 images in batches of 16, the last one smaller."""
    return vaelib.fit(small_vae(), images, images[:20], 2, BATCH, shuffle=False, seed=5, verbose=False)


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_trains_to_the_bits_of_the_array(kind, images, by_array):
    model = small_vae()
    # Hold one batch at a time in one run, and two in the others.
    megabytes = 0.001 if kind == "dataset" else 0.31
    stream, validation = STREAMS[kind](images), STREAMS[kind](images[:20])
    run = vaelib.fit(model, stream, validation, 2, seed=5, verbose=False, buffer_megabytes=megabytes)
    assert_same_training(run, by_array)
    if kind.startswith("PyDataset"):
        assert stream.called == validation.called == ["begin", "end"] * 2


def test_with_xla_too_the_bits_are_those_of_the_array(images):
    array, stream = (
        vaelib.fit(small_vae(jit_compile=True), x, num_epochs=2, verbose=False, **settings)
        for x, settings in ((images, {"batch_size": BATCH, "shuffle": False}), (dataset(images), {}))
    )
    assert_same_training(stream, array)


def test_batches_may_be_smaller_anywhere_but_not_larger(images):
    sizes = [30, 10, 30]
    ends = np.cumsum(sizes)

    def uneven(order):
        parts = [images[ends[i] - sizes[i] : ends[i]] for i in order]
        signature = tf.TensorSpec((None, 28, 28, 1), tf.float32)
        return tf.data.Dataset.from_generator(lambda: iter(parts), output_signature=signature)

    model = small_vae(keras.optimizers.SGD(0.0))
    run = vaelib.fit(model, uneven([0, 1, 2]), verbose=False)
    rate = np.mean(vaelib.gaussian_kl(*model.encode(images)))
    np.testing.assert_allclose(run.history["rate"], rate, rtol=1e-6)
    np.testing.assert_allclose(run.posteriors[1].mean, model.encode(images[[0, 30, 40]])[0], rtol=1e-5)
    with pytest.raises(ValueError, match=r"^batch 2 of x must have at most the 10 images of the first batch, got 30"):
        vaelib.fit(small_vae(), uneven([1, 0, 2]), verbose=False)


def test_steps_per_epoch_goes_through_the_stream_pass_after_pass(images):
    """Show 2, 2 and 2 of 3 batches: the same six steps as two whole passes."""
    x = images[:48]
    expected = vaelib.fit(small_vae(), x, num_epochs=2, batch_size=BATCH, shuffle=False, verbose=False)
    for stream in (dataset(x), dataset(x).repeat(), Batches(x)):
        run = vaelib.fit(small_vae(), stream, num_epochs=3, steps_per_epoch=2, verbose=False)
        assert len(run.history["loss"]) == 3
        for ours, theirs in zip(run.model.get_weights(), expected.model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_pixels_are_drawn_anew_in_every_epoch_but_not_in_validation(images):
    grey = np.full((64, 28, 28, 1), 0.5, "float32")
    model = small_vae(keras.optimizers.SGD(0.0))
    run = vaelib.fit(model, dataset(grey), dataset(grey), num_epochs=2, binarize=True, verbose=False)
    again = vaelib.fit(model, dataset(grey), dataset(grey), num_epochs=2, binarize=True, verbose=False)
    means = [run.posteriors[epoch].mean for epoch in (1, 2)]
    assert not np.array_equal(*means)
    assert len({tuple(mean) for mean in np.concatenate(means)}) == 8, "the same draw was shown twice"
    assert len({*run.history["val_rate"], *again.history["val_rate"]}) == 1


def test_memory_holds_no_more_than_it_is_allowed(images, monkeypatch):
    sizes = []
    stretch = reading.Stretch
    monkeypatch.setattr(reading, "Stretch", lambda x, *rest: sizes.append(x.numpy().nbytes) or stretch(x, *rest))
    x = np.tile(images, (10, 1, 1, 1))
    vaelib.fit(small_vae(), dataset(x, 10), buffer_megabytes=3 * 0.2, verbose=False)
    # Expect stretches of six batches of 31,360 bytes: 0.2 megabytes hold no seventh.
    assert set(sizes) == {6 * 10 * 3136}


# Stopped, and started again


class StoppedError(Exception):
    """Stand for the death of a process."""


def _stop_at(step):
    def stop(batch, logs):
        if callback.model.optimizer.iterations == step:
            raise StoppedError

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    return callback


RESUMED = {
    "dataset": (lambda x: dataset(x, 7), {}),
    "shuffled": (lambda x: tf.data.Dataset.from_tensor_slices(x).shuffle(30, seed=2).batch(7), {}),
    "endless": (lambda x: dataset(x, 7).repeat(), {"steps_per_epoch": 8}),
    "shuffled, endless": (
        lambda x: tf.data.Dataset.from_tensor_slices(x).shuffle(30, seed=2).batch(7).repeat(),
        {"steps_per_epoch": 8},
    ),
    "drawn pixels": (lambda x: dataset(x, 7), {"binarize": True}),
    "PyDataset that shuffles": (lambda x: Batches(x, shuffle=True), {}),
    "PyDataset, endless": (lambda x: Batches(x), {"steps_per_epoch": 7}),
}


@pytest.mark.parametrize("kind", RESUMED)
def test_a_training_that_dies_ends_with_the_same_bits(kind, images, tmp_path, recwarn):
    make, settings = RESUMED[kind]
    settings = {"num_epochs": 3, "verbose": False, "save_minutes": 0, "buffer_megabytes": 0.001, **settings}
    whole = vaelib.fit(small_vae(), make(images), dataset(images[:20]), **settings)
    with pytest.raises(StoppedError):
        vaelib.fit(
            small_vae(), make(images), dataset(images[:20]), checkpoint=tmp_path, callbacks=_stop_at(13), **settings
        )
    # Begin with other weights, and read other stretches: all must come from the checkpoint.
    settings["buffer_megabytes"] = 1.0
    other = small_vae(seed=9)
    # Let a shuffle find the seed of before: TensorFlow mixes the global one into its own.
    keras.utils.set_random_seed(0)
    again = vaelib.fit(other, make(images), dataset(images[:20]), checkpoint=tmp_path, **settings)
    assert_same_training(again, whole)
    assert not [str(warning.message) for warning in recwarn if "interruption" in str(warning.message)]


def _interrupted(make, images, folder):
    settings = {"num_epochs": 2, "verbose": False, "checkpoint": folder, "save_minutes": 0, "buffer_megabytes": 0.001}
    with pytest.raises(StoppedError):
        vaelib.fit(small_vae(), make(images), callbacks=_stop_at(4), **settings)
    return vaelib.fit(small_vae(), make(images), **settings)


def test_a_shuffle_without_a_seed_is_noticed_when_it_goes_on(images, tmp_path):
    seeds = iter(range(2))

    def make(x):
        # Let each process have a global seed of its own, as one that sets none.
        tf.random.set_seed(next(seeds))
        return tf.data.Dataset.from_tensor_slices(x).shuffle(70).batch(7)

    with pytest.warns(
        UserWarning, match="interruption: the first batch of x differs.*give what is random in it a seed"
    ) as warned:
        run = _interrupted(make, images, tmp_path)
    # Say it once, though the batch where it stopped differs as well.
    assert sum("interruption" in str(warning.message) for warning in warned) == 1
    assert len(run.history["loss"]) == 2


def test_a_later_batch_that_differs_is_noticed_too(images, tmp_path):
    made = iter((images, np.concatenate([images[:20], images[20:][::-1]])))
    with pytest.warns(UserWarning, match="interruption: batch 3 of x in epoch 1 differs") as warned:
        _interrupted(lambda x: dataset(next(made), 7), images, tmp_path)
    assert not [warning for warning in warned if "first batch" in str(warning.message)]


def test_a_dataset_that_says_it_is_unordered_is_warned_of(images, tmp_path):
    options = tf.data.Options()
    options.deterministic = False
    with pytest.warns(UserWarning, match=r"x is a dataset whose order is left to chance"):
        vaelib.fit(small_vae(), dataset(images).with_options(options), verbose=False, checkpoint=tmp_path)


def test_a_stream_of_another_size_is_another_training(images, tmp_path):
    vaelib.fit(small_vae(), dataset(images), verbose=False, checkpoint=tmp_path)
    others = (
        (dataset(images[:40]), {}, "of 3 batches"),
        (images, {"batch_size": BATCH}, "70 x 28 x 28 x 1 pixels, sha256"),
    )
    for x, settings, difference in others:
        with pytest.raises(ValueError, match=f"another run.*x is a stream of 5 batches of 16 x .* and .*{difference}"):
            vaelib.fit(small_vae(), x, verbose=False, checkpoint=tmp_path, **settings)
