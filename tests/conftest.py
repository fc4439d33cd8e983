"""Share fixtures among test files: real digits, clean figures, Keras' default precision."""

import os
import sys
import tempfile

os.environ["MPLBACKEND"] = "Agg"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TQDM_DISABLE"] = "1"
# Let processes of their own hold back what they write, as Python does unless the shell says otherwise.
os.environ.pop("PYTHONUNBUFFERED", None)
# Compile quickly rather than well: most tests compile for seconds what then runs for a fraction of one.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
# Compile each program once: all processes of a session, pytest-xdist's too, inherit the folder that keeps them.
if "TF_XLA_FLAGS" not in os.environ:
    COMPILED = tempfile.TemporaryDirectory(prefix="compiled-")
    os.environ["TF_XLA_FLAGS"] = f'--tf_xla_persistent_cache_directory="{COMPILED.name}"'

import warnings

import hypothesis
import pytest
from browsing import browser, html, models, pictures, site, specs  # noqa: F401 (fixtures)
from skipped import pytest_terminal_summary  # noqa: F401 (a hook)

# Import TensorFlow, Keras and vaelib in the fixtures only: they take seconds, and the process that hands out the tests
# needs none of them.

# Do without the grammar of international addresses, which jsonschema, and so nbformat, compiles for seconds at import.
sys.modules["rfc3987_syntax"] = None

# No deadline: a busy machine is no bug. Always the same examples: neither is bad luck.
hypothesis.settings.register_profile("vaelib", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("vaelib")


def pytest_addoption(parser):
    """Let whoever wants to look at the book ask for pictures of it."""
    parser.addoption("--screenshots", action="store_true", help="leave pictures of every page in _build/screenshots")


def pytest_collection_modifyitems(items):
    """Mark as slow what needs the built book or a browser."""
    for item in items:
        if {"browser", "html", "site", "pictures"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def digits():
    """Return what `load_mnist` finds on this machine: 70,000 real digits, or 5,000."""
    from vaelib import load_mnist

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load_mnist()


@pytest.fixture(scope="session")
def x_train_full(digits):
    """Return the 60,000 training images, of which published numbers are."""
    if len(digits.x_train) != 60_000:
        pytest.skip(f"needs the full MNIST, found {digits.source}: set VAELIB_MNIST")
    return digits.x_train


@pytest.fixture(scope="session")
def small(digits):
    """2,000 real digits to train on, 500 to test on."""
    return digits._replace(
        x_train=digits.x_train[:2000],
        y_train=digits.y_train[:2000],
        x_test=digits.x_test[:500],
        y_test=digits.y_test[:500],
    )


@pytest.fixture(scope="session")
def images(small):
    """70 real digits: with batches of 32, the last one is smaller."""
    return small.x_train[:70]


@pytest.fixture
def ax():
    """Return empty Axes in a figure of their own."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


@pytest.fixture
def mixed_precision():
    """Float16 computations for the length of a test."""
    import keras

    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")
