"""The options of a training: the preset's ``[training]`` section, and those of one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from musicae.errors import MusicaeError
from musicae.ranges import Count, CountOrNone, Positive, Seed, Share, Weight

__all__ = ["Report", "Run", "TrainingOptions"]

Report = Callable[[dict[str, float]], None]
"""Called with the figures of a step, ``step`` among them."""


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """The settings of a preset's ``[training]`` section. Raise MusicaeError for invalid values.

    `batch` is the size of the batch of all processes together. `lr` rises over `warmup` steps, then follows `schedule`
    to zero: ``"cosine"``, ``"one-cycle"`` (Smith and Topin 2018), or ``"wsd"``, warmup, stable, decay (Hu et al. 2024),
    which falls over the last fifth, so that a checkpoint from before it can be trained for longer; or stays
    ``"constant"``.

    `optimizer` is ``"adamw"``, or ``"muon"`` for the matrices (Jordan et al. 2024; with twice the learning rate, scaled
    to AdamW's updates as in Liu et al. 2025) and AdamW for the rest. Gradients are clipped to the norm `clip`. `ema` is
    the decay of the averaged weights, which are the result. `precision` is ``"bf16"`` (float32 where the processor has
    no instructions for it), ``"fp16"`` or ``"no"``.

    The KL weight rises to `beta` by `kl_schedule`: ``"linear"`` over `kl_warmup` steps, or ``"cyclical"``,
    `kl_cycles` times (Fu et al. 2019). `free_bits` is in nats an example: KL below it costs nothing (Kingma et al.
    2016). `prior_steps` more steps, with their own learning rate schedule, train only the prior, on the codes of the
    finished model. Each code counts `prior_draws` times in a step: it is encoding that takes time, not the prior.

    At the end the attributes of the adapter's windows are fitted to `attributes` training windows (0: not at all).
    Figures are logged every `log_every` steps, and a checkpoint is written every `checkpoint_every`.
    """

    steps: CountOrNone = 10_000
    prior_steps: CountOrNone = 0
    prior_draws: Annotated[int, Meta(ge=1, le=1024)] = 1
    attributes: CountOrNone = 4096
    batch: Annotated[int, Meta(ge=1, le=2**20)] = 256
    lr: Weight = 1e-3
    warmup: CountOrNone = 200
    schedule: str = "cosine"
    optimizer: str = "adamw"
    weight_decay: Weight = 0.01
    clip: Positive = 1.0
    beta: Weight = 1.0
    kl_schedule: str = "linear"
    kl_warmup: CountOrNone = 0
    kl_cycles: Count = 4
    free_bits: Weight = 0.0
    ema: Share = 0.999
    precision: str = "bf16"
    seed: Seed = 0
    log_every: Count = 50
    checkpoint_every: Count = 1000

    def __post_init__(self) -> None:
        if self.steps < 0 or self.prior_steps < 0 or not self.total_steps:
            raise MusicaeError(f"[training] steps must be 1 or more, not {self.steps}")
        if min(self.batch, self.log_every, self.checkpoint_every) < 1:
            raise MusicaeError("[training] batch, log_every and checkpoint_every must be 1 or more")
        _one_of("precision", self.precision, "bf16", "fp16", "no")
        _one_of("optimizer", self.optimizer, "adamw", "muon")
        _one_of("schedule", self.schedule, "cosine", "one-cycle", "wsd", "constant")
        _one_of("kl_schedule", self.kl_schedule, "linear", "cyclical")
        if self.precision == "fp16" and self.optimizer == "muon":  # With two optimizers one would be scaled twice.
            raise MusicaeError("[training] precision 'fp16' does not go with optimizer 'muon'; set 'bf16'")

    @property
    def total_steps(self) -> int:
        """Steps of the model and, after them, of the prior."""
        return self.steps + self.prior_steps


def _one_of(name: str, value: str, *choices: str) -> None:
    if value not in choices:
        quoted = [f"'{choice}'" for choice in choices]
        known = f"{', '.join(quoted[:-1])} or {quoted[-1]}"
        raise MusicaeError(f"[training] {name} must be {known}, not '{value}'")


@dataclass(frozen=True, kw_only=True)
class Run:
    """The options of one run of a training; the result does not depend on them beyond rounding.

    `resume` continues from the state in the output folder; otherwise `start` names weights to start from, if any.
    `report` is called with the figures of the log. `cpu` keeps off the GPU. `stop` is called after every step, and
    returns whether to stop. `workers` processes make batches ahead; None chooses a number that suits the device.
    `processes` on this machine's CPU share the batches; None chooses a number that suits the cores and the preset, or
    on resuming that of before.
    """

    resume: bool = False
    start: str | None = None
    report: Report | None = None
    cpu: bool = False
    stop: Callable[[], bool] | None = None
    workers: int | None = None
    processes: int | None = 1
