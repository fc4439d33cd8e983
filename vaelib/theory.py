"""Compute in closed form what training must agree with: where collapse begins, and where a linear VAE ends."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, special

from .data import check_images
from .losses import negative_elbo

__all__ = [
    "LinearVAEOptimum",
    "collapse_threshold",
    "collapsed_loss",
    "entropy_floor",
    "linear_vae_optimum",
    "linear_vae_valley",
]


class LinearVAEOptimum(NamedTuple):
    """Hold the best that a linear VAE can do; arrays have one number per latent dimension, the most used first."""

    loss: float
    """distortion + beta * rate, nats per image."""
    rate: np.ndarray
    """(latent_dim,) nats per image; 0 where the dimension has collapsed."""
    posterior_variance: np.ndarray
    """(latent_dim,), the same for all images; 1 where the dimension has collapsed."""
    num_active: int
    """Number of dimensions that have not collapsed."""
    decoder_norm: np.ndarray
    """(latent_dim,), the length of the column of the decoder that takes the dimension up."""
    encoder_norm: np.ndarray
    """(latent_dim,), the length of the row of the encoder that makes its mean."""
    noise_variance: float
    """The variance of every pixel, as given, or the best one."""


def collapse_threshold(x: ArrayLike) -> np.ndarray:
    r"""Return the betas at which a VAE with Bernoulli pixels stops using a latent dimension, from the data alone.

    The collapsed state, posterior = prior and decoder = mean image, is a local minimum of the objective exactly if
    beta is above the first of these numbers; below it, as many directions lead out of it as there are numbers above
    beta. They are the eigenvalues of $P^{-1/2} \mathrm{Cov}(x) P^{-1/2}$ with $P = \mathrm{diag}(p (1 - p))$ and the
    mean image p: for black-and-white pixels, those of the correlation matrix. The statement is about small steps away
    from the collapsed state; a distant better state is not excluded.

    Args:
        x: (n, height, width, channels), n >= 2 floating-point images in [0, 1].

    Returns:
        Betas, descending, float64, one for each pixel that is not always black or always white.

    Raises:
        ValueError: if x are not such images, or all alike.

    >>> import numpy as np
    >>> x = np.array([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, 1.0]]).reshape(4, 1, 3, 1)  # two pixels always agree
    >>> collapse_threshold(x).round(6).tolist()
    [2.0, 1.0, 0.0]

    Derived in chapter 08.
    """
    x = check_images(x)
    pixels = x.reshape(len(x), -1).astype("float64")
    mean = pixels.mean(axis=0)
    variance = mean * (1 - mean)
    used = variance > 0
    scaled = (pixels[:, used] - mean[used]) / np.sqrt(variance[used])
    if not np.any(scaled):
        raise ValueError(f"collapse_threshold expects images that differ, got {len(x)} alike.")
    # Cut at 0: rounding may leave a vanishing eigenvalue of a covariance below it.
    return np.maximum(linalg.eigvalsh(scaled.T @ scaled / len(scaled)), 0)[::-1]


def linear_vae_optimum(
    eigenvalues: ArrayLike, latent_dim: int, noise_variance: float | None, beta: float = 1.0
) -> LinearVAEOptimum:
    r"""Return the global optimum of a linear VAE with Gaussian pixels, in closed form.

    The model: $p(x|z) = N(Uz + m, s^2 I)$, $q(z|x) = N(W(x - m), \mathrm{diag}(S))$. With the covariance's eigenvalues
    $\lambda_i$ and $t = \beta s^2$, the dimension i collapses if $\lambda_i \le t$. Otherwise its column of U is the
    eigenvector times $\sqrt{\lambda_i - t}$, its row of W the eigenvector times $\sqrt{\lambda_i - t} / \lambda_i$, its
    posterior variance $t / \lambda_i$, its rate $\frac12 \log(\lambda_i / t)$. For beta = 1 it is probabilistic PCA
    (Tipping & Bishop 1999), as Lucas et al. (2019) show; for any beta, Wang & Ziyin (2022, theorem 2).

    Args:
        eigenvalues: (num_pixels,), all of the covariance of the data, in any order; negative ones within rounding of
            the largest count as 0.
        latent_dim: dimensions of z, 1 to num_pixels.
        noise_variance: variance of every pixel given z, > 0; None for the best one, which exists unless the data lie in
            latent_dim dimensions.
        beta: weight of the rate, > 0; 1 is the ELBO.

    Returns:
        A `LinearVAEOptimum`.

    Raises:
        ValueError: if a number is out of range.

    >>> best = linear_vae_optimum([4.0, 1.0, 0.5], latent_dim=2, noise_variance=1.0)
    >>> best.num_active, best.posterior_variance.tolist()
    (1, [0.25, 1.0])

    Derived in chapter 08.
    """
    spectrum = _spectrum(eigenvalues)
    if latent_dim != int(latent_dim) or not 1 <= latent_dim <= len(spectrum):
        raise ValueError(f"latent_dim must be a whole number from 1 to {len(spectrum)}, got {latent_dim}.")
    if not (beta > 0 and np.isfinite(beta)):
        raise ValueError(f"beta must be a positive number, got {beta}.")
    if noise_variance is None:
        noise_variance = _best_noise_variance(spectrum, int(latent_dim), beta)
    if not (noise_variance > 0 and np.isfinite(noise_variance)):
        raise ValueError(f"noise_variance must be a positive number, or None, got {noise_variance}.")
    return _optimum(spectrum, int(latent_dim), noise_variance, beta)


def linear_vae_valley(
    decoder_norm: ArrayLike, eigenvalue: float, noise_variance: float = 1.0, beta: float = 1.0
) -> np.ndarray:
    r"""Return by how much the loss of a linear VAE changes when one collapsed dimension is used, with its best encoder.

    With w the length of the dimension's column of U, along the eigenvector of $\lambda$, and $t = \beta s^2$, the best
    row of W is $w / (w^2 + t)$ and the best posterior variance $t / (w^2 + t)$. What is left is
    $-\frac{\lambda}{2 s^2} \frac{w^2}{w^2 + t} + \frac{\beta}{2} \log(1 + w^2 / t)$. Its minimum is that of
    `linear_vae_optimum`: at 0 if $\lambda \le t$, otherwise at $\pm\sqrt{\lambda - t}$.

    Args:
        decoder_norm: w, of any shape; the sign does not matter.
        eigenvalue: of the covariance of the data, at least 0.
        noise_variance: variance of every pixel given z, > 0.
        beta: weight of the rate, > 0.

    Returns:
        Nats per image of the shape of decoder_norm, 0 where it is 0.

    Raises:
        ValueError: if a number is out of range.

    >>> linear_vae_valley([0.0, 3**0.5], eigenvalue=4.0).round(3).tolist()  # -3/2 + log(4)/2
    [0.0, -0.807]

    Used in chapter 08.
    """
    if not (eigenvalue >= 0 and np.isfinite(eigenvalue)):
        raise ValueError(f"eigenvalue must be a finite number of at least 0, got {eigenvalue}.")
    for name, number in (("noise_variance", noise_variance), ("beta", beta)):
        if not (number > 0 and np.isfinite(number)):
            raise ValueError(f"{name} must be a positive number, got {number}.")
    square, threshold = np.square(np.asarray(decoder_norm, "float64")), beta * noise_variance
    explained = eigenvalue / noise_variance * square / (square + threshold)
    return np.asarray((beta * np.log1p(square / threshold) - explained) / 2)


def entropy_floor(x: ArrayLike) -> float:
    """Return the distortion that no decoder gets below: the entropy of grey pixels, each a probability of being white.

    Args:
        x: (n, height, width, channels), floating-point images in [0, 1].

    Returns:
        Nats per image, the mean over images; 0 for black-and-white ones.

    Raises:
        ValueError: if x are not such images.

    >>> import numpy as np
    >>> round(entropy_floor(np.full((1, 1, 2, 1), 0.5)), 6)  # two coins: 2 log 2
    1.386294

    Derived in chapter 08.
    """
    pixels = check_images(x).astype("float64")
    return float((special.entr(pixels) + special.entr(1 - pixels)).sum() / len(pixels))


def collapsed_loss(x: ArrayLike) -> float:
    """Return the loss of a VAE that ignores z, at any beta: posteriors are the prior, and it decodes the mean image.

    Args:
        x: (n, height, width, channels), floating-point images in [0, 1].

    Returns:
        Nats per image, the entropy of the mean image, each pixel taken as a probability of being white.

    Raises:
        ValueError: if x are not such images.

    >>> import numpy as np
    >>> round(collapsed_loss(np.array([[[[0.0]]], [[[1.0]]]])), 6)  # nothing is known of this pixel: log 2
    0.693147

    Derived in chapter 08.
    """
    mean = check_images(x).mean(axis=0, dtype="float64")
    return float((special.entr(mean) + special.entr(1 - mean)).sum())


def _spectrum(eigenvalues: ArrayLike) -> np.ndarray:
    """Return eigenvalues of a covariance, descending, with the rounding errors of `eigvalsh` below 0 cut off."""
    spectrum = np.sort(np.asarray(eigenvalues, "float64"), axis=None)[::-1]
    # Expect errors of this size: LAPACK's bound is a small multiple of the precision times the largest eigenvalue.
    rounding = len(spectrum) * np.finfo("float64").eps * np.max(spectrum, initial=0)
    if np.ndim(eigenvalues) != 1 or not np.all(np.isfinite(spectrum)) or not np.all(spectrum >= -rounding):
        raise ValueError(
            f"eigenvalues must be a list of finite numbers of at least 0, got {eigenvalues!r}: "
            "pass np.linalg.eigvalsh of a covariance matrix."
        )
    return np.maximum(spectrum, 0)


def _optimum(spectrum: np.ndarray, latent_dim: int, noise_variance: float, beta: float) -> LinearVAEOptimum:
    threshold = beta * noise_variance
    leading = spectrum[:latent_dim]
    variance = np.minimum(1.0, threshold / np.maximum(leading, threshold))
    rate = -0.5 * np.log(variance)
    scale = np.sqrt(np.maximum(leading - threshold, 0))
    # Add up what is left of the data: all that is not taken up, and the threshold in each direction that is.
    squared_error = spectrum.sum() - (scale**2).sum()
    distortion = 0.5 * (len(spectrum) * np.log(2 * np.pi * noise_variance) + squared_error / noise_variance)
    return LinearVAEOptimum(
        loss=float(negative_elbo(distortion, rate.sum(), beta)),
        rate=rate,
        posterior_variance=variance,
        num_active=int(np.sum(leading > threshold)),
        decoder_norm=scale,
        encoder_norm=np.divide(scale, leading, out=np.zeros_like(scale), where=leading > 0),
        noise_variance=float(noise_variance),
    )


def _best_noise_variance(spectrum: np.ndarray, latent_dim: int, beta: float) -> float:
    """Return the noise variance at which the loss is stationary.

    The derivative of the loss, times 2 s^4, is convex in s^2, not above 0 at 0 and positive for a large s^2, so it has
    one root or none.
    """
    for num_active in range(latent_dim + 1):
        left = len(spectrum) - beta * num_active
        noise_variance = spectrum[num_active:].sum() / left if left > 0 else 0.0
        active = spectrum[:latent_dim] > beta * noise_variance
        if noise_variance > 0 and active.sum() == num_active:
            return noise_variance
    raise ValueError(
        f"There is no best noise_variance: the data lie in latent_dim={latent_dim} dimensions, "
        "and the loss has no lower bound as it goes to 0. Pass a number."
    )
