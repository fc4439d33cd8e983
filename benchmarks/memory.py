"""Print how much memory training takes: the peak of this process after each stage.

python benchmarks/memory.py
"""

import importlib
import resource
import sys


def main():
    """Import, load, train one epoch, and print the peak after each."""
    report("Python")
    tensorflow = importlib.import_module("tensorflow")
    report(f"import tensorflow {tensorflow.__version__}")
    vaelib = importlib.import_module("vaelib")
    report("import vaelib")
    digits = vaelib.load_mnist()
    report(f"load_mnist, {(digits.x_train.nbytes + digits.x_test.nbytes) / 1e6:.0f} MB of images")
    model = vaelib.dense_vae(beta=0.784)
    model.compile(optimizer="rmsprop")
    vaelib.fit(model, digits.x_train, digits.x_test, verbose=False)
    report("fit, one epoch with validation")


def report(stage):
    """Print the peak so far."""
    # macOS counts in bytes, Linux in kilobytes.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit:7.0f} MB  {stage}", flush=True)


if __name__ == "__main__":
    main()
