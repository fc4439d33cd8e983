"""Predict how wide steps of a constant size hold the cloud of posteriors open."""

import keras
import numpy as np

from ..analysis import encode_all
from ..models import VAE
from ..training import fit
from .spec import RunSpec

__all__ = ["NoiseBalance", "check_balance", "noise_balance"]

# Refuse runs that change any of these: the formula does not hold for them.
_LEFT_OUT = ("optimizer", "learning_rate_schedule", "annealing", "free_bits", "l2", "ema_momentum", "binarize")
# Let RMSprop's means of squared gradients, which are not kept with the weights, settle for one epoch; then measure.
_SETTLING, _MEASURING = 1, 2


class NoiseBalance(keras.callbacks.Callback):
    r"""Compare, while a model trains, the width of its cloud with the width at which noise and KL are in balance.

    A step of RMSprop changes every weight $w_i$ by $-\eta\, g_i / \sqrt{v_i}$, where $v_i$ is the running mean of
    $g_i^2$. Take $Q_j = \sum_i \sqrt{v_i}\, w_i^2$ over the weights that make the mean $\mu_j$, less the same sum over
    those by which the decoder takes $z_j$ up, plus $4 \sqrt{v}\, b$ for the bias b of $\log \sigma_j^2$. To first order
    D cannot change $Q_j$, for scaling $z_j$ does not change D; the KL changes it by
    $-2 \eta \beta\, (\mathbb{E}[\mu_j^2 + \sigma_j^2] - 1)$ a step. To second order the step's own length adds
    $\eta^2 \sum_i \pm \sqrt{v_i}$. The two cancel where
    $\mathbb{E}[\mu_j^2 + \sigma_j^2] = 1 + \frac{\eta}{2 \beta} \sum_i \pm \sqrt{v_i}$.

    For plain SGD this is the noise equilibrium of Ziyin et al. (2024).

    Args:
        x: (n, height, width, channels), the training images.
        beta: weight of the rate.
        num_epochs: how many epochs pass before the measuring begins.

    Derived in chapter 07.
    """

    def __init__(self, x: np.ndarray, beta: float, num_epochs: int = _SETTLING) -> None:
        super().__init__()
        self.x, self.beta, self.num_epochs = x, beta, num_epochs
        self.second_moment: list[np.ndarray] = []
        self.balance: list[np.ndarray] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Begin to measure once the optimizer has settled."""
        self.measuring = epoch >= self.num_epochs

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Note the width at which the steps of the present size are in balance with the KL."""
        if not self.measuring:
            return
        model = self.model
        root = dict(zip((v.path for v in model.trainable_variables), self._root_mean_squares(), strict=True))
        mean, first = model.encoder.z_mean, model.decoder.trainable_variables[0]
        noise = root[mean.kernel.path].sum(axis=0) + root[mean.bias.path] - root[first.path].sum(axis=1)
        self.balance.append(1 + float(model.optimizer.learning_rate) / (2 * self.beta) * noise)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Note the width of the cloud."""
        if self.measuring:
            mean, std = encode_all(self.model, self.x)
            self.second_moment.append(np.mean(mean**2 + std**2, axis=0, dtype="float64"))

    def _root_mean_squares(self) -> list[np.ndarray]:
        variables = self.model.optimizer.variables
        return [np.sqrt(v.numpy(), dtype="float64") for v in variables if v.name.endswith("velocity")]


def noise_balance(spec: RunSpec, model: VAE, x: np.ndarray) -> np.ndarray:
    """Train a finished run for three more epochs, and compare the width of its cloud with the width in balance.

    Args:
        spec: the spec, of a run with RMSprop's constant steps.
        model: its trained model; changed.
        x: (n, height, width, channels), the images it was trained on.

    Returns:
        (latent_dim, 2) float64, E[mean^2 + std^2] and what a `NoiseBalance` says of it, for each latent dimension.
    """
    measure = NoiseBalance(x, spec.beta)
    fit(
        model,
        x,
        num_epochs=_SETTLING + _MEASURING,
        batch_size=spec.batch_size,
        shuffle=spec.shuffle,
        seed=spec.seed,
        callbacks=[measure],
        verbose=False,
        posterior_epochs=[],
    )
    return np.stack([np.mean(measure.second_moment, axis=0), np.mean(measure.balance, axis=0)], axis=1)


def check_balance(spec: RunSpec) -> None:
    """Raise a ValueError unless a run has RMSprop's constant steps, and nothing that the formula leaves out."""
    plain = RunSpec()
    found = {name: getattr(spec, name) for name in _LEFT_OUT if getattr(spec, name) != getattr(plain, name)}
    if found:
        raise ValueError(
            "noise_balance expects a run with RMSprop's constant steps, and without annealing, free bits, weight "
            f"decay, averaging and drawn pixels, got {', '.join(f'{name}={value!r}' for name, value in found.items())}."
        )
