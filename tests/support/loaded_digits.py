"""Load MNIST when this is imported: once, in the process from which those of a test are forked."""

import importlib

runs, evaluations = (importlib.import_module(f"vaelib.experiment.{name}") for name in ("runs", "evaluations"))
runs._digits()
evaluations.load_mnist = runs._digits
