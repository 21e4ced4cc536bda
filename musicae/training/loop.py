"""The training loop: flat, resumable to the bit, the same preset on a CPU, a GPU or many.

Every batch and every noise is a function of (seed, step, rank), so no state of a random generator
is saved. It reports through a callback and prints nothing; only the first process writes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musicae import checkpoint, hub, splits
from musicae import codec as codecs
from musicae import preset as presets
from musicae.codec import Codec
from musicae.core import Corruption, Windows
from musicae.errors import MusicaeError
from musicae.formats.atomic import make_folder
from musicae.formats.temporary import locked
from musicae.memory import keep_freed_memory
from musicae.ops import attributes
from musicae.preset import Preset
from musicae.shared_batch import sharing
from musicae.tensors.layout import picture_layout
from musicae.tensors.precision import training_precision
from musicae.tensors.random import generator
from musicae.training import parallel
from musicae.training.batches import Batches, default_workers, explain_killed_workers
from musicae.training.log import Log, Means
from musicae.training.objective import Objective, kl_weight
from musicae.training.optimizers import learning_rate, make_optimizers, set_learning_rate
from musicae.training.options import Report, Run, TrainingOptions
from musicae.training.parallel import Team
from musicae.training.start import start_from
from musicae.training.state import MODEL, STATE, TrainingState, over_the_same

__all__ = ["fit", "train"]

_EVAL_BATCH = 64  # Windows at a time outside of training steps.


def train(
    preset: Preset | str,
    out: str | Path,
    folders: Mapping[str, Path] | None = None,
    *,
    start: str | None = None,
    resume: bool | None = False,
    report: Report | None = None,
    cpu: bool = False,
    stop: Callable[[], bool] | None = None,
    workers: int | None = None,
    processes: int | None = 1,
) -> Path:
    """Train a preset from its data into the folder `out`; return the path of the finished checkpoint.

    `folders` gives the folders of data sets (see `musicae.splits.load`). `out` gets ``model.safetensors`` (averaged
    weights, half precision), ``state.safetensors`` (to resume from) and ``metrics.jsonl``, whose lines `report` gets.
    `start` names a trained preset or its file, whose weights the training starts from (see `start_from`).
    With `resume` the training in `out` goes on; None lets it go on if there is one. `stop` is called after every step;
    when it returns true, the state is saved and KeyboardInterrupt raised (in training that torchrun did not start).
    `workers` processes make the batches ahead, with the same result: by default none on a CPU, and on a GPU one for
    each core but one. `processes` on a CPU share the batches, one thread each, with the same result up to rounding, and
    with the same number to the bit; None takes one for each core where that is faster, or on resuming as many as
    before. Raise MusicaeError for a preset that cannot be built, or data that cannot be found.
    """
    chosen = hub.recipe(preset) if isinstance(preset, str) else preset
    chosen = replace(chosen, sections={**chosen.sections, "training": chosen.sections.get("training", {})})
    chosen = presets.resolve(chosen, TrainingOptions)
    options = TrainingOptions(**chosen.sections["training"])
    out, folders = Path(out), folders or {}
    there = (out / STATE).is_file()
    resume = there if resume is None else resume
    run = Run(resume=resume, start=start, report=report, cpu=cpu, stop=stop, workers=workers, processes=processes)
    torch.manual_seed(options.seed)
    codec = codecs.build(over_the_same(chosen, out) if resume and there else chosen)
    if resume and not there:
        raise MusicaeError(f"nothing to resume in {out}; run without --resume")
    if not resume and there:
        raise MusicaeError(
            f"{out} holds a training already; add --resume to continue it, or name another folder with -o"
        )
    if start is not None and not resume:
        start_from(codec, start)
    make_folder(out)
    with locked(out, "a training") if os.environ.get("RANK", "0") == "0" else nullcontext():
        return _train(codec, out, folders, options, run)


def _train(codec: Codec, out: Path, folders: Mapping[str, Path], options: TrainingOptions, run: Run) -> Path:
    """Train a codec from its preset's data, in a folder that is there."""
    recipe = codec.preset
    windows = splits.load(recipe, codec.adapter, "train", folders)
    validation = splits.load(recipe, codec.adapter, "validation", folders, windows)
    if codec.model.init_samples and run.start is None and not run.resume and len(windows):
        codec.model.init_from_data(_init_samples(codec, windows, options.seed))
    corruption = codec.corruption()
    if corruption:
        corruption.feed(windows, splits.noises(recipe, codec.adapter, folders))
    keep_freed_memory()  # Not that of finding the data, which may be many.
    path = fit(codec, windows, validation, out, corruption, options, run)
    if options.attributes and os.environ.get("RANK", "0") == "0":
        trained = codecs.load(str(path))
        fitted = attributes.fit(trained, windows, options.attributes, options.seed)
        if fitted:
            attributes.save(trained, fitted)
    return path


def _init_samples(codec: Codec, windows: Windows, seed: int) -> Tensor:
    """Return the windows ``(N, C, *S)`` that the model is initialised from, augmented as in training."""
    count, rng = codec.model.init_samples, generator(seed, -6)
    index = torch.randperm(max(count, len(windows)), generator=rng)[:count] % len(windows)
    return torch.cat([codec.adapter.augment(windows.batch(part), rng) for part in torch.split(index, _EVAL_BATCH)])


def fit(
    codec: Codec,
    windows: Windows,
    validation: Windows,
    out: Path,
    corruption: Corruption | None,
    options: TrainingOptions,
    run: Run,
) -> Path:
    """Train the networks of `codec` on `windows` into the folder `out`; return the path of the checkpoint."""
    if options.prior_steps and codec.prior is None:
        raise MusicaeError("[training] prior_steps needs a [prior] section; add one, or set prior_steps to 0")
    if codec.prior is not None and codec.prior.takes_given and (corruption is None or corruption.hides is None):
        raise MusicaeError("[prior] given = true needs a [corruption] that hides parts; use 'hide-parts'")
    accelerator = _accelerator(options, run.cpu)
    world = accelerator.num_processes
    if options.batch % world:
        raise MusicaeError(
            f"[training] batch {options.batch} cannot be shared among {world} processes; make it a multiple"
        )

    conditions = partial(codec.conditions, windows)

    def operations() -> float:
        one = Batches(codec.adapter, windows, corruption, 1, options.seed, conditions=conditions)
        return options.batch * parallel.operations(codec.model.train(), codec.likelihood, one[0])

    able = accelerator.device.type == "cpu" and world == 1
    before = checkpoint.read_header(out / STATE).get("processes", 1) if run.resume else None
    processes = parallel.count_processes(run, options.batch, able, before, operations)
    work = partial(_steps, codec, windows, validation, out, corruption, options, run, accelerator)
    weights = sum(weight.numel() for weight in codec.networks().parameters())
    with parallel.together(processes, weights, work) as team:
        return work(team)


def _steps(
    codec: Codec,
    windows: Windows,
    validation: Windows,
    out: Path,
    corruption: Corruption | None,
    options: TrainingOptions,
    run: Run,
    accelerator: Any,
    team: Team,
) -> Path:
    """Take all steps, as one of the processes of `team`; see `fit`."""
    from accelerate.utils import set_seed

    rank, world = accelerator.process_index, accelerator.num_processes
    main = accelerator.is_main_process and team.rank == 0
    layout = picture_layout(codec.model, len(codec.spec.shape), accelerator.device)
    device = {"device": accelerator.device, "non_blocking": True}
    objective = Objective(codec).to(accelerator.device).to(memory_format=layout).train()
    parameters = {name: weight for name, weight in objective.networks.named_parameters() if weight.requires_grad}
    wrapped, *optimizers = accelerator.prepare(objective, *make_optimizers(options, parameters))
    state = TrainingState(objective.networks, parameters, optimizers, team.count)
    first, total = state.read(out) if run.resume else 0, options.total_steps
    if len(set(accelerator.gather(torch.tensor([first], device=accelerator.device)).tolist())) > 1:
        raise MusicaeError(f"the processes do not see the same {out / STATE}; all machines must share the folder")
    if run.resume and main:
        codec.step = first
        state.complete(out, codec)
    team.start(state, accelerator.clip_grad_norm_)
    log = Log(out, first, run.report) if main else None
    conditions = partial(codec.conditions, windows)
    place = (options.batch, options.seed, rank, world, conditions)
    hides = corruption.hides if corruption and codec.prior and codec.prior.takes_given else None
    for_model, for_prior = (Batches(codec.adapter, windows, spoilt, *place) for spoilt in (corruption, hides))
    workers = default_workers(accelerator.device.type) if run.workers is None else run.workers
    rng, means, started = torch.Generator(), Means(), time.perf_counter()

    with explain_killed_workers(), log or nullcontext():
        ahead = chain(
            for_model.of(range(first, options.steps), workers),
            for_prior.of(range(max(first, options.steps), total), workers),
        )
        for step, batch in enumerate(ahead, first):
            prior_only = step >= options.steps
            if prior_only and step == options.steps:
                state.use_average()
            set_seed(int(batch.seed))
            rng.set_state(batch.rng_state)
            clean = team.share.of(batch.clean).to(**device, memory_format=layout)
            given = clean  # The same tensor where nothing is corrupted: a stack encodes it once.
            if batch.given is not batch.clean:
                given = team.share.of(batch.given).to(**device, memory_format=layout)
            cond = None if batch.cond is None else team.share.of(batch.cond).to(**device)
            beta = kl_weight(step, options)
            phase = (step - options.steps, options.prior_steps) if prior_only else (step, options.steps)
            rate = learning_rate(*phase, options)
            set_learning_rate(optimizers, rate)
            with sharing(team.share):
                draws = options.prior_draws if prior_only else 0
                losses = wrapped(clean, given, cond, rng, beta, options.free_bits, draws)
            accelerator.backward(losses["loss"])
            losses = team.reduce(losses, options.clip)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            state.average(min(options.ema, (1 + step) / (10 + step)), team.others)
            team.wait()
            means.add(losses)

            done = step + 1
            last = done in (options.steps, total)
            if done % options.log_every == 0 or last:
                figures = _over_all(means.take(), accelerator)
                speed = (done - first) * options.batch / (time.perf_counter() - started)
                if log:
                    now = {"step": done, "steps": total, "lr": rate, "beta": beta, "examples_per_second": speed}
                    log({**now, **figures})
            stopped = bool(run.stop and main and world == 1 and run.stop())
            if done % options.checkpoint_every == 0 or last or stopped:
                codec.step = done
                if main:
                    state.write(out, codec)
                if stopped and done < total:
                    raise KeyboardInterrupt
                if log and len(validation):
                    log({"step": done, **_validate(objective, codec, validation, corruption, options.seed)})
                accelerator.wait_for_everyone()
                team.wait()
    return out / MODEL


def _over_all(figures: dict[str, float], accelerator: Any) -> dict[str, float]:
    """Return the means of figures over the processes of torchrun, each of which has its own part of the batches."""
    if accelerator.num_processes == 1:
        return figures
    values = torch.tensor(list(figures.values()), device=accelerator.device)
    return dict(zip(figures, accelerator.reduce(values, "mean").tolist(), strict=True))


def _accelerator(options: TrainingOptions, cpu: bool) -> Any:
    """Return the accelerator, which handles devices and precision."""
    from accelerate import Accelerator, DistributedDataParallelKwargs
    from accelerate.state import AcceleratorState

    parallel = DistributedDataParallelKwargs(find_unused_parameters=options.prior_steps > 0)
    alone = os.environ.get("WORLD_SIZE", "1") == "1"
    if alone:  # It remembers the settings of an earlier training.
        AcceleratorState._reset_state(reset_partial_state=True)
    precision = training_precision(options.precision, cpu=cpu)
    made = Accelerator(mixed_precision=precision, cpu=cpu, kwargs_handlers=[parallel])
    if not alone and made.num_processes == 1:  # Without a GPU each would train a model of its own.
        AcceleratorState._reset_state(reset_partial_state=True)
        precision = training_precision(options.precision, cpu=True)
        made = Accelerator(mixed_precision=precision, cpu=True, kwargs_handlers=[parallel])
    return made


@torch.no_grad()
def _validate(
    objective: Objective,
    codec: Codec,
    windows: Windows,
    corruption: Corruption | None,
    seed: int,
    max_windows: int = 2048,
) -> dict[str, float]:
    """Return the loss and its parts on a fixed random choice of held-out windows, each named ``validation_...``."""
    index = torch.randperm(len(windows), generator=generator(seed, -2))[:max_windows]
    device = next(objective.parameters()).device
    objective.eval()
    total: dict[str, float] = {}
    for i, part in enumerate(torch.split(index, _EVAL_BATCH)):
        # Augmented as in training, for example binarised.
        cond = codec.conditions(windows, part)
        clean, cond = codec.adapter.augment_with(windows.batch(part), cond, generator(seed, -5, i))
        given = (corruption(clean, generator(seed, -4, i)) if corruption else clean).to(device)
        cond = None if cond is None else cond.to(device)
        losses = objective(clean.to(device), given, cond, generator(seed, -3, i), 1.0, 0.0)
        for name, value in losses.items():
            total[name] = total.get(name, 0.0) + value.item() * len(part) / len(index)
    objective.train()
    return {f"validation_{name}": value for name, value in total.items()}
