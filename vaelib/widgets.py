"""The chapters' pictures, live: for Jupyter and Colab, with the JavaScript of the book's own pages."""

import sys

import anywidget
import traitlets

from . import live

__all__ = ["draw_a_digit", "latent_explorer", "posterior_film"]


def posterior_film(results):
    """The posteriors of training, one after another: several runs side by side, on one scale.

    Args:
        results: dict from a label, such as "kl_wt 1e-3 (β = 0.784)", to the `RunResult` of a run with two latent
            dimensions.

    Returns:
        The widget that a notebook displays. Choose an epoch of those that were kept, pull or play its batches.

    Raises:
        ValueError: if there are no results, or they cannot stand side by side.

    Used in chapters 06 and 10.
    """
    return _Picture(kind="film", data=live.film_data(results))


def latent_explorer(models, x, labels):
    """A point that moves over the latent plane, among the posteriors of images, decoded by several models.

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
    return _Picture(kind="explorer", data=live.latent_data(models, x, labels))


def draw_a_digit(models, x, labels):
    """A square to draw a digit in: what several models believe about it, decode of it, and what that costs.

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
    return _Picture(kind="draw", data=live.latent_data(models, x, labels))


class _Picture(anywidget.AnyWidget):
    """A live picture in a notebook. All of its data goes to the browser, which then needs no kernel."""

    _esm = live.script("widget")
    _css = live.style()
    kind = traitlets.Unicode().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)

    def __init__(self, **kwargs):
        # Colab shows widgets other than ipywidgets' own only when asked to.
        if "google.colab" in sys.modules:
            from google.colab import output

            output.enable_custom_widget_manager()
        super().__init__(**kwargs)
