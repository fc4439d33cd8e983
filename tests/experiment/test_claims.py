"""Hold values to the limits of claims, and print both."""

import pytest

from vaelib.experiment import Claim, claims_table


def claim(relation, limit, *values):
    return Claim("1", "theory", "it is so", "nats", relation, limit, values)


@pytest.mark.parametrize(
    ("relation", "limit", "values", "passed"),
    [
        ("<", 5, (4.9, 1), True),
        ("<", 5, (4.9, 5), False),
        ("<=", 5, (5, 4), True),
        ("<=", 5, (5.1,), False),
        (">", 5, (5.1, 6), True),
        (">", 5, (6, 5), False),
        (">=", 5, (5, 6), True),
        (">=", 5, (4.9, 6), False),
        ("=", 469, (469, 469), True),
        ("=", 469, (469, 468), False),
        ("=", (2, 2, 0), ((2, 2, 0), (2, 2, 0)), True),
        ("=", (2, 2, 0), ((2, 2, 0), (2, 1, 0)), False),
        ("in", (1, 2), (1, 1.5, 2), True),
        ("in", (1, 2), (0.9, 1.5), False),
        ("in", (1, 2), (1.5, 2.1), False),
        ("inside", (-1, 1), ((-0.9, 0.9),), True),
        ("inside", (-1, 1), ((-1, 0.9),), False),
        ("inside", (-1, 1), ((-0.9, 1),), False),
        ("above", 1, ((1.1, 9),), True),
        ("above", 1, ((1, 9),), False),
        ("falls", None, ((9, 8, 1), (8, 8, 0)), True),
        ("falls", None, ((8, 9, 1),), False),
        ("falls", None, ((9, 1, 1),), False),
        ("<", 5, (float("nan"),), False),
        ("in", (1, 2), (float("nan"),), False),
    ],
)
def test_a_claim_passes_if_every_value_keeps_to_the_limit(relation, limit, values, passed):
    assert claim(relation, limit, *values).passed is passed


def test_values_are_taken_from_whatever_yields_them():
    assert claim("<", 5).with_values(map(float, "123")).values == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("relation", "limit", "words"),
    [
        ("<", 0.05, "nats < 0.05"),
        (">=", 0.05836, "nats >= 0.05836"),
        ("=", (2, 2, 0), "nats = 2, 2, 0"),
        ("in", (0.2623, 0.2633), "nats in 0.2623 to 0.2633"),
        ("inside", (-1, 1), "nats inside -1 to 1"),
        ("above", 1, "nats above 1"),
        ("falls", None, "nats"),
    ],
)
def test_what_it_is_held_to_is_printed(relation, limit, words):
    assert claim(relation, limit).held_to == words


def test_the_table_is_markdown_with_values_and_groups():
    claims = [
        Claim("1", "original", "|mu| is small", "|mu|", "<", 5, (1.0, 2.5, 2.0)),
        Claim("2", "theory", "units", "active", "=", (2, 0), ((2, 0), (1, 0)), limit_by="it"),
        Claim("3", "theory", "exact", "nats", "=", 4, (4.0,) * 6),
    ]
    head, line, first, second, third = claims_table(claims).splitlines()
    assert head == "| no. | who says it | claim | held to | limit by | values, by seed | verdict |"
    assert line.count("|") == head.count("|")
    assert first == r"| 1 | original | \|mu\| is small | \|mu\| < 5 | us | 1, 2.5, 2 | pass |"
    assert second == "| 2 | theory | units | active = 2, 0 | it | 2, 0; 1, 0 | **fail** |"
    assert third == "| 3 | theory | exact | nats = 4 | us | 4 to 4 (6 runs) | pass |"


@pytest.mark.parametrize(("value", "verdict"), [(0.94, "**fail**; at 0.99 **fail**"), (0.97, "pass; at 0.99 **fail**")])
def test_a_stricter_reading_stands_beside_the_verdict(value, verdict):
    row = Claim("1", "original", "nearly all", "share", ">=", 0.95, (value,), stricter=0.99)
    assert claims_table([row]).splitlines()[-1].endswith(f"| {verdict} |")
    assert row.passed is (value >= 0.95)
