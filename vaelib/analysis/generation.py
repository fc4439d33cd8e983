"""Judge what a decoder generates: points all over the latent plane, decoded and read by a classifier."""

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike
from scipy.stats import norm

from ..models import VAE

__all__ = ["digit_classifier", "generated_digits", "latent_grid", "measure_grid"]


def latent_grid(num_per_axis: int = 15, low: float = 0.05, high: float = 0.95) -> np.ndarray:
    r"""Return points of a two-dimensional latent space at equal steps of prior probability.

    They are $z = \Phi^{-1}(u)$ for u on an even grid, so that every cell of the picture stands for the same share of
    what the prior generates (Kingma & Welling 2013, figure 4).

    Args:
        num_per_axis: points on each axis, >= 2.
        low: smallest cumulative probability, > 0.
        high: largest, < 1.

    Returns:
        (num_per_axis ** 2, 2) float32, in the order of reading. The first row has the largest second coordinate, and
        the first coordinate grows to the right. Decode it in one batch, then `plot_latent_grid`.

    Raises:
        ValueError: if not 0 < low < high < 1 (0 and 1 lie at infinity), or there are too few points.

    >>> latent_grid(2, low=0.025, high=0.975).round(2)
    array([[-1.96,  1.96],
           [ 1.96,  1.96],
           [-1.96, -1.96],
           [ 1.96, -1.96]], dtype=float32)

    Used in chapter 01.
    """
    if num_per_axis < 2:
        raise ValueError(f"latent_grid expects at least 2 points per axis, got {num_per_axis}.")
    if not 0 < low < high < 1:
        raise ValueError(f"latent_grid expects 0 < low < high < 1, got {low} and {high}: 0 and 1 lie at infinity.")
    values = norm.ppf(np.linspace(low, high, num_per_axis))
    z1, z2 = np.meshgrid(values, values[::-1])
    return np.stack([z1.ravel(), z2.ravel()], axis=1).astype("float32")


def digit_classifier(x: ArrayLike, y: ArrayLike, num_epochs: int = 5, seed: int = 0) -> keras.Model:
    """Train a judge of generated digits: a small classifier of images, 98 % right after the whole of MNIST.

    Args:
        x: (n, 28, 28, 1), images in [0, 1].
        y: (n,) integers from 0 to 9.
        num_epochs: passes over x.
        seed: decides the initial weights, the order and the dropout.

    Returns:
        A Keras model from images to the probabilities of ten digits.

    Used in chapter 07.
    """
    seeds = np.random.SeedSequence(seed).generate_state(4).tolist()
    classifier = keras.Sequential(
        [
            layers.Flatten(),
            layers.Dense(512, "relu", kernel_initializer=keras.initializers.GlorotUniform(seeds[0])),
            layers.Dropout(0.4, seed=seeds[1]),
            layers.Dense(10, "softmax", kernel_initializer=keras.initializers.GlorotUniform(seeds[2])),
        ],
        name="digit_classifier",
    )
    x, y = np.asarray(x), np.asarray(y)
    classifier.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    order = np.random.default_rng(seeds[3]).permutation(len(x))
    classifier.fit(x[order], y[order], batch_size=128, epochs=num_epochs, shuffle=False, verbose=0)
    return classifier


def measure_grid(model: VAE, z: ArrayLike, classifier: keras.Model, mean_image: ArrayLike) -> dict[str, np.ndarray]:
    """Measure what a decoder makes of points all over the latent plane.

    Args:
        model: a `VAE` with two latent dimensions.
        z: (n, 2), points such as those of `latent_grid`.
        classifier: a model from images to probabilities, see `digit_classifier`.
        mean_image: (28, 28, 1), the mean training image, the only one that a collapsed decoder makes.

    Returns:
        A dict of "grid", (n, 28, 28) uint8, the decoded means, from 0 to 1, times 255; "digit", (n,) int8, the class
        that the classifier chooses, and "confidence", (n,) float32, its probability; and the numbers
        "pixel_std", the largest standard deviation of a pixel over the points; "error_from_mean_image", mean absolute;
        "fuzziness", the mean of 4 y (1 - y), which is 0 for black and white and 1 for grey.

    Used in chapter 07.
    """
    x_mean = np.array(model.generate(np.asarray(z, "float32")))
    probabilities = np.array(classifier(x_mean))
    return {
        "grid": np.round(255 * x_mean[..., 0].clip(0, 1)).astype("uint8"),
        "digit": probabilities.argmax(axis=1).astype("int8"),
        "confidence": probabilities.max(axis=1),
        "pixel_std": x_mean.std(axis=0).max(),
        "error_from_mean_image": np.abs(x_mean - mean_image).mean(),
        "fuzziness": (4 * x_mean * (1 - x_mean)).mean(),
    }


def generated_digits(
    digit: ArrayLike, confidence: ArrayLike, min_confidence: float = 0.8, min_share: float = 0.01
) -> list[int]:
    """List the digits that a model generates: those that a classifier is sure of at enough points of the plane.

    Args:
        digit: (n,) integers, the classes that the classifier chooses for the generated images.
        confidence: (n,), the probability of each.
        min_confidence: the classifier is sure above this probability.
        min_share: a digit counts from this share of the n images.

    Returns:
        A sorted list of digits.

    >>> generated_digits([3, 3, 5], [0.9, 0.95, 0.5])
    [3]

    Used in chapter 07.
    """
    digit = np.asarray(digit)
    sure = digit[np.asarray(confidence) > min_confidence]
    found, counts = np.unique(sure, return_counts=True)
    return found[counts >= min_share * len(digit)].tolist()
