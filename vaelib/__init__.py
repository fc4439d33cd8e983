"""vaelib: the small library under a book on variational autoencoders in Keras 3.

Everything is in nats per image: sums over pixels and latent dimensions, the mean over the batch last.
"""

from . import _backend  # noqa: F401  (first: it explains a wrong Keras backend before anything imports TensorFlow)
from .data import Digits, binarize, load_mnist
from .display import show
from .layers import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, Sampling
from .losses import bernoulli_distortion, beta_from_kl_wt, effective_beta, gaussian_kl
from .models import VAE, VAEOutput, conv_vae, dense_vae
from .plots import latent_grid, plot_history, plot_images, plot_latent_grid, plot_latent_means, plot_posteriors
from .runstate import PosteriorTrace
from .schedules import constant, linear
from .training import Run, fit

__version__ = "0.1.0"

__all__ = [
    "VAE",
    "ConvDecoder",
    "ConvEncoder",
    "DenseDecoder",
    "DenseEncoder",
    "Digits",
    "PosteriorTrace",
    "Run",
    "Sampling",
    "VAEOutput",
    "bernoulli_distortion",
    "beta_from_kl_wt",
    "binarize",
    "constant",
    "conv_vae",
    "dense_vae",
    "effective_beta",
    "fit",
    "gaussian_kl",
    "latent_grid",
    "linear",
    "load_mnist",
    "plot_history",
    "plot_images",
    "plot_latent_grid",
    "plot_latent_means",
    "plot_posteriors",
    "show",
]
