"""Progress bars with the time left."""

from tqdm import tqdm

__all__ = ["progress_bar"]


def progress_bar(*arguments, verbose=True, **settings):
    """A tqdm bar that is hidden by verbose=False, and everywhere by TQDM_DISABLE=1.

    Args:
        arguments: tqdm's own.
        verbose: whether to show it.
        settings: tqdm's own.

    Returns:
        The bar: an iterator, and a context manager.
    """
    # tqdm reads the variable only where `disable` is not given.
    return tqdm(*arguments, **settings) if verbose else tqdm(*arguments, **settings, disable=True)
