"""Progress bars with the time left."""

from tqdm import tqdm

__all__ = ["progress_bar"]


def progress_bar(iterable=None, desc=None, verbose=True, **settings):
    """A tqdm bar that is hidden by verbose=False, and everywhere by TQDM_DISABLE=1.

    Args:
        iterable: None, or what to go through.
        desc: None, or what stands before the bar.
        verbose: whether to show it.
        settings: tqdm's others.

    Returns:
        The bar: an iterator, and a context manager.
    """
    # tqdm reads the variable only where `disable` is not given.
    if not verbose:
        settings["disable"] = True
    return tqdm(iterable=iterable, desc=desc, **settings)
