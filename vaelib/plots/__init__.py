"""Draw pictures: arrays in, matplotlib Axes out. Nothing outside the given Axes is touched.

`plt.style.use("vaelib.plots.book")` makes every picture look like those of the book.
"""

from .curves import plot_history, plot_rate_distortion, plot_schedule
from .images import plot_images, plot_latent_grid
from .latent import plot_latent_means, plot_posterior_trace, plot_posteriors, plot_true_posterior

__all__ = [
    "plot_history",
    "plot_images",
    "plot_latent_grid",
    "plot_latent_means",
    "plot_posterior_trace",
    "plot_posteriors",
    "plot_rate_distortion",
    "plot_schedule",
    "plot_true_posterior",
]
