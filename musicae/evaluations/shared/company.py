"""Figures of bands in company: chords that are asked for, a style that stays, and bands for tunes."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Sample, Windows
from musicae.evaluations.shared.common import Figures, choose, pooled, report
from musicae.evaluations.shared.sequences import in_parts
from musicae.evaluations.shared.two_samples import Halves, classifier_auroc, halves
from musicae.ops.accompany import DRAWS, drawn, in_style, style_of
from musicae.ops.defaults import adapter_settings
from musicae.tensors import band as bands
from musicae.tensors.random import generator

__all__ = ["accompanied", "chords_followed", "transposed_to_fit"]

_BEATS = 4  # In a bar.
_TUNE, _OTHERS = 0.4, 0.25  # The share of the steps in which a melody, and two others, play in a window that counts.


def chords_followed(figures: Figures, codec: Codec, test: Windows, samples: int, seed: int) -> None:
    """Measure what is left of chords that are asked for, and of a style that is played over others.

    Windows of real songs are encoded with their own chords, and decoded with those of other songs. ``chord_root`` is
    the share of bass notes that begin with a bar on the root of the chord there, ``chord_tones`` the share of the time
    of harmony that is in the chord. ``real_..`` is that of real songs under their own recognised chords, ``floor_..``
    that of the same codes decoded without chords; ``.._drawn`` are draws from the prior under chords.
    ``style_similarity`` is how alike the onsets of harmony, bass and drums are (twice what both have, over the sum)
    before and after. ``real_..`` compares windows of one song, ``floor_..`` those of different ones.
    """
    chosen = choose(test, samples, seed)
    other = _far(chosen.pieces)
    bar = _BEATS * int(adapter_settings(codec.preset)["steps_per_beat"])
    found: dict[str, list[tuple[Tensor, ...]]] = {}
    alike: dict[str, list[Tensor]] = {}
    draws = codec.noise(len(chosen), seed)
    near = _near(chosen.pieces)
    for index in in_parts(codec, len(chosen), 4):
        x, own, asked = chosen.batch(index), *(codec.conditions(chosen, at) for at in (index, other[index]))
        assert own is not None
        assert asked is not None
        z = codec.encode(x, own).mean
        moved = codec.decode(codec.under(z, own, asked), cond=asked)
        made = {
            "": (moved, asked),
            "real_": (x, own),
            "floor_": (codec.decode(codec.encode(x).mean), asked),
            "drawn": (codec.decode(codec.from_noise(draws[index], asked), cond=asked), asked),
        }
        for name, (y, chords) in made.items():
            found.setdefault(name, []).append(_followed(y, chords, bar))
        alike.setdefault("", []).append(_alike(x, moved))
        alike.setdefault("floor_", []).append(_alike(x, chosen.batch(other[index])))
        same = near[index] >= 0
        if same.any():
            alike.setdefault("real_", []).append(_alike(x[same], chosen.batch(near[index][same])))
    for name, parts in found.items():
        on_root, bass, in_chord, harmony = (torch.cat(counts) for counts in zip(*parts, strict=True))
        end, prefix = ("_drawn", "") if name == "drawn" else ("", name)
        pooled(figures, prefix, f"chord_root{end}", on_root, bass)
        pooled(figures, prefix, f"chord_tones{end}", in_chord, harmony)
    for name, rows in alike.items():
        values = torch.cat(rows)
        if len(values := values[~values.isnan()]):
            report(figures, name, "style_similarity", values)


def _followed(x: Tensor, chords: Tensor, bar: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return, for bands ``(N, C, T)`` under `chords` ``(N, 24, T)``, four counts ``(N,)``.

    Bass notes that begin with a bar, on its root, and all of them; the time of harmony in the chord, and all of it.
    Where there is no chord nothing counts.
    """
    known = chords[:, :12].any(1)
    bass = bands.classes_sounding(x, "bass")[:, :, ::bar]
    begins = (bands.line_onsets(x, "bass")[:, ::bar] & known[:, ::bar]).unsqueeze(1)
    harmony = bands.classes_sounding(x, "harmony") & known.unsqueeze(1)
    return (
        (bass & begins & (chords[:, :12, ::bar] > 0)).sum((1, 2)),
        (bass & begins).sum((1, 2)),
        (harmony & (chords[:, 12:] > 0)).sum((1, 2)),
        harmony.sum((1, 2)),
    )


def _alike(x: Tensor, y: Tensor) -> Tensor:
    """Return how alike the rhythms of two bands ``(N, C, T)`` are, ``(N,)``, 0 to 1; NaN where neither plays."""
    a, b = _grid(x), _grid(y)
    return 2 * (a & b).sum((1, 2)) / (a.sum((1, 2)) + b.sum((1, 2)))


def _grid(x: Tensor) -> Tensor:
    """Return at which steps notes of bass, of harmony and of each drum begin in ``(N, C, T)``: ``(N, 11, T)`` bool."""
    harmony = bands.harmony_onsets(x).amax(1) > 0
    drums = x[:, bands.groups_of("drums")[0]] > 0
    return torch.cat([torch.stack([bands.line_onsets(x, "bass"), harmony], 1), drums], dim=1)


def _far(pieces: Tensor) -> Tensor:
    """Return for each window one of another song, ``(N,)``, as far as there are several."""
    order = pieces.argsort(stable=True)
    other = torch.empty_like(order)
    other[order] = order.roll(len(order) // 2)
    return other


def _near(pieces: Tensor) -> Tensor:
    """Return for each window another one of its song, ``(N,)``; -1 where there is none."""
    order = pieces.argsort(stable=True)
    following = order.roll(-1)
    near = torch.empty_like(order)
    near[order] = torch.where(pieces[order] == pieces[following], following, -1)
    near[near == torch.arange(len(near))] = -1
    return near


# --- bands for tunes -------------------------------------------------------------------------------------------------


def accompanied(figures: Figures, codec: Codec, test: Windows, samples: int, seed: int) -> None:
    """Measure bands that are made for the melodies of real windows, over chords that are found for the melody.

    ``accompany_auroc`` is how well a classifier tells them from real ones, which it is shown with the intervals above
    the melody in bass and harmony (see `two_samples`). ``.._style`` play like a window of another song;
    ``.._own`` like their own, which is what the model loses anyway. ``floor_..`` is a rival: bass, harmony and drums
    of another song, transposed to where its pitches are nearest to those of the melody.
    """
    chosen = choose(test, samples, seed)
    plays = torch.cat([bands.sounding(chosen.batch(i), 4).float().mean(2) for i in in_parts(codec, len(chosen))])
    chosen = chosen.subset(((plays[:, 0] > _TUNE) & ((plays[:, 1:] > _OTHERS).sum(1) > 1)).nonzero().squeeze(1))
    if len(chosen) < 4:
        return
    tune = codec.spec.parts["melody"].view(-1, 1)
    other, rng = _far(chosen.pieces), generator(seed, 73)
    made: dict[str, list[Tensor]] = {name: [] for name in ("real", "", "_style", "_own", "floor_")}
    for index in in_parts(codec, len(chosen), 6):
        x, strange = chosen.batch(index), chosen.batch(other[index])
        chords = torch.stack([_chords(codec, one) for one in torch.where(tune, x, codec.blank_step())])
        own, theirs = (codec.conditions(chosen, at) for at in (index, other[index]))
        results = {
            "real": x,
            "": _best(codec, x, chords, tune, rng),
            "_style": in_style(codec, style_of(codec, strange, theirs, tune.flatten()), x, chords, tune.flatten()),
            "_own": codec.decode(codec.encode(x, own).mean, cond=own),
            "floor_": transposed_to_fit(strange, torch.where(tune, x, codec.blank_step())),
        }
        for name, y in results.items():
            made[name].append(bands.to_bytes(torch.where(tune, x, y)))
    bytes_ = {name: torch.cat(parts) for name, parts in made.items()}
    first, second = halves(chosen.pieces, seed)

    def augment(x: Tensor, rng: torch.Generator) -> Tensor:
        values = bands.from_bytes(codec.adapter.augment(x, rng))
        return torch.cat([values, bands.intervals(values)], dim=1)

    beat = int(adapter_settings(codec.preset)["steps_per_beat"])
    real = bytes_.pop("real")
    for name, mine in bytes_.items():
        pair = Halves(real[first], real[second]), Halves(mine[first], mine[second])
        found, spread = classifier_auroc(*pair, beat, augment, seed)
        if name == "floor_":
            figures["floor_accompany_auroc"] = found
        else:
            figures[f"accompany_auroc{name}"], figures[f"spread_accompany_auroc{name}"] = found, spread


def _best(codec: Codec, x: Tensor, chords: Tensor, tune: Tensor, rng: torch.Generator) -> Tensor:
    """Return for each window the best of several draws of its own: bands in common would give all of them away."""
    best, least = x, torch.full((len(x),), torch.inf)
    noise = codec.noise(DRAWS * len(x), int(torch.randint(2**31, (), generator=rng)))
    for made, cost in drawn(codec, x, chords, tune, noise.view(DRAWS, len(x), -1)):
        best = torch.where((cost < least).view(-1, 1, 1), made, best)
        least = torch.minimum(cost, least)
    return best


def _chords(codec: Codec, x: Tensor) -> Tensor:
    """Return the chords ``(24, T)`` that are found for a window."""
    found = codec.adapter.chords(Sample(x, codec.adapter.blank()))
    assert found is not None
    return found


def transposed_to_fit(x: Tensor, tune: Tensor) -> Tensor:
    """Return bands ``(N, C, T)``, each transposed to where its pitch classes are most like those of a `tune`."""
    ours, theirs = bands.pitch_classes(tune), bands.pitch_classes(x)
    fits = torch.stack([(ours * theirs.roll(semitones, 1)).sum(1) for semitones in range(12)], dim=1)
    best = fits.argmax(1)
    return bands.transpose(x, torch.where(best > 6, best - 12, best))[0]
