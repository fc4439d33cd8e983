"""Show pictures that answer: the same JavaScript for the book's pages and for notebooks."""

from .widgets import draw_a_digit, kl_overlap, latent_explorer, posterior_film, train_here

__all__ = ["draw_a_digit", "kl_overlap", "latent_explorer", "posterior_film", "train_here"]
