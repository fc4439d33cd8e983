"""Load saved models in another process, and write down what they compute."""

import keras
import numpy as np


def compute(folder, names):
    """Write, for each saved model in a folder, what it makes of the images there."""
    with np.load(folder / "inputs.npz") as inputs:
        images, noise = inputs["images"], inputs["noise"]
    for name in names:
        model = keras.saving.load_model(folder / f"{name}.keras", safe_mode=True)
        np.savez(folder / name, *model(images, noise=noise))
