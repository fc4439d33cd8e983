"""Numbers after training: what a trained model does with images, and with the whole latent plane."""

import keras
import numpy as np
from keras import layers, ops

__all__ = ["active_units", "digit_classifier", "encode_all", "generated_digits", "measure_grid", "posterior_moments"]

_BATCH = 1000


def active_units(z_mean, threshold=0.01):
    """How many latent dimensions a model uses: those whose posterior mean varies from image to image.

    A dimension is active if Var_x(E_q[z_j]) > threshold (Burda et al. 2015, section 5).

    Args:
        z_mean: (n, latent_dim), the posterior means of n >= 2 images.
        threshold: variance, in units of the prior's.

    Returns:
        An integer from 0 to latent_dim.

    Raises:
        ValueError: if z_mean has another shape.

    >>> active_units([[1.0, 0.001], [-1.0, 0.002], [0.5, 0.0]])
    1

    Used in chapter 04.
    """
    z_mean = np.asarray(z_mean, "float64")
    if z_mean.ndim != 2 or len(z_mean) < 2:
        raise ValueError(f"active_units expects z_mean (n, latent_dim) of at least 2 images, got {z_mean.shape}.")
    return int(np.sum(z_mean.var(axis=0) > threshold))


def encode_all(model, x):
    """The posteriors of any number of images.

    Args:
        model: a `VAE`.
        x: (n, 28, 28, 1), images in [0, 1].

    Returns:
        Posterior means and standard deviations, each (n, latent_dim) float32.

    Used in chapter 07.
    """
    batches = [model.encode(x[i : i + _BATCH]) for i in range(0, len(x), _BATCH)]
    mean, log_var = (np.concatenate([np.array(part) for part in parts]) for parts in zip(*batches, strict=True))
    return mean, np.exp(0.5 * log_var)


def posterior_moments(model, x, seed=0):
    """What must be 0, 1 and 0 of these images wherever training without weight decay has converged.

    The first and last layers can shift and scale z and the pixels, so at any stationary point E[z_j] = 0 and
    E[mean_j^2 + std_j^2] = 1 over images and posteriors, and the mean decoded image is the mean image.

    Args:
        model: a `VAE`.
        x: (n, 28, 28, 1), the training images.
        seed: decides the draw of z for every image.

    Returns:
        E[mean_j], (latent_dim,); E[mean_j^2 + std_j^2], (latent_dim,); and the absolute difference between the mean
        decoded and the mean image, averaged over pixels, ().

    Derived in chapter 07.
    """
    mean, std = encode_all(model, x)
    z = mean + std * np.random.default_rng(seed).standard_normal(mean.shape, "float32")
    decoded = sum(_decode(model, z[i : i + _BATCH]).sum(axis=0, dtype="float64") for i in range(0, len(z), _BATCH))
    error = np.abs(decoded / len(x) - x.mean(axis=0, dtype="float64")).mean()
    return mean.mean(axis=0, dtype="float64"), (mean**2 + std**2).mean(axis=0, dtype="float64"), error


def digit_classifier(x, y, num_epochs=5, seed=0):
    """A judge of generated digits: a small classifier of images, 98 % right when it has seen the whole of MNIST.

    Args:
        x: (n, 28, 28, 1), images in [0, 1].
        y: (n,) integers from 0 to 9.
        num_epochs: passes over x.
        seed: decides the initial weights, the order and what dropout leaves out.

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
    classifier.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    order = np.random.default_rng(seeds[3]).permutation(len(x))
    classifier.fit(x[order], y[order], batch_size=128, epochs=num_epochs, shuffle=False, verbose=0)
    return classifier


def measure_grid(model, z, classifier, mean_image):
    """What a decoder makes of points all over the latent plane.

    Args:
        model: a `VAE` with two latent dimensions.
        z: (n, 2), points such as those of `latent_grid`.
        classifier: a model from images to probabilities, see `digit_classifier`.
        mean_image: (28, 28, 1), the mean training image, which is all that a collapsed decoder knows.

    Returns:
        A dict of "grid", (n, 28, 28) uint8, the decoded means times 255; "digit", (n,) int8, what the classifier
        takes them for, and "confidence", (n,) float32, the probability that it gives it; and the numbers
        "pixel_std", the largest standard deviation of a pixel over the points; "error_from_mean_image", mean absolute;
        "fuzziness", the mean of 4 y (1 - y), which is 0 for black and white and 1 for grey.

    Used in chapter 07.
    """
    x_mean = _decode(model, z)
    probabilities = np.array(classifier(x_mean))
    return {
        "grid": np.round(255 * x_mean[..., 0]).astype("uint8"),
        "digit": probabilities.argmax(axis=1).astype("int8"),
        "confidence": probabilities.max(axis=1),
        "pixel_std": x_mean.std(axis=0).max(),
        "error_from_mean_image": np.abs(x_mean - mean_image).mean(),
        "fuzziness": (4 * x_mean * (1 - x_mean)).mean(),
    }


def generated_digits(digit, confidence, min_confidence=0.8, min_share=0.01):
    """Which digits a model generates: those that a classifier is sure of at enough points of the latent plane.

    Args:
        digit: (n,) integers, what the classifier takes the generated images for.
        confidence: (n,), the probability that it gives it.
        min_confidence: how sure it must be, > this.
        min_share: of the n images, how many must be of a digit for it to count, >= this.

    Returns:
        A sorted list of digits.

    >>> generated_digits([3, 3, 5], [0.9, 0.95, 0.5])
    [3]

    Used in chapter 07.
    """
    sure = np.asarray(digit)[np.asarray(confidence) > min_confidence]
    found, counts = np.unique(sure, return_counts=True)
    return found[counts >= min_share * len(digit)].tolist()


def _decode(model, z):
    """Decoded means (n, 28, 28, 1) of points (n, latent_dim)."""
    return np.array(ops.sigmoid(model.decode(z)))
