"""A recording or a photo before and after: both to be seen, recordings to be heard too, and the file to keep."""

from __future__ import annotations

import itertools
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from musicae import plots
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError, line_of
from musicae.formats.pictures.views import size_of, view
from musicae.formats.sound.reading import reading
from musicae.ops.choose import preset_for
from musicae.ops.restore import restore
from musicae.ops.restored import Report, RestoreOptions
from musicae.ops.suffixes import suffix_like
from musicae.web.catalog import RESTORED, Catalog, kind_of
from musicae.web.progress import Progress
from musicae.web.store import Cache, MissingError, Stored

__all__ = ["Restorations", "Shown", "check"]

_LIMIT_BYTES = 512 * 2**20
_SECONDS = {"recording": 60.0, "photo": 900.0}  # That restoring may take here; recordings stay in memory meanwhile.
_PIXELS = 50_000_000  # Of a restored photo: 12 megapixels at twice the size.
_SHOWN = 2048  # Pixels of the longer side of a photo as it is shown.
_PATCH = 128  # Pixels a side of what tells how long a photo takes.
_SOON = 5.0  # Seconds after which an estimate is good enough to give up.


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
    width, height = size_of(stored.path)
    if (pixels := height * width * factor**2) > _PIXELS:
        has = "has" if factor == 1 else "would have"
        raise MusicaeError(
            f"{stored.path} {has} {pixels / 1e6:.1f} megapixels, and up to {_PIXELS / 1e6:.0f} are restored here; "
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

    def make(self, stored: Stored, preset: str, progress: Progress | None = None) -> dict[str, object]:
        """Restore a file by a preset, or by the one that fits it where that is ``""``; return what the page is told.

        Raise MusicaeError for what cannot be restored, for what takes too long, and once `progress` is stopped.
        """
        progress = progress or Progress()
        codec = self.catalog.codec(preset or preset_for(stored.path, "denoise"))
        if (kind := kind_of(codec)) not in RESTORED:
            raise MusicaeError(f"the preset '{codec.preset.name}' restores no recordings or photos; choose another")
        check(codec, stored)
        progress.begin(_expected(codec, stored) if kind == "photo" else 0.0)
        options = RestoreOptions(report=_bounded(progress, kind, _task(codec)[1]), read=stored.options)
        restored = (self._restored_recording if kind == "recording" else self._restored_photo)(codec, stored, options)
        return {**restored, "preset": codec.preset.name}

    def _restored_recording(self, codec: Codec, stored: Stored, options: RestoreOptions) -> dict[str, object]:
        made = restore(stored.path, verb=_task(codec)[1], preset=codec, options=options)
        assert made.sample is not None
        assert made.given is not None
        # What the file to save cannot hold of the one that was given is said of the second.
        before, after = (
            self._recording(codec, one, stored.path, which)
            for one, which in ((made.given, "before"), (made.sample, "after"))
        )
        notices = [*made.notices, *(line_of(f"{stored.path.name}: ", remark) for remark in made.sample.remarks)]
        return {"before": before, "after": after, "notices": notices}

    def _restored_photo(self, codec: Codec, stored: Stored, options: RestoreOptions) -> dict[str, object]:
        """Restore a photo into a file, as the command does, which takes little memory; show it at a screen's size."""
        number, folder = self._folder("after")
        try:
            file = folder / f"{stored.path.stem}-after.png"
            made = restore(stored.path, file, verb=_task(codec)[1], preset=codec, options=options)
            size, picture = size_of(file), file
            if max(size) > _SHOWN:
                picture = folder / "view.png"
                view(file, picture, size, _SHOWN)
        except MusicaeError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        first, beside = self._folder("before")
        view(stored.path, beside / "view.png", size, _SHOWN)
        before = self._put(first, Shown(beside, beside / "view.png", stored.path))
        return {"before": before, "after": self._put(number, Shown(folder, picture, file)), "size": size,
                "notices": made.notices}  # fmt: skip

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


def _expected(codec: Codec, stored: Stored) -> float:
    """Return how many seconds a photo may take, by the time for a small one."""
    factor, _ = _task(codec)
    width, height = size_of(stored.path)
    if (pixels := width * height * factor**2) < 4 * _PATCH**2:
        return 0.0
    small = torch.zeros(codec.spec.channels, _PATCH, _PATCH, dtype=torch.uint8 if factor == 1 else torch.float)
    codec.restore_any_size(small)  # The first one takes longer.
    began = time.monotonic()
    codec.restore_any_size(small)
    return (time.monotonic() - began) / _PATCH**2 * pixels


def _bounded(progress: Progress, kind: str, verb: str) -> Report:
    """Return what takes note of the progress, and gives up what would take too long."""
    most, began = _SECONDS[kind], time.monotonic()

    def report(done: float, of: float) -> None:
        progress.report(done, of)
        passed = time.monotonic() - began
        if passed > most or (passed > _SOON and of and progress.seconds > most):
            about = f"{most:.0f} s" if most < 120 else f"{most / 60:.0f} minutes"
            raise MusicaeError(f"this takes over {about} here; use musicae {verb}, or give less of it")

    return report
