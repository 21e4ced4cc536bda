"""Sound files."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from target import Seeds, Target, read_and_write, write_damaged

import musicae
from musicae.ops import choose

__all__ = ["Audio"]


class Audio(Target):
    """Sound files of all formats; some go on to be denoised, and reconstructed."""

    name = "audio"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seeds = _sounds()
        self.codecs = [musicae.load(name) for name in ("denoise", "sound")]

    def run(self, rng: random.Random) -> None:
        path = write_damaged(rng, self.seeds)
        choose.adapter_for(path)
        codec = rng.choice(self.codecs)
        if rng.random() < 0.9:
            read_and_write(codec, path, rng.choice((".wav", ".flac", ".ogg", ".mp3")))
        elif codec.model.restores:
            musicae.denoise(path, path.with_name("out.wav"), preset=codec)
        else:
            musicae.reconstruct(path, preset=codec)


def _sounds() -> Seeds:
    rng = np.random.default_rng(0)
    seeds: Seeds = []
    for rate, channels in ((8_000, 1), (44_100, 2), (16_000, 6)):
        tone = 0.3 * np.sin(np.arange(rate // 8) * 440 * 2 * np.pi / rate)[:, None]
        samples = tone + 0.02 * rng.standard_normal((rate // 8, channels))
        for name, subtypes in _FORMATS.items():
            for subtype in subtypes:
                if not soundfile.check_format(name, subtype) or (subtype == "OPUS" and rate == 44_100):
                    continue
                file = io.BytesIO()
                try:
                    soundfile.write(file, samples, rate, format=name, subtype=subtype)
                except soundfile.LibsndfileError:  # It writes no such number of channels.
                    continue
                suffix = {"AIFF": ".aiff", "WAVEX": ".wav"}.get(name, f".{name.lower()}")
                seeds.append((suffix, file.getvalue()))
        seeds += _av_sounds(samples.astype(np.float32), rate) if channels < 3 else []
    return seeds


_FORMATS = {
    "WAV": ("PCM_16", "PCM_U8", "PCM_24", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM", "MS_ADPCM"),
    "WAVEX": ("PCM_16", "FLOAT"),
    "FLAC": ("PCM_16", "PCM_24"),
    "OGG": ("VORBIS", "OPUS", "FLAC"),
    "MP3": ("MPEG_LAYER_III",),
    "AIFF": ("PCM_16", "FLOAT", "IMA_ADPCM"),
    "AU": ("PCM_16", "ALAW"),
    "CAF": ("PCM_16", "ALAC_16"),
    "W64": ("PCM_16",),
    "RF64": ("PCM_16",),
}


def _av_sounds(samples: np.ndarray[Any, Any], rate: int) -> Seeds:
    """Return the same sound as PyAV writes it, with tags."""
    import av

    seeds: Seeds = []
    forms = {
        ".m4a": ("mp4", "aac"), ".aac": ("adts", "aac"), ".mka": ("matroska", "flac"), ".webm": ("webm", "libopus"),
        ".wma": ("asf", "wmav2"), ".ac3": ("ac3", "ac3"), ".mp3": ("mp3", "libmp3lame"), ".ogg": ("ogg", "libvorbis"),
    }  # fmt: skip
    for suffix, (form, encoder) in forms.items():
        file = io.BytesIO()
        try:
            with av.open(file, "w", format=form) as container:
                container.metadata.update(title="Title", artist="Artist", date="2020")
                stream = container.add_stream(encoder, rate=48_000 if encoder in ("libopus", "ac3") else rate)
                stream.layout = "mono" if samples.shape[1] == 1 else "stereo"
                frame = av.AudioFrame.from_ndarray(samples.T.copy(), format="fltp", layout=stream.layout.name)
                frame.rate = rate
                resampler = av.AudioResampler(stream.format, stream.layout, stream.rate, stream.frame_size or 1_024)
                for part in [*resampler.resample(frame), None]:
                    container.mux(stream.encode(part))
        except (av.error.FFmpegError, ValueError):  # This build of FFmpeg lacks the encoder, or the rate.
            continue
        seeds.append((suffix, file.getvalue()))
    return seeds
