"""Race Keras' own fit, with XLA and 64 steps per call."""

from keras_fit import main

main(jit_compile=True, steps_per_execution=64)
