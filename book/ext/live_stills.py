"""Draw still pictures of what is live, for readers without JavaScript."""

import matplotlib.pyplot as plt
import numpy as np

import vaelib


def film(results, file):
    """Draw the first and the last epoch of each run."""
    figure, axes = plt.subplots(2, len(results), figsize=(8, 5.6), layout="constrained")
    for column, (name, result) in zip(axes.T, results.items(), strict=True):
        epochs = sorted(result.posteriors)
        for ax, epoch in zip(column, (epochs[0], epochs[-1]), strict=True):
            vaelib.plot_posteriors(*result.posteriors[epoch], ax, limit=6, legend=False, num_marks=2)
            ax.set_title(f"{name}, epoch {epoch}", fontsize=9)
    _save(figure, file)


def explorer(results, models, x, y, file):
    """Draw the test digits in the plane of each model, and what it decodes all over the plane."""
    figure, axes = plt.subplots(2, len(models), figsize=(8, 5.6), layout="constrained")
    for (top, bottom), name in zip(axes.T, models, strict=True):
        vaelib.plot_latent_means(vaelib.encode_all(models[name], x)[0], y, top, limit=6)
        top.set_title(name, fontsize=9)
        vaelib.plot_latent_grid(results[name].metrics["grid"] / 255, vaelib.latent_grid(), bottom)
    _save(figure, file)


def draw(models, x, y, file):
    """Draw a seven, the posterior of each model, what it decodes from its mean, and what each pixel costs."""
    seven = x[np.flatnonzero(y == 7)[:1]]
    figure, axes = plt.subplots(3, 1 + len(models), figsize=(8, 6.2), layout="constrained")
    vaelib.plot_images(seven, ax=axes[0, 0])
    axes[0, 0].set_title("a test digit", fontsize=9)
    for ax in axes[1:, 0]:
        ax.set_axis_off()
    for (top, middle, bottom), (name, model) in zip(axes.T[1:], models.items(), strict=True):
        mean, std = vaelib.encode_all(model, seven)
        vaelib.plot_posteriors(mean, std, top, limit=6, legend=False, num_marks=0)
        top.set_title(name, fontsize=9)
        vaelib.plot_images(model.generate(mean), ax=middle)
        # Take each pixel for an image of its own: its distortion is its cost.
        pixels = (np.reshape(values, (-1, 1)) for values in (seven, model.decode(mean)))
        costs = np.reshape(vaelib.bernoulli_distortion(*pixels), seven.shape[1:3])
        picture = bottom.imshow(costs, cmap="Oranges", vmin=0, vmax=4)
        bottom.set(xticks=[], yticks=[])
    figure.colorbar(picture, ax=axes[2, 1:], label="cost of a pixel, nats")
    _save(figure, file)


def overlap(file):
    """Draw a posterior over the prior, and the KL between them."""
    mean, std = 1.0, 0.5
    figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
    kl = vaelib.gaussian_kl(np.array([[mean]]), np.array([[2 * np.log(std)]]))[0]
    vaelib.plots.draw_kl_overlap(mean, std, float(kl), ax)
    ax.legend(frameon=False)
    _save(figure, file)


def train(results, file):
    """Draw distortion and rate of the test digits against training steps."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for name, result in results.items():
        steps = np.arange(1, 1 + result.spec.num_epochs) * (result.spec.num_steps // result.spec.num_epochs)
        for ax, part in zip(axes, ("distortion", "rate"), strict=True):
            ax.plot(steps, result.history[f"val_{part}"], label=name)
            ax.set(xlabel="training steps", ylabel=f"{part}, nats per test digit")
    axes[0].legend(fontsize=8)
    _save(figure, file)


def _save(figure, file):
    figure.savefig(file, dpi=100)
    plt.close(figure)
