"""Draw pictures: arrays in, matplotlib Axes out. Nothing outside the given Axes is touched.

`plt.style.use("vaelib.plots.book")` makes every picture look like those of the book. `plot_*` draw results;
`draw_*` draw the book's ideas, from real quantities, in type that a phone can show.
"""

from .curves import plot_history, plot_rate_distortion, plot_schedule
from .flow import draw_data_flow, draw_one_image, draw_reparameterisation
from .images import plot_images, plot_latent_grid
from .latent import plot_latent_means, plot_posterior_trace, plot_posteriors, plot_true_posterior
from .objective import draw_elbo_bar, draw_kl_overlap, draw_mean_over_pixels
from .price import draw_annealing, draw_collapse_valley, draw_trade

__all__ = [
    "draw_annealing",
    "draw_collapse_valley",
    "draw_data_flow",
    "draw_elbo_bar",
    "draw_kl_overlap",
    "draw_mean_over_pixels",
    "draw_one_image",
    "draw_reparameterisation",
    "draw_trade",
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
