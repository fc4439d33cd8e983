"""Describe a run by everything that determines it, as one value."""

import dataclasses
import functools
import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

import keras

from .._types import Schedule
from ..losses import beta_from_kl_wt, kl_wt_from_beta
from ..models import VAE
from ..networks import dense_vae
from ..schedules import Constant, Cyclical, Linear, Sigmoid, check_reaches_target

__all__ = ["RunSpec"]

_ANNEALING: dict[str, Callable[[float, int], Schedule]] = {
    "none": lambda beta, num_steps: Constant(beta),
    "linear": Linear,
    "sigmoid": Sigmoid,
    "cyclical": Cyclical,
}


def _constant_rate(learning_rate: float, num_steps: int) -> float:
    return learning_rate


def _iwae_rate(learning_rate: float, num_steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Fall as in Burda et al. (2015): 3**i passes at learning_rate * 10**(-i / 7), i from 0 to 7, 3,280 in all.

    Fewer steps are divided in the same proportions.
    """
    stages = range(8)
    ends = [round(num_steps * (3 ** (i + 1) - 1) / (3**8 - 1)) for i in stages]
    # Subtract 1: Keras counts the boundary itself as before it.
    boundaries = [end - 1 for end in ends[:-1]]
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        boundaries, [learning_rate * 10 ** (-i / 7) for i in stages]
    )


_LEARNING_RATES = {
    "constant": _constant_rate,
    "cosine": keras.optimizers.schedules.CosineDecay,
    "iwae": _iwae_rate,
}
_OPTIMIZERS = {
    "rmsprop": keras.optimizers.RMSprop,
    # Start at zero as Duchi et al. (2011) do; with Keras' 0.1 the scale of the loss would matter.
    "adagrad": functools.partial(keras.optimizers.Adagrad, initial_accumulator_value=0.0),
    "adam": functools.partial(keras.optimizers.Adam, epsilon=1e-4),
}
# Cut a name to this many characters before its checksum.
_READABLE = 180
_CHOICES = {"annealing": _ANNEALING, "optimizer": _OPTIMIZERS, "learning_rate_schedule": _LEARNING_RATES}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSpec:
    """Describe a run of the dense network on MNIST by everything that determines it.

    The defaults are the experiment of chapter 6. Two equal specs are the same run: on one machine, with one set of
    versions, they end with the same bits.

    Raises:
        ValueError: if a number is out of range, or the annealing does not reach beta within the training.

    >>> spec = RunSpec(beta=0.784, seed=2, num_epochs=10)
    >>> spec.kl_wt, spec.num_steps
    (0.001, 4690)

    Used from chapter 04 on.
    """

    beta: float = 1.0
    """The final weight of the rate, in nats per image."""
    annealing: str = "none"
    """The way of beta to its final weight, "none", "linear", "sigmoid" or "cyclical"; see `vaelib.schedules`."""
    annealing_steps: int = 0
    """Training steps that the annealing takes."""
    free_bits: float = 0.0
    """Nats of rate that each latent dimension has for free."""
    l2: float = 0.0
    """Weight decay, nats per image for a squared weight; the loss gains l2 * sum(kernel ** 2)."""
    latent_dim: int = 2
    hidden_dim: int = 500
    num_hidden: int = 1
    """Hidden layers each way."""
    optimizer: str = "rmsprop"
    """With Keras' own settings; or "adagrad", whose accumulators start at 0 (Duchi et al. 2011), or "adam", with
    epsilon 1e-4 (Burda et al. 2015)."""
    learning_rate: float = 1e-3
    learning_rate_schedule: str = "constant"
    """Or "cosine", falling to 0 along half a cosine wave; or "iwae", falling in eight stages to a tenth of
    learning_rate, as Burda et al. (2015) have it."""
    ema_momentum: float = 0.0
    """Keep, in place of the last weights, their exponential moving average with this momentum; 0 for the last ones."""
    num_epochs: int = 100
    batch_size: int = 128
    shuffle: bool = False
    """Whether every epoch has an order of its own; otherwise it is the order of the file."""
    binarize: bool = False
    """Whether pixels are drawn as black or white each time an image is shown, see `fit`."""
    start_at_mean_image: bool = False
    """Whether training starts at the mean image, see the function of this name; otherwise with output biases of 0."""
    seed: int = 1
    """Decides the initial weights, the noise and the order."""
    num_train: int = 60_000
    """Number of training images, the first ones of the file."""
    num_test: int = 10_000
    """Number of test images, the first ones of the file."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained now, not after hours."""
        for field in dataclasses.fields(self):
            value, kind = getattr(self, field.name), type(_default(field))
            # Convert, so that 1 and 1.0 are one spec, with one name.
            object.__setattr__(self, field.name, kind(value))
            if getattr(self, field.name) != value:
                raise ValueError(f"{field.name} must be of type {kind.__name__}, got {value!r}.")
        # Round: 784 * (1 / 784) is not quite 1 in floating point, but the same run.
        object.__setattr__(self, "beta", float(f"{self.beta:.12g}"))
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}.")
        if self.annealing == "none" and self.annealing_steps:
            raise ValueError(f'annealing_steps={self.annealing_steps} needs an annealing, got "none": try "linear".')
        for name in ("latent_dim", "hidden_dim", "num_hidden", "num_epochs", "batch_size", "num_train", "num_test"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}.")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate}.")
        if not 0 <= self.ema_momentum < 1:
            raise ValueError(f"ema_momentum must be from 0 (no averaging) to below 1, got {self.ema_momentum}.")
        check_reaches_target(self.schedule(), self.num_steps)

    @classmethod
    def from_kl_wt(cls, kl_wt: float, **fields: Any) -> "RunSpec":
        """Return a spec by the weight of the KL against the mean error per pixel, as the original experiment has it.

        >>> RunSpec.from_kl_wt(1e-3, seed=2) == RunSpec(beta=0.784, seed=2)
        True
        """
        return cls(beta=beta_from_kl_wt(kl_wt), **fields)

    @property
    def kl_wt(self) -> float:
        """Return the weight of the KL against the mean error per pixel, beta / 784."""
        return round(kl_wt_from_beta(self.beta), 12)

    @property
    def label(self) -> str:
        """Return both weights in words, for figures and tables.

        >>> RunSpec(beta=0.784).label
        'kl_wt 0.001 (β = 0.784)'
        """
        return f"kl_wt {self.kl_wt:.3g} (β = {self.beta:.3g})"

    @property
    def num_steps(self) -> int:
        """Count the training steps."""
        return self.num_epochs * -(-self.num_train // self.batch_size)

    @property
    def name(self) -> str:
        """Return a file name, made of what differs from the defaults, as far as there is room, and a checksum."""
        fields = {field.name: field for field in dataclasses.fields(self)}
        different = {name: value for name, value in self.as_dict().items() if value != _default(fields[name])}
        digest = hashlib.sha256(json.dumps(different, sort_keys=True).encode()).hexdigest()[:8]
        shown = {"beta": self.beta, **different, "seed": self.seed}
        parts = (
            f"{name}-{value:.4g}" if isinstance(value, float) else f"{name}-{value}" for name, value in shown.items()
        )
        # Leave room for the longer names of evaluations and of files half written: a file system allows 255 bytes.
        return f"{'_'.join(parts)[:_READABLE]}_{digest}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return dataclasses.asdict(self)

    def schedule(self) -> Schedule:
        """Return beta as a function of the training step."""
        return _ANNEALING[self.annealing](self.beta, self.annealing_steps)

    def build(self) -> VAE:
        """Return the compiled model before its first step."""
        keras.utils.set_random_seed(self.seed)
        model = dense_vae(self.latent_dim, self.hidden_dim, self.schedule(), self.l2, self.free_bits, self.num_hidden)
        _set_kernels(model, self.seed)
        learning_rate = _LEARNING_RATES[self.learning_rate_schedule](self.learning_rate, self.num_steps)
        averaging = {"use_ema": True, "ema_momentum": self.ema_momentum} if self.ema_momentum else {}
        model.compile(optimizer=_OPTIMIZERS[self.optimizer](learning_rate, **averaging))
        return model


def _default(field: dataclasses.Field) -> Any:
    return field.default


def _set_kernels(model: VAE, seed: int) -> None:
    """Give a model the initial weights that `keras.utils.set_random_seed` promises.

    Keras takes their seeds from Python's own generator, and so do other threads: on a Dask worker, `dask.sizeof` draws
    samples from it. One such draw in between would change all weights.
    """
    seeds = random.Random(seed)  # noqa: S311
    for variable in model.trainable_variables:
        if len(variable.shape) == 2:
            variable.assign(keras.initializers.GlorotUniform(seeds.randint(1, int(1e9)))(variable.shape))
