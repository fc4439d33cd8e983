"""Give a Keras model of images its doors: `compile`, `fit`, `evaluate` and `predict` that check what they are given.

Keras looks at no value. It would train on pixels of 0 to 255, drop weights that come without labels, ignore a loss, and
say of a wrong shape what it means for a matrix product. Here that is refused in one sentence, before anything is
compiled; a stream is checked at every batch, beside the training.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from ._types import Tensor, TensorLike
from ._warnings import warn
from .data import check_images, check_shape
from .streams import one_sentence, watched

__all__ = ["ImageModel", "target_and_weights"]

# Decode this many points to see whether all pixels lie between 0 and 1.
_NUM_POINTS = 16


class ImageModel(keras.Model):
    """Check what Keras' own methods are given; a subclass brings `compute_loss`, `decode` and `compiled_in`."""

    asked_jit_compile: bool | str = "auto"
    image_shape: tuple[int, ...] | None = None
    """Height, width and channels of the images that the model takes; None until it is built."""

    def compile(self, *arguments: Any, jit_compile: bool | str = "auto", **settings: Any) -> None:
        """Configure training as Keras does, without a loss; `vaelib.fit` honours jit_compile, too.

        A schedule of beta follows the optimizer's steps, so it starts again with a new optimizer.

        Raises:
            ValueError: if there is a loss or are metrics.
        """
        given = _by_name(super().compile, arguments, settings)
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            if given.get(name):
                raise ValueError(
                    f"compile expects no {name}, got {given[name]!r}: a VAE brings its own loss, "
                    "distortion + beta * rate, and its metrics; leave it out."
                )
        super().compile(*arguments, jit_compile=jit_compile, **settings)
        self.asked_jit_compile = jit_compile

    def get_compile_config(self) -> dict[str, Any]:
        """Return the arguments of `compile`, for `keras.saving`; Keras itself keeps its own reading of "auto"."""
        config = super().get_compile_config()
        return {**config, "asked_jit_compile": self.asked_jit_compile} if config else config

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the arguments of a `get_compile_config`, and create the optimizer's variables."""
        config = keras.saving.deserialize_keras_object(config)
        # Take "auto" for a model of vaelib 0.1, whose `fit` knew nothing else.
        config["jit_compile"] = config.pop("asked_jit_compile", "auto")
        self.compile(**config)
        self.optimizer.build(self.trainable_variables)

    @functools.wraps(keras.Model.fit)
    def fit(self, *arguments: Any, **settings: Any) -> Any:
        """Train as Keras does, after a check of the images, the targets and the weights."""
        given = _by_name(super().fit, arguments, settings)
        self._check_labels_for_class_weights(given)
        given |= self._checked(given)
        if isinstance(given.get("validation_data"), list | tuple):
            parts = dict(zip(("x", "y", "sample_weight"), given["validation_data"], strict=False))
            checked = self._checked(parts, "validation_data")
            given["validation_data"] = tuple(checked[part] for part in ("x", "y", "sample_weight") if part in checked)
        elif given.get("validation_data") is not None:
            given["validation_data"] = self._checked({"x": given["validation_data"]}, "validation_data")["x"]
        self.warn_of_sigmoid()
        self._renew_programs()
        with one_sentence():
            return super().fit(**given)

    @functools.wraps(keras.Model.evaluate)
    def evaluate(self, *arguments: Any, **settings: Any) -> Any:
        """Evaluate as Keras does, after a check of the images, the targets and the weights."""
        if any(name.startswith("_") for name in settings):
            # Trust Keras' own call, inside of `fit`.
            return super().evaluate(*arguments, **settings)
        given = _by_name(super().evaluate, arguments, settings)
        given |= self._checked(given)
        self._renew_programs()
        with one_sentence():
            return super().evaluate(**given)

    @functools.wraps(keras.Model.predict)
    def predict(self, *arguments: Any, **settings: Any) -> Any:
        """Predict as Keras does, after a check of the images; noise may carry their pixels a little out of [0, 1]."""
        given = _by_name(super().predict, arguments, settings)
        given |= self._checked(given, pixels=False)
        with one_sentence():
            return super().predict(**given)

    @functools.wraps(keras.Model.train_on_batch)
    def train_on_batch(self, *arguments: Any, **settings: Any) -> Any:
        """Take one step as Keras does, after a check of the batch."""
        given = _by_name(super().train_on_batch, arguments, settings)
        self._check_labels_for_class_weights(given)
        given |= self._checked(given)
        self._renew_programs()
        return super().train_on_batch(**given)

    @functools.wraps(keras.Model.test_on_batch)
    def test_on_batch(self, *arguments: Any, **settings: Any) -> Any:
        """Evaluate one batch as Keras does, after a check of it."""
        given = _by_name(super().test_on_batch, arguments, settings)
        given |= self._checked(given)
        self._renew_programs()
        return super().test_on_batch(**given)

    def checked_images(self, x: ArrayLike, name: str = "x") -> np.ndarray:
        """Return images as float32, or raise a ValueError if they are not images in [0, 1] of the model's shape."""
        return check_images(check_shape(x, self.image_shape, name), name)

    def warn_of_sigmoid(self) -> None:
        """Warn of a decoder that seems to return pixels where it should return logits."""
        if not self.built or not self.decodes_logits:
            return
        z = np.random.default_rng(0).standard_normal((_NUM_POINTS, self.latent_dim)).astype("float32")
        output = np.array(self.decode(z))
        # Let the points differ: a decoder whose weights are all zero returns its biases.
        if np.all((output > 0) & (output < 1)) and np.ptp(output, axis=0).max() > 0:
            warn(
                "The decoder seems to end in a sigmoid: all that it makes of 16 draws from the prior lies between 0 "
                "and 1, but it should return logits, of which the loss takes the sigmoid itself. Leave that activation "
                "out; model.generate returns pixels."
            )

    def _checked(self, given: dict[str, Any], name: str = "x", pixels: bool = True) -> dict[str, Any]:
        """Return those of x, y and sample_weight that Keras shall have, or raise a ValueError.

        Args:
            given: what was given, by name.
            name: what to call x in a message.
            pixels: whether what is to be predicted must lie in [0, 1].
        """
        x, y, weights = (given.get(part) for part in ("x", "y", "sample_weight"))
        if x is None:
            return {}
        stream = watched(x, self.image_shape, name, pixels)
        if stream is not None:
            return {"x": stream}
        image = check_shape(x, self.image_shape, name)
        # Keep a tensor or an array as it is; Keras would take a list for several inputs.
        x = image if isinstance(x, list | tuple) else x
        if y is not None and np.ndim(y) == np.ndim(image):
            check_images(check_shape(y, image.shape[1:], f"the targets of {name}"), f"the targets of {name}")
            pixels = False
        check_images(image, name, bounded=pixels)
        if not self.built:
            with self.distribute_strategy.scope():
                self.build((None, *image.shape[1:]))
        if weights is None:
            return {"x": x, "y": y} if y is not None else {"x": x}
        # Pass the images for labels that are missing: without any, Keras drops the weights.
        return {"x": x, "y": x if y is None else y, "sample_weight": _check_weights(weights, len(image))}

    def _check_labels_for_class_weights(self, given: dict[str, Any]) -> None:
        """Refuse weights of classes without classes, which Keras would look for in the pixels."""
        y = given.get("y")
        if given.get("class_weight") and (y is None or np.ndim(y) > 2):
            came = "none" if y is None else f"the shape {np.shape(y)}"
            raise ValueError(
                f"class_weight needs the class of every image, y of shape (n,), got {came}: "
                "fit(x, labels, class_weight=...)."
            )

    def _renew_programs(self) -> None:
        """Drop Keras' compiled steps if something that is compiled into them has changed since."""
        parts = self.compiled_in
        known = self.__dict__.get("_compiled_with")
        if known is not None and not same(known, parts):
            self.train_function = self.test_function = None
        # Bypass Keras, which would track what is inside.
        object.__setattr__(self, "_compiled_with", parts)


def target_and_weights(x: TensorLike, y: TensorLike, weights: TensorLike) -> tuple[Tensor, Tensor | None]:
    """Return what a batch's images are to be predicted as, y if it is such images, and its weights as (batch,)."""
    is_image = y is not None and len(y.shape) == len(x.shape)
    return y if is_image else x, None if weights is None else ops.cast(ops.reshape(weights, (-1,)), "float32")


def same(parts: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Tell whether two tuples hold the very same objects."""
    return len(parts) == len(others) and all(a is b for a, b in zip(parts, others, strict=True))


def _by_name(method: Callable[..., Any], arguments: tuple[Any, ...], settings: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name, those only that are given."""
    return dict(inspect.signature(method).bind(*arguments, **settings).arguments)


def _check_weights(weights: TensorLike, num_images: int) -> np.ndarray:
    """Return weights as (num_images,), or raise a ValueError."""
    weights = np.asarray(weights)
    if weights.shape not in ((num_images,), (num_images, 1)) or not np.all(np.isfinite(weights) & (weights >= 0)):
        raise ValueError(
            f"sample_weight must be {num_images} numbers >= 0, one for each image, got the shape {weights.shape}"
            f"{f', from {weights.min():g} to {weights.max():g}' if weights.size else ''}."
        )
    return weights.reshape(num_images)
