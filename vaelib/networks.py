"""Build the networks of the book: ready VAEs, dense, convolutional and linear, and where their training starts."""

from numpy.typing import ArrayLike
from scipy import special

from ._types import Schedule
from .data import IMAGE_SHAPE, check_images
from .layers import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, LinearDecoder, LinearEncoder
from .likelihoods import likelihood_class
from .models import VAE

__all__ = ["conv_vae", "dense_vae", "linear_vae", "start_at_mean_image"]

# Keep the mean of a pixel at least this far from 0 and 1, whose log-odds are infinite.
_RAREST = 0.001


def dense_vae(
    latent_dim: int = 2,
    hidden_dim: int = 500,
    beta: float | Schedule = 1.0,
    l2: float = 0.0,
    free_bits: float = 0.0,
    num_hidden: int = 1,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
    likelihood: str = "bernoulli",
    noise_variance: float | str | None = None,
) -> VAE:
    """Return the network of Kingma & Welling (2013, section 5): one hidden tanh layer each way, or more.

    Args:
        latent_dim: dimensions of z.
        hidden_dim: units of each hidden layer; 500 in the paper.
        beta: weight of the rate, a number >= 0 or a schedule `step -> beta`; 1 is the ELBO.
        l2: weight decay on the kernels, see `DenseEncoder`.
        free_bits: nats of rate that each latent dimension has for free, see `VAE`.
        num_hidden: hidden layers each way, >= 1.
        image_shape: height, width, channels.
        likelihood: of the pixels: "bernoulli", of which grey ones are probabilities of ink;
            "continuous_bernoulli", a density on [0, 1] (Loaiza-Ganem & Cunningham 2019); or "gaussian", whose decoder
            returns means instead of logits.
        noise_variance: of Gaussian pixels only: a number > 0, None for 1; "learned", as a weight of the model; or
            "optimal", the mean squared error of each batch (Rybkin et al. 2021).

    Returns:
        A built `VAE`, not compiled, or its subclass in `vaelib.likelihoods`.

    Raises:
        ValueError: if beta, l2 or free_bits is negative, a dimension or the variance is not positive, there is no such
            likelihood, or other pixels than Gaussian have a variance.

    >>> dense_vae(latent_dim=2, hidden_dim=500).count_params()
    788788

    Written in chapter 03.
    """
    kind, variance = likelihood_class(likelihood, noise_variance)
    encoder = DenseEncoder(latent_dim, hidden_dim, l2, num_hidden)
    decoder = DenseDecoder(hidden_dim, l2, num_hidden, image_shape)
    return _built(kind(encoder, decoder, beta, free_bits, variance, name="dense_vae"), image_shape)


def conv_vae(
    latent_dim: int = 2,
    beta: float | Schedule = 1.0,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
    likelihood: str = "bernoulli",
    noise_variance: float | str | None = None,
) -> VAE:
    """Return the network of Chollet (2017, section 8.4): convolutions down, a transposed convolution up.

    Args:
        latent_dim: dimensions of z.
        beta: weight of the rate, a number >= 0 or a schedule `step -> beta`; 1 is the ELBO.
        image_shape: height, width, channels; the parameters grow with height times width.
        likelihood: of the pixels, see `dense_vae`.
        noise_variance: of Gaussian pixels only, see `dense_vae`.

    Returns:
        A built `VAE`, not compiled, or its subclass in `vaelib.likelihoods`.

    Raises:
        ValueError: if beta is negative, a size or the variance is not positive, there is no such likelihood, or other
            pixels than Gaussian have a variance.

    Built in chapter 01.
    """
    kind, variance = likelihood_class(likelihood, noise_variance)
    encoder, decoder = ConvEncoder(latent_dim), ConvDecoder(image_shape)
    return _built(kind(encoder, decoder, beta, noise_variance=variance, name="conv_vae"), image_shape)


def linear_vae(
    latent_dim: int = 2,
    noise_variance: float | str = 1.0,
    beta: float | Schedule = 1.0,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
) -> VAE:
    """Return the VAE whose optimum is known: linear both ways, Gaussian pixels (Lucas et al. 2019).

    `linear_vae_optimum` says where training must end; for beta = 1 that is probabilistic PCA.

    Args:
        latent_dim: dimensions of z.
        noise_variance: variance of every pixel given z, > 0; or "learned" or "optimal", see `dense_vae`, which end at
            the noise_variance of `linear_vae_optimum(eigenvalues, latent_dim, None, beta)`.
        beta: weight of the rate, a number >= 0 or a schedule `step -> beta`; 1 is the ELBO.
        image_shape: height, width, channels.

    Returns:
        A built `VAE`, not compiled, whose decoder returns means instead of logits, or its subclass in
        `vaelib.likelihoods`.

    Raises:
        ValueError: if beta is negative, another number not positive, or there is no such variance.

    Used in chapter 08.
    """
    kind, variance = likelihood_class("gaussian", noise_variance)
    encoder, decoder = LinearEncoder(latent_dim), LinearDecoder(image_shape)
    return _built(kind(encoder, decoder, beta, noise_variance=variance, name="linear_vae"), image_shape)


def start_at_mean_image(model: VAE, x: ArrayLike) -> VAE:
    """Let a model decode the mean image before its first step: set its output biases to that image's log-odds.

    With biases of zero it decodes grey at first, and the first steps, which darken the background, drive some hidden
    units of the decoder so far that they never come back (chapter 11). The program of Burda et al. (2015) does the same
    ([yburda/iwae](https://github.com/yburda/iwae), datasets.py and iwae.py), with means from 0.001 to 0.999.

    Args:
        model: a `VAE` with Bernoulli pixels and a dense output layer, such as `dense_vae` makes; changed in place.
        x: (n, height, width, channels), the training images, in [0, 1].

    Returns:
        The model.

    Raises:
        ValueError: if x are not images, or the model has no bias for each of their pixels.

    Used in chapter 11.
    """
    x = check_images(x)
    logits = getattr(model.decoder, "logits", None)
    if model.noise_variance is not None or logits is None or logits.bias.shape != (x[0].size,):
        raise ValueError(
            f"start_at_mean_image expects a model with Bernoulli pixels and a bias for each of {x[0].size} logits, "
            f"such as dense_vae makes, got {model.name} with noise_variance={model.noise_variance}."
        )
    logits.bias.assign(special.logit(x.mean(axis=0, dtype="float64").clip(_RAREST, 1 - _RAREST)).ravel())
    return model


def _built(model: VAE, image_shape: tuple[int, int, int]) -> VAE:
    model.build((None, *image_shape))
    return model
