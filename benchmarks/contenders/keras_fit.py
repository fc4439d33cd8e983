"""Race Keras' own fit, at its defaults."""

import keras
import tensorflow as tf
from keras_turns import Turns
from turns import BETA, LATENT_DIM, arguments, say

import vaelib


def main(**compile_arguments):
    """Train until the driver has seen enough."""
    x, batch_size, hidden_dim = arguments()
    model = vaelib.dense_vae(LATENT_DIM, hidden_dim, beta=BETA)
    model.compile(optimizer=keras.optimizers.RMSprop(), **compile_arguments)
    say(version=f"TensorFlow {tf.__version__}, Keras {keras.__version__}")
    model.fit(x, epochs=10**6, batch_size=batch_size, verbose=0, callbacks=[Turns()])


if __name__ == "__main__":
    main()
