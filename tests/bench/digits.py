"""Autoencoders of MNIST beside those of pythae (Chadebec et al. 2022): how fast, and how good after the same work."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contest import Contender, Result, contest
from report import Setting, Table, Value

from musicae import preset as presets

PRESET = "mnist-ae"
NETWORKS = ("pythae ConvNet", "pythae ResNet")  # The quickest last.
LATENT = 128
BATCH, SMALL_BATCH = 256, 64  # The preset's, for speed, and pythae's, for quality: more steps in a short time.
RATE = 2e-3  # The preset's, less by the root of the batch's share.
_SECONDS, _QUICK_SECONDS = 30.0, 5.0  # Of training.
_WARM_UP = 30  # One step in so many warms up, as in the preset.

SPEED = {"": "", "CPU ms a step": ".0f", "pictures a CPU second": ".0f", "musicae is faster by": ".1f", "remark": ""}
QUALITY = {"": "", "pictures": "d", "CPU s": ".0f", "PSNR, dB": ".2f", "remark": ""}
NOTE = (
    f"One thread, batch {SMALL_BATCH}, which is pythae's own. Its rate is its own as well, Adam's 1e-4, but falls to "
    "zero by a cosine, as musicae's does; at 1e-3 the ResNet's pictures turn black. Its data are tensors in memory: "
    "this leaves out its trainer's loading. PSNR is the mean over the 10,000 test pictures. This is far from "
    f"the end of a training, where [{PRESET}](../presets/README.md#{PRESET}) is above 33 dB."
)


def measure(setting: Setting) -> list[Table]:
    """Time steps of all, and train them for the same time, and on as many pictures."""
    from material import made

    given = setting.data.get("mnist")
    folder = str(given or made("mnist", setting.folder))
    ours = {"name": PRESET, "changes": [], "folders": {"": folder}, "processes": 1, "timed": 4}
    contenders = [Contender("musicae", "training:steps", ours)]
    sizes = {"folder": folder, "latent": LATENT, "batch": BATCH, "steps": 2}
    for name in NETWORKS:
        for bf16 in (False, True):
            settings = {**sizes, "kind": name.split()[1], "bf16": bf16}
            shown = f"{name}, bf16" if bf16 else name
            contenders.append(Contender(shown, "rivals:pythae_steps", settings, setting.peers))
    results = contest(contenders, 1 if setting.quick else 2, warm_up=False)
    tables = [Table(f"Training autoencoders of MNIST, {LATENT} numbers, batch {BATCH}", SPEED, _speeds(results))]
    if given is None:
        said = [[None] * 4 + ["PSNR is measured on the real digits: name them with --data mnist=DIR"]]
        return [*tables, Table("PSNR after the same work", QUALITY, said, NOTE)]
    rates = {result.name: BATCH / result.best("cpu") for result in results if not result.reason}
    seconds = _QUICK_SECONDS if setting.quick else _SECONDS
    return [*tables, Table("PSNR after the same work", QUALITY, _qualities(setting, folder, rates, seconds), NOTE)]


def _speeds(results: list[Result]) -> list[list[Value]]:
    rows: list[list[Value]] = []
    ours = results[0]
    for result in results:
        if result.reason:
            rows.append([result.name, None, None, None, result.reason])
            continue
        seconds = result.best("cpu")
        faster = None if result is ours or ours.reason else seconds / ours.best("cpu")
        rows.append([result.name, 1e3 * seconds, BATCH / seconds, faster, ""])
    return rows


def _qualities(setting: Setting, folder: str, rates: dict[str, float], seconds: float) -> list[list[Value]]:
    """Return rows for each network of pythae, then for musicae after as many pictures, and after the same time."""
    settings = {"folder": folder, "batch": SMALL_BATCH}
    theirs = {name: max(2, round(seconds * rates[name] / SMALL_BATCH)) for name in NETWORKS if name in rates}
    if not theirs:
        return [["pythae", None, None, None, "it does not run, see above"]]
    contenders = [
        Contender(name, "rivals:pythae_training", {**settings, "kind": name.split()[1], "latent": LATENT, "steps": n},
                  setting.peers)
        for name, n in theirs.items()
    ]  # fmt: skip
    ours = {f"musicae, as many pictures as {name}": steps for name, steps in theirs.items()}
    results = contest([*contenders, *_ours(ours, settings)], 1, warm_up=False)
    other, own = results[len(theirs) - 1], results[-1]  # Of the quickest network of pythae.
    if not other.reason and not own.reason:
        same = {"musicae, the same time": round(ours[own.name] * other.best("cpu") / own.best("cpu"))}
        results += contest(_ours(same, settings), 1, warm_up=False)
        ours |= same
    rows: list[list[Value]] = []
    for result in results:
        if result.reason:
            rows.append([result.name, None, None, None, result.reason])
        else:
            pictures = SMALL_BATCH * {**theirs, **ours}[result.name]
            rows.append([result.name, pictures, result.best("cpu"), result.best("psnr"), ""])
    return rows


def _ours(steps: dict[str, int], settings: dict[str, Any]) -> list[Contender]:
    return [Contender(name, "digits:training", {**settings, "steps": count}) for name, count in steps.items()]


def training(folder: str, batch: int, steps: int) -> Callable[[], dict[str, Any]]:
    """Return what trains the preset for some steps, its warm-up cut in proportion, and measures it on the test set."""
    import time

    import musicae
    from musicae import splits
    from musicae.evaluations.shared.common import all_of
    from musicae.tensors.metrics import psnr

    settings = {
        "steps": steps, "batch": batch, "lr": RATE, "warmup": max(1, steps // _WARM_UP), "log_every": steps,
        "checkpoint_every": steps,
    }  # fmt: skip
    changes = [f"training.{name}={value}" for name, value in settings.items()]
    recipe, folders = presets.load(PRESET, [f"model.latent={LATENT}", *changes]), {"": Path(folder)}
    ends: list[float] = []

    def after_step() -> bool:
        ends.append(time.process_time())
        return False

    def run() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as out:
            path = musicae.train(recipe, out, folders, cpu=True, stop=after_step)
            codec = musicae.load(str(path))
        test = splits.load(recipe, codec.adapter, "test", folders)
        x = all_of(test)
        error = psnr(x, codec.restore(x).clamp(0, 1)).mean().item()
        spent = (ends[-1] - ends[0]) * len(ends) / max(1, len(ends) - 1)
        return {"cpu": spent, "psnr": error}

    return run
