"""Make what all widgets of the library share."""

import sys
from typing import Any

import anywidget
import traitlets

__all__ = ["LiveWidget"]


class LiveWidget(anywidget.AnyWidget):
    """Show something in a notebook: the browser gets its kind and its data."""

    kind = traitlets.Unicode().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        # Ask Colab to show widgets other than ipywidgets' own.
        if "google.colab" in sys.modules:
            from google.colab import output

            output.enable_custom_widget_manager()
        super().__init__(**kwargs)
