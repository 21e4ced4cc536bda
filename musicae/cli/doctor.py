"""The command doctor."""

from __future__ import annotations

from typing import Any

import click

from musicae.cli.shared.results import say_json
from musicae.cli.shared.terminal import show

__all__ = ["doctor"]

Facts = dict[str, Any]

_WIDTH = 9  # Of the first column.


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Print what musicae finds on this machine.

    Versions, devices, threads, memory, folders, presets, what plays music, and which extras are installed and what the
    others would add. Put it into a report of a problem; it holds no names of files but those of folders.
    """
    from musicae.ops.doctor import examine

    found = examine()
    if as_json:
        say_json(found)
        return
    for name, facts in found.items():
        lines = [f"cannot be told: {facts['error']}"] if "error" in facts else _LINES[name](facts)
        for i, line in enumerate(lines):
            show(f"{'' if i else name:<{_WIDTH}}  {line}")


def _versions(facts: Facts) -> list[str]:
    packages = ", ".join(f"{name} {version or 'missing'}" for name, version in facts["packages"].items())
    python = f"Python {facts['python']} ({facts['executable']}), {facts['system']}"
    return [f"musicae {facts['musicae'] or '(not installed)'} in {facts['folder']}", python, packages]


def _devices(facts: Facts) -> list[str]:
    gpus = ", ".join(f"{gpu['name']} with {_size(gpu['memory'])}" for gpu in facts["gpus"])
    made_for = f"torch is made for CUDA {facts['cuda']}" if facts["cuda"] else "torch is made for no GPU of NVIDIA's"
    known = gpus or ("the GPU of this Mac" if facts["mps"] else f"no GPU; {made_for}")
    return [f"{known}; training takes {facts['trains_on']}"]


def _threads(facts: Facts) -> list[str]:
    chosen = facts["OMP_NUM_THREADS"]
    return [
        f"cores {facts['cores']}; threads for large work {facts['large_work']}, for small {facts['small_work']}; "
        f"processes to train on the CPU {facts['training_processes']}"
        f"{f'; OMP_NUM_THREADS is {chosen}' if chosen else ''}"
    ]


def _memory(facts: Facts) -> list[str]:
    return [
        f"{_size(facts['bytes'])}, of which {_size(facts['free'])} are free; a file may take {_size(facts['limit'])} "
        "(MUSICAE_MEMORY)"
    ]


def _cache(facts: Facts) -> list[str]:
    more = "" if facts["complete"] else "over "
    return [
        f"{facts['folder']}: {more}{_size(facts['bytes'])} in {facts['files']} files, {_size(facts['disk_free'])} free "
        "there (MUSICAE_CACHE)"
    ]


def _data(facts: Facts) -> list[str]:
    return [f"{facts['folder']}: {', '.join(facts['sets']) or 'no data sets yet'} (MUSICAE_DATA)"]


def _presets(facts: Facts) -> list[str]:
    lines = [f"{len(names)} of {owner}" for owner, names in facts["from"].items()]
    lines[0] += f"; without weights: {', '.join(facts['untrained']) or 'none'}"
    lines += [f"{len(facts['hub'])} of the hub: {', '.join(facts['hub'])}"] if facts["hub"] else []
    return [*lines, *([f"plugins: {', '.join(facts['plugins'])}"] if facts["plugins"] else [])]


def _sound(facts: Facts) -> list[str]:
    return [f"{facts['synthesiser']} {facts['version'] or ''} plays music (MUSICAE_SYNTH)"]


def _extras(facts: Facts) -> list[str]:
    lines = []
    for name, extra in facts.items():
        missing = [package for package, version in extra["packages"].items() if version is None]
        state = "installed" if extra["installed"] else "missing  "
        how = f": pip install 'musicae[{name}]'" if missing else ""
        some = f" (without {', '.join(missing)})" if 0 < len(missing) < len(extra["packages"]) else ""
        lines.append(f"{name:<11}  {state}  {extra['adds']}{some}{how}")
    return lines


def _size(count: int | None) -> str:
    from musicae.memory import in_bytes

    return "an unknown amount" if count is None else in_bytes(count)


_LINES = {
    "versions": _versions,
    "devices": _devices,
    "threads": _threads,
    "memory": _memory,
    "cache": _cache,
    "data": _data,
    "presets": _presets,
    "sound": _sound,
    "extras": _extras,
}
