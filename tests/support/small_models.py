"""Make small models that start from the same weights every time."""

import keras

import vaelib


def small_vae(optimizer="rmsprop", jit_compile=False, seed=0, **settings):
    """Return a compiled model of 8 hidden units; without XLA, which takes seconds to compile."""
    keras.utils.set_random_seed(seed)
    model = vaelib.dense_vae(**{"hidden_dim": 8, **settings})
    model.compile(optimizer=optimizer, jit_compile=jit_compile)
    return model
