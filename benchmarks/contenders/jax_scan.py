"""Race JAX: lax.scan over the epoch, jitted."""

import jax
import jax.numpy as jnp
import numpy as np
from turns import BETA, LATENT_DIM, arguments, take_turns


def first_parameters(hidden_dim):
    """Draw Glorot uniform kernels and zero biases, as Keras does."""
    rng = np.random.default_rng(0)
    sizes = (784, hidden_dim), (hidden_dim, 2 * LATENT_DIM), (LATENT_DIM, hidden_dim), (hidden_dim, 784)

    def kernel(size):
        limit = (6 / sum(size)) ** 0.5
        return rng.uniform(-limit, limit, size).astype("float32")

    return [(jnp.array(kernel(size)), jnp.zeros(size[1])) for size in sizes]


def loss_of(parameters, x, noise):
    """Return the loss of a batch, in nats per image."""
    hidden, heads, decoder, logits = (lambda h, p=p: h @ p[0] + p[1] for p in parameters)
    z_mean, z_log_var = jnp.split(heads(jnp.tanh(hidden(x))), 2, axis=1)
    x_logits = logits(jnp.tanh(decoder(z_mean + jnp.exp(0.5 * z_log_var) * noise)))
    distortion = (jax.nn.softplus(x_logits) - x * x_logits).sum(axis=1)
    rate = 0.5 * (z_mean**2 + jnp.expm1(z_log_var) - z_log_var).sum(axis=1)
    return (distortion + BETA * rate).mean()


def main():
    """Train until the driver has seen enough."""
    x, batch_size, hidden_dim = arguments()
    x, num_steps = jnp.array(x.reshape(len(x), 784)), len(x) // batch_size

    def step(state, now):
        parameters, squares = state
        rows, key = now
        loss, gradients = jax.value_and_grad(loss_of)(
            parameters, x[rows], jax.random.normal(key, (batch_size, LATENT_DIM))
        )
        # Keras' RMSprop.
        squares = jax.tree.map(lambda s, g: 0.9 * s + 0.1 * g * g, squares, gradients)
        parameters = jax.tree.map(lambda p, g, s: p - 1e-3 * g / jnp.sqrt(s + 1e-7), parameters, gradients, squares)
        return (parameters, squares), loss

    @jax.jit
    def scan(state, key):
        order, noise = jax.random.split(key)
        rows = jax.random.permutation(order, len(x))[: num_steps * batch_size].reshape(num_steps, batch_size)
        state, losses = jax.lax.scan(step, state, (rows, jax.random.split(noise, num_steps)))
        return state, losses.mean()

    parameters = first_parameters(hidden_dim)
    state, key = (parameters, jax.tree.map(jnp.zeros_like, parameters)), jax.random.key(0)

    def epoch():
        nonlocal state, key
        key, now = jax.random.split(key)
        state, loss = scan(state, now)
        return loss.block_until_ready()

    take_turns(epoch, version=f"JAX {jax.__version__}")


main()
