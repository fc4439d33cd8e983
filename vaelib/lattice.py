"""Every image at every node of a lattice in the latent space, in blocks that fit into memory."""

import numpy as np
from keras import ops

__all__ = ["lattice", "log_joints"]

# Nodes and images at once: a matrix of 40 MB.
_NODES, _IMAGES = 2048, 5000


def lattice(axes):
    """All nodes (m, len(axes)) float32 whose coordinates are on these axes, each (k,)."""
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes)], axis=1).astype("float32")


def log_joints(model, x, nodes, beta):
    """Log p(z) p(x|z)^(1/beta) at nodes, block by block.

    Args:
        model: a `VAE`.
        x: (n, height, width, channels), images in [0, 1].
        nodes: (m, latent_dim) float32, points z.
        beta: 1 for the joint distribution; see `exact_log_likelihood`.

    Yields:
        Which nodes and which images, as slices, and the values of the former (down) at the latter (across), a tensor.
    """
    pixels = x.reshape(len(x), -1)
    blocks = [slice(start, start + _IMAGES) for start in range(0, len(x), _IMAGES)]
    # Of Bernoulli pixels, what depends on z only is softplus summed over pixels; of Gaussian ones, the squared mean,
    # and what depends on the image only does too. The rest is a matrix product.
    variance = model.noise_variance or 1.0
    of_images = np.zeros(len(x), "float32")
    if model.noise_variance is not None:
        of_images -= 0.5 * (pixels**2).sum(axis=1) / variance + 0.5 * pixels.shape[1] * np.log(2 * np.pi * variance)
    columns = [ops.convert_to_tensor(pixels[block].T) for block in blocks]
    for start in range(0, len(nodes), _NODES):
        some = slice(start, start + _NODES)
        z = nodes[some]
        output = ops.reshape(model.decode(z), (len(z), -1))
        cost = ops.softplus(output) if model.noise_variance is None else 0.5 * ops.square(output) / variance
        log_prior = -0.5 * np.sum(z**2, axis=1) - 0.5 * z.shape[1] * np.log(2 * np.pi)
        of_nodes = (log_prior - ops.sum(cost, axis=1) / beta)[:, None]
        for block, images in zip(blocks, columns, strict=True):
            product = ops.matmul(output, images) / variance
            yield some, block, of_nodes + (product + of_images[block]) / beta
