"""Show progress bars with the time left."""

import os
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

__all__ = ["bars_are_hidden", "progress_bar"]


def progress_bar(
    iterable: Iterable[Any] | None = None, desc: str | None = None, verbose: bool = True, **settings: Any
) -> "tqdm[Any]":
    """Return a tqdm bar that is hidden by verbose=False, and everywhere by TQDM_DISABLE=1.

    Args:
        iterable: None, or what to go through.
        desc: None, or what stands before the bar.
        verbose: whether to show it.
        settings: tqdm's others.

    Returns:
        The bar: an iterator, and a context manager.
    """
    # Leave `disable` out where it is not needed: only then does tqdm read the variable.
    if not verbose:
        settings["disable"] = True
    return tqdm(iterable=iterable, desc=desc, **settings)


def bars_are_hidden() -> bool:
    """Tell whether TQDM_DISABLE hides all bars."""
    return bool(os.environ.get("TQDM_DISABLE"))
