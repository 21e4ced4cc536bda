"""The tensor of a band: melody, bass, harmony and drums on one grid of sixteenths, as groups of channels ``(C, T)``.

Melody and bass are lines of tokens (`musicae.tensors.melody_tokens`). Harmony has two rows for each pitch: where it is
held on, and where it begins. Drums have a row for each of nine classes. The loudness of a note, 0 to 1, is in groups
of its own: one number a step for each part, and one for each drum; it counts only where a note begins.

Kept in files, a step of a band is a column of bytes (`ROWS`), with its chord beside it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from musicae.core import Group, Spec
from musicae.tensors import melody_tokens
from musicae.tensors.melody_tokens import FIRST_ONSET

__all__ = [
    "CHORD_CHANNELS",
    "GROUPS",
    "PARTS",
    "RANGES",
    "ROWS",
    "canonical",
    "chords",
    "classes_sounding",
    "from_bytes",
    "groups_of",
    "harmony_notes",
    "harmony_onsets",
    "intervals",
    "line_onsets",
    "melody_line",
    "onsets",
    "pack",
    "part_notes",
    "pitch_classes",
    "silent",
    "sounding",
    "sounding_pitches",
    "spec",
    "to_bytes",
    "transpose",
    "transpose_chords",
    "unpack",
]

PARTS = ("melody", "bass", "harmony", "drums")
"""The parts of a band, in the order of their groups."""

RANGES = {"melody": (48, 96), "bass": (24, 60), "harmony": (36, 96)}
"""The lowest and the highest MIDI pitch of each part; others are moved by octaves."""

DRUMS = 9
CHORD_CHANNELS = 24
"""Of a chord: its root (12, one-hot) and its pitch classes (12); zeros for none."""

_MAX_VELOCITY = 127
_PITCHES = {part: high - low + 1 for part, (low, high) in RANGES.items()}

GROUPS = (
    Group("melody", FIRST_ONSET + _PITCHES["melody"], "categorical"),
    Group("bass", FIRST_ONSET + _PITCHES["bass"], "categorical"),
    Group("harmony", 2 * _PITCHES["harmony"], "bernoulli"),
    Group("drums", DRUMS, "bernoulli"),
    Group("melody_velocity", 1, "gaussian"),
    Group("bass_velocity", 1, "gaussian"),
    Group("harmony_velocity", 1, "gaussian"),
    Group("drums_velocity", DRUMS, "gaussian"),
)
"""The groups of channels. In harmony the rows of held pitches come first, then those of onsets."""


def spec(steps: int) -> Spec:
    """Return the spec of windows of so many steps."""
    return Spec.joint((steps,), GROUPS)


_SLICES = spec(1).slices
_BYTES = -(-_PITCHES["harmony"] // 8)  # That hold a bit for each pitch.


# Where each thing is in a column of bytes.
_MELODY, _BASS = 0, 1
_VELOCITY = slice(2, 5)  # Of melody, bass and harmony.
_DRUMS = slice(5, 5 + DRUMS)  # Velocities; 0 where nothing is struck.
_HELD = slice(_DRUMS.stop, _DRUMS.stop + _BYTES)
_ONSET = slice(_HELD.stop, _HELD.stop + _BYTES)
_ROOT = _ONSET.stop  # 1 .. 12; 0 for no chord.
_TONES = slice(_ROOT + 1, _ROOT + 3)  # A bit for each pitch class.

ROWS = _TONES.stop
"""How many bytes a step takes."""


def groups_of(part: str) -> tuple[slice, slice]:
    """Return the channels of a part, and those of its velocities."""
    return _SLICES[part], _SLICES[f"{part}_velocity"]


def silent() -> Tensor:
    """Return a step in which nothing sounds, ``(C,)``."""
    step = torch.zeros(sum(group.channels for group in GROUPS))
    step[[_SLICES["melody"].start, _SLICES["bass"].start]] = 1.0
    return step


def onsets(x: Tensor) -> Tensor:
    """Return where notes begin in bands ``(N, C, T)``: a row for each pitch of each part and for each drum."""
    lines = [x[:, _SLICES[part]][:, FIRST_ONSET:] for part in ("melody", "bass")]
    return torch.cat([*lines, harmony_onsets(x), x[:, _SLICES["drums"]]], dim=1)


def sounding(x: Tensor, ring: int = 1) -> Tensor:
    """Return at which steps of bands ``(N, C, T)`` each part sounds, ``(N, 4, T)`` bool; a hit sounds `ring` steps."""
    lines = [melody_tokens.sounding(x[:, _SLICES[part]]) for part in ("melody", "bass")]
    struck = F.pad(x[:, _SLICES["drums"]].amax(1), (ring - 1, 0)).unfold(1, ring, 1).amax(2)
    return torch.stack([*lines, x[:, _SLICES["harmony"]].amax(1) > 0, struck > 0], dim=1)


def line_onsets(x: Tensor, part: str) -> Tensor:
    """Return at which steps of bands ``(N, C, T)`` a note of the melody or the bass begins, ``(N, T)`` bool."""
    return x[:, _SLICES[part]][:, FIRST_ONSET:].amax(1) > 0


def harmony_onsets(x: Tensor) -> Tensor:
    """Return where notes of harmony begin in bands ``(N, C, T)``: a row for each pitch, ``(N, P, T)``."""
    return x[:, _SLICES["harmony"]][:, _PITCHES["harmony"] :]


def part_notes(x: Tensor, part: str) -> tuple[Tensor, Tensor]:
    """Return where the notes of a part of bands ``(N, C, T)`` begin, a row for each pitch or drum, ``(N, P, T)`` bool.

    With it comes how loud those of each step are in the mean, 0 to 1, ``(N, T)``.
    """
    loud = x[:, _SLICES[f"{part}_velocity"]]
    if part == "harmony":
        return harmony_onsets(x) > 0, loud[:, 0]
    if part == "drums":
        hits = x[:, _SLICES[part]] > 0
        return hits, (loud * hits).sum(1) / hits.sum(1).clamp_min(1)
    return x[:, _SLICES[part]][:, FIRST_ONSET:] > 0, loud[:, 0]


def sounding_pitches(x: Tensor, part: str) -> Tensor:
    """Return at which steps of bands ``(N, C, T)`` each pitch of a tuned part sounds, ``(N, P, T)`` bool.

    Pitches count from the part's lowest one up (`RANGES`). In a line, a hold without a note before it is silent.
    """
    rows = x[:, _SLICES[part]] > 0
    if part == "harmony":
        return rows[:, : _PITCHES[part]] | rows[:, _PITCHES[part] :]
    line = melody_tokens.tokens(rows.to(torch.uint8)).long()
    begun = torch.where(line == melody_tokens.HOLD, -1, torch.arange(line.shape[1], device=x.device)).cummax(1).values
    held = torch.where(begun < 0, melody_tokens.REST, line.gather(1, begun.clamp_min(0)))
    return held.unsqueeze(1) == torch.arange(FIRST_ONSET, FIRST_ONSET + _PITCHES[part], device=x.device).view(1, -1, 1)


def melody_line(x: Tensor, low: int, high: int) -> Tensor:
    """Return the melody of bands ``(N, C, T)`` as a line of the MIDI pitches `low` to `high`, one-hot ``(N, C', T)``.

    They must include the melody's own range.
    """
    rows, (lowest, highest) = x[:, _SLICES["melody"]], RANGES["melody"]
    line = x.new_zeros(len(x), FIRST_ONSET + high - low + 1, x.shape[2])
    line[:, :FIRST_ONSET] = rows[:, :FIRST_ONSET]
    line[:, FIRST_ONSET + lowest - low : FIRST_ONSET + highest - low + 1] = rows[:, FIRST_ONSET:]
    return line


def pitch_classes(x: Tensor) -> Tensor:
    """Return how many steps each pitch class, from C up, sounds in bands ``(N, C, T)``, in all parts: ``(N, 12)``."""
    totals = torch.zeros(len(x), 12, device=x.device)
    for part, (lowest, highest) in RANGES.items():
        classes = torch.arange(lowest, highest + 1, device=x.device) % 12
        totals.index_add_(1, classes, sounding_pitches(x, part).sum(2).float())
    return totals


def intervals(x: Tensor) -> Tensor:
    """Return how far above the melody the bass and the harmony of bands ``(N, C, T)`` sound: ``(N, 24, T)``, 0 or 1.

    The rows are intervals between pitch classes, 0 to 11 semitones, first those of the bass.
    """
    melody = classes_sounding(x, "melody")
    rows = []
    for part in ("bass", "harmony"):
        other = classes_sounding(x, part)
        rows += [(melody & other.roll(-semitones, 1)).any(1) for semitones in range(12)]
    return torch.stack(rows, dim=1).float()


def classes_sounding(x: Tensor, part: str) -> Tensor:
    """Return at which steps of bands ``(N, C, T)`` each pitch class sounds in a part, ``(N, 12, T)`` bool."""
    pitches, low = sounding_pitches(x, part), RANGES[part][0]
    found = F.pad(pitches, (0, 0, low % 12, -(low + pitches.shape[1]) % 12))
    return found.view(len(x), -1, 12, x.shape[2]).any(1)


def harmony_notes(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the notes in the rows of harmony ``(C, T)``: where each begins and ends, and its pitch from the lowest up.

    They are in the order of their onsets. A note is held until it begins again or its row of held steps ends; a held
    step without a note before it is silent.
    """
    held, onset = (part > 0.5 for part in rows.chunk(2))
    pitch, start = onset.nonzero(as_tuple=True)
    length = rows.shape[1]
    # The first step from each on that is not held, row by row from the end.
    steps = torch.where(held & ~onset, length, torch.arange(length))
    ends = F.pad(steps.flip(1).cummin(1).values.flip(1)[:, 1:], (0, 1), value=length)
    end = ends[pitch, start]
    order = torch.argsort(start * len(held) + pitch)
    return start[order], end[order], pitch[order]


def to_bytes(x: Tensor) -> Tensor:
    """Return bands ``(N, C, T)`` as bytes, a fourth of their size, velocities as MIDI has them."""
    values = x.clamp(0, 1)
    values[:, _SLICES["melody_velocity"].start :] *= _MAX_VELOCITY
    return values.round().to(torch.uint8)


def from_bytes(x: Tensor) -> Tensor:
    """Undo `to_bytes`."""
    values = x.float()
    values[:, _SLICES["melody_velocity"].start :] /= _MAX_VELOCITY
    return values


# --- packed ----------------------------------------------------------------------------------------------------------


def pack(values: NDArray[np.float32], chord: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a band ``(C, L)`` and its chords ``(24, L)`` as bytes ``(ROWS, L)``."""
    packed = np.zeros((ROWS, values.shape[1]), np.uint8)
    for row, part in ((_MELODY, "melody"), (_BASS, "bass")):
        packed[row] = values[_SLICES[part]].argmax(0)
    loud = np.rint(_MAX_VELOCITY * values[_SLICES["melody_velocity"].start :]).astype(np.uint8)
    packed[_VELOCITY], packed[_DRUMS] = loud[:3], np.maximum(loud[3:], 1) * (values[_SLICES["drums"]] > 0)
    held, onset = np.split(values[_SLICES["harmony"]] > 0, 2)
    packed[_HELD], packed[_ONSET] = np.packbits(held, axis=0), np.packbits(onset, axis=0)
    packed[_ROOT] = np.where(chord[:12].any(0), 1 + chord[:12].argmax(0), 0)
    packed[_TONES] = np.packbits(chord[12:] > 0, axis=0)
    return packed


def unpack(packed: Tensor) -> Tensor:
    """Return the bands ``(B, C, T)`` of bytes ``(B, ROWS, T)``, float32."""
    b, _, t = packed.shape
    values = torch.zeros(b, _SLICES["drums_velocity"].stop, t)
    for row, part in ((_MELODY, "melody"), (_BASS, "bass")):
        values[:, _SLICES[part]] = melody_tokens.one_hot(packed[:, row], _SLICES[part].stop - _SLICES[part].start)
    pitches = _PITCHES["harmony"]
    values[:, _SLICES["harmony"]] = torch.cat([_bits(packed[:, rows])[:, :pitches] for rows in (_HELD, _ONSET)], dim=1)
    values[:, _SLICES["drums"]] = (packed[:, _DRUMS] > 0).float()
    loud = torch.cat([packed[:, _VELOCITY], packed[:, _DRUMS]], dim=1)
    values[:, _SLICES["melody_velocity"].start :] = loud.float() / _MAX_VELOCITY
    return values


def chords(packed: Tensor) -> Tensor:
    """Return the chords ``(B, 24, T)`` of bytes ``(B, ROWS, T)``, float32."""
    root = melody_tokens.one_hot(packed[:, _ROOT], 13)[:, 1:]
    return torch.cat([root, _bits(packed[:, _TONES])[:, :12]], dim=1)


def _bits(packed: Tensor) -> Tensor:
    """Return the bits of bytes ``(B, N, T)``, as `numpy.packbits` packs them, ``(B, 8 N, T)``, float32."""
    shifts = torch.arange(7, -1, -1, device=packed.device).view(1, 1, 8, 1)
    return (packed.unsqueeze(2) >> shifts & 1).flatten(1, 2).float()


# --- transposed ------------------------------------------------------------------------------------------------------


def transpose(x: Tensor, semitones: Tensor) -> tuple[Tensor, Tensor]:
    """Return bands ``(B, C, T)``, each transposed by its number of `semitones` ``(B,)``, and by how much it really was.

    A part that would leave its range goes an octave the other way, so that all keep one key; where that does not fit
    either, the whole band stays as it is.
    """
    moves = {part: _move(x, part, semitones) for part in RANGES}
    fits = torch.stack([fit for _, fit in moves.values()]).all(0)
    moved = x.clone()
    for part, (move, _) in moves.items():
        move = torch.where(fits, move, 0)
        for rows in _pitch_rows(part):
            source = torch.arange(rows.stop - rows.start, device=x.device) - move.unsqueeze(1)
            inside = (source >= 0) & (source < rows.stop - rows.start)
            index = (source.clamp(0, rows.stop - rows.start - 1)).unsqueeze(2).expand(-1, -1, x.shape[2])
            moved[:, rows] = x[:, rows].gather(1, index) * inside.unsqueeze(2)
    return moved, torch.where(fits, semitones.to(x.device), 0)


def transpose_chords(chord: Tensor, semitones: Tensor) -> Tensor:
    """Return chords ``(B, 24, T)``, each transposed by its number of `semitones` ``(B,)``."""
    source = (torch.arange(12, device=chord.device) - semitones.to(chord.device).unsqueeze(1)) % 12
    index = torch.cat([source, 12 + source], dim=1).unsqueeze(2).expand_as(chord)
    return chord.gather(1, index)


def _pitch_rows(part: str) -> list[slice]:
    """Return the channels of a part that are rows of pitches, from the lowest up."""
    start, pitches = _SLICES[part].start, _PITCHES[part]
    if part != "harmony":
        return [slice(start + FIRST_ONSET, start + FIRST_ONSET + pitches)]
    return [slice(start, start + pitches), slice(start + pitches, start + 2 * pitches)]


def _move(x: Tensor, part: str, semitones: Tensor) -> tuple[Tensor, Tensor]:
    """Return by how much to move a part of each band, ``(B,)``, and whether it stays in its range."""
    used = torch.stack([x[:, rows].amax(2) > 0 for rows in _pitch_rows(part)]).any(0)
    place = torch.arange(_PITCHES[part], device=x.device)
    lowest = torch.where(used, place, _PITCHES[part]).amin(1)
    highest = torch.where(used, place, -1).amax(1)
    semitones = semitones.to(x.device)

    def fits(move: Tensor) -> Tensor:
        return (lowest + move >= 0) & (highest + move < _PITCHES[part])

    other = semitones - 12 * semitones.sign()
    silent = ~used.any(1)
    return torch.where(fits(semitones), semitones, other), fits(semitones) | fits(other) | silent


def canonical(packed: Tensor) -> Tensor:
    """Return bytes ``(N, ROWS, T)`` as ``(N, T)``: two are equal if one has the melody of the other, transposed.

    Without a melody, the bass counts.
    """
    lines = packed[:, [_MELODY, _BASS]]
    has_melody = (lines[:, 0] >= FIRST_ONSET).any(1)
    chosen = torch.where(has_melody.unsqueeze(1), lines[:, 0], lines[:, 1])
    return melody_tokens.canonical(chosen)
