"""Race vaelib.fit: the loop of this book, with its posterior trace."""

import keras
import tensorflow as tf
from keras_turns import Turns
from turns import BETA, LATENT_DIM, arguments, say

import vaelib


def main():
    """Train until the driver has seen enough."""
    x, batch_size, hidden_dim = arguments()
    model = vaelib.dense_vae(LATENT_DIM, hidden_dim, beta=BETA)
    model.compile(optimizer=keras.optimizers.RMSprop())
    say(version=f"TensorFlow {tf.__version__}, Keras {keras.__version__}")
    vaelib.fit(model, x, x[:10_000], num_epochs=10**6, batch_size=batch_size, verbose=False, callbacks=[Turns()])


main()
