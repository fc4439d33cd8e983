"""Train a model with many steps in one compiled program, keep each batch's posterior, and resume after a kill."""

from .download import load_download
from .fit import Run, fit

__all__ = ["Run", "fit", "load_download"]
