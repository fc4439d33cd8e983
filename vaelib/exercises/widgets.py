"""Show exercises in Jupyter and Colab, with the JavaScript of the book's own pages."""

import sys
from typing import Any

from ..live.base import LiveWidget
from .questions import exercise_data, script, style, text_of

__all__ = ["ask", "intuition", "predict"]


def predict(chapter: str) -> LiveWidget:
    """Show what a chapter lets its reader predict, before the cells run that answer.

    Args:
        chapter: its number, such as "03".

    Returns:
        The widget that a notebook displays. It keeps what is predicted in the browser and compares it when asked to.

    Raises:
        ValueError: if the chapter has no questions.
    """
    return _Exercise(kind="predict", data=exercise_data("predict", chapter))


def ask(chapter: str) -> LiveWidget:
    """Show the questions of a chapter whose answers are chosen.

    Args:
        chapter: its number, such as "03".

    Returns:
        The widget that a notebook displays. A wrong answer gets a hint that fits it, the right one its reason.

    Raises:
        ValueError: if the chapter has no questions.
    """
    return _Exercise(kind="ask", data=exercise_data("ask", chapter))


def intuition() -> LiveWidget:
    """Show what was predicted in all chapters beside what came out, on one axis.

    Returns:
        The widget that a notebook displays. It draws what this browser has kept.

    Used in chapter 14.
    """
    return _Exercise(kind="intuition", data=exercise_data("intuition"))


class _Exercise(LiveWidget):
    """Show an exercise in a notebook. All of its data goes to the browser, which then needs no kernel."""

    _esm = script("widget")
    _css = style()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Add the questions as text, for a program that has no widgets, and for a notebook without a kernel."""
        data, about = super()._repr_mimebundle_(**kwargs) or ({}, {})
        data["text/plain"] = str(self.data["title"])
        # Leave it out in Colab: we do not know whether it would be shown in place of the widget.
        if "google.colab" not in sys.modules:
            data["text/markdown"] = text_of(self.data)
        return data, about
