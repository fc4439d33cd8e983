"""Where training starts."""

from scipy import special

from .data import check_images

__all__ = ["start_at_mean_image"]

# A pixel that is never white would have a log-odds of minus infinity.
_RAREST = 0.001


def start_at_mean_image(model, x):
    """Let a model decode the mean image before its first step: its output biases become that image's log-odds.

    With biases of zero it decodes grey at first, and the first steps drive hidden units of the decoder so far, to
    darken the background, that some never come back (chapter 11). The program of Burda et al. (2015) starts so
    ([yburda/iwae](https://github.com/yburda/iwae), datasets.py and iwae.py), with means from 0.001 to 0.999.

    Args:
        model: a `VAE` with Bernoulli pixels and a dense output layer, as of `dense_vae`; changed in place.
        x: (n, 28, 28, 1), the training images, in [0, 1].

    Returns:
        The model.

    Raises:
        ValueError: if x are not images, or the model has no bias for each of their pixels.

    Used in chapter 11.
    """
    x = check_images(x)
    logits = getattr(model.decoder, "logits", None)
    if model.noise_variance is not None or logits is None or logits.bias.shape != (x[0].size,):
        raise ValueError(
            f"start_at_mean_image expects a model with Bernoulli pixels and a bias for each of {x[0].size} logits, "
            f"such as dense_vae makes, got {model.name} with noise_variance={model.noise_variance}."
        )
    logits.bias.assign(special.logit(x.mean(axis=0, dtype="float64").clip(_RAREST, 1 - _RAREST)).ravel())
    return model
