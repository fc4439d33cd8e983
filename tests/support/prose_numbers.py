"""Find the numbers of a prose that a reader could take for measurements, and look them up in what cells print."""

import re

# Look at every number with a point, and at every whole number of nats or per cent.
NUMBER = re.compile(r"(?<![\w.,/-])\d[\d,]*(?:\.\d+)?(?![\w,]*\d)(?!e-?\d)(?=\.?(?:\W|$))")
PRINTED = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
NOT_PROSE = re.compile(
    r"\$\$.*?\$\$|\$[^$\n]+\$|`[^`]*`|!\[[^\]]*\]\([^)]*\)|(?<=\])\([^)]*\)|<[^>]*>|## Further reading.*", re.DOTALL
)


def numbers_in(text):
    """Return the numbers of a prose that a reader could take for a measurement, as they are written."""
    prose = NOT_PROSE.sub(" ", text)
    found = [(match.group(), prose[match.end() :]) for match in NUMBER.finditer(prose)]
    return [number for number, rest in found if "." in number or re.match(r" (nats?|%)", rest)]


def value(number):
    return float(number.replace(",", ""))


def prints(cell, number):
    """Tell whether a cell prints a number that is this one, or is rounded to it."""
    texts = (output.get("text") or output.get("data", {}).get("text/markdown", "") for output in cell.outputs)
    half = 0.5 * 10.0 ** -len(number.partition(".")[2])
    # Let a half be rounded either way.
    return any(
        abs(value(printed) - value(number)) <= half * (1 + 1e-9) for text in texts for printed in PRINTED.findall(text)
    )
