"""Read what a reader trained in the page "Train it here"."""

import zipfile
from pathlib import Path

import numpy as np

from ..models import PosteriorTrace
from ..networks import dense_vae
from .fit import Run

__all__ = ["load_download"]

_NUM_WEIGHTS = 10


def load_download(file: str | Path) -> Run:
    """Return what a reader trained in the page "Train it here", from the file that its button Download wrote.

    Args:
        file: the npz file.

    Returns:
        A `Run`: a built `dense_vae` with the trained weights, not compiled; the history, whose "distortion", "rate" and
        "beta" are of the training digits, and "val_distortion" and "val_rate" of 2,000 test digits; and the posteriors
        of the last epoch that the page showed.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is another file.
    """
    try:
        with np.load(file, allow_pickle=False) as archive:
            parts = {name: archive[name] for name in archive.files}
        beta, hidden_dim = parts["settings"]
        posteriors = parts["posteriors"].astype("float32")
        weights = [parts[f"weights/{i}"] for i in range(_NUM_WEIGHTS)]
        history = {name[8:]: values.tolist() for name, values in parts.items() if name.startswith("history/")}
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"load_download expects a file that the page wrote, {file} is another: {error}.") from error
    model = dense_vae(latent_dim=2, hidden_dim=int(hidden_dim), beta=float(beta))
    for variable, values in zip(model.trainable_variables, weights, strict=True):
        variable.assign(values)
    trace = PosteriorTrace(posteriors[:, :2], posteriors[:, 2:])
    return Run(model, history, {len(history["beta"]): trace})
