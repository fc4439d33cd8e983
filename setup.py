"""Give the package the README as its description, with links that lead to the repository from wherever it is shown."""

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
PICTURES = (".png", ".svg")


def described(readme, files):
    """Return a README whose relative links lead to where the files of the repository are shown."""
    pictures = files.replace("/blob/", "/raw/")
    return re.sub(
        r"(?<=\]\()(?!https?:|#)[^)\s]+",
        lambda link: (pictures if link[0].endswith(PICTURES) else files) + link[0],
        readme,
    )


project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
setup(
    long_description=described(
        (ROOT / "README.md").read_text(encoding="utf-8"), project["urls"]["Changelog"].removesuffix("CHANGELOG.md")
    ),
    long_description_content_type="text/markdown",
)
