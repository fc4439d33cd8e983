"""Load MNIST when this is imported: once, in the process from which those of a test are forked."""

import importlib

importlib.import_module("vaelib.experiment.runs").mnist()
