"""How fast presets train: examples a second, the share of the machine's limit, and two processes against one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from operator import sub
from pathlib import Path
from typing import Any, NamedTuple

from contest import Contender, contest
from material import made
from report import Setting, Table, Value

from musicae import preset as presets

Run = Callable[[], dict[str, Any]]

_WARM_UP = 2  # Steps, before those that are timed.


class Case(NamedTuple):
    """A preset to train: changes of it, its data set and the one made where none is given, and how many steps to time.

    A `slow` one is left out where it should be quick; where it is not `profiled`, the share of the limit is not known.
    """

    preset: str
    data: str
    made: str
    changes: tuple[str, ...] = ()
    steps: int = 6
    slow: bool = False
    profiled: bool = True


CASES = (
    Case("melody-2bar", "midi-files", "midi-files", ("dataset.name=midi-files",)),
    Case("drums-2bar", "groove", "drums"),
    Case("mnist-ae", "mnist", "mnist"),
    Case("mnist-vae", "mnist", "mnist"),
    Case("mnist-denoise", "mnist", "mnist"),
    Case("photo-denoise", "pictures", "pictures"),
    Case("drum-sounds", "one-shots", "one-shots"),
    Case("denoise-speech", "recordings", "recordings", ("training.batch=4",)),
    Case("denoise-speech", "recordings", "recordings", steps=2, slow=True, profiled=False),
    Case("upscale-audio", "recordings", "recordings", slow=True),
    Case("sound", "recordings", "recordings", slow=True),
)

COLUMNS = {
    "preset": "",
    "batch": "d",
    "ms a step": ".0f",
    "examples/s": ".0f",
    "GFLOP/s": ".0f",
    "limit": ".0f",
    "share": ".0%",
    "examples/s, 2 processes": ".0f",
    "ratio": ".2f",
    "": "",
}
NOTE = (
    "*Limit* is the speed of the step's fastest matrix product when it runs alone, *share* how much of it training "
    "reaches, and *ratio* the speed-up from one process to two, which needs two idle cores. The fastest step counts, "
    "in CPU time, for *ratio* in wall time."
)


def measure(setting: Setting) -> list[Table]:
    """Train each preset for some steps."""
    rows = [_row(case, setting) for case in CASES if not (case.slow and setting.quick)]
    return [Table("Training on a CPU, one thread for each process, bf16", COLUMNS, rows, NOTE)]


def _row(case: Case, setting: Setting) -> list[Value]:
    given = setting.data.get(case.data)
    changes = case.changes
    if given is None and case.made == "drums":
        changes = (*changes, "dataset.name=midi-files")
    folders = {"": str(given or made(case.made, setting.folder))}
    if case.data == "recordings" and "noise" in setting.data:
        folders["noise"] = str(setting.data["noise"])
    recipe = {"name": case.preset, "changes": changes, "folders": folders}
    ways = [
        Contender(str(count), "training:steps", {**recipe, "processes": count, "timed": case.steps}) for count in (1, 2)
    ]
    one, two = contest(ways, 1, warm_up=False)
    batch = presets.load(case.preset, changes).sections["training"]["batch"]
    if one.reason:
        return [case.preset, batch, *[None] * 7, one.reason]
    seconds = one.best("cpu")
    row: list[Value] = [case.preset, batch, 1e3 * seconds, batch / seconds, None, None, None, None, None, two.reason]
    if case.profiled:
        (found,) = contest([Contender("", "training:profiled", recipe)], 1, warm_up=False)
        if found.reason:
            row[-1] = found.reason
        else:
            rate, limit = found.best("flops") / seconds, found.best("limit")
            row[4:7] = [rate / 1e9, limit / 1e9, rate / limit]
    if not two.reason:
        row[7:9] = [batch / two.best("wall"), one.best("wall") / two.best("wall")]
    return row


def profiled(name: str, changes: Sequence[str], folders: dict[str, str]) -> Run:
    """Return what profiles the training of a preset."""
    from musicae.training.profile import profile

    def run() -> dict[str, Any]:
        found = profile(presets.load(name, changes), _paths(folders), cpu=True)
        return {"flops": found.flops, "limit": found.limit}

    return run


def steps(name: str, changes: Sequence[str], folders: dict[str, str], processes: int, timed: int) -> Run:
    """Return what trains a preset for a few steps; its figures are the seconds of the quickest, see `quickest`."""
    import musicae

    count = _WARM_UP + timed
    often = (f"training.log_every={count}", f"training.checkpoint_every={count}", "training.prior_steps=0")
    recipe = presets.load(name, [*changes, f"training.steps={count}", *often])

    def run() -> dict[str, Any]:
        ends: list[tuple[float, float]] = []

        def after_step() -> bool:
            ends.append((time.perf_counter(), time.process_time()))
            return False

        with tempfile.TemporaryDirectory() as out:
            musicae.train(recipe, out, _paths(folders), cpu=True, stop=after_step, processes=processes)
        return quickest(ends[_WARM_UP - 1 :])

    return run


def quickest(ends: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the seconds of the quickest step on the clock, and of the CPU, from both times at the ends of steps."""
    return dict(
        zip(("wall", "cpu"), (min(map(sub, times[1:], times)) for times in zip(*ends, strict=True)), strict=True)
    )


def _paths(folders: dict[str, str]) -> dict[str, Path]:
    return {name: Path(folder) for name, folder in folders.items()}
