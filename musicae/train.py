"""The training loop: flat, resumable to the bit, the same preset on a CPU, a GPU or many.

Every batch and every noise is a function of (seed, step, rank), so no state of a random generator
is kept. It reports through a callback and prints nothing; only the first process writes.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import checkpoint, codec, data, preset
from .batches import Batches, explained, usual_workers
from .codec import Codec, generator
from .core import Corruption, Latent, Restorer, Windows
from .errors import MusicaeError
from .preset import Preset
from .whole import make_folder, whole

__all__ = ["fit", "train"]

Report = Callable[[dict[str, float]], None]

_VALIDATED = 64  # Windows at once.
_MATRICES = 2  # By how much Muon's steps are larger than AdamW's; as large was worse.
_FALL = 0.2  # Share of the steps in which the rate of "wsd" falls, by 1 - sqrt (Hägele et al. 2024).
_PREPARED = 400  # Windows that a model looks at before its training, if it says no number.


class Objective(nn.Module):
    """What is minimised: ``-log p(x|z) + beta KL``, and the prior's own loss on the codes, kept apart from it."""

    def __init__(self, parts: Codec) -> None:
        super().__init__()
        self.networks, self.likelihood = parts.networks(), parts.likelihood

    def forward(
        self, clean: Tensor, given: Tensor, cond: Tensor | None, rng: torch.Generator, beta: float, free_bits: float,
        prior_only: bool = False,
    ) -> dict[str, Tensor]:  # fmt: skip
        """Return the loss and its parts, each a mean over the batch in nats an example."""
        model: Any = self.networks["model"]
        if prior_only:
            with torch.no_grad():
                codes = model.encode(given, cond).mean
            loss = self._prior_loss(codes, rng, cond)
            return {"loss": loss, "prior": loss}
        latent = Latent(clean.new_zeros(len(clean), 0))
        if isinstance(model, Restorer):
            params = model.restore(given, cond)
        else:
            latent = model.encode(given, cond) if model.latent_size else latent
            params = model.params(latent.sample(rng), clean, cond)
        nll = self.likelihood.nll(params, clean).mean()
        kl = latent.kl().sum(1)
        places = math.prod(clean.shape[2:])
        loss = (nll + beta * (kl - free_bits).clamp_min(0).mean()) / places
        parts = {"nll": nll, "kl": kl.mean()}
        if "prior" in self.networks:
            parts["prior"] = self._prior_loss(latent.mean.detach(), rng, cond)
            loss = loss + parts["prior"]
        if (penalty := getattr(model, "penalty", None)) is not None:
            parts["penalty"] = penalty(latent, rng)
            loss = loss + parts["penalty"]
        return {"loss": loss, **parts}

    def _prior_loss(self, codes: Tensor, rng: torch.Generator, cond: Tensor | None) -> Tensor:
        prior: Any = self.networks["prior"]
        loss: Tensor = prior.loss(codes, rng, *codec.prior_labels(prior, cond))
        return loss


def train(
    recipe: Preset | str, out: Path, folders: Mapping[str, Path] | None = None, *, resume: bool = False,
    report: Report | None = None, cpu: bool = False, stop: Callable[[], bool] | None = None, workers: int | None = None,
) -> Path:  # fmt: skip
    """Train a preset from its data into the folder `out`; return the path of the finished checkpoint.

    `folders` says where data sets lie (see `musicae.data.load`). `out` gets ``model.safetensors`` (averaged
    weights, half precision), ``state.safetensors`` (to resume from) and ``metrics.jsonl``.
    When `stop`, asked after every step, says so, the state is kept and KeyboardInterrupt raised (by a single process).
    `workers` more processes make the batches ahead, the same ones as without: by default none on a CPU, on a graphics
    card one for each core but one.
    Raise MusicaeError for a preset that cannot be built or data that cannot be found.
    """
    chosen = preset.load(recipe) if isinstance(recipe, str) else recipe
    chosen.sections.setdefault("training", {})
    chosen = preset.resolve(chosen, fit)
    settings = chosen.sections["training"]
    torch.manual_seed(int(settings["seed"]))
    parts = codec.build(chosen)
    if resume and not (out / "state.safetensors").is_file():
        raise MusicaeError(f"nothing to resume in {out}; run without --resume")
    if not resume and (out / "state.safetensors").is_file():
        raise MusicaeError(f"{out} holds a training already; add --resume to go on, or name another folder with -o")
    make_folder(out)
    splits = [data.load(chosen, parts.adapter, split, folders or {}) for split in ("train", "validation")]
    prepare: Any = getattr(parts.model, "prepare", None)
    if prepare and not resume and len(splits[0]):
        prepare(_looked_at(parts, splits[0], int(settings["seed"])))
    corrupt: Any = parts.corruption()
    if hasattr(corrupt, "feed"):
        corrupt.feed(splits[0], data.noises(chosen, parts.adapter, folders or {}))
    return fit(parts, splits[0], splits[1], out, corrupt, resume, report, cpu, stop, workers, **settings)


def _looked_at(parts: Codec, windows: Windows, seed: int) -> Tensor:
    """Return what the model is prepared with: as many windows as it asks for, altered as training alters them."""
    count, rng = int(getattr(parts.model, "prepared", _PREPARED)), generator(seed, -6)
    index = torch.randperm(max(count, len(windows)), generator=rng)[:count] % len(windows)
    return torch.cat([parts.adapter.augment(windows.batch(part), rng) for part in torch.split(index, _VALIDATED)])


def fit(
    parts: Codec, windows: Windows, validation: Windows, out: Path, corrupt: Corruption | None = None,
    resume: bool = False, report: Report | None = None, cpu: bool = False, stop: Callable[[], bool] | None = None,
    workers: int | None = None, *,
    steps: int = 10_000, prior_steps: int = 0, batch: int = 256, lr: float = 1e-3, warmup: int = 200,
    schedule: str = "cosine", optimizer: str = "adamw", weight_decay: float = 0.01, clip: float = 1.0,
    beta: float = 1.0, kl_schedule: str = "linear", kl_warmup: int = 0, kl_cycles: int = 4, free_bits: float = 0.0,
    ema: float = 0.999, precision: str = "bf16", seed: int = 0, log_every: int = 50, checkpoint_every: int = 1000,
) -> Path:  # fmt: skip
    """Train the networks of `parts` on `windows`; the keywords are a preset's ``[training]``.

    `batch` is the whole batch, shared out among the processes. `lr` rises over `warmup` steps, then
    follows `schedule` to zero: ``"cosine"``, ``"one-cycle"``, or ``"wsd"``, warmup, stable, decay (Hu et al. 2024), a
    fifth for the last, so that what was kept before it may go on to more steps; or stays ``"constant"``.
    `optimizer` is ``"adamw"``, or ``"muon"`` for the matrices (Jordan et al. 2024; its steps are twice as large as
    AdamW's, which they are measured by as Liu et al. 2025 do) and AdamW for the rest. The KL weight goes to `beta` as
    `kl_schedule` says: ``"linear"`` over `kl_warmup` steps, or ``"cyclical"``, `kl_cycles` times (Fu et al. 2019).
    `free_bits` is in nats an example: KL below it costs nothing (Kingma et al. 2016). `ema` is the decay
    of the averaged weights that are kept. `prior_steps` more steps, with a schedule of their own, train the
    prior alone on the finished codes. `precision` is ``"bf16"``, ``"fp16"`` or ``"no"``.
    """
    from accelerate import Accelerator, DistributedDataParallelKwargs
    from accelerate.state import AcceleratorState
    from accelerate.utils import set_seed

    if steps < 0 or prior_steps < 0 or not steps + prior_steps:
        raise MusicaeError(f"[training] steps must be 1 or more, not {steps}")
    if min(batch, log_every, checkpoint_every) < 1:
        raise MusicaeError("[training] batch, log_every and checkpoint_every must be 1 or more")
    if precision not in ("bf16", "fp16", "no"):
        raise MusicaeError(f"[training] precision must be 'bf16', 'fp16' or 'no', not '{precision}'")
    if precision == "fp16" and optimizer == "muon":  # Of two optimisers one would be scaled twice.
        raise MusicaeError("[training] precision 'fp16' does not go with optimizer 'muon'; set 'bf16'")
    if prior_steps and parts.prior is None:
        raise MusicaeError("[training] prior_steps needs a [prior] section; add one, or set prior_steps to 0")
    parallel = DistributedDataParallelKwargs(find_unused_parameters=prior_steps > 0)
    if os.environ.get("WORLD_SIZE", "1") == "1":  # It remembers the settings of the training before.
        AcceleratorState._reset_state(reset_partial_state=True)
    accelerator = Accelerator(mixed_precision=precision, cpu=cpu, kwargs_handlers=[parallel])
    rank, world = accelerator.process_index, accelerator.num_processes
    if batch % world:
        raise MusicaeError(f"[training] batch {batch} cannot be shared among {world} processes; make it a multiple")
    # Convolutions of pictures are faster so.
    layout = torch.channels_last if len(parts.spec.shape) == 2 else torch.preserve_format
    objective = Objective(parts).to(accelerator.device).to(memory_format=layout).train()
    names = {name: one for name, one in objective.networks.named_parameters() if one.requires_grad}
    wrapped, *optimizers = accelerator.prepare(objective, *_optimizers(optimizer, names, weight_decay))
    averaged = {name: tensor.detach().clone() for name, tensor in objective.networks.state_dict().items()}
    total = steps + prior_steps
    first = _restore(out / "state.safetensors", objective, optimizers, names, averaged) if resume else 0
    main = accelerator.is_main_process
    log = _Log(out, first, report) if main else None
    batches = Batches(parts.adapter, windows, corrupt, batch, seed, rank, world)
    workers = usual_workers(accelerator.device.type) if workers is None else workers
    rng = torch.Generator()
    started, seen = time.perf_counter(), 0
    recent: list[dict[str, Tensor]] = []

    with explained(), log or nullcontext():
        for step, made in enumerate(batches.of(range(first, total), workers), first):
            prior_only = step >= steps
            if prior_only and step == steps:
                objective.networks.load_state_dict(averaged)
            set_seed(int(made.number))
            rng.set_state(made.state)
            clean = made.clean.to(accelerator.device, non_blocking=True, memory_format=layout)
            given = made.given.to(accelerator.device, non_blocking=True, memory_format=layout)
            cond = parts.labels_of(windows, made.chosen)
            cond = None if cond is None else cond.to(accelerator.device)
            weight = _kl_weight(step, steps, beta, kl_schedule, kl_warmup, kl_cycles)
            phase = (step - steps, prior_steps) if prior_only else (step, steps)
            rate = _rate(*phase, lr, warmup, schedule)
            for one in optimizers:
                for group in one.param_groups:
                    group["lr"] = rate * (_MATRICES if "momentum" in group else 1)
            losses = wrapped(clean, given, cond, rng, weight, free_bits, prior_only)
            accelerator.backward(losses["loss"])
            accelerator.clip_grad_norm_(names.values(), clip)
            for one in optimizers:
                one.step()
                one.zero_grad(set_to_none=True)
            _average(averaged, objective.networks.state_dict(), min(ema, (1 + step) / (10 + step)))
            seen += batch
            # Not looked at until it is told: on a graphics card that would wait for it.
            recent.append({name: value.detach() for name, value in losses.items()})

            done, last = step + 1, step + 1 in (steps, total)
            if log and (done % log_every == 0 or last):
                speed = seen / (time.perf_counter() - started)
                means = {
                    name: torch.stack([one[name] for one in recent]).cpu().double().mean().item() for name in losses
                }
                log({"step": done, "steps": total, "lr": rate, "beta": weight, "examples_per_second": speed, **means})
            if done % log_every == 0 or last:
                recent = []
            stopped = bool(stop and world == 1 and stop())
            if done % checkpoint_every == 0 or last or stopped:
                parts.step = done
                if main:
                    _save(out, parts, objective, optimizers, names, averaged)
                if stopped and done < total:
                    raise KeyboardInterrupt
                if log and len(validation):
                    log({"step": done, **_validate(objective, parts, validation, corrupt, seed)})
                accelerator.wait_for_everyone()
    return out / "model.safetensors"


def _step_of(line: str) -> float:
    """Return the step of a line of metrics; of one that is cut short, as where the power failed, infinity."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf


class _Log:
    """Metrics as JSON lines, to TensorBoard where it is installed, and to the caller."""

    def __init__(self, out: Path, first: int, report: Report | None) -> None:
        self.path, self.report = out / "metrics.jsonl", report
        make_folder(out)
        kept = []
        if first and self.path.is_file():
            lines = self.path.read_text(encoding="utf-8").splitlines()
            kept = [line + "\n" for line in lines if _step_of(line) <= first]
        with whole(self.path) as temporary:
            temporary.write_text("".join(kept), encoding="utf-8")
        self.file = self.path.open("a", encoding="utf-8")
        self.board: Any = None
        if importlib.util.find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self.board = SummaryWriter(out / "tensorboard", purge_step=first or None)

    def __call__(self, values: dict[str, float]) -> None:
        self.file.write(json.dumps(values) + "\n")
        self.file.flush()
        if self.board:
            for name, value in values.items():
                self.board.add_scalar(name, value, int(values["step"]))
        if self.report:
            self.report(values)

    def __enter__(self) -> _Log:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()
        if self.board:
            self.board.close()


def _optimizers(kind: str, names: dict[str, nn.Parameter], weight_decay: float) -> list[torch.optim.Optimizer]:
    """Return what makes the steps, `kind` for the matrices among the parameters and AdamW for the rest."""
    if kind not in ("adamw", "muon"):
        raise MusicaeError(f"[training] optimizer must be 'adamw' or 'muon', not '{kind}'")
    if kind == "muon" and not hasattr(torch.optim, "Muon"):
        raise MusicaeError("[training] optimizer 'muon' needs torch 2.9 or later; update torch, or set 'adamw'")
    matrices = {name for name, one in names.items() if kind == "muon" and one.ndim == 2 and not name.endswith("bias")}
    rest = [one for name, one in names.items() if name not in matrices]
    found: list[torch.optim.Optimizer] = []
    if matrices:
        chosen = [names[name] for name in names if name in matrices]
        found.append(torch.optim.Muon(chosen, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"))
    if rest:
        fused = rest[0].device.type in ("cpu", "cuda")  # Not every backend has the fused kernel.
        found.append(torch.optim.AdamW(rest, weight_decay=weight_decay, betas=(0.9, 0.99), fused=fused))
    return found


def _rate(step: int, steps: int, lr: float, warmup: int, schedule: str) -> float:
    if schedule == "one-cycle":  # Smith and Topin 2018: up for three tenths, then down.
        warmup = round(0.3 * steps)
    elif schedule not in ("cosine", "constant", "wsd"):
        raise MusicaeError(f"[training] schedule must be 'cosine', 'one-cycle', 'wsd' or 'constant', not '{schedule}'")
    if step < warmup:
        return lr * (step + 1) / warmup
    if schedule == "constant":
        return lr
    if schedule == "wsd":
        fall = _FALL * steps
        return lr * (1 - math.sqrt(max(0.0, (step - steps + fall) / fall)))
    return lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def _kl_weight(step: int, steps: int, beta: float, schedule: str, warmup: int, cycles: int) -> float:
    if schedule == "cyclical":
        length = steps / max(1, cycles)
        return beta * min(1.0, 2 * (step % length) / length)
    if schedule != "linear":
        raise MusicaeError(f"[training] kl_schedule must be 'linear' or 'cyclical', not '{schedule}'")
    return beta * min(1.0, (step + 1) / warmup) if warmup else beta


@torch.no_grad()
def _average(averaged: dict[str, Tensor], now: dict[str, Tensor], decay: float) -> None:
    smooth = [name for name, tensor in averaged.items() if tensor.is_floating_point()]
    torch._foreach_lerp_([averaged[name] for name in smooth], [now[name] for name in smooth], 1 - decay)
    for name, tensor in averaged.items():
        if not tensor.is_floating_point():  # What counts, such as the batches that a norm has seen.
            tensor.copy_(now[name])


def _save(
    out: Path, parts: Codec, objective: Objective, optimizers: list[Any], names: dict[str, Any],
    averaged: dict[str, Tensor],
) -> None:  # fmt: skip
    """Write the state to resume from, then the averaged weights to use."""
    header = {"preset": parts.preset.as_dict(), "step": parts.step}
    state = {f"networks.{name}": tensor for name, tensor in objective.networks.state_dict().items()}
    state |= {f"ema.{name}": tensor for name, tensor in averaged.items()}
    for keys, moments, part in _moments(optimizers, names):
        seen = {name: moments[parameter] for name, parameter in part.items() if parameter in moments}
        state |= {f"{key}.{name}": one[key] for name, one in seen.items() for key in keys}
    checkpoint.write(out / "state.safetensors", state, header)
    parts.save(out / "model.safetensors", tensors=averaged)


def _moments(optimizers: list[Any], names: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any, dict[str, Any]]]:
    """Go through what each optimizer remembers of a parameter: under which keys, where, and of which parameters."""
    for one in optimizers:
        mine = {id(parameter) for group in one.param_groups for parameter in group["params"]}
        part = {name: parameter for name, parameter in names.items() if id(parameter) in mine}
        momentum = "momentum" in one.param_groups[0]
        yield ("momentum_buffer",) if momentum else ("exp_avg", "exp_avg_sq"), one.state, part


def _restore(
    path: Path, objective: Objective, optimizers: list[Any], names: dict[str, Any], averaged: dict[str, Tensor]
) -> int:
    """Put a saved state back, to the bit, and return its step."""
    header, state = checkpoint.read(path)
    left = {name for name in state if not name.startswith(("networks.", "ema."))}
    try:
        networks = {name: state[f"networks.{name}"] for name in objective.networks.state_dict()}
        objective.networks.load_state_dict(networks)
        for name, tensor in averaged.items():
            tensor.copy_(state[f"ema.{name}"])
        for keys, moments, part in _moments(optimizers, names):
            for name, parameter in part.items():
                if f"{keys[0]}.{name}" not in state:
                    continue  # It took no part.
                left -= {f"{key}.{name}" for key in keys}
                moments[parameter] = {
                    "step": torch.tensor(float(header["step"]), device=parameter.device),
                    # Laid out in memory as the parameter is: the fused kernel goes through both side by side.
                    **{key: torch.empty_like(parameter).detach().copy_(state[f"{key}.{name}"]) for key in keys},
                }
        if left:
            raise KeyError(min(left))
    except (KeyError, RuntimeError) as error:
        raise MusicaeError(f"{path} is of another preset than the one to train; name another folder with -o") from error
    return int(header["step"])


@torch.no_grad()
def _validate(
    objective: Objective, parts: Codec, windows: Windows, corrupt: Corruption | None, seed: int, most: int = 2048
) -> dict[str, float]:
    """Return the loss parts on a fixed random choice of held-out windows, each named ``validation_...``."""
    index = torch.randperm(len(windows), generator=generator(seed, -2))[:most]
    device = next(objective.parameters()).device
    objective.eval()
    total: dict[str, float] = {}
    for i, part in enumerate(torch.split(index, _VALIDATED)):
        # As in training: made 0 or 1, say.
        clean = parts.adapter.augment(windows.batch(part), generator(seed, -5, i))
        given = (corrupt(clean, generator(seed, -4, i)) if corrupt else clean).to(device)
        cond = parts.labels_of(windows, part)
        cond = None if cond is None else cond.to(device)
        losses = objective(clean.to(device), given, cond, generator(seed, -3, i), 1.0, 0.0)
        for name, value in losses.items():
            total[name] = total.get(name, 0.0) + value.item() * len(part) / len(index)
    objective.train()
    return {f"validation_{name}": value for name, value in total.items()}
