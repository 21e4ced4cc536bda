"""Recordings: how much noise a model removes from held-out sounds, by kind and by level, and what it costs."""

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
from musicae.evaluations.shared.common import Figures, limited, mean
from musicae.evaluations.shared.judges import speech_scores
from musicae.ranges import Count, Decibels, Seconds, Seed
from musicae.tensors import noises
from musicae.tensors.dsp import power, si_sdr, unit
from musicae.tensors.random import generator

__all__ = ["recordings"]

Denoise = Callable[[Tensor, int], Tensor]
"""Denoises samples ``(T,)`` at a rate in Hz."""

Noise = Callable[[torch.Generator], Tensor]
"""Draws samples of noise, ``(T,)``."""


class Noisy(NamedTuple):
    """A clip ``(T,)``, `clean` and `noisy`: with noise of a `kind` at `snr_db`."""

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
    clips: Count = 3,
    seconds: Seconds = 8.0,
    snrs_db: tuple[Decibels, ...] = (0.0, 5.0, 10.0),
    kinds: tuple[str, ...] = ("white",),
    seed: Seed = 0,
) -> Figures:
    """Measure a denoiser of sound on a set fixed by `seed`.

    `clips` of `seconds` of every speaker or piece (each file, and each folder as one, in the folder of ``--data
    speech=DIR``) are mixed with every noise (those in `kinds`, of ``white``, ``hum`` and ``crackle``; each file or
    folder in the folder of ``--data noise=DIR``; with ``--data voices=DIR`` babble of the speakers there), at
    signal-to-noise ratios of `snrs_db`.

    Figures: `si_sdr_gain` over the noisy sound in dB, also for each noise and each ratio; `si_sdr_clean`, of
    clean sounds after denoising; `cost`, CPU seconds for a second of sound on one thread, and `cost_streamed` in the
    smallest blocks; `pesq` and `stoi` (see `speech_scores`) if their packages are installed. The floors are those of
    the noisy sound; peers (see `musicae.evaluations.shared.peers`) have figures ``<peer>_<figure>``. Raise MusicaeError
    for missing data, or unknown kinds.
    """
    adapter, rate = codec.adapter, codec.adapter.sample_rate
    if not rate:
        raise MusicaeError("the evaluation 'recordings' is for models of sound; use the adapter 'audio'")
    length = round(seconds * rate)
    speech = clips_of(adapter, folder_of(folders, "speech"), clips, length, seed)
    sources = _noises(codec, folders, length, kinds)
    tests = [
        Noisy(clean, kind, snr_db, _mix(clean, sources[kind], snr_db, generator(seed, 61, i)))
        for i, clean in enumerate(speech)
        for kind in sources
        for snr_db in snrs_db
    ]
    tests = limited(tests, limit, seed)

    def denoise(x: Tensor, sample_rate: int) -> Tensor:
        return codec.restore_any_size(x[None])[0]

    denoisers: dict[str, Denoise] = {"": denoise, **peers.peers(against)}
    figures: Figures = {"files": len(tests)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name, denoiser in denoisers.items():
            _measure(figures, f"{name}_" if name else "", denoiser, tests, rate)
        if codec.model.streams:
            figures["cost_streamed"] = _streaming_cost(codec.model, tests[0].noisy, rate)
        mean(figures, "si_sdr_clean", torch.stack([si_sdr(clip, denoise(clip, rate)) for clip in speech]))
    finally:
        torch.set_num_threads(threads)
    for name, values in speech_scores([(test.clean, test.noisy) for test in tests], rate).items():
        figures[f"floor_{name}"] = float(np.mean(values))
    return figures


@torch.inference_mode()
def _streaming_cost(model: Model, x: Tensor, rate: int) -> float:
    """Return CPU seconds for a second of the sound `x` ``(T,)`` in the smallest blocks; `rate` is in Hz."""
    blocks = x[: len(x) // model.multiple * model.multiple].view(-1, 1, 1, model.multiple)
    state = model.initial_state()
    started = time.process_time()
    for block in blocks:
        _, state = model.stream(block, state)
    return (time.process_time() - started) / (blocks.numel() / rate)


def _measure(figures: Figures, prefix: str, denoiser: Denoise, tests: list[Noisy], rate: int) -> None:
    """Add the figures of one denoiser to `figures`; `prefix` is a peer's."""
    gains, pairs, spent = [], [], 0.0
    denoiser(tests[0].noisy, rate)  # So that the cost is without what is done only once.
    for test in tests:
        started = time.process_time()
        out = denoiser(test.noisy, rate)
        spent += time.process_time() - started
        out = peers.align(out, test.clean, rate) if prefix else out
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
    chosen = {kind: known[kind] for kind in kinds}

    def recorded(paths: list[Path]) -> Noise:
        return lambda rng: random_clip(adapter, paths, length, rng)

    for name, paths in groups_of(adapter, folder_of(folders, "noise")).items():
        chosen[f"recorded_{name}" if name in known or name == "babble" else name] = recorded(paths)
    if "voices" in folders:
        speakers = list(groups_of(adapter, folders["voices"]).values())

        def babble(rng: torch.Generator) -> Tensor:
            voices = [random_clip(adapter, paths, length, rng) for paths in speakers]
            return noises.babble(torch.stack(voices)[:, None], rng)[0]

        chosen["babble"] = babble
    return chosen


def _mix(clean: Tensor, noise: Noise, snr_db: float, rng: torch.Generator) -> Tensor:
    return clean + unit(noise(rng)) * (power(clean) * 10 ** (-snr_db / 10)).sqrt()
