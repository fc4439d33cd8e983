"""Build, train, measure and see variational autoencoders in Keras 3: the library under the book.

All quantities are in nats per image: sums over pixels and latent dimensions, the mean over the batch last.
"""

from . import _backend  # noqa: F401  (first: it explains a wrong Keras backend before anything imports TensorFlow)

# isort: split
from . import likelihoods as likelihoods
from . import schedules as schedules
from . import theory as theory
from .data import binarize, load_mnist
from .layers import (
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    DenseEncoder,
    LinearDecoder,
    LinearEncoder,
    Sampling,
)
from .losses import (
    bernoulli_distortion,
    beta_from_kl_wt,
    continuous_bernoulli_distortion,
    effective_beta,
    gaussian_distortion,
    gaussian_kl,
    gaussian_kl_per_dim,
    kl_wt_from_beta,
)
from .models import VAE
from .networks import conv_vae, dense_vae, linear_vae, start_at_mean_image
from .theory import collapse_threshold, collapsed_loss, entropy_floor, linear_vae_optimum

# isort: split
from .plots import (
    plot_history,
    plot_images,
    plot_latent_grid,
    plot_latent_means,
    plot_posterior_trace,
    plot_posteriors,
    plot_rate_distortion,
    plot_schedule,
    plot_true_posterior,
)
from .source import show

# isort: split
from .training import fit

# isort: split
from .analysis import (
    active_units,
    best_posteriors,
    digit_classifier,
    elbo,
    elbo_surgery,
    encode_all,
    exact_log_likelihood,
    fisher_metric,
    generated_digits,
    importance_log_likelihood,
    latent_grid,
    measure_grid,
    posterior_moments,
    rescale_latent,
)

# isort: split
from .experiment import (
    RunSpec,
    elbo_of_run,
    list_runs,
    load_run,
    log_likelihood_of_run,
    sweep,
    train_or_load,
    trained_model,
    write_tensorboard_logs,
)

# isort: split
from .live import draw_a_digit, latent_explorer, posterior_film, train_here

# isort: split
from . import exercises as exercises

__version__ = "0.2.0"

# In reading order, one block for each room of the house.
__all__ = [  # noqa: RUF022
    # the core: images, layers, the objective and its schedules, models, theory, source
    "load_mnist",
    "binarize",
    "Sampling",
    "DenseEncoder",
    "DenseDecoder",
    "ConvEncoder",
    "ConvDecoder",
    "LinearEncoder",
    "LinearDecoder",
    "bernoulli_distortion",
    "continuous_bernoulli_distortion",
    "gaussian_distortion",
    "gaussian_kl",
    "gaussian_kl_per_dim",
    "beta_from_kl_wt",
    "kl_wt_from_beta",
    "effective_beta",
    "VAE",
    "dense_vae",
    "conv_vae",
    "linear_vae",
    "start_at_mean_image",
    "collapse_threshold",
    "collapsed_loss",
    "entropy_floor",
    "linear_vae_optimum",
    "show",
    # plots
    "plot_images",
    "plot_latent_grid",
    "plot_latent_means",
    "plot_posteriors",
    "plot_posterior_trace",
    "plot_true_posterior",
    "plot_schedule",
    "plot_history",
    "plot_rate_distortion",
    # training
    "fit",
    # analysis
    "encode_all",
    "active_units",
    "posterior_moments",
    "rescale_latent",
    "best_posteriors",
    "fisher_metric",
    "elbo",
    "exact_log_likelihood",
    "importance_log_likelihood",
    "elbo_surgery",
    "latent_grid",
    "digit_classifier",
    "measure_grid",
    "generated_digits",
    # experiment
    "RunSpec",
    "train_or_load",
    "trained_model",
    "load_run",
    "list_runs",
    "sweep",
    "elbo_of_run",
    "log_likelihood_of_run",
    "write_tensorboard_logs",
    # live
    "posterior_film",
    "latent_explorer",
    "draw_a_digit",
    "train_here",
]
