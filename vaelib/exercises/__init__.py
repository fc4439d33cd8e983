"""Ask the reader: numbers to predict, answers to choose, code to complete, each with a hint that fits the mistake."""

from .tasks import check
from .widgets import ask, intuition, predict

__all__ = ["ask", "check", "intuition", "predict"]
