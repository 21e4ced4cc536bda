"""A recording before and after: both as sound and as pictures, and the file to keep."""

from __future__ import annotations

import itertools
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from musicae import plots
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.choose import preset_for
from musicae.ops.restore import restore
from musicae.ops.restored import Report, RestoreOptions
from musicae.ops.suffixes import suffix_like
from musicae.web.catalog import Catalog, kind_of
from musicae.web.store import Cache, MissingError, Stored

__all__ = ["Recording", "Restorations"]

_LIMIT_BYTES = 512 * 2**20
_SECONDS = 60.0  # That restoring may take here.


@dataclass(frozen=True)
class Recording:
    """A recording that is shown: a WAV file, its spectrogram, and the file to save, in `folder`."""

    folder: Path
    wav: Path
    picture: Path
    file: Path


class Restorations:
    """Restores recordings into `folder`; those that were made first go when there are too many bytes of them."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog, self.folder = catalog, folder
        self._numbers = itertools.count(1)
        self._kept: Cache[Recording] = Cache(
            _LIMIT_BYTES, dropped=lambda one: shutil.rmtree(one.folder, ignore_errors=True)
        )

    def find(self, key: str) -> Recording:
        """Return a recording by its id. Raise MissingError for one that is not (or no longer) there."""
        found = self._kept.get(key)
        if found is None:
            raise MissingError("this recording is not on the server (any more); drop it on the page again")
        return found

    def make(self, stored: Stored, preset: str) -> dict[str, object]:
        """Restore a file by a preset, or by the one that fits it where that is ``""``; return what the page is told.

        Raise MusicaeError for what is no recording, and for one that takes too long.
        """
        codec = self.catalog.codec(preset or preset_for(stored.path, "denoise"))
        if kind_of(codec) != "recording":
            raise MusicaeError(f"the preset '{codec.preset.name}' restores no recordings; choose one that does")
        corruption = codec.corruption()
        verb = "denoise" if corruption is None or corruption.factor == 1 else "upscale"
        options = RestoreOptions(report=_deadline(), read=stored.options)
        made = restore(stored.path, verb=verb, preset=codec, options=options)
        assert made.sample is not None
        assert made.given is not None
        before = self._keep(codec, made.given, stored.path, "before")
        after = self._keep(codec, made.sample, stored.path, "after")
        rate = int(made.sample.meta["kind"]["rate"])
        seconds = made.sample.tensor.shape[-1] / rate
        return {
            "before": before,
            "after": after,
            "preset": codec.preset.name,
            "rate": rate,
            "seconds": seconds,
            "notices": made.notices,
        }

    def _keep(self, codec: Codec, sample: Sample, source: Path, which: str) -> str:
        number = f"{which}-{next(self._numbers)}"
        folder = self.folder / number
        folder.mkdir()
        suffix = suffix_like(codec.adapter, source.suffix)
        made = Recording(
            folder, folder / "sound.wav", folder / "spectrogram.png", folder / f"{source.stem}-{which}{suffix}"
        )
        codec.adapter.write(Sample(sample.tensor, {**sample.meta, "kind": _as_wav(sample)}), made.wav)
        codec.adapter.write(sample, made.file)
        picture = codec.adapter.picture(sample.tensor)
        assert picture is not None
        plots.spectrogram(picture, made.picture)
        self._kept.put(number, made, sum(path.stat().st_size for path in folder.iterdir()))
        return number


def _as_wav(sample: Sample) -> dict[str, object]:
    return {**sample.meta["kind"], "format": "WAV", "subtype": "PCM_16"}


def _deadline() -> Report:
    end = time.monotonic() + _SECONDS

    def report(done: float, of: float) -> None:
        if time.monotonic() > end:
            raise MusicaeError(f"this recording takes over {_SECONDS:.0f} s; use musicae denoise, or give less of it")

    return report
