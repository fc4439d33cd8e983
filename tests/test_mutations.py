"""The oracles of the losses have teeth: whatever goes wrong in a formula, at least one of them fails."""

import inspect
import types

import oracles
import pytest

from vaelib import losses

SOURCE = inspect.getsource(losses)

# name: (what stands in losses.py, what stands in the mutant)
MUTATIONS = {
    "KL negated": ("return 0.5 * ops.sum(", "return -0.5 * ops.sum("),
    "KL without its factor 1/2": ("return 0.5 * ops.sum(", "return ops.sum("),
    "KL averaged over latents": ("0.5 * ops.sum(ops.square", "0.5 * ops.mean(ops.square"),
    "KL summed over the batch": ("- z_log_var, axis=-1)", "- z_log_var, axis=0)"),
    "KL summed over everything": ("- z_log_var, axis=-1)", "- z_log_var)"),
    "means not squared": ("ops.square(z_mean) +", "ops.abs(z_mean) +"),
    "means subtracted": ("ops.square(z_mean) +", "-ops.square(z_mean) +"),
    "means halved twice": ("ops.square(z_mean) +", "0.5 * ops.square(z_mean) +"),
    "variances subtracted": ("+ ops.expm1(z_log_var)", "- ops.expm1(z_log_var)"),
    "log-variances added": ("- z_log_var, axis", "+ z_log_var, axis"),
    "the 1 forgotten": ("ops.expm1(z_log_var)", "ops.exp(z_log_var)"),
    "the 1 subtracted after rounding": ("ops.expm1(z_log_var)", "ops.exp(z_log_var) - 1.0"),
    "log-variance for log-standard-deviation": (
        "ops.expm1(z_log_var) - z_log_var",
        "ops.expm1(2.0 * z_log_var) - 2.0 * z_log_var",
    ),
    "standard deviation for variance": ("ops.expm1(z_log_var)", "ops.expm1(0.5 * z_log_var)"),
    "distortion negated": ("return ops.sum(ops.softplus(", "return -ops.sum(ops.softplus("),
    "distortion averaged over pixels": ("return ops.sum(ops.softplus(", "return ops.mean(ops.softplus("),
    "distortion summed over the batch": ("range(1, len(x.shape))", "range(0, len(x.shape))"),
    "distortion summed over one axis": ("axis=pixels)", "axis=-1)"),
    "softplus of minus the logits": ("ops.softplus(x_logits)", "ops.softplus(-x_logits)"),
    "pixels added": ("ops.softplus(x_logits) - x *", "ops.softplus(x_logits) + x *"),
    "black for white": ("- x * x_logits", "- (1.0 - x) * x_logits"),
    "softplus that overflows": ("ops.softplus(x_logits)", "ops.log(1.0 + ops.exp(x_logits))"),
    "half precision kept": ('ops.cast(values, "float32")', "values"),
    "double precision lost": ('== "float64" else', '== "bfloat16" else'),
    "beta_from_kl_wt divides": ('kl="sum", num_pixels=num_pixels)', 'kl="sum", num_pixels=1) / num_pixels'),
    "beta_from_kl_wt averages the KL": (
        'kl="sum", num_pixels=num_pixels)',
        'kl="mean", num_pixels=num_pixels)',
    ),
    "effective_beta multiplies by the latents": ("/ (latent_dim", "* (latent_dim"),
    "effective_beta divides by the pixels": ("* (num_pixels", "/ (num_pixels"),
    "effective_beta mistakes sum for mean": (
        'num_pixels if distortion == "mean"',
        'num_pixels if distortion == "sum"',
    ),
    "effective_beta ignores the mean over latents": ('latent_dim if kl == "mean" else 1', "1"),
}


def _some_oracle_fails(source):
    """Whether a version of losses.py disagrees with an oracle; to crash does not count."""
    module = types.ModuleType("mutant")
    exec(compile(source, "mutant.py", "exec"), module.__dict__)  # noqa: S102
    try:
        for check in oracles.ORACLES:
            check(module)
    except AssertionError:
        return True
    return False


def test_no_oracle_fails_on_the_source_as_it_stands():
    assert not _some_oracle_fails(SOURCE)


@pytest.mark.parametrize(("right", "wrong"), MUTATIONS.values(), ids=MUTATIONS.keys())
def test_an_oracle_fails_on(right, wrong):
    assert SOURCE.count(right) == 1, f"losses.py no longer holds exactly one {right!r}"
    assert _some_oracle_fails(SOURCE.replace(right, wrong))
