"""Check that Keras runs on TensorFlow before anything else fails: the training loop is a TensorFlow graph."""

import os

_CURE = (
    'put os.environ["KERAS_BACKEND"] = "tensorflow" before the first `import keras` '
    "(in a notebook: restart the kernel first)."
)

try:
    import keras
except ModuleNotFoundError as error:
    # Explain a backend that is not installed: Keras imports it.
    if error.name in ("jax", "torch", "openvino"):
        # Ask the variable: the missing module may be another one, as Keras' NumPy backend imports JAX.
        backend = os.environ.get("KERAS_BACKEND", error.name)
        raise ValueError(f"vaelib needs Keras on TensorFlow, but Keras is set to {backend!r}: {_CURE}") from error
    raise

if keras.backend.backend() != "tensorflow":
    raise ValueError(f"vaelib needs Keras on TensorFlow, but Keras runs on {keras.backend.backend()!r}: {_CURE}")
