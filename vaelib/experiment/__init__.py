"""Train the runs of the book once, keep them, measure them, and hold its claims, and anybody's code, to numbers."""

from .checks import (
    check_collapse,
    check_headline,
    check_inference_gap,
    check_paired,
    check_sweep,
)
from .claims import Claim, claims_table
from .equilibrium import NoiseBalance
from .evaluations import elbo_of_run, log_likelihood_of_run, noise_balance_of_run
from .expected import you_should_see
from .key_numbers import beside_other_seeds
from .properties import (
    assert_apart,
    assert_beta,
    assert_bound,
    assert_distortion,
    assert_draws_pixels,
    assert_draws_posterior,
    assert_grid,
    assert_history,
    assert_kl,
    assert_weight_acts,
)
from .runs import train_or_load, trained_model
from .spec import RunSpec
from .statistics import generation_score, num_digits, paired_difference, rates_by_dimension
from .store import RunResult, list_runs, load_run
from .sweep import sweep
from .tensorboard import write_tensorboard_logs

__all__ = [
    "Claim",
    "NoiseBalance",
    "RunResult",
    "RunSpec",
    "assert_apart",
    "assert_beta",
    "assert_bound",
    "assert_distortion",
    "assert_draws_pixels",
    "assert_draws_posterior",
    "assert_grid",
    "assert_history",
    "assert_kl",
    "assert_weight_acts",
    "beside_other_seeds",
    "check_collapse",
    "check_headline",
    "check_inference_gap",
    "check_paired",
    "check_sweep",
    "claims_table",
    "elbo_of_run",
    "generation_score",
    "list_runs",
    "load_run",
    "log_likelihood_of_run",
    "noise_balance_of_run",
    "num_digits",
    "paired_difference",
    "rates_by_dimension",
    "sweep",
    "train_or_load",
    "trained_model",
    "write_tensorboard_logs",
    "you_should_see",
]
