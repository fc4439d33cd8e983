"""Show the live pictures in Jupyter and Colab, with the JavaScript of the book's own pages."""

import html
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import metadata
from typing import Any

import anywidget
from numpy.typing import ArrayLike

from ..models import VAE
from . import data
from .base import LiveWidget
from .film import film_data
from .training import training_parts

__all__ = ["draw_a_digit", "kl_overlap", "latent_explorer", "posterior_film", "train_here"]

# Look for a picture that a program cannot show on this page of the book.
_PAGES = {
    "film": "notebooks/06_watch_the_posterior",
    "explorer": "notebooks/10_ask_the_model",
    "draw": "notebooks/10_ask_the_model",
    "overlap": "notebooks/02_derive_the_elbo",
    "train": "book/train_it_here",
}


def posterior_film(
    results: Mapping[str, Any],
    x: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    models: Mapping[str, VAE] | None = None,
) -> anywidget.AnyWidget:
    """Show the posteriors of training, one after another: several runs side by side, on one scale.

    Args:
        results: dict from a label, such as "kl_wt 1e-3 (β = 0.784)", to the `RunResult` of a run with two latent
            dimensions.
        x: None, or (n, 28, 28, 1), the images that the runs were trained on: the film shows the one that each
            posterior belongs to, before it was binarised if it was.
        labels: with x, (n,) integers from 0 to 9, which name it.
        models: None, or a dict from the same labels to the trained `VAE`, which decodes the means of the last epoch.

    Returns:
        The widget that a notebook displays. Choose one of the epochs that were kept, pull or play its batches, pick an
        ellipse.

    Raises:
        ValueError: if there are no results, they cannot stand side by side, or there are too few images, labels or
            models.

    Used in chapters 06 and 10.
    """
    return _Picture(kind="film", data=film_data(results, x, labels, models))


def latent_explorer(models: Mapping[str, VAE], x: ArrayLike, labels: ArrayLike) -> anywidget.AnyWidget:
    """Show a point that moves over the latent plane, among the posteriors of images, decoded by several models.

    Args:
        models: dict from a label to a `VAE` of `dense_vae` with two latent dimensions.
        x: (n, 28, 28, 1), images in [0, 1]; their posterior means stand in the plane.
        labels: (n,) integers from 0 to 9, which colour them.

    Returns:
        The widget that a notebook displays. Move over the plane, or use the arrow keys.

    Raises:
        ValueError: if there is no model, one is of another kind, or images and labels do not fit together.

    Used in chapter 10.
    """
    return _Picture(kind="explorer", data=data.latent_data(models, x, labels))


def draw_a_digit(models: Mapping[str, VAE], x: ArrayLike, labels: ArrayLike) -> anywidget.AnyWidget:
    """Show a square to draw a digit in, and what several models believe about it, decode of it, and its cost.

    Args:
        models: as in `latent_explorer`.
        x: likewise; two of each class can be taken in place of a drawing.
        labels: likewise.

    Returns:
        The widget that a notebook displays, with distortion, rate and ELBO in nats.

    Raises:
        ValueError: as `latent_explorer`.

    Used in chapter 10.
    """
    return _Picture(kind="draw", data=data.latent_data(models, x, labels))


def kl_overlap() -> anywidget.AnyWidget:
    """Show a one-dimensional posterior over the prior N(0, 1), whose mean and width can be moved, and the KL in nats.

    Returns:
        The widget that a notebook displays, with the three terms of the KL; `vaelib.plots.draw_kl_overlap` draws one
        such pair.

    Used in chapter 02.
    """
    return _Picture(kind="overlap", data={})


def train_here(
    x: ArrayLike, x_test: ArrayLike, labels: ArrayLike, results: Mapping[str, Any] | None = None
) -> anywidget.AnyWidget:
    """Show a dense VAE that trains in the browser, and whose weight of the KL can be moved while it does.

    Args:
        x: (n, 28, 28, 1), training images in [0, 1], rounded to 8 bits. The browser trains on the first 1,000, the
            first 10,000 or all of them, as the reader chooses.
        x_test: (m, 28, 28, 1), test images, of which up to 2,000 are used, at equal steps.
        labels: (m,) integers from 0 to 9, the classes of x_test.
        results: None, or a dict from a label to the `RunResult` of a run, whose distortion and rate stand beside.

    Returns:
        The widget that a notebook displays. The kernel sends it the images when the reader presses Train, and is not
        asked again.

    Raises:
        ValueError: if there are no images, they are of another shape, or images and labels do not fit together.

    Used in chapter 10.
    """
    digits = data.digits_of(x_test, labels)
    parts = training_parts(x, x_test, labels, results or {})
    return _Training(parts, data={"train-facts": parts["train-facts"](), "digits": digits})


class _Picture(LiveWidget):
    """Show a live picture in a notebook. All of its data goes to the browser, which then needs no kernel."""

    _esm = data.script("widget")
    _css = data.style()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Add what a program shows that has no widgets: a sentence, with a link to the page of the book."""
        data, about = super()._repr_mimebundle_(**kwargs) or ({}, {})
        sentence = "This picture is live where there are widgets, as in JupyterLab and Colab, and on the book's page"
        address = f"{_book()}{_PAGES[self.kind]}.html" if _book() else ""
        data["text/plain"] = f"{sentence}: {address}" if address else f"{sentence}."
        # Leave it out in Colab: we do not know whether it would be shown in place of the widget.
        if address and "google.colab" not in sys.modules:
            data["text/html"] = f'{html.escape(sentence)}: <a href="{address}">{address}</a>'
        return data, about


class _Training(_Picture):
    """Send the kernels and the images when they are asked for, so that a saved notebook holds neither."""

    _esm = data.script("widget", training=True)

    def __init__(self, parts: Mapping[str, Callable[[], dict[str, Any]]], **kwargs: Any) -> None:
        super().__init__(kind="train", **kwargs)
        self._parts = parts
        self.on_msg(self._send_part)

    def _send_part(self, _widget: anywidget.AnyWidget, content: dict[str, Any], _buffers: list[bytes]) -> None:
        name = str(content.get("part"))
        if name in self._parts:
            self.send({"part": name, "value": self._parts[name]()})


def _book() -> str | None:
    """Return the address of the book, if the package says it."""
    urls = dict(line.split(", ", 1) for line in metadata("vaelib").get_all("Project-URL") or [])
    return urls.get("Book")
