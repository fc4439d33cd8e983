"""The training loop is a TensorFlow graph, so Keras must run on TensorFlow: say so before anything else fails."""

import os

_CURE = (
    'put os.environ["KERAS_BACKEND"] = "tensorflow" before the first `import keras` '
    "(in a notebook: restart the kernel first)."
)

try:
    import keras
except ModuleNotFoundError as error:
    # Keras imports its backend; another backend that is not installed ends here.
    if error.name in ("jax", "torch", "openvino"):
        # Not always the module that is missing: Keras' NumPy backend imports JAX.
        backend = os.environ.get("KERAS_BACKEND", error.name)
        raise ValueError(f"vaelib needs Keras on TensorFlow, but Keras is set to {backend!r}: {_CURE}") from error
    raise

if keras.backend.backend() != "tensorflow":
    raise ValueError(f"vaelib needs Keras on TensorFlow, but Keras runs on {keras.backend.backend()!r}: {_CURE}")
