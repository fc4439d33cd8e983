"""Issue warnings that point at the reader's own line, however deep in the library they arise."""

import sys
import warnings

__all__ = ["warn"]


def warn(message: str) -> None:
    """Issue a `UserWarning` at the nearest caller outside of vaelib.

    Args:
        message: what happened and what to do.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, stacklevel=level + 1)
