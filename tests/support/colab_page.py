"""Reproduce what Colab's page says to its cells: the variables of its style sheet."""

# What Colab's page defines in its dark theme; its widget manager has Jupyter's variables of the light one.
COLAB = """
:root { --jp-content-font-color1: #000; --jp-layout-color0: #fff; --jp-layout-color2: #eee; --jp-border-color1: #bbb; }
html[theme=dark] {
  --colab-primary-text-color: #d5d5d5; --colab-secondary-surface-color: #383838; background: #383838;
}
"""


def set_theme(page, theme):
    """Give a page Colab's theme, "light" or "dark"; its style sheet is to be in the page."""
    page.evaluate("theme => document.documentElement.setAttribute('theme', theme)", theme)
