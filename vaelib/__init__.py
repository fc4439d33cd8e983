"""vaelib: the small library under a book on variational autoencoders in Keras 3.

Everything is in nats per image: sums over pixels and latent dimensions, the mean over the batch last.
"""

from . import _backend  # noqa: F401  (first: it explains a wrong Keras backend before anything imports TensorFlow)
from .claims import check_headline, check_inference_gap, check_paired, check_sweep, paired_difference
from .collapse import check_collapse
from .data import Digits, binarize, load_mnist
from .display import show
from .evaluations import elbo_of_run, log_likelihood_of_run
from .geometry import fisher_metric
from .inference import best_posteriors
from .information import ELBOSurgery, elbo_surgery
from .initial import start_at_mean_image
from .layers import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder, Sampling
from .likelihood import elbo, exact_log_likelihood, importance_log_likelihood
from .linear import LinearDecoder, LinearEncoder, linear_vae
from .logs import write_tensorboard_logs
from .losses import (
    bernoulli_distortion,
    beta_from_kl_wt,
    effective_beta,
    gaussian_distortion,
    gaussian_kl,
    gaussian_kl_per_dim,
)
from .metrics import (
    active_units,
    digit_classifier,
    encode_all,
    generated_digits,
    measure_grid,
    posterior_moments,
)
from .models import VAE, VAEOutput, conv_vae, dense_vae
from .planes import plot_latent_means, plot_posterior_trace, plot_posteriors, plot_true_posterior
from .plots import latent_grid, plot_history, plot_images, plot_latent_grid, plot_rate_distortion, plot_schedule
from .results import RunResult, list_runs, load_run
from .runs import train_or_load, trained_model
from .runstate import PosteriorTrace
from .schedules import check_reaches_target, constant, cyclical, linear, sigmoid
from .specs import RunSpec
from .statistics import coverage, negative_elbo, rates_by_dimension
from .sweeps import sweep
from .theory import LinearVAEOptimum, collapse_threshold, collapsed_loss, entropy_floor, linear_vae_optimum
from .training import Run, fit
from .verdicts import Claim, claims_table
from .widgets import draw_a_digit, latent_explorer, posterior_film

__version__ = "0.1.0"

__all__ = [
    "VAE",
    "Claim",
    "ConvDecoder",
    "ConvEncoder",
    "DenseDecoder",
    "DenseEncoder",
    "Digits",
    "ELBOSurgery",
    "LinearDecoder",
    "LinearEncoder",
    "LinearVAEOptimum",
    "PosteriorTrace",
    "Run",
    "RunResult",
    "RunSpec",
    "Sampling",
    "VAEOutput",
    "active_units",
    "bernoulli_distortion",
    "best_posteriors",
    "beta_from_kl_wt",
    "binarize",
    "check_collapse",
    "check_headline",
    "check_inference_gap",
    "check_paired",
    "check_reaches_target",
    "check_sweep",
    "claims_table",
    "collapse_threshold",
    "collapsed_loss",
    "constant",
    "conv_vae",
    "coverage",
    "cyclical",
    "dense_vae",
    "digit_classifier",
    "draw_a_digit",
    "effective_beta",
    "elbo",
    "elbo_of_run",
    "elbo_surgery",
    "encode_all",
    "entropy_floor",
    "exact_log_likelihood",
    "fisher_metric",
    "fit",
    "gaussian_distortion",
    "gaussian_kl",
    "gaussian_kl_per_dim",
    "generated_digits",
    "importance_log_likelihood",
    "latent_explorer",
    "latent_grid",
    "linear",
    "linear_vae",
    "linear_vae_optimum",
    "list_runs",
    "load_mnist",
    "load_run",
    "log_likelihood_of_run",
    "measure_grid",
    "negative_elbo",
    "paired_difference",
    "plot_history",
    "plot_images",
    "plot_latent_grid",
    "plot_latent_means",
    "plot_posterior_trace",
    "plot_posteriors",
    "plot_rate_distortion",
    "plot_schedule",
    "plot_true_posterior",
    "posterior_film",
    "posterior_moments",
    "rates_by_dimension",
    "show",
    "sigmoid",
    "start_at_mean_image",
    "sweep",
    "train_or_load",
    "trained_model",
    "write_tensorboard_logs",
]
