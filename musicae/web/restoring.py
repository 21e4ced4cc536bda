"""A recording or a photo before and after: both to be seen, recordings to be heard too, and the file to keep."""

from __future__ import annotations

import itertools
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from musicae import plots
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError, line_of
from musicae.formats.sound.reading import reading
from musicae.ops.choose import preset_for
from musicae.ops.inputs import read
from musicae.ops.restore import restore
from musicae.ops.restored import Report, RestoreOptions
from musicae.ops.suffixes import suffix_like
from musicae.web.catalog import RESTORED, Catalog, kind_of
from musicae.web.store import Cache, MissingError, Stored

__all__ = ["Restorations", "Shown", "check"]

_LIMIT_BYTES = 512 * 2**20
_SECONDS = 60.0  # That restoring may take here.
_PIXELS = 2_000_000  # Of a restored photo; on one core the slowest preset takes 18 s for a million.


@dataclass(frozen=True)
class Shown:
    """What is shown of a recording or a photo: a PNG of it, the file to save, and of a recording a WAV file."""

    folder: Path
    picture: Path
    file: Path
    wav: Path | None = None


def check(codec: Codec, stored: Stored) -> None:
    """Raise MusicaeError for a file that cannot be read by what restores it, and for a photo that is too large here."""
    if kind_of(codec) == "recording":
        with reading(stored.path):
            return
    factor, verb = _task(codec)
    height, width = read(codec, stored.path, **stored.options).tensor.shape[1:]
    if (pixels := height * width * factor**2) > _PIXELS:
        has = "has" if factor == 1 else "would have"
        raise MusicaeError(
            f"{stored.path} {has} {pixels / 1e6:.1f} megapixels, and up to {_PIXELS / 1e6:.0f} are shown here; "
            f"restore it with musicae {verb}"
        )


class Restorations:
    """Restores files into `folder`; those that were made first go when there are too many bytes of them."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog, self.folder = catalog, folder
        self._numbers = itertools.count(1)
        self._kept: Cache[Shown] = Cache(
            _LIMIT_BYTES, dropped=lambda one: shutil.rmtree(one.folder, ignore_errors=True)
        )

    def find(self, key: str) -> Shown:
        """Return what is shown, by its id. Raise MissingError for what is not (or no longer) there."""
        found = self._kept.get(key)
        if found is None:
            raise MissingError("this is not on the server (any more); drop the file on the page again")
        return found

    def make(self, stored: Stored, preset: str) -> dict[str, object]:
        """Restore a file by a preset, or by the one that fits it where that is ``""``; return what the page is told.

        Raise MusicaeError for what cannot be restored, and for what takes too long.
        """
        codec = self.catalog.codec(preset or preset_for(stored.path, "denoise"))
        if (kind := kind_of(codec)) not in RESTORED:
            raise MusicaeError(f"the preset '{codec.preset.name}' restores no recordings or photos; choose another")
        check(codec, stored)
        options = RestoreOptions(report=_deadline(_task(codec)[1]), read=stored.options)
        made = restore(stored.path, verb=_task(codec)[1], preset=codec, options=options)
        assert made.sample is not None
        assert made.given is not None
        keep = self._recording if kind == "recording" else self._photo
        # What the file to save cannot hold of the one that was given is said of the second.
        before, after = (
            keep(codec, one, stored.path, which) for one, which in ((made.given, "before"), (made.sample, "after"))
        )
        notices = [*made.notices, *(line_of(f"{stored.path.name}: ", remark) for remark in made.sample.remarks)]
        return {"before": before, "after": after, "preset": codec.preset.name, "notices": notices}

    def _recording(self, codec: Codec, sample: Sample, source: Path, which: str) -> str:
        number, folder = self._folder(which)
        suffix = suffix_like(codec.adapter, source.suffix)
        wav, drawn = folder / "sound.wav", folder / "spectrogram.png"
        file = folder / f"{source.stem}-{which}{suffix}"
        codec.adapter.write(Sample(sample.tensor, {**sample.meta, "kind": _as_wav(sample)}), wav)
        codec.adapter.write(sample, file)
        picture = codec.adapter.picture(sample.tensor)
        assert picture is not None
        plots.spectrogram(picture, drawn)
        return self._put(number, Shown(folder, drawn, file, wav))

    def _photo(self, codec: Codec, sample: Sample, source: Path, which: str) -> str:
        number, folder = self._folder(which)
        file = folder / f"{source.stem}-{which}.png"
        codec.adapter.write(sample, file)
        return self._put(number, Shown(folder, file, file))

    def _folder(self, which: str) -> tuple[str, Path]:
        number = f"{which}-{next(self._numbers)}"
        folder = self.folder / number
        folder.mkdir()
        return number, folder

    def _put(self, number: str, shown: Shown) -> str:
        self._kept.put(number, shown, sum(path.stat().st_size for path in shown.folder.iterdir()))
        return number


def _task(codec: Codec) -> tuple[int, str]:
    """Return by what a codec enlarges, and which verb it is for."""
    corruption = codec.corruption()
    factor = corruption.factor if corruption else 1
    return factor, "denoise" if factor == 1 else "upscale"


def _as_wav(sample: Sample) -> dict[str, object]:
    return {**sample.meta["kind"], "format": "WAV", "subtype": "PCM_16"}


def _deadline(verb: str) -> Report:
    end = time.monotonic() + _SECONDS

    def report(done: float, of: float) -> None:
        if time.monotonic() > end:
            raise MusicaeError(f"this takes over {_SECONDS:.0f} s; use musicae {verb}, or give less of it")

    return report
