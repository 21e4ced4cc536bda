"""The command train."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musicae.cli.shared.completing import presets
from musicae.cli.shared.data import data_option, folders_of
from musicae.cli.shared.options import preset_argument
from musicae.cli.shared.results import say_json
from musicae.cli.shared.staging import make_folder
from musicae.cli.shared.terminal import printable, say, show_path
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from musicae.preset import Preset
    from musicae.training.profile import Profile

__all__ = ["Report", "train"]

_FINE_TUNING = 0.1  # Of a preset's learning rate.
_ROWS, _NAME = 20, 40  # Of the table of operations: its length, and the width of a name.


@click.command()
@preset_argument
@data_option
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Change a setting of the preset, as model.latent=32.",
)
@click.option("--steps", type=int, help="How many steps to train the model; a prior gets its share of them.")
@click.option(
    "--from",
    "start",
    metavar="PRESET",
    shell_complete=presets,
    help="Fine-tune the weights of a trained preset or .safetensors file, at a tenth of the learning rate.",
)
@click.option("--resume", is_flag=True, help="Go on with the training in the output folder.")
@click.option(
    "--auto-resume",
    is_flag=True,
    help="Go on if there is a training in the output folder, else start one; as after a restart by torchrun or SLURM.",
)
@click.option("--cpu", is_flag=True, help="Use the CPU even where there is a GPU.")
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    metavar="N",
    help="Make the batches ahead in that many processes; by default 0 on a CPU, on a GPU one for each core but one.",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    metavar="N",
    help="Share the batches among that many processes on a CPU; by default one for each core, where that is faster.",
)
@click.option(
    "--profile",
    is_flag=True,
    help="Train a few steps in one process, write nothing, and print how fast that is and where the time goes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the profile as JSON.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="By default runs/PRESET.")
def train(
    name: str,
    data: Sequence[str],
    changes: Sequence[str],
    steps: int | None,
    start: str | None,
    resume: bool,
    auto_resume: bool,
    cpu: bool,
    workers: int | None,
    processes: int | None,
    profile: bool,
    as_json: bool,
    output: Path | None,
) -> None:
    """Train a preset (a name, or a .toml file) into a folder.

    The path of the trained model.safetensors goes to stdout. Start it with torchrun or accelerate for several GPUs.
    """
    from musicae import hub

    if resume and start is not None:
        raise MusicaeError("--from starts a training and --resume goes on with one; give one of them")
    as_it_was = hub.recipe(name, changes)
    settings = [*_with_steps(as_it_was, changes, steps), *([] if start is None else _fine_tuning(as_it_was, changes))]
    preset, folders = hub.recipe(name, settings), folders_of(data)
    if profile:
        from musicae.training.profile import profile as measure

        _show_profile(measure(preset, folders, cpu=cpu), as_json)
        return
    out = output or Path("runs") / preset.name
    with ExitStack() as cleaning:
        make_folder(out, cleaning)
        import musicae

        with _stopping(out) as stop, _progress() as report:
            path = musicae.train(
                preset,
                out,
                folders,
                start=start,
                resume=None if not resume and (auto_resume or _restarted()) else resume,
                report=report,
                cpu=cpu,
                stop=stop,
                workers=workers,
                processes=processes,
            )
    if os.environ.get("RANK", "0") == "0":
        show_path(path)


def _restarted() -> bool:
    """Tell whether torchrun or SLURM started this training once before, with the same command."""
    counts = (os.environ.get(name, "") for name in ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT"))
    return any(count.isdecimal() and int(count) > 0 for count in counts)


def _show_profile(profile: Profile, as_json: bool) -> None:
    rows = [(part.name, part.seconds * 1e3, part.share, part.calls) for part in profile.operations]
    if as_json:
        facts = {
            "batch": profile.batch,
            "seconds_per_step": profile.seconds,
            "examples_per_second": profile.examples_per_second,
            "flops_per_step": profile.flops,
            "flops_per_second_limit": profile.limit,
            "share_of_limit": profile.share_of_limit,
            "operations": [dict(zip(("name", "ms", "share", "calls"), row, strict=True)) for row in rows],
        }
        say_json(facts)
        return
    rate, limit = (f"{value / 1e9:.0f} GFLOP/s" for value in (profile.flops / profile.seconds, profile.limit))
    click.echo(
        f"{profile.examples_per_second:.0f} examples/s: {profile.seconds * 1e3:.0f} ms a step of {profile.batch}\n"
        f"{rate}, {profile.share_of_limit:.0%} of the {limit} that its fastest matrix product reaches alone\n"
        f"\n{'operation':<{_NAME}}   ms a step  share  calls a step"
    )
    for name, milliseconds, share, calls in rows[:_ROWS]:
        click.echo(f"{name:<{_NAME}.{_NAME}}  {milliseconds:10.2f}  {share:5.0%}  {calls:12.0f}")


def _with_steps(preset: Preset, changes: Sequence[str], steps: int | None) -> list[str]:
    """Return the changes, and those that make it `steps`; the prior's change in proportion, unless they are set."""
    if steps is None:
        return list(changes)
    from musicae.training.options import TrainingOptions

    settings, training = [*changes, f"training.steps={steps}"], preset.sections.get("training", {})
    before, prior = training.get("steps", TrainingOptions.steps), training.get("prior_steps", 0)
    own = _is_set("training.prior_steps", changes)
    if steps > 0 and not own and type(before) is int and type(prior) is int and min(before, prior) > 0:
        settings.append(f"training.prior_steps={max(1, round(prior * steps / before))}")
    return settings


def _fine_tuning(preset: Preset, changes: Sequence[str]) -> list[str]:
    """Return what to change to fine-tune, apart from what is set: a lower learning rate, and the full KL at once."""
    from musicae.training.options import TrainingOptions

    rate = preset.sections.get("training", {}).get("lr", TrainingOptions.lr)
    made = {"training.kl_warmup": 0}
    if type(rate) in (int, float):
        made["training.lr"] = rate * _FINE_TUNING
    return [f"{key}={value}" for key, value in made.items() if not _is_set(key, changes)]


def _is_set(key: str, changes: Sequence[str]) -> bool:
    return any(change.partition("=")[0].strip() == key for change in changes)


Report = Callable[[dict[str, float]], None]


@contextmanager
def _stopping(out: Path) -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether Ctrl-C was pressed: once stops a training after its step, twice at once.

    One of several processes stops at once: they could not agree on a step.
    """
    asked = False
    several = os.environ.get("WORLD_SIZE", "1") != "1"

    def handle(number: int, frame: object) -> None:
        nonlocal asked
        if asked or several:
            raise KeyboardInterrupt
        asked = True
        say("stopping after this step; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, handle) if threading.current_thread() is threading.main_thread() else None
    try:
        yield lambda: asked
    except KeyboardInterrupt:
        if (out / "state.safetensors").is_file():
            say(f"stopped; the same command with -o {out} --resume goes on")
        raise
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


@contextmanager
def _progress() -> Iterator[Report]:
    """Give a function that shows the reports of a training on stderr: a bar on a terminal, else lines."""
    if not sys.stderr.isatty():
        yield lambda values: say(_line(values))
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[losses]}", markup=False),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), speed_estimate_period=300) as bar:
        tasks: list[progress.TaskID] = []

        def report(values: dict[str, float]) -> None:
            if "steps" not in values:
                bar.console.print(printable(_line(values)), highlight=False, markup=False)
                return
            if not tasks:
                tasks.append(bar.add_task("", total=values["steps"], losses=""))
            bar.update(tasks[0], completed=values["step"], losses=printable(_losses(values)))

        yield report


def _losses(values: dict[str, float]) -> str:
    parts = [f"{name} {values[name]:.4g}" for name in values if name not in ("step", "steps", "examples_per_second")]
    speed = [f"{values['examples_per_second']:.0f} examples/s"] if "examples_per_second" in values else []
    return "  ".join([*speed, *parts])


def _line(values: dict[str, float]) -> str:
    of = f"/{values['steps']:.0f}" if "steps" in values else ""
    return f"step {values['step']:.0f}{of}  {_losses(values)}"
