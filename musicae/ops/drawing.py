"""Pictures and sound of samples, of whatever kind they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from musicae.core import Adapter, File, Sample
from musicae.errors import Line, MusicaeError, line_of
from musicae.formats.files import output
from musicae.formats.temporary import temporary_folder
from musicae.ops.suffixes import suffixes_written

__all__ = ["draw", "sound"]


def draw(
    adapter: Adapter, samples: Sequence[Sample], file: File, titles: Sequence[str] = (), columns: int | None = None
) -> None:
    """Draw samples side by side as one PNG: notes as piano rolls, sound as spectrograms, pictures as they are.

    `titles` stand above them, but for pictures; `columns` is how many lie in a row. Raise MusicaeError for samples that
    cannot be drawn, and for a file that cannot be written.
    """
    from musicae import plots

    if ".png" in suffixes_written(adapter):
        joined = samples[0] if len(samples) == 1 else adapter.concat(samples)
        if columns and "frames" in joined.meta:
            joined.meta["frames"]["columns"] = columns
        with temporary_folder() as folder, output(file) as opened:  # A stream would get the format of what was read.
            adapter.write(joined, folder / "picture.png")
            opened.write((folder / "picture.png").read_bytes())
        return
    pictures = [adapter.picture(sample.tensor) for sample in samples]
    rolls = [adapter.rolls(sample) for sample in samples]
    if all(picture is not None for picture in pictures):
        plots.spectrograms([one for one in pictures if one is not None], file, titles, columns=columns)
    elif all(len(parts) == 1 for parts in rolls):
        plots.rolls([roll for parts in rolls for roll in parts], file, titles, columns=columns)
    elif all(rolls):
        plots.lanes(rolls, file, titles, columns=columns)
    else:
        raise MusicaeError(line_of(Line("--png: ", ""), "the output of this preset cannot be drawn; leave it out"))


def sound(adapter: Adapter, samples: Sequence[Sample], file: Path) -> str:
    """Write the sound of samples, one after another, as WAV; return a remark on it, if there is one.

    Raise MusicaeError where they have none.
    """
    joined = samples[0] if len(samples) == 1 else adapter.concat(samples)
    if ".wav" not in suffixes_written(adapter):
        return adapter.render(joined, file)
    adapter.write(joined, file)
    return ""
