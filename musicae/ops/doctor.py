"""What musicae finds on a machine: versions, devices, memory, folders, presets, sound, and which extras are there."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from musicae import folders, memory, preset, registry, threads

__all__ = ["EXTRAS", "SECTIONS", "examine", "extras"]

EXTRAS = {
    "av": "more formats of sound, and the sound of videos (PyAV)",
    "floors": "non-local means, a rival in the figures of pictures",
    "folk": "the data set folk, 12,800 tunes",
    "hub": "presets at the Hugging Face hub: hf:user/name, and musicae push",
    "live": "musicae denoise --live, from a microphone",
    "onnx": "musicae export, models as ONNX files that run without torch",
    "peers": "other denoisers to compare with (evaluate --against), and measures of speech",
    "tensorboard": "training curves in TensorBoard",
}
"""What each extra adds; those for developing musicae are left out."""

_DEVELOPING = ("dev", "docs")
_MAX_FILES = 100_000  # Of the cache folder, that are counted.
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[[^]]*\])?\s*[^;]*(?:;(?P<marker>.*))?")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([\w-]+)['"]""")
_PACKAGES = ("numpy", "scipy", "torch", "torchaudio", "accelerate", "safetensors", "librosa", "soundfile", "symusic")

Facts = dict[str, Any]


def examine() -> Facts:
    """Return what there is, by section; one that cannot be told has only the reason, ``error``."""
    found: Facts = {}
    for name, section in SECTIONS.items():
        try:
            found[name] = section()
        except Exception as error:  # What is broken here is what is to be found out.
            found[name] = {"error": " ".join(f"{type(error).__name__}: {error}".split())[:300]}
    return found


def _versions() -> Facts:
    return {
        "musicae": _version("musicae"),
        "folder": str(Path(__file__).resolve().parents[1]),
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> Facts:
    """Return the GPUs that torch can use, and which device training takes."""
    import torch

    gpus = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return {
        "gpus": [{"name": gpu.name, "memory": gpu.total_memory} for gpu in gpus],
        "cuda": torch.version.cuda,
        "mps": torch.backends.mps.is_available(),
        "trains_on": "cuda" if gpus else "mps" if torch.backends.mps.is_available() else "cpu",
    }


def _threads() -> Facts:
    """Return the cores, and how many threads and processes musicae would use."""
    import torch

    return {
        "cores": threads.cores(),
        "large_work": torch.get_num_threads(),
        "small_work": 1 if threads.free() > 1 else torch.get_num_threads(),
        "training_processes": threads.spare_cores(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
    }


def _memory() -> Facts:
    there, free = _physical_memory()
    return {"bytes": there, "free": free, "limit": memory.memory_limit(), memory.VARIABLE: _variable(memory.VARIABLE)}


def _physical_memory() -> tuple[int | None, int | None]:
    """Return how much memory the machine has, and how much of it is free; None where the system does not say."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        total, free = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    except (OSError, ValueError, KeyError):
        try:
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None
        except (AttributeError, ValueError, OSError):  # Windows.
            return None, None
    return total, free


def _variable(name: str) -> str | None:
    return os.environ.get(name) or None


def _cache() -> Facts:
    folder = folders.cache_folder()
    size, count = _size(folder)
    return {"folder": str(folder), "bytes": size, "files": count, "complete": count < _MAX_FILES,
            "disk_free": _disk_free(folder), "MUSICAE_CACHE": _variable("MUSICAE_CACHE")}  # fmt: skip


def _size(folder: Path) -> tuple[int, int]:
    """Return how many bytes the files below a folder have, and how many files there are; no more than so many."""
    size = count = 0
    for here, _, names in os.walk(folder):
        for name in names:
            try:
                size += (Path(here) / name).lstat().st_size
            except OSError:  # It has been deleted meanwhile.
                continue
            count += 1
            if count >= _MAX_FILES:
                return size, count
    return size, count


def _disk_free(folder: Path) -> int:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def _data() -> Facts:
    folder = folders.data_folder()
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return {"folder": str(folder), "sets": [name for name in names if not name.startswith(".")],
            "MUSICAE_DATA": _variable("MUSICAE_DATA")}  # fmt: skip


def _presets() -> Facts:
    """Return the presets by the package they come from, those without weights, and those of the hub in the cache."""
    from musicae import hub

    owners = preset.listed()
    by_owner: dict[str, list[str]] = {}
    for name, owner in owners.items():
        by_owner.setdefault(owner, []).append(name)
    untrained = [name for name in owners if hub.find_weights(name) is None]
    kept = sorted(path.parent.parent.name + "/" + path.parent.name
                  for path in (folders.cache_folder() / "hub").glob("*/*/revisions"))  # fmt: skip
    return {"from": by_owner, "untrained": untrained, "hub": [f"hf:{name}" for name in kept],
            "plugins": sorted({registry.owner(group, name) for group in registry.GROUPS
                               for name in registry.names(group)} - {"musicae"})}  # fmt: skip


def _sound() -> Facts:
    from musicae.formats.music import synth

    name = synth.available()
    return {"synthesiser": name, "version": _version(name), synth.VARIABLE: _variable(synth.VARIABLE)}


def _extras() -> Facts:
    return extras(metadata.requires("musicae") or [])


def extras(requirements: Sequence[str]) -> Facts:
    """Return for each extra what it adds, and which of its packages are missing, from a package's requirements."""
    found: dict[str, Facts] = {}
    for text in requirements:
        match = _REQUIREMENT.match(text)
        extra = _EXTRA.search(match["marker"] or "") if match else None
        if match is None or extra is None or extra[1] in _DEVELOPING or not _wanted(match["marker"]):
            continue
        one = found.setdefault(extra[1], {"adds": EXTRAS.get(extra[1], ""), "packages": {}})
        one["packages"][match["name"]] = _version(match["name"])
    for one in found.values():
        one["installed"] = None not in one["packages"].values()
    return dict(sorted(found.items()))


def _wanted(marker: str) -> bool:
    """Tell whether a requirement is one of this Python; of markers, musicae has only those of its version."""
    match = re.search(r"""python_version\s*(<|>=)\s*['"](\d+)\.(\d+)['"]""", marker)
    if match is None:
        return True
    newer = sys.version_info[:2] >= (int(match[2]), int(match[3]))
    return newer if match[1] == ">=" else not newer


SECTIONS: Mapping[str, Callable[[], Facts]] = {
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
"""Each section and what finds it out."""
