"""Recordings: how much noise a model takes off held-out sounds, by kind and by level, and what it costs."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..codec import Codec, generator
from ..core import Streamer
from ..corruptions import noises
from ..errors import MusicaeError, did_you_mean
from ..inputs import files_in
from ..waves import power, si_sdr, unit
from . import peers
from .common import Figures, mean

__all__ = ["clips_of", "judged", "named", "recordings"]

_WIDE = 16_000  # PESQ is for this rate, in its wide band.
_LEAST = 1e-10
_MOST = 100_000_000  # Samples that are kept.
_kept: dict[tuple[Any, Path], Tensor] = {}


def recordings(
    codec: Codec, folders: Mapping[str, Path], limit: int | None, against: str, *, clips: int = 3,
    seconds: float = 8.0, ratios: tuple[float, ...] = (0.0, 5.0, 10.0), kinds: tuple[str, ...] = ("white",),
    seed: int = 0,
) -> Figures:  # fmt: skip
    """Measure a model that cleans sound on a set fixed by `seed`.

    `clips` of `seconds` of every speaker or piece (each file, and each folder, of whose files they are put together, in
    the folder of ``--data speech=DIR``) with every noise (those of `kinds`, of ``white``, ``hum`` and ``crackle``; each
    file or folder in the folder of ``--data noise=DIR``; with ``--data voices=DIR`` babble of the speakers there), at
    `ratios` dB.

    Figures: `si_sdr_gain` over the noisy sound, also for each noise and each ratio; `si_sdr_clean`, of what becomes of
    clean sounds; `cost`, CPU seconds for a second of sound on one thread, and `cost_streamed` if it comes in the
    smallest blocks; `pesq` (ITU-T P.862.2, wide band) and `stoi`
    (Taal et al. 2011) where their packages are installed. The floors are the noisy sound's; peers (see
    `musicae.evaluations.peers`) have theirs as ``<peer>_<figure>``.
    Raise MusicaeError for data that are not there, and kinds that there are not.
    """
    rate = int(getattr(codec.adapter, "rate", 0))
    if not rate:
        raise MusicaeError("the evaluation 'recordings' is for models of sound")
    length = round(seconds * rate)
    speech = clips_of(codec, named(folders, "speech"), clips, length, seed)
    made = _noises(codec, folders, length, rate, kinds)
    tests = [
        (clean, kind, ratio, _mixed(clean, made[kind], ratio, generator(seed, 61, i)))
        for i, clean in enumerate(speech)
        for kind in made
        for ratio in ratios
    ]
    if limit is not None:
        chosen = torch.randperm(len(tests), generator=generator(seed, 17))[:limit].sort().values
        tests = [tests[i] for i in chosen.tolist()]
    ways: dict[str, Callable[[Tensor, int], Tensor]] = {"": lambda x, rate: codec.restore_whole(x[None])[0]}
    ways |= peers.peers(against)
    figures: Figures = {"files": len(tests)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name, way in ways.items():
            _measure(figures, f"{name}_" if name else "", way, tests, rate)
        if isinstance(codec.model, Streamer):
            figures["cost_streamed"] = _streamed(codec.model, tests[0][3], rate)
        clean = torch.stack([si_sdr(one, codec.restore_whole(one[None])[0]) for one in speech])
        mean(figures, "si_sdr_clean", clean)
    finally:
        torch.set_num_threads(threads)
    for name, values in judged([(clean, noisy) for clean, _, _, noisy in tests], rate).items():
        figures[f"floor_{name}"] = float(np.mean(values))
    return figures


@torch.no_grad()
def _streamed(model: Streamer, x: Tensor, rate: int) -> float:
    """Return CPU seconds for a second of sound that comes as many samples at once as the model takes at least."""
    blocks = x[: len(x) // model.multiple * model.multiple].view(-1, 1, 1, model.multiple)
    state = None
    started = time.process_time()
    for block in blocks:
        _, state = model.stream(block, state)
    return (time.process_time() - started) / (blocks.numel() / rate)


Test = tuple[Tensor, str, float, Tensor]


def _measure(figures: Figures, prefix: str, way: Callable[[Tensor, int], Tensor], tests: list[Test], rate: int) -> None:
    gains, pairs, spent = [], [], 0.0
    way(tests[0][3], rate)  # What is only done once is not part of the cost.
    for clean, _, _, noisy in tests:
        started = time.process_time()
        out = way(noisy, rate)
        spent += time.process_time() - started
        out = peers.aligned(out, clean, rate) if prefix else out
        gains.append(si_sdr(clean, out) - si_sdr(clean, noisy))
        pairs.append((clean, out))
    gain = torch.stack(gains)
    mean(figures, f"{prefix}si_sdr_gain", gain)
    for name, values in judged(pairs, rate).items():
        mean(figures, f"{prefix}{name}", torch.tensor(values))
    figures[f"{prefix}cost"] = spent / sum(len(noisy) / rate for *_, noisy in tests)
    if not prefix:
        for place, word in ((1, "{}"), (2, "{:g}_db")):
            for value in dict.fromkeys(test[place] for test in tests):
                here = torch.tensor([test[place] == value for test in tests])
                figures[f"si_sdr_gain_{word.format(value)}"] = gain[here].mean().item()


def judged(pairs: list[tuple[Tensor, Tensor]], rate: int) -> dict[str, list[float]]:
    """Return the values of the judges that are installed, for ``(clean, output)`` pairs."""
    found: dict[str, list[float]] = {}
    if importlib.util.find_spec("pystoi"):
        from pystoi import stoi

        found["stoi"] = [float(stoi(clean.numpy(), out.numpy(), rate)) for clean, out in pairs]
    if importlib.util.find_spec("pesq") and rate == _WIDE:
        from pesq import PesqError, pesq

        values = [
            pesq(rate, clean.numpy(), out.numpy(), "wb", on_error=PesqError.RETURN_VALUES) for clean, out in pairs
        ]
        found["pesq"] = [max(1.0, float(value)) for value in values]  # A failure is as bad as can be.
    return found


def named(folders: Mapping[str, Path], name: str) -> Path:
    """Return the folder `name`. Raise MusicaeError that says to name it."""
    if name not in folders:
        raise MusicaeError(f"this evaluation needs --data {name}=DIR")
    return folders[name]


def _groups(codec: Codec, folder: Path) -> dict[str, list[Path]]:
    """Return the sound files of each folder in `folder`, and each file in it as a group of its own."""
    groups: dict[str, list[Path]] = {}
    for path in files_in(folder, codec.adapter.suffixes):
        place = path.relative_to(folder)
        groups.setdefault(place.parts[0] if len(place.parts) > 1 else place.stem, []).append(path)
    if not groups:
        raise MusicaeError(f"no sound files under {folder}; check the path given with --data")
    return groups


def _sound(codec: Codec, paths: list[Path], length: int, rng: torch.Generator) -> Tensor:
    """Return ``(length,)`` samples of files put one after another in random order, from a random place on.

    Files that end before that go round.
    """
    order = torch.randperm(len(paths), generator=rng).tolist()
    parts: list[Tensor] = []
    for i in order:
        adapter: Any = codec.adapter
        part = _read(adapter, paths[i])
        if power(part) > _LEAST:
            parts.append(part)
        if sum(map(len, parts)) >= 2 * length:
            break
    if not parts:
        raise MusicaeError(f"there is only silence in {paths[0].parent}")
    joined = torch.cat(parts)
    start = int(torch.randint(len(joined), (), generator=rng))
    if len(parts) > 1 and len(joined) > length:
        start = 0  # Where files are put together, one begins.
    elif len(joined) > length:
        start %= len(joined) - length + 1
    return joined[(start + torch.arange(length)) % len(joined)]


def _read(adapter: Any, path: Path) -> Tensor:
    """Return the samples of a file; those read last are kept, as far as there is room."""
    found = _kept.pop((adapter, path), None)
    if found is None:
        found = adapter.read(path).tensor[0]
    _kept[adapter, path] = found
    while len(_kept) > 1 and sum(map(len, _kept.values())) > _MOST:
        del _kept[next(iter(_kept))]
    return found


def clips_of(codec: Codec, folder: Path, clips: int, length: int, seed: int) -> list[Tensor]:
    """Return `clips` of `length` samples of each folder and each file in `folder`, always the same."""
    groups = _groups(codec, folder)
    return [
        _sound(codec, paths, length, generator(seed, 62, i, clip))
        for i, paths in enumerate(groups.values())
        for clip in range(clips)
    ]


def _noises(
    codec: Codec, folders: Mapping[str, Path], length: int, rate: int, kinds: tuple[str, ...]
) -> dict[str, Any]:
    """Return for each kind a function of a generator that gives ``(length,)`` samples."""
    known: dict[str, Any] = {
        "white": lambda rng: torch.randn(length, generator=rng),
        "hum": lambda rng: noises.hum(1, length, rate, rng)[0],
        "crackle": lambda rng: noises.crackle(1, length, rate, rng)[0],
    }
    for kind in kinds:
        if kind not in known:
            raise MusicaeError(f"[evaluation] kinds: there is no '{kind}'{did_you_mean(kind, known)}")
    made = {kind: known[kind] for kind in kinds}
    for name, paths in _groups(codec, named(folders, "noise")).items():
        made[f"recorded_{name}" if name in known or name == "babble" else name] = lambda rng, paths=paths: _sound(
            codec, paths, length, rng
        )
    if "voices" in folders:
        speakers = list(_groups(codec, folders["voices"]).values())

        def babble(rng: torch.Generator) -> Tensor:
            voices = [_sound(codec, paths, length, rng) for paths in speakers]
            return noises.babble(torch.stack(voices)[:, None], rng)[0]

        made["babble"] = babble
    return made


def _mixed(clean: Tensor, kind: Any, ratio: float, rng: torch.Generator) -> Tensor:
    noise = unit(kind(rng))
    return clean + noise * (power(clean) * 10 ** (-ratio / 10)).sqrt()
