"""What is between the corners of a pad; requests are independent, and what spares work is kept between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch

from musicae.codec import Codec
from musicae.core import Sample, Source
from musicae.errors import Line, MusicaeError, line_of
from musicae.ops.conditions import class_names, condition, label_of, most_probable_label
from musicae.ops.corners import Corner, Corners, encoded
from musicae.ops.inputs import read
from musicae.ops.keys import in_key_of_first
from musicae.ops.parts import check_parts
from musicae.ops.plane import check_plane, code_at
from musicae.ops.playing import Playing, played, tempo_of
from musicae.ops.point import Pad, Place
from musicae.ops.progression import bars_of, counted
from musicae.ops.shift import Change, shift_windows
from musicae.tensors import chord_symbols
from musicae.web.asked import Point
from musicae.web.catalog import RESTORED, Catalog, kind_of
from musicae.web.choosing import choice_alone
from musicae.web.restoring import check
from musicae.web.store import Cache, Store, Stored
from musicae.web.workers import Workers

__all__ = ["DRAW", "Found", "Studio"]

DRAW, _PLANE = "draw:", "map:"

_MAX_SEED = 2**31
_CACHE_BYTES = 128_000_000
_LOOP_STEPS, _LOOP_SECONDS = 64, 4.0  # How much of a file is looped, of notes and of sound: it must follow the hand.
_CHORD_STEPS = 128  # How much is looped under a progression: many have eight bars.


@dataclass(frozen=True)
class Found:
    """What is at a point: a sample as it is played, where on which pad it is, and what is to be said of it.

    With `plain` it is what the place stands for, and nothing else.
    """

    pad: Pad
    place: Place
    sample: Sample
    distances: list[float]
    changes: list[Change]
    notices: list[str]
    plain: bool


class Studio:
    """Computes what the page asks for; all of it may be called from several threads at once."""

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self.catalog, self.store = catalog, store
        self._corners: Cache[tuple[Corner, list[str]]] = Cache(_CACHE_BYTES)
        self._pads: Cache[Pad] = Cache(_CACHE_BYTES)
        self._found: Cache[Found] = Cache(_CACHE_BYTES)
        self._preparing = Workers(1, waiting=10, name="prepare")

    # --- corners ----------------------------------------------------------------------------------------------------

    def add(self, data: bytes, name: str, chosen: str, options: Mapping[str, Any]) -> tuple[str, str, str, list[str]]:
        """Keep a file that is read by the preset `chosen`, or by the one for it alone where that is ``""``.

        `options` are the adapter's. Return its id, its name, the preset's name, and notices. Raise MusicaeError for one
        that cannot be read.
        """
        key = self.store.add(data, name, options)
        stored = self.store.find(key)
        codec = self.catalog.codec(chosen or choice_alone(self.catalog, stored.path).preset)
        if kind_of(codec) in RESTORED:
            check(codec, stored)
            return key, stored.path.name, codec.preset.name, []
        corner, notices = self.corner(codec.preset.name, key)
        return key, corner.name, codec.preset.name, notices

    def reread(self, key: str, chosen: str, bars: str) -> tuple[str, str, str, list[str]]:
        """Read a file that is here already from other bars, all of them where `bars` is ``""``; return as `add` does.

        Raise MusicaeError for bars that it does not have.
        """
        stored = self.store.find(key)
        return self.add(stored.path.read_bytes(), stored.path.name, chosen, {**stored.options, "bars": bars or None})

    def corner(self, preset: str, key: str) -> tuple[Corner, list[str]]:
        """Return what stands at a corner, and what is to be said of it.

        It is a file by its id, a draw (``"draw:SEED"``), or a place of the plane of codes (``"map:X,Y"``).
        Raise MusicaeError for what cannot be there.
        """

        def make() -> tuple[Corner, list[str]]:
            codec = self.catalog.codec(preset)
            if not codec.model.latent_size:
                raise MusicaeError(f"the preset '{preset}' has no codes; choose another")
            if key.startswith(DRAW):
                return _draw(codec, key), []
            if key.startswith(_PLANE):
                return _on_plane(codec, key), []
            return _file(codec, self.store.find(key))

        return self._corners.made((preset, key), make, lambda found: found[0].sample.tensor.nbytes)

    def pad(self, ask: Point) -> Pad:
        """Return the pad of a point, made when it is first asked for."""
        return self._pads.made(ask.pad, lambda: self._prepared(self._made(ask)), lambda pad: pad.size)

    def _prepared(self, pad: Pad) -> Pad:
        """Return a pad that is prepared while the first places on it are looked at."""
        with suppress(MusicaeError):  # Where many are made at once, this one is made as it is used.
            self._preparing.submit(pad.prepare)
        return pad

    def _made(self, ask: Point) -> Pad:
        codec = self.catalog.codec(ask.preset)
        corners = [self.corner(ask.preset, key)[0] for key in ask.corners]
        corners, notices = self._in_one_key(codec, corners, ask.corners)
        chords = ask.chords.strip() or None
        if chords:
            corners = [replace(one, repeats=True) for one in (_under(codec, corners[0], chords), *corners[1:])]
        made = encoded(codec, corners, keep=ask.lock, chords=chords, cut_chords=True)
        made.notices[:0] = notices
        return Pad(_of_class(made, ask.label) if ask.label else made)

    def _in_one_key(
        self, codec: Codec, corners: Sequence[Corner], keys: Sequence[str]
    ) -> tuple[list[Corner], list[str]]:
        """Return the corners of songs in the key of the first, as `musicae.interpolate` has them."""
        if not codec.spec.parts:
            return [*corners], []
        moved, notices = [corners[0]], list[str]()
        for corner, key in zip(corners[1:], keys[1:], strict=True):
            if key.startswith((DRAW, _PLANE)):
                moved.append(corner)
                continue
            stored = self.store.find(key)
            pair = [corners[0].sample, corner.sample]
            named: list[Source] = [corners[0].name, stored.path]
            (_, sample), said = in_key_of_first(codec, pair, named, stored.options, asked=False)
            if sample is not corner.sample:
                moved.append(replace(corner, sample=_looped(codec, sample, corner.name)[0]))
                notices += said
            else:
                moved.append(corner)
        return moved, notices

    # --- points -----------------------------------------------------------------------------------------------------

    def find(self, ask: Point) -> Found:
        """Return what is at a point, as it is played. Raise MusicaeError for anything in it that does not exist."""
        return self._found.made(ask.key, lambda: self._at(ask), lambda found: found.sample.tensor.nbytes)

    def _at(self, ask: Point) -> Found:
        pad = self.pad(ask)
        notices = [*pad.corners.notices]
        for key in dict.fromkeys(ask.corners):
            notices += self.corner(ask.preset, key)[1]
        place = pad.at(ask.x, ask.y)
        windows = pad.windows(place, ask.temperature, ask.seed)
        windows, changes = self.shifted(pad.codec, windows, place, ask)
        made = pad.sample(place, windows)
        distances, playing = pad.distances(made), self.playing(pad.codec, ask, made)
        plain = not (changes or ask.lock or ask.transpose)
        return Found(pad, place, played(pad.codec, [made], playing)[0], distances, changes, notices, plain)

    def shifted(
        self, codec: Codec, windows: torch.Tensor, place: Place, ask: Point
    ) -> tuple[torch.Tensor, list[Change]]:
        """Return windows with attributes shifted as asked for, and what became of each."""
        by = {name: change for name, change in ask.shift.items() if change}
        for name in by:
            if (part := name.rpartition(".")[0]) in ask.lock:
                raise MusicaeError(f"to change {name}, unlock the {part}")
        if not by:
            return windows, []
        fitted = self.catalog.fitted(ask.preset)
        return shift_windows(codec, fitted, windows, place.codes, place.cond, by, ask.seed, exact=ask.exact)

    def playing(self, codec: Codec, ask: Point, made: Sample) -> Playing:
        """Return how a sample is played: at one tempo, its own if no other is asked for."""
        if not codec.adapter.plays:
            return Playing()
        check_parts(codec, [part for part in ask.programs if part], "instruments")
        return Playing(ask.tempo or tempo_of(codec, made.meta), dict(ask.programs), ask.transpose)


# --- what stands at a corner -----------------------------------------------------------------------------------------


def _file(codec: Codec, stored: Stored) -> tuple[Corner, list[str]]:
    sample, name = read(codec, stored.path, **stored.options), stored.path.name
    looped, notices = _looped(codec, sample, name)
    label = most_probable_label(codec, looped)
    if label is not None:
        notices.append(f"{name} was taken for '{class_names(codec)[label]}'")
    return Corner(looped, name, label), notices


def _draw(codec: Codec, key: str) -> Corner:
    text = key.removeprefix(DRAW)
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and int(text) < _MAX_SEED):
        raise MusicaeError(f"'{key:.40}' is no draw; write {DRAW} and a number, such as {DRAW}7")
    classes = len(class_names(codec))
    label = int(text) % classes if classes else None
    return _of_code(codec, codec.draw(1, int(text), cond=condition(codec, label, 1)), f"draw {text}", label)


def _on_plane(codec: Codec, key: str) -> Corner:
    check_plane(codec)
    try:
        across, down = (float(text) for text in key.removeprefix(_PLANE).split(","))
        inside = 0 <= across <= 1 and 0 <= down <= 1
    except ValueError:
        inside = False
    if not inside:
        raise MusicaeError(
            f"'{key:.40}' is no place of the map; write {_PLANE} and two numbers, such as {_PLANE}0.5,0.5"
        )
    return _of_code(codec, code_at(across, down), "a place of the map", 0 if class_names(codec) else None)


def _of_code(codec: Codec, code: torch.Tensor, name: str, label: int | None) -> Corner:
    window = codec.decode(code, cond=condition(codec, label, 1))[0]
    return Corner(Sample(window, codec.adapter.blank()), name, label, code, repeats=True)


def _of_class(corners: Corners, label: str) -> Corners:
    """Return corners that are all of one class, and keep what else is in their codes."""
    codec, count = corners.codec, corners.codes.shape[1]
    asked = codec.label_conditions(torch.full((count,), label_of(codec, label)))
    codes = [codec.under(z, own, asked) for z, own in zip(corners.codes, corners.conds, strict=True)]
    return replace(corners, codes=torch.stack(codes), conds=[asked] * len(codes))


def _under(codec: Codec, corner: Corner, chords: str) -> Corner:
    """Return a corner that is repeated, in whole windows of up to eight bars in all, as far as a progression goes."""
    bars, sample = bars_of(codec, corner.sample), corner.sample
    missing = len(chord_symbols.parse(chords)) - len(bars)
    if missing <= 0 or not bars:
        return corner
    own, hop = sample.tensor.shape[-1], sample.hop or codec.spec.shape[-1]
    length = hop * math.ceil(min(own + missing * bars[-1], max(own, _CHORD_STEPS)) / hop)
    longer = codec.adapter.concat([replace(sample, cond=None)] * math.ceil(length / own))
    return replace(corner, sample=replace(longer, tensor=longer.tensor[..., :length]))


def _looped(codec: Codec, sample: Sample, name: str) -> tuple[Sample, list[str]]:
    """Return as much of a file as is looped, whole windows from its beginning, and what is to be said of that."""
    size, own = codec.spec.shape[-1], sample.tensor.shape[-1]
    rate = codec.adapter.steps_per_second
    hop = sample.hop or size
    length = hop * max(1, int(_LOOP_SECONDS * rate if rate else _LOOP_STEPS) // hop)
    if own <= length:
        return sample, []
    cond = sample.cond[:, :length] if sample.cond is not None and sample.cond.ndim == 2 else sample.cond
    looped = replace(sample, tensor=sample.tensor[..., :length], cond=cond)
    (some, of), unit = counted(codec, sample, length, own)
    first = f"{name}: the first {some} of {of} {unit}"
    others = Line("; --bars chooses others", "; choose others beside its name")
    return looped, [f"{first} are used" if unit == "s" else line_of(f"{first} loop", others)]
