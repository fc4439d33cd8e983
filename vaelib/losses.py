"""Compute the two terms of the objective as pure functions: one number per image, in nats.

They take the logarithms of the posteriors' variances; `posterior_std` makes standard deviations of these.

`negative_elbo` joins them: `loss = distortion + beta * rate`, and `beta = 1` is the negative ELBO.
"""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from ._types import Tensor, TensorLike
from .data import NUM_PIXELS

__all__ = [
    "bernoulli_distortion",
    "beta_from_kl_wt",
    "continuous_bernoulli_distortion",
    "continuous_bernoulli_mean",
    "effective_beta",
    "gaussian_distortion",
    "gaussian_kl",
    "gaussian_kl_per_dim",
    "kl_wt_from_beta",
    "negative_elbo",
    "posterior_std",
]

_REDUCTIONS = ("sum", "mean")
_PIXELS = "images and model.decode(z)"
# Use series for logits nearer to 0 than this; the terms left out are below 1e-13.
_NEAR = 0.5


def posterior_std(z_log_var: TensorLike) -> TensorLike:
    r"""Return the standard deviations of posteriors, $\sigma = \exp(\tfrac12 \log\sigma^2)$, in units of z.

    Args:
        z_log_var: (..., latent_dim), the logarithms of the posterior *variances*.

    Returns:
        (..., latent_dim), in the precision of z_log_var; an array if z_log_var is one, else a tensor.

    >>> import numpy as np
    >>> posterior_std(np.log([[1.0, 4.0]])).tolist()
    [[1.0, 2.0]]

    Derived in chapter 01.
    """
    exp = np.exp if isinstance(z_log_var, np.ndarray) else ops.exp
    return exp(0.5 * z_log_var)


def gaussian_kl(z_mean: TensorLike, z_log_var: TensorLike) -> Tensor:
    r"""Return the rate: the KL divergence of a diagonal Gaussian from the standard normal prior, in nats.

    $\mathrm{KL}(q(z|x)\,\|\,p(z)) = \tfrac12 \sum_j (\mu_j^2 + \sigma_j^2 - 1 - \log\sigma_j^2)$
    (Kingma & Welling 2013, appendix B, which prints the negative). `gaussian_kl_per_dim` gives the terms of the sum.

    Args:
        z_mean: (batch, latent_dim), the posterior means.
        z_log_var: (batch, latent_dim), the logarithms of the posterior *variances*.

    Returns:
        (batch,) nats, never negative; float32 at least, also under mixed precision.

    Raises:
        ValueError: if the shapes are not the same (batch, latent_dim).

    >>> import numpy as np
    >>> float(gaussian_kl(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]]))[0])
    0.5

    Derived in chapter 02.
    """
    z_mean, z_log_var = _posteriors(z_mean, z_log_var)
    # Use expm1: where the posterior is nearly the prior, exp(z_log_var) - 1 would cancel.
    return 0.5 * ops.sum(ops.square(z_mean) + ops.expm1(z_log_var) - z_log_var, axis=-1)


def gaussian_kl_per_dim(z_mean: TensorLike, z_log_var: TensorLike) -> Tensor:
    """Return the rate of each latent dimension: the terms that `gaussian_kl` adds up, in nats.

    Args:
        z_mean: (batch, latent_dim), the posterior means.
        z_log_var: (batch, latent_dim), the logarithms of the posterior *variances*.

    Returns:
        (batch, latent_dim) nats, never negative; float32 at least, also under mixed precision.

    Raises:
        ValueError: if the shapes are not the same (batch, latent_dim).

    >>> import numpy as np
    >>> gaussian_kl_per_dim(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]])).numpy().tolist()
    [[0.5, 0.0]]

    Derived in chapter 02.
    """
    z_mean, z_log_var = _posteriors(z_mean, z_log_var)
    # Take each latent number of each image as a posterior of its own, in one dimension.
    one_by_one = gaussian_kl(ops.reshape(z_mean, (-1, 1)), ops.reshape(z_log_var, (-1, 1)))
    return ops.reshape(one_by_one, ops.shape(z_mean))


def negative_elbo(distortion: Any, rate: Any, beta: Any = 1.0) -> Any:
    """Return distortion + beta * rate, nats per image: at beta = 1 the negative ELBO, elsewhere that of a beta-VAE.

    Args:
        distortion: numbers, arrays or tensors of any shape, in nats.
        rate: of the same shape.
        beta: weight of the rate (Higgins et al. 2017, equation 4).

    >>> negative_elbo(150.0, 5.0), negative_elbo(150.0, 5.0, beta=2.0)
    (155.0, 160.0)

    Used in chapter 03.
    """
    return distortion + beta * rate


def bernoulli_distortion(x: TensorLike, x_logits: TensorLike) -> Tensor:
    r"""Return the distortion: minus the log-likelihood of the image under independent Bernoulli pixels, in nats.

    $D = \sum_k \log(1 + e^{a_k}) - x_k a_k$ with logits $a_k$, the binary cross-entropy summed over pixels
    (Kingma & Welling 2013, appendix C.1). Grey pixels count as probabilities of being white.

    Args:
        x: (batch, ...), floating-point pixels in [0, 1].
        x_logits: the same shape, the decoder's output before the sigmoid.

    Returns:
        (batch,) nats, never negative; float32 at least, also under mixed precision.

    Raises:
        ValueError: if the shapes differ, or x holds integers.

    >>> import numpy as np
    >>> round(float(bernoulli_distortion(np.ones((1, 2)), np.zeros((1, 2)))[0]), 6)  # two coins: 2 log 2
    1.386294

    Derived in chapter 02.
    """
    dtype = keras.backend.standardize_dtype(ops.convert_to_tensor(x).dtype)
    if "float" not in dtype:
        raise ValueError(
            "bernoulli_distortion expects floating-point pixels in [0, 1], "
            f"got {dtype}: divide 8-bit images by 255 first."
        )
    x, x_logits = _alike(x, x_logits, "bernoulli_distortion expects x and x_logits", _PIXELS)
    pixels = tuple(range(1, len(x.shape)))
    return ops.sum(ops.softplus(x_logits) - x * x_logits, axis=pixels)


def continuous_bernoulli_distortion(x: TensorLike, x_logits: TensorLike) -> Tensor:
    r"""Return the distortion under continuous Bernoulli pixels: minus the log-density of grey images, in nats.

    $p(x) = C(\lambda)\, \lambda^x (1 - \lambda)^{1 - x}$ on [0, 1] (Loaiza-Ganem & Cunningham 2019). With logits
    $a = \log(\lambda / (1 - \lambda))$ this is $D = \sum_k A(a_k) - x_k a_k$ with $A(a) = \log((e^a - 1) / a)$, and
    $\log C = \log(1 + e^a) - A(a)$; near a = 0 a series takes its place. A density may be above 1, and so the
    distortion negative.

    Args:
        x: (batch, ...), floating-point pixels in [0, 1].
        x_logits: the same shape, the decoder's output before the sigmoid.

    Returns:
        (batch,) nats; float32 at least, also under mixed precision.

    Raises:
        ValueError: if the shapes differ.

    >>> import numpy as np
    >>> float(continuous_bernoulli_distortion(np.full((1, 2), 0.3), np.zeros((1, 2)))[0])  # uniform: density 1
    0.0
    """
    x, x_logits = _alike(x, x_logits, "continuous_bernoulli_distortion expects x and x_logits", _PIXELS)
    # Write A(a) as a / 2 + log(sinh(u) / u) with u = a / 2: the second term is even. Keep both branches finite.
    near = ops.abs(x_logits) < _NEAR
    s = ops.square(ops.where(near, 0.5 * x_logits, 0.0))
    series = s * (1 / 6 - s * (1 / 180 - s * (1 / 2835 - s * (1 / 37800 - s / 467775))))
    size = ops.where(near, 1.0, ops.abs(x_logits))
    log_sinhc = ops.where(near, series, 0.5 * size + ops.log1p(-ops.exp(-size)) - ops.log(size))
    return ops.sum(log_sinhc + (0.5 - x) * x_logits, axis=tuple(range(1, len(x.shape))))


def continuous_bernoulli_mean(x_logits: TensorLike) -> Tensor:
    r"""Return the means of continuous Bernoulli pixels, which are not the sigmoid of their logits.

    $\mathbb{E}[x] = 1 / (1 - e^{-a}) - 1 / a$, near a = 0 by a series (Loaiza-Ganem & Cunningham 2019).

    Args:
        x_logits: of any shape, the decoder's output before the sigmoid.

    Returns:
        The same shape, between 0 and 1; float32 at least.

    >>> round(float(continuous_bernoulli_mean(2.0)), 5)  # the sigmoid is 0.88080
    0.65652
    """
    (x_logits,) = _real(x_logits)
    # Take the distance from 1/2, which is odd.
    near = ops.abs(x_logits) < _NEAR
    s = ops.where(near, x_logits, 0.0)
    series = s * (1 / 12 - s**2 * (1 / 720 - s**2 * (1 / 30240 - s**2 * (1 / 1209600 - s**2 / 47900160))))
    size = ops.where(near, 1.0, ops.abs(x_logits))
    return 0.5 + ops.where(near, series, ops.sign(x_logits) * (1 / (1 - ops.exp(-size)) - 1 / size - 0.5))


def gaussian_distortion(x: TensorLike, x_mean: TensorLike, noise_variance: TensorLike) -> Tensor:
    r"""Return the distortion under Gaussian pixels of one variance: minus the log-likelihood, in nats.

    $D = \tfrac{1}{2 s^2} \sum_k (x_k - m_k)^2 + \tfrac12 \sum_k \log(2 \pi s^2)$ with means $m_k$ (Kingma & Welling
    2013, appendix C.2). The likelihood is a density, so the distortion may be negative.

    Args:
        x: (batch, ...), floating-point pixels.
        x_mean: the same shape, the decoder's output.
        noise_variance: variance of every pixel, s^2 > 0, a number or a scalar tensor.

    Returns:
        (batch,) nats; float32 at least, also under mixed precision.

    Raises:
        ValueError: if the shapes differ.

    >>> import numpy as np
    >>> round(float(gaussian_distortion(np.ones((1, 1)), np.zeros((1, 1)), 1.0)[0]), 6)  # (1 + log 2 pi) / 2
    1.418939

    Used in chapter 08.
    """
    x, x_mean = _alike(x, x_mean, "gaussian_distortion expects x and x_mean", _PIXELS)
    # Take the sizes as they are when the program runs, where they are not known before.
    num_pixels = math.prod(ops.shape(x)[1:])
    squared_error = ops.sum(ops.square(ops.reshape(x - x_mean, (-1, num_pixels))), axis=1)
    num_pixels = num_pixels if isinstance(num_pixels, int) else ops.cast(num_pixels, x.dtype)
    if isinstance(noise_variance, int | float):
        return 0.5 * (squared_error / noise_variance + num_pixels * math.log(2 * math.pi * noise_variance))
    noise_variance = ops.cast(noise_variance, x.dtype)
    return 0.5 * (squared_error / noise_variance + num_pixels * ops.log(2 * math.pi * noise_variance))


def beta_from_kl_wt(kl_wt: float, num_pixels: int = NUM_PIXELS) -> float:
    """Return the beta that a KL weight means where the reconstruction error is averaged over pixels.

    `mean BCE + kl_wt * KL`, times num_pixels, is `distortion + num_pixels * kl_wt * rate`: the same minimum.

    Args:
        kl_wt: weight of the KL (summed over latent dimensions) against the mean error per pixel, >= 0.
        num_pixels: pixels of an image.

    Raises:
        ValueError: if kl_wt is negative or num_pixels is not positive.

    >>> round(beta_from_kl_wt(1e-3), 6)
    0.784

    Derived in chapter 01.
    """
    return effective_beta(kl_wt, distortion="mean", kl="sum", num_pixels=num_pixels)


def kl_wt_from_beta(beta: float, num_pixels: int = NUM_PIXELS) -> float:
    """Return the KL weight against the mean error per pixel that a beta means: the inverse of `beta_from_kl_wt`.

    Args:
        beta: weight of the rate in nats per image, >= 0.
        num_pixels: pixels of an image.

    Raises:
        ValueError: if beta is negative or num_pixels is not positive.

    >>> kl_wt_from_beta(0.784)
    0.001

    Derived in chapter 01.
    """
    if not beta >= 0 or num_pixels < 1:
        raise ValueError(f"beta must be zero or positive and num_pixels at least 1, got {beta} and {num_pixels}.")
    return beta / num_pixels


def effective_beta(
    kl_wt: float, distortion: str = "mean", kl: str = "sum", num_pixels: int = NUM_PIXELS, latent_dim: int = 2
) -> float:
    """Return the beta, in nats per image, that a published loss really uses.

    A loss that averages where the ELBO sums hides a factor in its "KL weight". Multiplying the whole loss so that
    its reconstruction term is a sum over pixels shows it.

    Args:
        kl_wt: the number that multiplies the KL term in the published code, >= 0.
        distortion: "sum" or "mean", how the code reduces the reconstruction error over pixels.
        kl: "sum" or "mean", how it reduces the KL over latent dimensions.
        num_pixels: pixels of an image.
        latent_dim: latent dimensions.

    Raises:
        ValueError: if a reduction has another name, kl_wt is negative or a count is not positive.

    >>> effective_beta(1e-3, distortion="mean", kl="mean")  # Chollet 2017, section 8.4
    0.392

    Derived in chapter 01.
    """
    for name, reduction in (("distortion", distortion), ("kl", kl)):
        if reduction not in _REDUCTIONS:
            raise ValueError(f'effective_beta expects {name}="sum" or "mean", got {reduction!r}.')
    if not kl_wt >= 0:
        raise ValueError(
            f"A KL weight must be zero or positive, got {kl_wt}: a negative one rewards leaving the prior."
        )
    if num_pixels < 1 or latent_dim < 1:
        raise ValueError(f"num_pixels and latent_dim must be at least 1, got {num_pixels} and {latent_dim}.")
    return kl_wt * (num_pixels if distortion == "mean" else 1) / (latent_dim if kl == "mean" else 1)


def _posteriors(z_mean: TensorLike, z_log_var: TensorLike) -> list[Tensor]:
    expects, what = "gaussian_kl expects z_mean and z_log_var", "both outputs of model.encode(x)"
    return _alike(z_mean, z_log_var, expects, what, num_axes=2)


def _alike(a: TensorLike, b: TensorLike, expects: str, what: str, num_axes: int | None = None) -> list[Tensor]:
    """Return two tensors of at least float32, or raise a ValueError if they do not have one shape, batch first."""
    a, b = _real(a, b)
    fits = len(a.shape) == len(b.shape) and (len(a.shape) >= 2 if num_axes is None else len(a.shape) == num_axes)
    # Let an unknown size agree with any.
    if not fits or any(m != n for m, n in zip(a.shape, b.shape, strict=True) if None not in (m, n)):
        shape = "(batch, ...)" if num_axes is None else "(batch, latent_dim)"
        raise ValueError(f"{expects} of one shape {shape}, got {a.shape} and {b.shape}: pass {what}.")
    return [a, b]


def _real(*values: TensorLike) -> list[Tensor]:
    """Return tensors of at least float32: half precision overflows at exp(11), and rounds a small KL to 0."""
    tensors = [ops.convert_to_tensor(value) for value in values]
    dtypes = [keras.backend.standardize_dtype(tensor.dtype) for tensor in tensors]
    dtype = "float64" if "float64" in dtypes else "float32"
    return [ops.cast(tensor, dtype) for tensor in tensors]
