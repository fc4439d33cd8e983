"""Read what is written in a figure."""

import re


def texts(ax):
    """Return all that stands in a picture, as one text."""
    return "\n".join(text.get_text() for text in [*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label])


def numbers_after(name, text):
    """Return the numbers that follow a name."""
    return [float(number) for number in re.findall(rf"{re.escape(name)} (-?[\d.]+)", text.replace("−", "-"))]
