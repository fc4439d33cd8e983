"""Prove that the oracles of the losses have teeth: whatever goes wrong in a formula, at least one of them fails."""

import ast
import inspect
import types

import oracles
import pytest

from vaelib import losses

TREE = ast.parse(inspect.getsource(losses))
KL, PER_DIM, BOUND = "gaussian_kl", "gaussian_kl_per_dim", "negative_elbo"
DISTORTION, BETA = "bernoulli_distortion", "effective_beta"
TERMS = "ops.square(z_mean) + ops.expm1(z_log_var) - z_log_var"

# name: (a function, an expression in it, a wrong one in its place)
MUTATIONS = {
    "KL negated": (KL, "0.5", "-0.5"),
    "KL without its factor 1/2": (KL, "0.5", "1.0"),
    "KL averaged over latents": (KL, "ops.sum", "ops.mean"),
    "KL summed over the batch": (KL, "-1", "0"),
    "KL summed over everything": (KL, "-1", "None"),
    "means not squared": (KL, "ops.square(z_mean)", "ops.abs(z_mean)"),
    "means subtracted": (KL, "ops.square(z_mean)", "-ops.square(z_mean)"),
    "means halved twice": (KL, "ops.square(z_mean)", "0.5 * ops.square(z_mean)"),
    "variances subtracted": (KL, "ops.expm1(z_log_var)", "-ops.expm1(z_log_var)"),
    "log-variances added": (KL, TERMS, "ops.square(z_mean) + ops.expm1(z_log_var) + z_log_var"),
    "the 1 forgotten": (KL, "ops.expm1", "ops.exp"),
    "the 1 subtracted after rounding": (KL, "ops.expm1(z_log_var)", "ops.exp(z_log_var) - 1.0"),
    "log-variance for log-standard-deviation": (
        KL,
        TERMS,
        "ops.square(z_mean) + ops.expm1(2.0 * z_log_var) - 2.0 * z_log_var",
    ),
    "standard deviation for variance": (KL, "ops.expm1(z_log_var)", "ops.expm1(0.5 * z_log_var)"),
    "variances of other dimensions": (
        PER_DIM,
        "ops.reshape(z_log_var, (-1, 1))",
        "ops.reshape(z_log_var[:, ::-1], (-1, 1))",
    ),
    "distortion weighed instead of the rate": (BOUND, "distortion + beta * rate", "beta * distortion + rate"),
    "rate subtracted": (BOUND, "distortion + beta * rate", "distortion - beta * rate"),
    "weight forgotten": (BOUND, "beta * rate", "rate"),
    "distortion negated": (
        DISTORTION,
        "ops.softplus(x_logits) - x * x_logits",
        "x * x_logits - ops.softplus(x_logits)",
    ),
    "distortion averaged over pixels": (DISTORTION, "ops.sum", "ops.mean"),
    "distortion summed over the batch": (DISTORTION, "range(1, len(x.shape))", "range(0, len(x.shape))"),
    "distortion summed over one axis": (DISTORTION, "tuple(range(1, len(x.shape)))", "-1"),
    "softplus of minus the logits": (DISTORTION, "ops.softplus(x_logits)", "ops.softplus(-x_logits)"),
    "pixels added": (DISTORTION, "x * x_logits", "-x * x_logits"),
    "black for white": (DISTORTION, "x * x_logits", "(1.0 - x) * x_logits"),
    "softplus that overflows": (DISTORTION, "ops.softplus(x_logits)", "ops.log(1.0 + ops.exp(x_logits))"),
    "half precision kept": ("_real", "ops.cast(tensor, dtype)", "tensor"),
    "double precision lost": ("_real", "'float64' if 'float64' in dtypes else 'float32'", "'float32'"),
    "beta_from_kl_wt divides": ("beta_from_kl_wt", "kl_wt", "kl_wt / num_pixels**2"),
    "beta_from_kl_wt averages the KL": ("beta_from_kl_wt", "'sum'", "'mean'"),
    "kl_wt_from_beta multiplies": ("kl_wt_from_beta", "beta / num_pixels", "beta * num_pixels"),
    "effective_beta multiplies by the latents": (BETA, "latent_dim if kl == 'mean' else 1", "1 / latent_dim"),
    "effective_beta divides by the pixels": (BETA, "num_pixels if distortion == 'mean' else 1", "1 / num_pixels"),
    "effective_beta mistakes sum for mean": (BETA, "distortion == 'mean'", "distortion == 'sum'"),
    "effective_beta ignores the mean over latents": (BETA, "latent_dim if kl == 'mean' else 1", "1"),
}


class _Swap(ast.NodeTransformer):
    """Put one expression in place of another, wherever it stands in what a function computes."""

    def __init__(self, right, wrong):
        self.right, self.wrong, self.count = right, ast.parse(wrong, mode="eval").body, 0

    def visit(self, node):
        if isinstance(node, ast.expr) and ast.unparse(node) == self.right:
            self.count += 1
            return self.wrong
        # Leave annotations and messages alone.
        return node if isinstance(node, ast.arguments | ast.Raise) else self.generic_visit(node)


def _mutant(function, right, wrong):
    """Return losses.py as a tree in which one function is wrong."""
    tree, swap = ast.parse(ast.unparse(TREE)), _Swap(right, wrong)
    (found,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    found.body = [found.body[0], *(swap.visit(statement) for statement in found.body[1:])]
    assert swap.count, f"{function} no longer computes {right}"
    return ast.fix_missing_locations(tree)


def _some_oracle_fails(tree):
    """Tell whether a version of losses.py disagrees with an oracle; to crash does not count."""
    module = types.ModuleType("vaelib.mutant")
    module.__package__ = "vaelib"
    exec(compile(tree, "mutant.py", "exec"), module.__dict__)  # noqa: S102
    try:
        for check in oracles.ORACLES:
            check(module)
    except AssertionError:
        return True
    return False


@pytest.mark.slow
def test_no_oracle_fails_on_the_source_as_it_stands():
    assert not _some_oracle_fails(TREE)


@pytest.mark.parametrize(("function", "right", "wrong"), MUTATIONS.values(), ids=MUTATIONS.keys())
def test_an_oracle_fails_on(function, right, wrong):
    assert _some_oracle_fails(_mutant(function, right, wrong))
