"""State a claim as a row of data, and a table of claims as a reader sees it."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Claim", "claims_table"]

_HEADER = (
    "| no. | who says it | claim | held to | limit by | values, by seed | verdict |\n|---|---|---|---|---|---|---|\n"
)
# Print so many values one by one, and the range of more.
_FEW = 5


def _falls(counts: tuple[int, ...], limit: None) -> bool:
    return counts[0] >= counts[1] > counts[2]


# Tell whether one value, or one group of values, keeps to a limit.
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
    "=": lambda value, limit: value == limit,
    "in": lambda value, limit: limit[0] <= value <= limit[1],
    "inside": lambda interval, limit: limit[0] < interval[0] and interval[1] < limit[1],
    "above": lambda interval, limit: interval[0] > limit,
    "falls": _falls,
}


class Claim(NamedTuple):
    """State a claim: who says what, the statistic that tests it, the limit that it is held to, and what came out."""

    number: str
    """The number of the claim in the book."""
    says: str
    """Who claims it, "original" or "theory"."""
    statement: str
    """The claim in words."""
    statistic: str
    """The number that is measured, in words, with its unit."""
    relation: str
    """"<", "<=", ">", ">=", "=", "in" (a range), "inside" and "above" (for intervals), or "falls"."""
    limit: Any
    """A number, or the two ends of a range, or a group of numbers; None for "falls"."""
    values: tuple = ()
    """The measured values, one value or group of values per seed or per group of runs."""
    limit_by: str = "us"
    """Who set the limit, "us", or "it" where it stands in the claim's own words."""
    stricter: Any = None
    """A stricter limit, shown beside the one that decides; None for none."""

    def with_values(self, values: Iterable) -> "Claim":
        """Return the claim with what was measured."""
        return self._replace(values=tuple(values))

    @property
    def passed(self) -> bool:
        """Tell whether all values keep to the limit."""
        return self.passed_at(self.limit)

    def passed_at(self, limit: Any) -> bool:
        """Tell whether all values keep to another limit."""
        return all(bool(_RELATIONS[self.relation](value, limit)) for value in self.values)

    @property
    def held_to(self) -> str:
        """Return the statistic and its limit, in words."""
        if self.limit is None:
            return self.statistic
        limit = ", ".join(f"{number:g}" for number in np.atleast_1d(self.limit))
        if self.relation in ("in", "inside"):
            limit = limit.replace(", ", " to ")
        return f"{self.statistic} {self.relation} {limit}"


def claims_table(claims: Iterable[Claim]) -> str:
    """Return claims as a Markdown table: who says what, what it is held to and by whom, the values, and the verdict.

    Args:
        claims: list of `Claim`.

    Returns:
        A string, for `IPython.display.Markdown`.

    Used in chapter 12.
    """
    return _HEADER + "\n".join(map(_row, claims))


def _row(claim: Claim) -> str:
    verdict = _verdict(claim.passed)
    if claim.stricter is not None:
        verdict += f"; at {claim.stricter:g} {_verdict(claim.passed_at(claim.stricter))}"
    cells = claim.number, claim.says, claim.statement, claim.held_to, claim.limit_by
    text = " | ".join(cell.replace("|", "\\|") for cell in cells)
    return f"| {text} | {_in_words(claim.values)} | {verdict} |"


def _verdict(passed: bool) -> str:
    return "pass" if passed else "**fail**"


def _in_words(values: tuple) -> str:
    """Return numbers one by one, or the range of many; and groups of numbers one by one."""
    if isinstance(values[0], tuple):
        return "; ".join(", ".join(f"{number:.3g}" for number in group) for group in values)
    if len(values) <= _FEW:
        return ", ".join(f"{value:.3g}" for value in values)
    return f"{min(values):.3g} to {max(values):.3g} ({len(values)} runs)"
