"""Race the loop of most tutorials: one tf.function per step, over tf.data."""

import keras
import tensorflow as tf
from turns import BETA, LATENT_DIM, arguments, take_turns

import vaelib


def main():
    """Train until the driver has seen enough."""
    x, batch_size, hidden_dim = arguments()
    dataset = tf.data.Dataset.from_tensor_slices(x).shuffle(len(x)).batch(batch_size).prefetch(tf.data.AUTOTUNE)
    model = vaelib.dense_vae(LATENT_DIM, hidden_dim, beta=BETA)
    model.compile(optimizer=keras.optimizers.RMSprop())
    mean = keras.metrics.Mean()

    @tf.function
    def step(images):
        with tf.GradientTape() as tape:
            loss = model.objective(images, model(images, training=True)).loss
        variables = model.trainable_variables
        model.optimizer.apply(tape.gradient(loss, variables), variables)
        mean.update_state(loss)

    def epoch():
        mean.reset_state()
        for images in dataset:
            step(images)
        return mean.result()

    take_turns(epoch, version=f"TensorFlow {tf.__version__}")


main()
