"""Sounds: samples of one channel at the preset's rate, from files of any rate and number of channels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from msgspec import Meta
from torch import Tensor
from torch.nn import functional as F

from musicae.adapters.shared.schema import SoundMeta, checked
from musicae.core import Adapter, Candidate, File, Sample, Sound, Spec
from musicae.errors import WITH_PRESET, Line, MusicaeError, elsewhere, line_of
from musicae.formats.files import name_of, suffix_of
from musicae.formats.sound.files import (
    AV_SUFFIXES,
    SUFFIXES,
    Block,
    Kind,
    is_sound,
    kind_like,
    kind_of,
    read_tags,
    reading,
    writing,
)
from musicae.formats.sound.mono import mono_blocks
from musicae.memory import check_memory
from musicae.ranges import Decibels, Positive, SampleRate, Steps
from musicae.tensors.dsp import SILENCE, decibels, equalise, magnitudes, power
from musicae.tensors.mixdown import Mixdown

__all__ = ["Audio", "is_short", "resample"]

_N_FFT, _MAX_COLUMNS, _RANGE_DB = 1024, 1000, 80.0  # Of the spectrogram that `picture` gives.
_BYTES, _COPIES_AS_IS, _COPIES_READ, _COPIES = 4, 3, 2, 16  # How often a sound is in memory, up to a model's output.
_MAX_ONE_SHOT = 2.0  # Seconds; a longer file is not a single sound.
_EXCERPT = 30.0  # Seconds, without silence, in which to look for speech,
_SEARCHED = 300.0  # among this many at the start.
_IN_DOUBT = 1.0  # Log-odds nearer to 0 than this: less than 3 to 1.


class Audio(Adapter):
    """Files <-> samples ``(1, T)`` in -1 .. 1 at `sample_rate`; the channels of a file are mixed to one (`Mixdown`).

    A file is written with the rate, the channels (all alike), the format and the length of the one that was read. The
    `meta` of a sample is ``{"kind": {rate, channels, format, subtype}, "length": frames}``, both of the file. With
    ``"as_is": True`` in it the tensor is ``(channels, T)`` at the file's own rate, and is written unchanged.

    Parameters
    ----------
    sample_rate : in Hz.
    size : samples in a window.
    speed_change : in training, sounds are played faster or slower by up to this share, which changes their pitch too.
    min_level_db, max_level_db : in training, sounds are brought to a random level between these, in dB of full scale
        (root mean square); with both 0 they keep their levels.
    eq_tilt_db, eq_bumps_db : in training, sounds are filtered at random, as by other voices and microphones: a tilt
        of at most this many dB an octave, and bumps with a standard deviation of this many dB.
    """

    suffixes: ClassVar[tuple[str, ...]] = (*SUFFIXES, *AV_SUFFIXES)
    writes: ClassVar[tuple[str, ...]] = SUFFIXES
    free_settings: ClassVar[tuple[str, ...]] = (
        "size", "speed_change", "min_level_db", "max_level_db", "eq_tilt_db", "eq_bumps_db"
    )  # fmt: skip

    def __init__(
        self,
        sample_rate: SampleRate = 16_000,
        size: Steps = 32_000,
        speed_change: Annotated[float, Meta(ge=0, le=0.5)] = 0.0,
        min_level_db: Decibels = 0.0,
        max_level_db: Decibels = 0.0,
        eq_tilt_db: Decibels = 0.0,
        eq_bumps_db: Decibels = 0.0,
    ) -> None:
        if min(sample_rate, size) < 1:
            raise MusicaeError(f"[adapter] sample_rate and size must be over 0, not {sample_rate} and {size}")
        if not 0 <= speed_change < 0.5:
            raise MusicaeError(f"[adapter] speed_change must be 0 to 0.5, not {speed_change}")
        if min_level_db > max_level_db:
            raise MusicaeError(
                f"[adapter] min_level_db must not be over max_level_db, not {min_level_db} and {max_level_db}"
            )
        if min(eq_tilt_db, eq_bumps_db) < 0:
            raise MusicaeError(
                f"[adapter] eq_tilt_db and eq_bumps_db must be 0 or more, not {eq_tilt_db} and {eq_bumps_db}"
            )
        self.sample_rate, self.size, self.speed_change = sample_rate, size, speed_change
        self.min_level_db, self.max_level_db = min_level_db, max_level_db
        self.eq_tilt_db, self.eq_bumps_db = eq_tilt_db, eq_bumps_db
        self.steps_per_second = float(sample_rate)

    @property
    def sound(self) -> Sound:  # type: ignore[override]
        """Samples as they are, in one channel."""
        return Sound(self.sample_rate, self.size, lambda x: x[:, None], lambda x: x[:, 0])

    @property
    def spec(self) -> Spec:
        """One channel of samples."""
        return Spec(1, (self.size,), "gaussian")

    # --- which files ------------------------------------------------------------------------------------------------

    @classmethod
    def sniff(cls, head: bytes, file: File) -> float:
        """Return .9 for sound longer than 2 seconds, .6 for shorter, .5 for a sound file that cannot be read."""
        if not (is_sound(head) or suffix_of(file) in cls.suffixes):
            return 0.0
        return {False: 0.9, True: 0.6, None: 0.5}[is_short(file)]

    @classmethod
    def select(cls, file: File, candidates: Sequence[Candidate], scale: Positive = 1) -> Candidate:
        """Return the candidate that fits a file.

        The one for speech is chosen if the file has no more than its bandwidth, or contains speech; else one for any
        sound. If none is for speech, it is the one whose rate is nearest, in octaves, to the file's times `scale`.
        Raise MusicaeError as `read` does.
        """
        if len(candidates) == 1:
            return candidates[0]
        speech = next((candidate for candidate in candidates if candidate.content == "speech"), None)
        plain = [candidate for candidate in candidates if not candidate.content]
        if speech is None:
            with reading(file) as opened:
                rate = scale * opened.kind.rate
            return min(plain or candidates, key=lambda preset: abs(math.log2(rate / preset.settings["sample_rate"])))
        if not plain:
            return speech
        with reading(file) as opened:
            if opened.kind.rate <= speech.settings["sample_rate"]:
                return speech
        samples, rate = excerpt(file)
        odds = speech.suits(samples, rate) if len(samples) else -math.inf
        chosen, other = (speech, plain[0]) if odds > 0 else (plain[0], speech)
        if abs(odds) >= _IN_DOUBT:
            return chosen
        taken, else_ = ("speech", "music") if odds > 0 else ("music", "speech")
        instead = Line(f"add --preset {other.name}", f"choose {other.name} {elsewhere(WITH_PRESET)}")
        doubt = line_of(f"{name_of(file)} was taken for {taken}; if it is {else_}, ", instead)
        return replace(chosen, doubt=doubt)

    # --- files ------------------------------------------------------------------------------------------------------

    def read(self, file: File, *, as_is: bool = False) -> Sample:
        """Read a whole file; `as_is` keeps its channels ``(channels, T)`` and its rate.

        Raise MusicaeError, one line, for anything that cannot be read.
        """
        tags = read_tags(file)
        with reading(file) as opened:
            kind = opened.kind
            check = partial(self._check_memory, kind, as_is, name_of(file))
            check(opened.length or 0)
            tags = tags.at(kind.rate)
            mix = Mixdown(kind.rate, kind.channels)
            blocks: list[Block] = []
            held = 0
            for block in opened.blocks():
                held += len(block)
                check(held)  # A header may say less.
                blocks.append(block if as_is else mix.process(block))
            blocks += [] if as_is else [mix.flush()]
            remarks = list(opened.remarks)
        if not held:
            raise MusicaeError(f"{name_of(file)} has no samples in it")
        samples = np.concatenate(blocks)
        meta: dict[str, Any] = {"kind": asdict(kind), "length": len(samples)}
        if as_is:
            return Sample(
                torch.from_numpy(np.ascontiguousarray(samples.T)),
                {**meta, "as_is": True},
                remarks=remarks,
                metadata=tags,
            )
        if kind.channels > 1:
            remarks.append(f"{kind.channels} channels were mixed to one")
        if mix.cancelled:
            remarks.append("some channels would cancel each other; there the louder was taken")
        if kind.rate != self.sample_rate:
            remarks.append(f"{kind.rate} Hz became {self.sample_rate} Hz")
        changed = resample(samples, kind.rate, self.sample_rate)
        if not len(changed):  # A sound of a sample or two is rounded off.
            changed = samples[:1]
        return Sample(torch.from_numpy(changed)[None], meta, remarks=remarks, metadata=tags)

    def _check_memory(self, kind: Kind, as_is: bool, name: str, frames: int) -> None:
        """Raise MusicaeError if that many frames of a file take too much memory, read and put through a model."""
        if as_is:
            check_memory(_COPIES_AS_IS * _BYTES * frames * kind.channels, name)
        else:
            at_own_rate = math.ceil(frames * self.sample_rate / kind.rate)
            check_memory(_BYTES * (_COPIES_READ * frames + _COPIES * at_own_rate), name)

    def write(self, sample: Sample, file: File) -> None:
        """Write a file, atomically; a stream gets the format in the sample's `meta`, or WAV."""
        kind = kind_of(sample.meta.get("kind") or self.blank()["kind"])
        as_is = bool(sample.meta.get("as_is"))
        if as_is:
            kind = replace(kind, channels=len(sample.tensor))
        kind = kind_like(kind, file, sample.tensor.shape[-1] if as_is else None)
        samples = sample.tensor.T.numpy() if as_is else self._for_file(sample, kind)
        with writing(file, kind, sample.metadata) as opened:
            opened.write(np.ascontiguousarray(samples))

    def _for_file(self, sample: Sample, kind: Kind) -> Block:
        """Return ``(frames, channels)`` at the rate of the file, as long as the file that was read."""
        samples = resample(sample.tensor[0].numpy(), self.sample_rate, kind.rate)
        length = int(sample.meta.get("length") or 0)
        # Undo a rounding of the length by resampling.
        if length and abs(length - len(samples)) <= 2 * max(1, kind.rate // self.sample_rate + 1):
            samples = np.pad(samples, (0, max(0, length - len(samples))))[:length]
        if not kind.exact:  # Turn it down rather than clip: the level comes from the model anyway.
            samples = samples / max(1.0, float(np.abs(samples).max(initial=0.0)))
        return np.repeat(samples[:, None], kind.channels, axis=1)

    def blocks(self, file: File) -> Iterator[Block]:
        """Go through a file as ``(T,)`` samples of one channel at the preset's rate, block by block."""
        return mono_blocks(file, self.sample_rate)

    # --- between files ------------------------------------------------------------------------------------

    def blank(self) -> dict[str, Any]:
        """Return the `meta` of a sound that came from no file: a WAV file of one channel."""
        return {"kind": asdict(Kind(self.sample_rate, 1)), "length": None}

    def check_meta(self, meta: Mapping[str, Any]) -> dict[str, Any]:
        """Return the `meta` of a file of codes, checked: the kind of the file and its length."""
        made = checked(meta, SoundMeta, self.blank())
        made["kind"] = {**self.blank()["kind"], **(made["kind"] or {})}
        return made

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Return the kind of the sound with the largest weight."""
        return {"kind": metas[max(range(len(metas)), key=lambda i: weights[i])]["kind"], "length": None}

    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Join sounds end to end."""
        if not parts:
            raise MusicaeError("there are no sounds to join; give one or more")
        kind = parts[0].meta.get("kind") or self.blank()["kind"]
        return Sample(torch.cat([part.tensor for part in parts], dim=-1), {"kind": kind, "length": None}, parts[0].hop)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return ``(B, 1, size)``: random excerpts, with random changes of speed, spectrum and level."""
        length = batch.shape[-1]
        taken = self.size
        if self.speed_change and length > self.size:
            factor = 1 + self.speed_change * (2 * torch.rand((), generator=generator).item() - 1)
            taken = min(length, round(self.size * factor))
        if length > taken:
            start = torch.randint(length - taken + 1, (len(batch), 1, 1), generator=generator)
            batch = batch.gather(2, (start + torch.arange(taken)).expand(-1, batch.shape[1], -1))
        if taken != self.size:
            batch = F.interpolate(batch[:, :, None], size=(1, self.size), mode="bicubic", align_corners=False)[:, :, 0]
        if self.eq_tilt_db or self.eq_bumps_db:
            level = power(batch)[..., None].sqrt()
            batch = level * equalise(batch[:, 0], generator, self.eq_tilt_db, self.eq_bumps_db)[:, None]
        if self.min_level_db or self.max_level_db:
            span = self.max_level_db - self.min_level_db
            level = self.min_level_db + span * torch.rand(len(batch), 1, 1, generator=generator)
            batch = batch * (10 ** (level / 20) * (power(batch)[..., None] + SILENCE).rsqrt())
        return batch

    def picture(self, tensor: Tensor) -> Tensor:
        """Return a spectrogram ``(1, F, columns)`` of ``(1, T)``: low bands at the bottom, 0 (-80 dB) to 1."""
        hop = max(_N_FFT // 4, -(-tensor.shape[-1] // _MAX_COLUMNS))
        powers = magnitudes(tensor[0], _N_FFT, hop).square()
        levels = decibels(powers / powers.max().clamp_min(SILENCE))
        return (1 + levels / _RANGE_DB).clamp(0, 1).flip(0)[None]


def resample(samples: Block, old: int, new: int) -> Block:
    """Return samples ``(T,)`` or ``(T, channels)`` at another rate, about ``T * new / old`` of them; rates in Hz."""
    if old == new:
        return samples
    import soxr

    changed: Block = soxr.resample(samples, old, new)
    return changed


def is_short(file: File) -> bool | None:
    """Return whether a file of sound is no longer than 2 seconds, a single sound; None if it cannot be read.

    A stream keeps its position.
    """
    position = 0 if isinstance(file, Path) else file.tell()
    short = None
    with suppress(MusicaeError):
        with reading(file) as opened:
            limit = round(_MAX_ONE_SHOT * opened.kind.rate)
            length = opened.length
            if length is None:
                length = sum(len(block) for block in islice(opened.blocks(limit), 2))
        short = length <= limit
    if not isinstance(file, Path):
        file.seek(position)
    return short


def excerpt(file: File, seconds: float = _EXCERPT) -> tuple[Block, int]:
    """Return up to `seconds` of a file without silence, ``(T,)``, and its rate in Hz.

    They are from its first five minutes, in each block from the louder channel; ``T`` may be 0. Raise MusicaeError for
    a file that cannot be read.
    """
    parts: list[Block] = []
    with reading(file) as opened:
        rate = opened.kind.rate
        missing = round(seconds * rate)
        for block in islice(opened.blocks(max(1, rate // 2)), round(2 * _SEARCHED)):
            powers = np.square(block).mean(0)
            if powers.max() > SILENCE:
                parts.append(block[:missing, powers.argmax()])
                missing -= len(parts[-1])
            if missing <= 0:
                break
    return np.concatenate(parts or [np.zeros(0, np.float32)]), rate
