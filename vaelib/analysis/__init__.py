"""Measure trained models: their posteriors, their likelihood, what the rate is made of, and what they generate."""

from .generation import digit_classifier, generated_digits, latent_grid, measure_grid
from .information import ELBOSurgery, elbo_surgery
from .likelihood import elbo, exact_log_likelihood, importance_log_likelihood
from .posteriors import active_units, best_posteriors, encode_all, fisher_metric, posterior_moments
from .stability import Code, OneUnitState, best_code, one_unit_state, second_threshold
from .symmetry import rescale_latent

__all__ = [
    "Code",
    "ELBOSurgery",
    "OneUnitState",
    "active_units",
    "best_code",
    "best_posteriors",
    "digit_classifier",
    "elbo",
    "elbo_surgery",
    "encode_all",
    "exact_log_likelihood",
    "fisher_metric",
    "generated_digits",
    "importance_log_likelihood",
    "latent_grid",
    "measure_grid",
    "one_unit_state",
    "posterior_moments",
    "rescale_latent",
    "second_threshold",
]
