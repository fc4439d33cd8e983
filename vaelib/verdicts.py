"""A claim, a table of claims, and the table as a reader sees it."""

from typing import NamedTuple

import numpy as np

__all__ = ["Claim", "ClaimTable", "claims_table"]

_RELATIONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
_HEADER = "| no. | who says it | claim | held to | measured | verdict |\n|---|---|---|---|---|---|\n"


class Claim(NamedTuple):
    """A statistic, the threshold that it is held to, and what came out."""

    number: str
    says: str
    """Whose claim it is, "original" or "theory"."""
    statement: str
    threshold: str
    values: tuple
    """One per seed, or per group of runs."""
    passed: bool
    """Whether all values keep to the threshold."""


class ClaimTable:
    """Claims of one side, row by row."""

    def __init__(self, says):
        self.says, self.claims = says, []

    def add(self, number, statement, statistic, threshold, values, holds=None):
        """A row; without holds, every value is compared with the threshold, such as "< 0.1"."""
        if holds is None:
            relation, limit = threshold.split()
            holds = _RELATIONS[relation](values, float(limit))
        passed = bool(np.all(holds))
        self.claims.append(
            Claim(number, self.says, statement, f"{statistic} {threshold}".strip(), tuple(values), passed)
        )


def claims_table(claims):
    """Claims as a Markdown table: who says what, what it is held to, what was measured, and the verdict.

    Args:
        claims: list of `Claim`.

    Returns:
        A string, for `IPython.display.Markdown`.

    Used in chapter 07.
    """
    return _HEADER + "\n".join(map(_row, claims))


def _row(claim):
    verdict = "pass" if claim.passed else "**fail**"
    cells = claim.number, claim.says, claim.statement, claim.threshold
    text = " | ".join(cell.replace("|", "\\|") for cell in cells)
    return f"| {text} | {_in_words(claim.values)} | {verdict} |"


def _in_words(values):
    """The range of numbers; groups of numbers one by one."""
    if isinstance(values[0], tuple):
        return "; ".join(", ".join(f"{number:.3g}" for number in group) for group in values)
    return " to ".join(dict.fromkeys(f"{f(values):.3g}" for f in (min, max)))
