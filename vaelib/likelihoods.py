"""Give a VAE other pixels than coins: a continuous Bernoulli, and Gaussians whose variance is found in training."""

import math
from typing import Any

import keras
from keras import ops

from ._types import Tensor, TensorLike
from .losses import continuous_bernoulli_distortion, continuous_bernoulli_mean, gaussian_distortion
from .models import VAE, Objective, VAEOutput

__all__ = [
    "ContinuousBernoulliVAE",
    "LearnedVarianceVAE",
    "OptimalVarianceVAE",
    "likelihood_class",
    "optimal_variance",
]

_NAMES = ("bernoulli", "continuous_bernoulli", "gaussian")
_VARIANCES = ("learned", "optimal")
# Keep the optimal variance of images without any error above zero.
_SMALLEST = 1e-7

_register = keras.saving.register_keras_serializable("vaelib")


@_register
class ContinuousBernoulliVAE(VAE):
    """Train a `VAE` whose grey pixels have a density on [0, 1], the continuous Bernoulli.

    It takes the arguments of `VAE`, but for noise_variance. The distortion is `continuous_bernoulli_distortion`
    (Loaiza-Ganem & Cunningham 2019), which may be negative, and what it generates is `continuous_bernoulli_mean`, not
    the sigmoid of the logits. For pixels that are only black or white, use `VAE`.

    Raises:
        ValueError: if there is a noise_variance.
    """

    likelihood = "continuous_bernoulli"

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse a variance, which these pixels do not have."""
        if name == "noise_variance" and value is not None:
            raise ValueError(
                f"noise_variance must be None for continuous Bernoulli pixels, got {value!r}: only Gaussian pixels "
                'have one, likelihood="gaussian".'
            )
        super().__setattr__(name, value)

    def distortion(self, x: TensorLike, x_logits: TensorLike) -> Tensor:
        """Return -log p(x|z), (batch,) nats, of images x from logits, both of one shape."""
        return continuous_bernoulli_distortion(x, x_logits)

    def mean_pixels(self, output: TensorLike) -> Tensor:
        """Return the means of the pixels, of the shape of the logits."""
        return continuous_bernoulli_mean(output)


class _FoundVarianceVAE(VAE):
    """Share what Gaussian pixels of a variance have in common that training finds."""

    likelihood = "gaussian"
    decodes_logits = False
    _numbers = ("free_bits", "seed")
    _objective_parts = ("beta", "free_bits")


@_register
class LearnedVarianceVAE(_FoundVarianceVAE):
    """Train a `VAE` with Gaussian pixels of one variance, which is a weight of the model.

    It takes the arguments of `VAE`, but for noise_variance. Its trainable weight `noise_log_var`, a scalar, is the
    logarithm of the variance and starts at 0 (the "shared sigma-VAE" of Rybkin et al. 2021). `noise_variance`
    is the present variance as a number; once the model is built, it can be set.

    Raises:
        ValueError: if there is a noise_variance before the model is built.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights of both halves, and the logarithm of the variance."""
        super().build(input_shape)
        self.noise_log_var = self.add_weight(shape=(), initializer="zeros", name="noise_log_var")

    @property
    def noise_variance(self) -> float | None:
        """Return the present variance of a pixel given z."""
        return math.exp(float(ops.convert_to_numpy(self.noise_log_var)))

    @noise_variance.setter
    def noise_variance(self, value: float | None) -> None:
        if value is None:
            return
        if not self.built:
            raise ValueError(
                f"noise_variance must be None where it is learned, got {value!r}: set it after the model is built, "
                "or use VAE for a fixed one."
            )
        self.noise_log_var.assign(math.log(value))

    def distortion(self, x: TensorLike, x_logits: TensorLike) -> Tensor:
        """Return -log p(x|z), (batch,) nats, of images x from the decoder's means, at the present variance."""
        return gaussian_distortion(x, x_logits, ops.exp(self.noise_log_var))


@_register
class OptimalVarianceVAE(_FoundVarianceVAE):
    """Train a `VAE` with Gaussian pixels of the variance that is best for each batch: its mean squared error.

    It takes the arguments of `VAE`, but for noise_variance. The objective of a batch is that of Gaussian pixels at
    `optimal_variance` (the "optimal sigma-VAE" of Rybkin et al. 2021), the weights of its images counted. The
    variance belongs to the batch, so single images have no density; `distortion`, and what needs it, such as `elbo`,
    raises a ValueError that says how to fix the variance after training.

    Raises:
        ValueError: if there is a noise_variance.
    """

    _batch_variance: Tensor | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        """Bypass Keras for the variance: it would read the old value, which there is not."""
        if name == "noise_variance":
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    @property
    def noise_variance(self) -> float | None:
        """Raise a ValueError: there is a variance only for a batch."""
        raise ValueError(
            "The optimal variance belongs to a batch of training, so images have no density of their own. Fix it: "
            "variance = vaelib.likelihoods.optimal_variance(x_train, model(x_train).x_logits), then "
            "fixed = vaelib.VAE(model.encoder, model.decoder, model.beta, noise_variance=float(variance)) and "
            "fixed.build((None, *model.image_shape))."
        )

    @noise_variance.setter
    def noise_variance(self, value: float | None) -> None:
        if value is not None:
            raise ValueError(
                f"noise_variance must be None where it is the optimal one of a batch, got {value!r}: use VAE for a "
                "fixed one."
            )

    def distortion(self, x: TensorLike, x_logits: TensorLike) -> Tensor:
        """Return -log p(x|z), (batch,) nats, inside of `objective` only.

        Raises:
            ValueError: outside of it.
        """
        variance = self.noise_variance if self._batch_variance is None else self._batch_variance
        return gaussian_distortion(x, x_logits, variance)

    def objective(self, x: TensorLike, output: VAEOutput, weights: TensorLike | None = None) -> Objective:
        """Return the objective of a batch, see `VAE.objective`, at the best variance for it."""
        # Bypass Keras, which would track the tensor.
        object.__setattr__(self, "_batch_variance", optimal_variance(x, output.x_logits, weights))
        try:
            return super().objective(x, output, weights)
        finally:
            object.__setattr__(self, "_batch_variance", None)


def optimal_variance(x: TensorLike, x_mean: TensorLike, weights: TensorLike | None = None) -> Tensor:
    r"""Return the variance of Gaussian pixels at which images are likeliest: their mean squared error.

    $s^2 = \frac{1}{N K} \sum_{nk} (x_{nk} - m_{nk})^2$ for N images of K pixels (Rybkin et al. 2021). It
    is at least 1e-7, so that images without any error have a finite density.

    Args:
        x: (batch, ...), floating-point pixels.
        x_mean: the same shape, the means that a decoder returns.
        weights: None, or (batch,) relative weights of the images.

    Returns:
        (), the variance, in squared units of a pixel; float32 at least.

    Raises:
        ValueError: if the shapes differ.

    >>> import numpy as np
    >>> float(optimal_variance(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])))
    0.25
    """
    # Take the variance 1 / (2 pi), at which the distortion is pi times the squared error, without a constant.
    squared_error = ops.average(gaussian_distortion(x, x_mean, 0.5 / math.pi), axis=0, weights=weights) / math.pi
    return ops.maximum(squared_error / ops.cast(math.prod(ops.shape(x)[1:]), squared_error.dtype), _SMALLEST)


def likelihood_class(likelihood: str, noise_variance: float | str | None) -> tuple[type[VAE], float | None]:
    """Return the class of a model by the likelihood of its pixels, and the fixed variance that it takes.

    Args:
        likelihood: "bernoulli", "continuous_bernoulli" or "gaussian".
        noise_variance: None; for Gaussian pixels a number > 0, "learned" or "optimal", and None means 1.

    Returns:
        `VAE` or a subclass, and its noise_variance.

    Raises:
        ValueError: if there is no such likelihood or no such variance, or pixels other than Gaussian have one.
    """
    if likelihood not in _NAMES:
        raise ValueError(f"likelihood must be one of {', '.join(map(repr, _NAMES))}, got {likelihood!r}.")
    if likelihood != "gaussian":
        if noise_variance is not None:
            raise ValueError(
                f"noise_variance belongs to Gaussian pixels, got noise_variance={noise_variance!r} with "
                f'likelihood={likelihood!r}: pass likelihood="gaussian", or leave it out.'
            )
        return (VAE if likelihood == "bernoulli" else ContinuousBernoulliVAE), None
    if isinstance(noise_variance, str):
        if noise_variance not in _VARIANCES:
            raise ValueError(
                f'noise_variance must be a positive number, "learned" or "optimal", got {noise_variance!r}.'
            )
        return (LearnedVarianceVAE if noise_variance == "learned" else OptimalVarianceVAE), None
    return VAE, 1.0 if noise_variance is None else noise_variance
