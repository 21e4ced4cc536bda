"""Sounds as log-mel spectrograms: they keep what is audible and drop the phase; writing estimates a phase."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar

import torch
from msgspec import Meta
from torch import Tensor
from torch.nn import functional as F

from musicae.adapters.audio import Audio, is_short
from musicae.core import Adapter, Attribute, File, Sample, Sound, Spec, Spectra
from musicae.errors import MusicaeError
from musicae.formats.files import suffix_of
from musicae.formats.sound.files import AV_SUFFIXES, SUFFIXES, is_sound
from musicae.ranges import Count, CountOrNone, Decibels, SampleRate, Size, Weight
from musicae.tensors.dsp import EPS, NOISE_FLOOR

__all__ = ["Mel"]

_FLOOR_DB, _SCALE_DB = 100.0, 50.0  # A value is (dB + floor) / scale: NOISE_FLOOR is 0, full scale is 2.
_LOWEST_HZ = 20.0  # That bands reach down to.
_MAX_DB = 20.0  # Louder bands are limited in writing.
_ONSET_LEVEL = 1e-3  # Of the largest sample; the sound starts at the first one above.


class Mel(Adapter):
    """Files <-> log-mel spectrograms ``(1, n_mels, T)``: decibels scaled so that silence is 0.

    A file is mixed to one channel and starts at its first sound; one that is shorter than a window is padded with
    silence. The phase is lost: writing estimates one by the Griffin-Lim algorithm. The file's rate and format are kept.

    Parameters
    ----------
    sample_rate : of the sound, in Hz.
    n_fft, hop_length : window and hop of the spectra, in samples.
    n_mels : number of bands.
    frames : frames in a window.
    griffin_lim_steps : steps of estimating the phase (Griffin and Lim 1984, accelerated as by Perraudin, Balazs and
        Sondergaard 2013).
    gain_db, shift_bands, stretch : in training, sounds are made louder or quieter by at most this many dB, shifted up
        or down by at most this many bands, and stretched or shortened by at most this share.
    """

    suffixes: ClassVar[tuple[str, ...]] = (*SUFFIXES, *AV_SUFFIXES)
    writes: ClassVar[tuple[str, ...]] = SUFFIXES
    free_settings: ClassVar[tuple[str, ...]] = ("frames", "griffin_lim_steps", "gain_db", "shift_bands", "stretch")
    attributes = ("brightness", "length", "noisiness", "pitch")
    default_align: ClassVar[str] = "pad"  # Looping would strike a drum again before it has faded.

    def __init__(
        self,
        sample_rate: SampleRate = 44_100,
        n_fft: Size = 1024,
        hop_length: Size = 256,
        n_mels: Size = 96,
        frames: Size = 176,
        griffin_lim_steps: CountOrNone = 60,
        gain_db: Decibels = 0.0,
        shift_bands: Weight = 0.0,
        stretch: Annotated[float, Meta(ge=0, le=0.5)] = 0.0,
    ) -> None:
        if min(sample_rate, n_fft, hop_length, n_mels, frames) < 1:
            raise MusicaeError("[adapter] sample_rate, n_fft, hop_length, n_mels and frames must be over 0")
        if hop_length > n_fft // 2 or griffin_lim_steps < 0:
            raise MusicaeError("[adapter] hop_length must be at most half of n_fft, griffin_lim_steps 0 or more")
        if min(gain_db, shift_bands) < 0 or not 0 <= stretch < 0.5:
            raise MusicaeError("[adapter] gain_db and shift_bands must be 0 or more, stretch 0 to 0.5")
        self.audio_rate, self.n_fft, self.hop_length, self.n_mels = sample_rate, n_fft, hop_length, n_mels
        self.frames, self.griffin_lim_steps = frames, griffin_lim_steps
        self.gain_db, self.shift_bands, self.stretch = gain_db, shift_bands, stretch
        self.steps_per_second = sample_rate / hop_length
        self._audio = Audio(sample_rate, frames * hop_length)

    @property
    def sound(self) -> Sound:  # type: ignore[override]
        """What analyses and synthesises."""
        return Sound(self.audio_rate, self.frames * self.hop_length, self.analyse, self.synthesise)

    @property
    def spec(self) -> Spec:
        """One channel of bands and frames."""
        return Spec(1, (self.n_mels, self.frames), "gaussian")

    @classmethod
    def sniff(cls, head: bytes, file: File) -> float:
        """Return .9 for sound of at most 2 seconds, .4 for longer ones and for files that cannot be read."""
        if not (is_sound(head) or suffix_of(file) in cls.suffixes):
            return 0.0
        return 0.9 if is_short(file) else 0.4

    # --- sound <-> spectrogram --------------------------------------------------------------------------------------

    @cached_property
    def _filters(self) -> Tensor:
        """Return the mel filters ``(n_fft / 2 + 1, n_mels)``."""
        from torchaudio.functional import melscale_fbanks

        nyquist = self.audio_rate / 2
        filters: Tensor = melscale_fbanks(
            self.n_fft // 2 + 1, _LOWEST_HZ, nyquist, self.n_mels, self.audio_rate, norm="slaney", mel_scale="slaney"
        )
        return filters * (nyquist / self.n_fft)

    @cached_property
    def _frequencies(self) -> Tensor:
        """Return the frequency of each band in Hz ``(n_mels,)``: the mean of those that its filter lets through."""
        bins = torch.linspace(0, self.audio_rate / 2, self.n_fft // 2 + 1)
        means: Tensor = (bins @ self._filters) / self._filters.sum(0).clamp_min(EPS)
        return means.clamp_min(_LOWEST_HZ)

    def measure(self, attribute: Attribute, x: Tensor, part: str = "") -> Tensor:
        """Return an attribute of sounds ``(B, 1, n_mels, T)``, ``(B,)``."""
        powers = (10 ** ((x[:, 0] * _SCALE_DB - _FLOOR_DB) / 10) - NOISE_FLOOR).clamp_min(0)
        return attribute.of_spectra(Spectra(powers, self._frequencies, self.steps_per_second))

    def analyse(self, x: Tensor) -> Tensor:
        """Return the spectrograms ``(B, 1, n_mels, T // hop_length)`` of samples ``(B, T)``."""
        window = torch.hann_window(self.n_fft)
        padded = F.pad(x, (0, self.n_fft))
        spectra = torch.stft(
            padded, self.n_fft, self.hop_length, window=window, return_complex=True, pad_mode="constant"
        )
        powers = (spectra[..., : x.shape[1] // self.hop_length].abs() * (2 / window.sum())).square()
        decibels = 10 * (torch.einsum("bft,fm->bmt", powers, self._filters) + NOISE_FLOOR).log10()
        return ((decibels + _FLOOR_DB) / _SCALE_DB).clamp_min(0)[:, None]

    def synthesise(self, x: Tensor) -> Tensor:
        """Return samples ``(B, T * hop_length)`` with spectrograms near ``(B, 1, n_mels, T)``; always the same."""
        from torchaudio.functional import griffinlim

        decibels = x[:, 0].clamp(0, (_FLOOR_DB + _MAX_DB) / _SCALE_DB) * _SCALE_DB - _FLOOR_DB
        powers = self._invert_filters((10 ** (decibels / 10) - NOISE_FLOOR).clamp_min(0))
        window = torch.hann_window(self.n_fft)
        magnitudes = powers.sqrt() * (window.sum() / 2)
        # With silence after the end the last frames overlap with others too.
        magnitudes = F.pad(magnitudes, (0, math.ceil(self.n_fft / self.hop_length)))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            samples: Tensor = griffinlim(
                magnitudes,
                window,
                self.n_fft,
                self.hop_length,
                self.n_fft,
                power=1.0,
                n_iter=self.griffin_lim_steps,
                momentum=0.99 if self.griffin_lim_steps else 0.0,
                length=(magnitudes.shape[-1] - 1) * self.hop_length,
                rand_init=True,
            )
        return samples[:, : x.shape[-1] * self.hop_length]

    def _invert_filters(self, bands: Tensor, steps: Count = 50) -> Tensor:
        """Return powers ``(B, F, T)``, 0 or more, whose bands are near ``(B, n_mels, T)`` (Lee and Seung 2001)."""
        filters = self._filters
        weight = filters.sum(1).clamp_min(EPS)
        powers = torch.einsum("bmt,fm->bft", bands, filters / filters.sum(0).clamp_min(EPS)) + NOISE_FLOOR
        for _ in range(steps):
            estimate = torch.einsum("bft,fm->bmt", powers, filters)
            powers = powers * torch.einsum("bmt,fm->bft", bands / estimate.clamp_min(1e-14), filters) / weight[:, None]
        return powers * (weight[:, None] > 1e-9)

    def round_trip(self, x: Tensor) -> Tensor:
        """Return the spectrograms of the sounds that `synthesise` makes of ``(N, 1, n_mels, T)``."""
        return self.analyse(self.synthesise(x))

    # --- files ------------------------------------------------------------------------------------------------------

    def read(self, file: File) -> Sample:
        """Read a whole file. Raise MusicaeError, one line, for anything that cannot be read."""
        sample = self._audio.read(file)
        samples = sample.tensor[0]
        loud = (samples.abs() > _ONSET_LEVEL * samples.abs().max()).nonzero()
        start = int(loud[0]) if len(loud) else 0
        samples = samples[start:]
        if start:
            sample.remarks.append(f"it starts after {start / self.audio_rate:.3f} s of silence, which was left out")
        length = len(samples)
        missing = max(0, self.frames * self.hop_length - length) + -length % self.hop_length
        meta = {"kind": sample.meta["kind"], "length": length}
        return Sample(
            self.analyse(F.pad(samples, (0, missing))[None])[0], meta, remarks=sample.remarks, metadata=sample.metadata
        )

    def write(self, sample: Sample, file: File) -> None:
        """Write a file, atomically; a stream gets the format in the sample's `meta`, or WAV."""
        samples = self.synthesise(sample.tensor[None])
        samples = samples / samples.abs().max().clamp_min(1.0)  # Sounds at full scale may add up to more.
        meta = {"kind": sample.meta.get("kind") or self.blank()["kind"], "length": None}
        self._audio.write(Sample(samples, meta, metadata=sample.metadata), file)

    # --- between files ------------------------------------------------------------------------------------

    def blank(self) -> dict[str, Any]:
        """Return the `meta` of a sound that came from no file: a WAV file of one channel."""
        return self._audio.blank()

    def check_meta(self, meta: Mapping[str, Any]) -> dict[str, Any]:
        """Return the `meta` of a file of codes, checked; see `Audio.check_meta`."""
        return self._audio.check_meta(meta)

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Return the kind of the sound with the largest weight."""
        return self._audio.mix(metas, weights)

    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Join sounds end to end."""
        return self._audio.concat(parts)

    def picture(self, tensor: Tensor) -> Tensor:
        """Return a spectrogram ``(1, n_mels, T)`` as a picture: low bands at the bottom, values 0 to 1."""
        return (tensor / 2).clamp(0, 1).flip(-2)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return spectrograms ``(B, 1, n_mels, T)`` made louder or quieter, higher or lower, longer or shorter."""
        n = len(batch)

        def draw(limit: float) -> Tensor:
            return limit * (2 * torch.rand(n, generator=generator) - 1)

        if self.shift_bands or self.stretch:
            height, width = batch.shape[-2:]
            across = 1 / (1 + draw(self.stretch))
            matrix = torch.zeros(n, 2, 3)
            matrix[:, 0, 0], matrix[:, 1, 1] = across, 1.0
            matrix[:, 0, 2] = across - 1  # The start stays where it is.
            matrix[:, 1, 2] = 2 * draw(self.shift_bands) / height
            grid = F.affine_grid(matrix, [n, 1, height, width], align_corners=False)
            batch = F.grid_sample(batch, grid, padding_mode="border", align_corners=False)
        if self.gain_db:
            gain = draw(self.gain_db).view(-1, 1, 1, 1) / _SCALE_DB
            batch = torch.where(batch > 0, batch + gain, batch).clamp_min(0)
        return batch
