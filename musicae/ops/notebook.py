"""What a notebook shows of a result: a picture, a player, distances, as HTML that needs nothing else.

Pictures and sound are in the HTML itself (``data:`` addresses, PNG and MP3) and small. What cannot be drawn or played
is left out: inside a notebook nothing ends in an error.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch.nn import functional as F

from musicae.core import Adapter, Sample
from musicae.errors import MusicaeError
from musicae.formats.sound.files import kind_like, writing
from musicae.formats.sound.reading import reading
from musicae.formats.temporary import temporary_folder
from musicae.ops.drawing import draw, sound
from musicae.ops.suffixes import suffixes_written

__all__ = ["Block", "Shown", "page", "quietly"]

_MOST = 16  # Samples in a picture; of more, so many are taken, evenly.
_MOST_SECONDS = 60  # Of sound; of more samples than that lasts, so many are taken, evenly.
_BIT_RATE = 96_000  # Of that sound, at most.
_MOST_PIXELS = 800  # Along a side of a picture.
_SMALL, _LARGER = 400, 300  # Pictures narrower than the first are shown as wide as the second, at least.
_FONT = "font-family:system-ui,sans-serif;font-size:13px;line-height:1.5"


@dataclass(frozen=True)
class Block:
    """Samples that are shown together: a picture of all, and their sound, one after another.

    `titles` has one for each, or is empty; `columns` is how many lie in a row of the picture.
    """

    adapter: Adapter
    samples: Sequence[Sample]
    title: str = ""
    titles: Sequence[str] = ()
    columns: int | None = None


@dataclass(frozen=True)
class Shown:
    """What a result shows: a heading, its blocks side by side, how far each step is from the first, and lines.

    `file` is a sound that was written, which is played.
    """

    heading: str
    preset: str
    blocks: Sequence[Block] = ()
    distances: Sequence[float] = ()
    lines: Sequence[str] = ()
    file: Path | None = None


def quietly(shown: Callable[[], Shown]) -> str | None:
    """Return the HTML of a result, or None, with which a notebook shows its text, where anything goes wrong."""
    try:
        return page(shown())
    except Exception:  # A result that was computed must not turn into a traceback because it is looked at.
        return None


def page(shown: Shown) -> str:
    """Return the HTML of a result; all that comes from files is escaped."""
    heading = f'<b>{_text(shown.heading)}</b> <span style="opacity:.7">{_text(shown.preset)}</span>'
    parts = [f'<div style="{_FONT}">{heading}', '<div style="display:flex;flex-wrap:wrap;gap:16px">']
    parts += [_block(block) for block in shown.blocks]
    parts.append("</div>")
    if shown.file is not None:
        parts.append(_player_of(shown.file))
    if shown.distances:
        parts.append(_bars(shown.distances))
    parts += [f"<div>{_text(line)}</div>" for line in shown.lines]
    return "\n".join([*parts, "</div>"])


def _text(text: str) -> str:
    return html.escape("".join(one if one.isprintable() else "�" for one in text))


def _block(block: Block) -> str:
    parts = [f"<div>{_text(block.title)}</div>"] if block.title else []
    for show in (_picture, _player):
        try:
            parts.append(show(block))
        except MusicaeError:  # It has no picture, or no sound.
            continue
    return f'<div style="max-width:100%">{"".join(parts)}</div>'


def _picture(block: Block) -> str:
    chosen = _evenly(len(block.samples), _MOST)
    drawn = [block.samples[i] for i in chosen]
    titles = [block.titles[i] for i in chosen] if block.titles else []
    is_picture = ".png" in suffixes_written(block.adapter)
    file = io.BytesIO()
    columns = block.columns if len(chosen) == len(block.samples) else None
    draw(block.adapter, [_smaller(one) for one in drawn] if is_picture else drawn, file, titles, columns)
    style = "max-width:100%;background:#fff"
    if is_picture and drawn[0].tensor.shape[-1] * len(drawn) < _SMALL:
        style += f";min-width:{_LARGER}px;image-rendering:pixelated"
    what = f"{len(drawn)} results" if len(drawn) > 1 else "the result"
    return f'<img alt="A picture of {what}" style="{style}" src="{_address(file.getvalue(), "image/png")}">'


def _evenly(count: int, most: int) -> list[int]:
    """Return which of `count` to take, `most` or fewer: the first, the last, and evenly between."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)] if most > 1 else [0]


def _smaller(sample: Sample) -> Sample:
    """Return a picture ``(C, H, W)`` that is not too large to be looked at, without what its file says of it."""
    sides = sample.tensor.shape[1:]
    scale = min(1.0, _MOST_PIXELS / max(sides))
    size = [max(1, round(side * scale)) for side in sides]
    tensor = sample.tensor if scale == 1 else F.interpolate(sample.tensor[None], size=size, mode="area")[0]
    return replace(sample, tensor=tensor, metadata=None, remarks=[])


def _player(block: Block) -> str:
    samples = block.samples
    with temporary_folder() as folder:
        wav = folder / "sound.wav"
        sound(block.adapter, samples[:1], wav)
        chosen = _evenly(len(samples), max(1, int(_MOST_SECONDS / _seconds(wav))))
        if len(chosen) > 1:
            sound(block.adapter, [samples[i] for i in chosen], wav)
        some = f" plays {', '.join(str(i + 1) for i in chosen)} of {len(samples)}" if len(chosen) < len(samples) else ""
        return _player_of(wav, some)


def _seconds(wav: Path) -> float:
    with reading(wav) as reader:
        return max(1.0, (reader.length or 0) / reader.kind.rate)


def _player_of(wav: Path, what: str = "") -> str:
    """Return a player of the first minute of a sound, as MP3."""
    with temporary_folder() as folder:
        mp3 = folder / "sound.mp3"
        with reading(wav) as reader:
            kind = replace(kind_like(reader.kind, mp3), bitrate=_BIT_RATE, bitrate_mode="AVERAGE")
            with writing(mp3, kind) as opened:
                left = _MOST_SECONDS * reader.kind.rate
                for block in reader.blocks():
                    opened.write(block[: max(0, left)])
                    left -= len(block)
        address = _address(mp3.read_bytes(), "audio/mpeg")
    return f'<div><audio controls preload="metadata" style="vertical-align:middle" src="{address}"></audio>{what}</div>'


def _address(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _bars(distances: Sequence[float]) -> str:
    """Return how far each step is from the first, as bars and as text."""
    top = max([*distances, 1e-9])
    bars = "".join(
        f'<span title="step {i}: {distance:.2f}" style="flex:1;min-width:2px;background:{_colour(distance / top)};'
        f'height:{max(4, round(100 * distance / top))}%"></span>'
        for i, distance in enumerate(distances, 1)
    )
    text = ", ".join(f"{distance:.2f}" for distance in distances[:_MOST]) + (" ..." if len(distances) > _MOST else "")
    style = "display:flex;align-items:flex-end;gap:2px;height:32px;max-width:480px;margin-top:6px"
    return f'<div style="{style}">{bars}</div><div>How far each step is from the first: {text}</div>'


def _colour(share: float) -> str:
    """Return the colour in which plots draw a step that far from the first to the last."""
    from musicae import plots

    mixed = (a + share * (b - a) for a, b in zip(plots.FIRST_COLOUR, plots.LAST_COLOUR, strict=True))
    return f"rgb({','.join(str(round(255 * value)) for value in mixed)})"
