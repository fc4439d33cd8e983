"""Move a model along the symmetry of its latent space: other units of z, the same decoded images."""

import keras
import numpy as np
from numpy.typing import ArrayLike

from ..models import VAE

__all__ = ["rescale_latent"]


def rescale_latent(model: VAE, scale: ArrayLike) -> VAE:
    r"""Multiply the latent dimensions of a model by numbers, and divide by them where the decoder takes z up.

    Every posterior becomes $N(c \mu, c^2 \sigma^2)$ and every decoded image stays, so D stays and the rate becomes
    $\frac12 \sum_j (c_j^2 (\mu_j^2 + \sigma_j^2) - 1 - \log c_j^2 \sigma_j^2)$: least, over all images, where
    $c_j^2 = 1 / \mathbb{E}[\mu_j^2 + \sigma_j^2]$.

    Args:
        model: a `VAE` with `Dense` layers encoder.z_mean and encoder.z_log_var, such as `dense_vae` and `conv_vae`
            make; changed in place.
        scale: c, (latent_dim,), or one number for all dimensions, > 0.

    Returns:
        The model.

    Raises:
        ValueError: if the model has other layers, or a number is not positive and finite.

    Derived in chapter 07.
    """
    mean, log_var = (getattr(model.encoder, name, None) for name in ("z_mean", "z_log_var"))
    if not (isinstance(mean, keras.layers.Dense) and isinstance(log_var, keras.layers.Dense)):
        raise ValueError(
            "rescale_latent expects a model with Dense layers encoder.z_mean and encoder.z_log_var, such as dense_vae "
            f"makes, got {model.name}."
        )
    scale = np.asarray(scale, "float64")
    if scale.shape not in ((), (model.latent_dim,)) or not np.all((scale > 0) & np.isfinite(scale)):
        raise ValueError(
            f"scale must be a positive number, or one for each of {model.latent_dim} dimensions, got {scale}."
        )
    by_dim = np.broadcast_to(scale, (model.latent_dim,))
    first_of_decoder = model.decoder.trainable_variables[0]
    mean.kernel.assign(np.multiply(mean.kernel, by_dim))
    mean.bias.assign(np.multiply(mean.bias, by_dim))
    log_var.bias.assign(np.add(log_var.bias, 2 * np.log(by_dim)))
    first_of_decoder.assign(np.divide(first_of_decoder, by_dim[:, np.newaxis]))
    return model
