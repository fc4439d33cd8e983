"""The chapters' pictures, live: for Jupyter and Colab, where a kernel answers."""

import io

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np

from .planes import plot_posterior_trace, plot_posteriors

__all__ = ["posterior_film"]


def posterior_film(results):
    """Scrub through the posteriors of training: choose a run, an epoch, and how many batches of it.

    Args:
        results: dict from a label, such as "kl_wt 1e-3 (β = 0.784)", to the `RunResult` of a run with two latent
            dimensions.

    Returns:
        A widget, which a notebook displays, with a menu of runs, a slider over the epochs that were kept, a slider over
        batches, and the picture of the posteriors (one scale for an epoch), and their distance and width by batch.

    Raises:
        ValueError: if there are no results.

    Used in chapter 06.
    """
    if not results:
        raise ValueError("posterior_film expects at least one result, got an empty dict: see train_or_load.")
    first = next(iter(results.values())).posteriors
    run = ipywidgets.Dropdown(options=list(results), description="run")
    epoch = ipywidgets.SelectionSlider(options=sorted(first), description="epoch", continuous_update=False)
    num_batches = len(first[epoch.value].mean)
    batch = ipywidgets.IntSlider(num_batches, 1, num_batches, description="batches", continuous_update=False)
    # Not an Output: nbclient, which executes notebooks, sometimes waits forever for one.
    picture = ipywidgets.Image(format="png")

    def follow_run(_):
        epoch.options = sorted(results[run.value].posteriors)

    def follow_epoch(_):
        batch.max = len(results[run.value].posteriors[epoch.value].mean)

    def draw(_=None):
        figure = _frame(results[run.value].posteriors[epoch.value], batch.value)
        figure.suptitle(f"{run.value}, epoch {epoch.value}, batches 1 to {batch.value}")
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=90)
        plt.close(figure)
        picture.value = content.getvalue()

    run.observe(follow_run, "value")
    epoch.observe(follow_epoch, "value")
    for control in (run, epoch, batch):
        control.observe(draw, "value")
    draw()
    return ipywidgets.VBox([ipywidgets.HBox([run, epoch, batch]), picture])


def _frame(posteriors, num_batches):
    """The first so many posteriors of an epoch, at the scale of all of them."""
    mean, std = posteriors
    figure, (plane, trace) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
    plot_posteriors(mean[:num_batches], std[:num_batches], plane, limit=float(np.max(np.abs(mean) + std)) * 1.05)
    plot_posterior_trace(mean[:num_batches], std[:num_batches], trace)
    trace.set_xlim(0, len(mean) + 1)
    return figure
