"""Recordings: how much noise a model takes off held-out sounds, by kind and by level, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Model
from musicae.errors import MusicaeError, did_you_mean
from musicae.evaluations.shared import peers
from musicae.evaluations.shared.clips import clips_of, folder_of, groups_of, random_clip
from musicae.evaluations.shared.common import Figures, mean
from musicae.evaluations.shared.judges import speech_scores
from musicae.tensors import noises
from musicae.tensors.dsp import power, si_sdr, unit
from musicae.tensors.random import generator

__all__ = ["recordings"]

Cleaner = Callable[[Tensor, int], Tensor]
"""Cleans samples ``(T,)`` at a rate in Hz."""

Noise = Callable[[torch.Generator], Tensor]
"""Draws samples of noise, ``(T,)``."""


class Noisy(NamedTuple):
    """A clip `clean` ``(T,)``, and with noise of a `kind` at `snr_db` as `noisy` ``(T,)``."""

    clean: Tensor
    kind: str
    snr_db: float
    noisy: Tensor


def recordings(
    codec: Codec,
    folders: Mapping[str, Path],
    limit: int | None,
    against: str,
    *,
    clips: int = 3,
    seconds: float = 8.0,
    snrs_db: tuple[float, ...] = (0.0, 5.0, 10.0),
    kinds: tuple[str, ...] = ("white",),
    seed: int = 0,
) -> Figures:
    """Measure a model that cleans sound on a set fixed by `seed`.

    `clips` of `seconds` of every speaker or piece (each file, and each folder, of whose files they are put together, in
    the folder of ``--data speech=DIR``) with every noise (those of `kinds`, of ``white``, ``hum`` and ``crackle``; each
    file or folder in the folder of ``--data noise=DIR``; with ``--data voices=DIR`` babble of the speakers there), at
    signal-to-noise ratios of `snrs_db`.

    Figures: `si_sdr_gain` over the noisy sound in dB, also for each noise and each ratio; `si_sdr_clean`, of what
    becomes of clean sounds; `cost`, CPU seconds for a second of sound on one thread, and `cost_streamed` if it comes in
    the smallest blocks; `pesq` and `stoi` (see `speech_scores`) where their packages are installed. The floors are the
    noisy sound's; peers (see `musicae.evaluations.shared.peers`) have theirs as ``<peer>_<figure>``.
    Raise MusicaeError for data that are not there, and kinds that there are not.
    """
    adapter, rate = codec.adapter, codec.adapter.sample_rate
    if not rate:
        raise MusicaeError("the evaluation 'recordings' is for models of sound; use the adapter 'audio'")
    length = round(seconds * rate)
    speech = clips_of(adapter, folder_of(folders, "speech"), clips, length, seed)
    sources = _noises(codec, folders, length, kinds)
    tests = [
        Noisy(clean, kind, snr_db, _mixed(clean, sources[kind], snr_db, generator(seed, 61, i)))
        for i, clean in enumerate(speech)
        for kind in sources
        for snr_db in snrs_db
    ]
    if limit is not None:
        chosen = torch.randperm(len(tests), generator=generator(seed, 17))[:limit].sort().values
        tests = [tests[i] for i in chosen.tolist()]

    def clean_up(x: Tensor, sample_rate: int) -> Tensor:
        return codec.restore_any_size(x[None])[0]

    cleaners: dict[str, Cleaner] = {"": clean_up, **peers.peers(against)}
    figures: Figures = {"files": len(tests)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name, cleaner in cleaners.items():
            _measure(figures, f"{name}_" if name else "", cleaner, tests, rate)
        if codec.model.streams:
            figures["cost_streamed"] = _streaming_cost(codec.model, tests[0].noisy, rate)
        mean(figures, "si_sdr_clean", torch.stack([si_sdr(one, clean_up(one, rate)) for one in speech]))
    finally:
        torch.set_num_threads(threads)
    for name, values in speech_scores([(test.clean, test.noisy) for test in tests], rate).items():
        figures[f"floor_{name}"] = float(np.mean(values))
    return figures


@torch.no_grad()
def _streaming_cost(model: Model, x: Tensor, rate: int) -> float:
    """Return CPU seconds for a second of the sound `x` ``(T,)`` that comes in the smallest blocks."""
    blocks = x[: len(x) // model.multiple * model.multiple].view(-1, 1, 1, model.multiple)
    state = model.initial_state()
    started = time.process_time()
    for block in blocks:
        _, state = model.stream(block, state)
    return (time.process_time() - started) / (blocks.numel() / rate)


def _measure(figures: Figures, prefix: str, cleaner: Cleaner, tests: list[Noisy], rate: int) -> None:
    """Put the figures of one cleaner into `figures`; `prefix` is a peer's."""
    gains, pairs, spent = [], [], 0.0
    cleaner(tests[0].noisy, rate)  # What is only done once is not part of the cost.
    for test in tests:
        started = time.process_time()
        out = cleaner(test.noisy, rate)
        spent += time.process_time() - started
        out = peers.aligned(out, test.clean, rate) if prefix else out
        gains.append(si_sdr(test.clean, out) - si_sdr(test.clean, test.noisy))
        pairs.append((test.clean, out))
    gain = torch.stack(gains)
    mean(figures, f"{prefix}si_sdr_gain", gain)
    for name, values in speech_scores(pairs, rate).items():
        mean(figures, f"{prefix}{name}", torch.tensor(values))
    figures[f"{prefix}cost"] = spent / sum(len(test.noisy) / rate for test in tests)
    if not prefix:
        for kind in dict.fromkeys(test.kind for test in tests):
            figures[f"si_sdr_gain_{kind}"] = gain[torch.tensor([test.kind == kind for test in tests])].mean().item()
        for snr_db in dict.fromkeys(test.snr_db for test in tests):
            chosen = torch.tensor([test.snr_db == snr_db for test in tests])
            figures[f"si_sdr_gain_{snr_db:g}_db"] = gain[chosen].mean().item()


def _noises(codec: Codec, folders: Mapping[str, Path], length: int, kinds: tuple[str, ...]) -> dict[str, Noise]:
    """Return the noises by their kind, each of `length` samples."""
    adapter, rate = codec.adapter, codec.adapter.sample_rate
    known: dict[str, Noise] = {
        "white": lambda rng: torch.randn(length, generator=rng),
        "hum": lambda rng: noises.hum(1, length, rate, rng)[0],
        "crackle": lambda rng: noises.crackle(1, length, rate, rng)[0],
    }
    for kind in kinds:
        if kind not in known:
            raise MusicaeError(f"[evaluation] kinds: there is no '{kind}'{did_you_mean(kind, known)}")
    found = {kind: known[kind] for kind in kinds}

    def recorded(paths: list[Path]) -> Noise:
        return lambda rng: random_clip(adapter, paths, length, rng)

    for name, paths in groups_of(adapter, folder_of(folders, "noise")).items():
        found[f"recorded_{name}" if name in known or name == "babble" else name] = recorded(paths)
    if "voices" in folders:
        speakers = list(groups_of(adapter, folders["voices"]).values())

        def babble(rng: torch.Generator) -> Tensor:
            voices = [random_clip(adapter, paths, length, rng) for paths in speakers]
            return noises.babble(torch.stack(voices)[:, None], rng)[0]

        found["babble"] = babble
    return found


def _mixed(clean: Tensor, noise: Noise, snr_db: float, rng: torch.Generator) -> Tensor:
    return clean + unit(noise(rng)) * (power(clean) * 10 ** (-snr_db / 10)).sqrt()
