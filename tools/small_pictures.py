"""Make the pictures of a chapter small: PNGs by a palette, SVGs by ellipses that are written as such.

Takes and returns what a notebook keeps: base64 for a PNG, text for an SVG.
"""

import base64
import io
import itertools
import re

import numpy as np
from PIL import Image

COVER_SIZE = 480
# Keep all colours where a palette of 256 would be off by more than this, of 255, on the root of the mean square.
MAX_ERROR = 3.5
# Match an ellipse as matplotlib writes it, a closed path of eight Bézier curves, and nothing else.
_NUMBER = r"-?[\d.]+"
_POINT = rf"{_NUMBER} {_NUMBER}\s+"
_ELLIPSE = re.compile(
    rf'<path d="M ({_POINT}(?:C (?:{_POINT}){{3}}){{8}})L {_POINT}z\s+" '
    r'clip-path="(url\(#\w+\))" style="fill: none; stroke: (#\w+); stroke-width: ([\d.]+)"/>'
)


def small_png(png):
    """Return a PNG in fewer bytes: with a palette where 256 colours are enough for the eye."""
    content = base64.b64decode(png)
    picture = Image.open(io.BytesIO(content))
    if picture.convert("RGBA").getextrema()[3] != (255, 255):
        return png
    picture = picture.convert("RGB")
    reduced = picture.quantize(256, dither=Image.Dither.NONE)
    error = np.asarray(picture, "float32") - np.asarray(reduced.convert("RGB"))
    kept = reduced if np.sqrt(np.mean(error**2)) <= MAX_ERROR else picture
    return base64.b64encode(min(content, _written(kept), key=len)).decode()


def small_svg(svg):
    """Return an SVG without its date, with small PNGs, and with ellipses, to 0.01 points, in place of their paths."""
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(?<=data:image/png;base64,)[^"]+', lambda png: small_png(png.group()), svg)
    return re.sub(r"\s+", " ", re.sub(rf"(?:{_ELLIPSE.pattern}\s*)+", _ellipses, svg))


def _ellipses(match):
    """Write ellipses that stand one after another, with what they have in common said once."""
    groups = itertools.groupby(_ELLIPSE.findall(match.group()), key=lambda ellipse: ellipse[1::2])
    return "".join(
        f'<g fill="none" stroke-width="{width}" clip-path="{clip}">{"".join(map(_ellipse, members))}</g>'
        for (clip, width), members in groups
    )


def _ellipse(ellipse):
    path, _, colour, _ = ellipse
    points = np.array(re.findall(_NUMBER, path), "float64").reshape(-1, 2)
    (x, y), (rx, ry) = (points.max(axis=0) + points.min(axis=0)) / 2, np.ptp(points, axis=0) / 2
    return f'<ellipse cx="{x:.2f}" cy="{y:.2f}" rx="{rx:.2f}" ry="{ry:.2f}" stroke="{colour}"/>'


def cover(png):
    """Return the bytes of a PNG that is small enough for a chapter's head, the front page and the README."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    picture.thumbnail((COVER_SIZE, COVER_SIZE))
    return _written(picture.quantize(256))


def _written(picture):
    file = io.BytesIO()
    picture.save(file, format="png", optimize=True)
    return file.getvalue()
