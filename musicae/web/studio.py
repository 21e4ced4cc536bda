"""What is between the corners of a pad; requests are independent, and what spares work is kept between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.choose import codec_for
from musicae.ops.conditions import class_names, condition, most_probable_label
from musicae.ops.corners import Corner, encoded
from musicae.ops.inputs import read
from musicae.ops.keys import in_key_of_first
from musicae.ops.parts import check_parts
from musicae.ops.playing import Playing, played, tempo_of
from musicae.ops.point import Pad
from musicae.ops.shift import shift_samples
from musicae.web.asked import Point
from musicae.web.catalog import Catalog
from musicae.web.store import Cache, Store

__all__ = ["Found", "Studio"]

_DRAW = "draw:"
_MAX_SEED = 2**31
_CACHE_BYTES = 256_000_000
_LOOP_STEPS, _LOOP_SECONDS = 64, 4.0  # How much of a file is looped, of notes and of sound: it must follow the hand.


@dataclass(frozen=True)
class Found:
    """What is at a point: a sample as it is played, the pad it is on, and what is to be said of it."""

    pad: Pad
    sample: Sample
    distances: list[float]
    changes: list[str]
    notices: list[str]


class Studio:
    """Computes what the page asks for; all of it may be called from several threads at once."""

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self.catalog, self.store = catalog, store
        self._corners: Cache[tuple[Corner, list[str]]] = Cache(_CACHE_BYTES)
        self._pads: Cache[Pad] = Cache(_CACHE_BYTES)

    # --- corners ----------------------------------------------------------------------------------------------------

    def add(self, data: bytes, name: str, chosen: str) -> tuple[str, str, str, list[str]]:
        """Keep a file that is read by the preset `chosen`, or by the one that fits it best where that is ``""``.

        Return its id, its name, the preset's name, and notices. Raise MusicaeError for one that cannot be read.
        """
        key = self.store.add(data, name)
        path = self.store.path(key)
        codec = self.catalog.codec(chosen) if chosen else codec_for(None, path)
        preset = codec.preset.name
        corner, notices = self.corner(preset, key)
        return key, corner.name, preset, notices

    def corner(self, preset: str, key: str) -> tuple[Corner, list[str]]:
        """Return what stands at a corner, a file or a draw, and what is to be said of it."""
        found = self._corners.get((preset, key))
        if found is None:
            codec = self.catalog.codec(preset)
            found = _draw(codec, key) if key.startswith(_DRAW) else self._file(codec, self.store.path(key))
            self._corners.put((preset, key), found, found[0].sample.tensor.nbytes)
        return found

    def _file(self, codec: Codec, path: Path) -> tuple[Corner, list[str]]:
        if not codec.model.latent_size:
            raise MusicaeError(f"the preset '{codec.preset.name}' has no codes; choose another")
        sample = read(codec, path)
        looped, notices = _looped(codec, sample, path.name)
        label = most_probable_label(codec, looped)
        if label is not None:
            notices.append(f"{path.name} was taken for '{class_names(codec)[label]}'")
        return Corner(looped, path.name, label), notices

    def pad(self, ask: Point) -> Pad:
        """Return the pad of a point."""
        found = self._pads.get(ask.pad)
        if found is None:
            codec = self.catalog.codec(ask.preset)
            if not codec.model.latent_size:
                raise MusicaeError(f"the preset '{ask.preset}' has no codes; choose another")
            corners = [self.corner(ask.preset, key)[0] for key in ask.corners]
            corners, notices = self._in_one_key(codec, corners, ask.corners)
            made = encoded(codec, corners, keep=ask.lock, chords=ask.chords.strip() or None)
            made.notices[:0] = notices
            found = Pad(made)
            self._pads.put(ask.pad, found, found.size)
        return found

    def _in_one_key(
        self, codec: Codec, corners: Sequence[Corner], keys: Sequence[str]
    ) -> tuple[list[Corner], list[str]]:
        """Return the corners of songs in the key of the first, as `musicae.interpolate` has them."""
        if not codec.spec.parts:
            return [*corners], []
        samples = [one.sample for one in corners]
        sources = [s if key.startswith(_DRAW) else self.store.path(key) for s, key in zip(samples, keys, strict=True)]
        moved, notices = in_key_of_first(codec, samples, sources, {}, asked=False)
        notices = [one.removesuffix("; --own-key leaves it as it is") for one in notices]
        return [
            one if new is one.sample else replace(one, sample=_looped(codec, new, one.name)[0])
            for one, new in zip(corners, moved, strict=True)
        ], notices

    # --- points -----------------------------------------------------------------------------------------------------

    def find(self, ask: Point) -> Found:
        """Return what is at a point, as it is played. Raise MusicaeError for anything in it that does not exist."""
        pad = self.pad(ask)
        codec, notices = pad.codec, list(pad.corners.notices)
        for key in dict.fromkeys(ask.corners):
            notices += self.corner(ask.preset, key)[1]
        made = pad.sample(pad.at(ask.x, ask.y), ask.temperature, ask.seed)
        changes: list[str] = []
        if words := [f"{name}={by:+.4f}" for name, by in ask.shift.items() if by]:
            (made,), changes = shift_samples(codec, [made], words, keep=ask.lock, seed=ask.seed)
        distances = pad.distances(made)
        made = played(codec, [made], self._playing(codec, ask, made))[0]
        return Found(pad, made, distances, changes, notices)

    def _playing(self, codec: Codec, ask: Point, made: Sample) -> Playing:
        if not codec.adapter.plays:
            return Playing()
        check_parts(codec, [part for part in ask.programs if part], "the instruments")
        return Playing(ask.tempo or tempo_of(codec, made.meta), dict(ask.programs), ask.transpose)


def _draw(codec: Codec, key: str) -> tuple[Corner, list[str]]:
    text = key.removeprefix(_DRAW)
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and int(text) < _MAX_SEED):
        raise MusicaeError(f"'{key:.40}' is no draw; write {_DRAW} and a number, such as {_DRAW}7")
    classes = len(class_names(codec))
    label = int(text) % classes if classes else None
    cond = condition(codec, label, 1)
    code = codec.draw(1, int(text), cond=cond)
    sample = Sample(codec.decode(code, cond=cond)[0], codec.adapter.blank())
    return Corner(sample, f"draw {text}", label, code), []


def _looped(codec: Codec, sample: Sample, name: str) -> tuple[Sample, list[str]]:
    """Return as much of a file as is looped, whole windows from its beginning, and what is to be said of that."""
    size, own = codec.spec.shape[-1], sample.tensor.shape[-1]
    rate = codec.adapter.steps_per_second
    hop = sample.hop or size
    length = hop * max(1, int(_LOOP_SECONDS * rate if rate else _LOOP_STEPS) // hop)
    if own <= length:
        return sample, []
    cond = sample.cond[:, :length] if sample.cond is not None and sample.cond.ndim == 2 else sample.cond
    shown = f"{length / rate:.1f} of {own / rate:.1f} s" if rate else f"{length} of {own} steps"
    return replace(sample, tensor=sample.tensor[..., :length], cond=cond), [f"{name} is long: {shown} are looped"]
