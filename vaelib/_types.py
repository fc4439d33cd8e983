"""Name the types that annotations share."""

from collections.abc import Callable
from typing import Any, TypeAlias

__all__ = ["Schedule", "Tensor", "TensorLike"]

Tensor: TypeAlias = Any
"""A tensor of Keras' backend, TensorFlow; neither Keras nor TensorFlow ships types for it."""
TensorLike: TypeAlias = Any
"""A tensor, a NumPy array, or what becomes one."""
Schedule: TypeAlias = Callable[[Any], Tensor]
"""A function from the training step to a number, such as those of `vaelib.schedules`."""
