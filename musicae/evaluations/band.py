"""Bands: what a code keeps of each part, its walks, and how its samples compare with real music."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Latent, Windows
from musicae.errors import MusicaeError
from musicae.evaluations.shared.common import Figures, all_of, choose, mean, pooled, report
from musicae.evaluations.shared.company import accompanied, chords_followed
from musicae.evaluations.shared.sequences import Components, cost, density, encoded, in_parts, interpolation
from musicae.evaluations.shared.two_samples import Halves, classifier_auroc, halves
from musicae.ops.defaults import adapter_name, adapter_settings
from musicae.ranges import Count, PartName, Seed
from musicae.tensors import band as bands
from musicae.tensors import metrics
from musicae.tensors.melody_tokens import FIRST_ONSET
from musicae.tensors.musical import key_clarity, repeated_bars
from musicae.tensors.random import generator

__all__ = ["band"]

_VELOCITY_WINDOWS = 1000  # Training windows that the floor of velocities is computed from.
_MAX_VELOCITY = 127
_BEATS = 4  # In a bar.

_STEPWISE = ("melody", "bass", "drums")  # Parts of which a step is right or wrong.
_FIRST_VELOCITY = bands.groups_of("melody")[1].start
_F1 = {"harmony_onset_f1": "onset", "harmony_sounding_f1": "sounding"}

Measured = dict[str, Tensor]
"""Numbers of each window, ``(N,)``, by name."""


def band(
    codec: Codec,
    train: Windows,
    test: Windows,
    *,
    lm: PartName = "",
    pairs: Count = 500,
    samples: Count = 2000,
    steps: Count = 9,
    seed: Seed = 0,
) -> Figures:
    """Measure a model of bands: what it keeps of each part, its walks, and its samples. Chords are not given there.

    ``<part>_token_accuracy_mean`` is the share of steps that the code's mean gives exactly (drums: all nine right), the
    mean over all windows; ``..._sampled`` that of a code drawn at temperature 1. ``..._playing`` counts only windows
    in which the part plays, before or after: silence is easy. The F1 scores of harmony, of onsets and of sounding
    pitches, and the velocity errors (mean absolute, 0 .. 127, where both have a note) are over all windows together.
    ``..._chords`` are figures of the mean with the recognised chords given. Floors: as many principal components as
    the code has numbers; of velocities the part's median.

    Walks between `pairs` of windows in `steps` are measured as `interpolation` does; what lies half-way, and a blend of
    the ends, by the notes in it and by what the melody costs the language model of melodies `lm`, where it plays, in
    nats a step above what real melodies do.

    Of `samples` of the prior and as many real windows: `c2st_auroc` is how well a small classifier tells them apart
    (see `two_samples`), ``<measure>_ratio`` compares bars that come back, key clarity, and notes with those of real
    windows. Their floors are those of a naive rival: the two-bar pieces of different songs, joined; if a window is no
    longer than that, the parts of different songs.

    Of a model that takes chords: how well it follows them, `chords_followed`, and how its bands for real melodies
    compare with real ones, `accompanied`.

    Raise MusicaeError for a preset of another adapter, without a code, or fewer than two windows.
    """
    if codec.spec.groups != bands.GROUPS:
        raise MusicaeError(f"'{codec.preset.name}' is no preset for bands; set [evaluation] name = 'sequence'")
    if not codec.model.latent_size:
        raise MusicaeError(codec.model.why_no_code)
    if len(test) < 2:
        raise MusicaeError("the evaluation 'band' needs two windows or more; give more data with --data")
    condition = codec.model.condition
    needed = condition is not None and not condition.optional
    latent = encoded(codec, test, conditions=needed)
    figures: Figures = {}
    _reconstruction(figures, codec, train, test, latent, needed, seed)
    walked = interpolation(
        figures, codec, test, latent.mean, min(pairs, len(test) // 2), steps, seed, conditions=needed
    )
    _half_way(figures, codec, lm, test, walked, seed)
    _samples(figures, codec, test, samples, needed, seed)
    if condition is not None and condition.along and condition.optional and test.cond is not None:
        chords_followed(figures, codec, test, samples, seed)
        accompanied(figures, codec, test, 2 * samples, seed)
    return figures


# --- what a code keeps -----------------------------------------------------------------------------------------------


def _reconstruction(
    figures: Figures, codec: Codec, train: Windows, test: Windows, latent: Latent, needed: bool, seed: int
) -> None:
    medians, floor, condition = _medians(train), Components(codec, train), codec.model.condition
    kept = _kept(codec, test, medians, latent, latent.sample(generator(seed, 1)), needed)
    batches = (test.batch(index) for index in in_parts(codec, len(test)))
    rival = _joined([_compare(x, floor.restore(x), medians) for x in batches])
    for kind, own in kept.items():
        _accuracies(figures, own, f"_{kind}")
        _accuracies(figures, rival, f"_{kind}", "floor_")
    _scores(figures, kept["mean"])
    _scores(figures, rival, "", "floor_")
    _velocities(figures, kept["mean"])
    mean(figures, "kl_nats", latent.kl().sum(1))
    if condition is not None and condition.optional and test.cond is not None:
        given = encoded(codec, test)
        with_chords = _kept(codec, test, medians, given, None, True)["mean"]
        _accuracies(figures, with_chords, "_chords")
        _scores(figures, with_chords, "_chords")
        mean(figures, "kl_nats_chords", given.kl().sum(1))


def _kept(
    codec: Codec,
    test: Windows,
    medians: Tensor,
    latent: Latent,
    drawn: Tensor | None,
    given: bool,
) -> dict[str, Measured]:
    """Return what the code's mean keeps of all windows, and the code `drawn`; with conditions, if they are `given`."""
    codes = {"mean": latent.mean, **({} if drawn is None else {"sampled": drawn})}
    found: dict[str, list[Measured]] = {kind: [] for kind in codes}
    for index in in_parts(codec, len(test)):
        x, cond = test.batch(index), codec.conditions(test, index) if given else None
        for kind, z in codes.items():
            found[kind].append(_compare(x, codec.decode(z[index], cond=cond), medians))
    return {kind: _joined(parts) for kind, parts in found.items()}


def _joined(parts: list[Measured]) -> Measured:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _compare(x: Tensor, y: Tensor, medians: Tensor) -> Measured:
    """Return what bands `y` ``(N, C, T)`` keep of `x`: numbers of each window."""
    found: Measured = {"exact": metrics.exact(x[:, :_FIRST_VELOCITY], y[:, :_FIRST_VELOCITY])}
    plays = (bands.sounding(x) | bands.sounding(y)).any(2)
    for part in _STEPWISE:
        rows = bands.groups_of(part)[0]
        found[f"{part}_right"] = metrics.token_accuracy(x[:, rows], y[:, rows])
        found[f"{part}_plays"] = plays[:, bands.PARTS.index(part)]
    for name, a, b in (
        ("onset", bands.harmony_onsets(x) > 0, bands.harmony_onsets(y) > 0),
        ("sounding", bands.sounding_pitches(x, "harmony"), bands.sounding_pitches(y, "harmony")),
    ):
        found[f"{name}_right"] = (a & b).sum((1, 2))
        found[f"{name}_all"] = a.sum((1, 2)) + b.sum((1, 2))
    for i, part in enumerate(bands.PARTS):
        loud = bands.groups_of(part)[1]
        both = _begins(x, part) & _begins(y, part)
        found[f"{part}_notes"] = both.sum((1, 2))
        for name, guess in (("error", y[:, loud]), ("floor_error", medians[i])):
            found[f"{part}_{name}"] = _MAX_VELOCITY * ((x[:, loud] - guess).abs() * both).sum((1, 2))
    return found


def _begins(x: Tensor, part: str) -> Tensor:
    """Return where each velocity of a part counts in bands ``(N, C, T)``: ``(N, velocities, T)``, bool."""
    rows = x[:, bands.groups_of(part)[0]]
    if part == "drums":
        return rows > 0
    begun = bands.harmony_onsets(x) if part == "harmony" else rows[:, FIRST_ONSET:]
    return (begun > 0).any(1, keepdim=True)


def _medians(train: Windows) -> Tensor:
    """Return the median velocity of each part, 0 .. 1, ``(4,)``; 0 where it never plays."""
    x = all_of(choose(train, _VELOCITY_WINDOWS, 0))
    loud = [x[:, bands.groups_of(part)[1]][_begins(x, part)] for part in bands.PARTS]
    return torch.stack([values.median() if len(values) else torch.tensor(0.0) for values in loud])


def _accuracies(figures: Figures, kept: Measured, kind: str, prefix: str = "") -> None:
    for part in _STEPWISE:
        right, plays = kept[f"{part}_right"], kept[f"{part}_plays"]
        report(figures, prefix, f"{part}_token_accuracy{kind}", right)
        if plays.any():
            report(figures, prefix, f"{part}_token_accuracy{kind}_playing", right[plays])


def _scores(figures: Figures, kept: Measured, kind: str = "", prefix: str = "") -> None:
    for name, of in _F1.items():
        pooled(figures, prefix, f"{name}{kind}", 2 * kept[f"{of}_right"], kept[f"{of}_all"])
    report(figures, prefix, f"exact_windows{kind}", kept["exact"])


def _velocities(figures: Figures, kept: Measured) -> None:
    kept = {**kept}
    for name in ("notes", "error", "floor_error"):
        kept[f"all_{name}"] = torch.stack([kept[f"{part}_{name}"] for part in bands.PARTS]).sum(0)
    for part in ("all", *bands.PARTS):
        name = "velocity_error" if part == "all" else f"{part}_velocity_error"
        pooled(figures, "", name, kept[f"{part}_error"], kept[f"{part}_notes"])
        pooled(figures, "floor_", name, kept[f"{part}_floor_error"], kept[f"{part}_notes"])


# --- walks -----------------------------------------------------------------------------------------------------------


def _half_way(
    figures: Figures, codec: Codec, lm: str, test: Windows, walked: tuple[Tensor, Tensor, Tensor], seed: int
) -> None:
    """Compare what lies half-way, and a blend that takes each step from one of the ends, with the ends."""
    middle, a, b = walked[0], test.batch(walked[1]), test.batch(walked[2])
    blend = torch.where(torch.rand(len(a), 1, a.shape[2], generator=generator(seed, 3)) < 0.5, a, b)
    ends = (density(codec, a).mean() + density(codec, b).mean()) / 2
    figures["midpoint_density_ratio"] = (density(codec, middle).mean() / ends).item()
    figures["blend_density_ratio"] = (density(codec, blend).mean() / ends).item()
    if lm:
        judge = codecs.load(lm)
        real = torch.cat([_melody_costs(judge, end) for end in (a, b)])
        mean(figures, "melody_data_cost", real)
        mean(figures, "midpoint_cost_excess", _melody_costs(judge, middle) - real.mean())
        mean(figures, "blend_cost_excess", _melody_costs(judge, blend) - real.mean())


def _melody_costs(judge: Codec, x: Tensor) -> Tensor:
    """Return what the melodies of bands ``(N, C, T)`` cost a language model in nats a step, of those that play."""
    settings, (lowest, highest) = adapter_settings(judge.preset), bands.RANGES["melody"]
    is_melody = adapter_name(judge.preset) == "melody"
    if not is_melody or not settings["low"] <= lowest <= highest <= settings["high"]:
        raise MusicaeError(f"[evaluation] lm: '{judge.preset.name}' is no model of melodies; name one, as melody-lm")
    playing = x[bands.sounding(x)[:, bands.PARTS.index("melody")].any(1)]
    return cost(judge, bands.melody_line(playing, settings["low"], settings["high"]))


# --- samples ---------------------------------------------------------------------------------------------------------


def _samples(figures: Figures, codec: Codec, test: Windows, samples: int, needed: bool, seed: int) -> None:
    """Compare draws from the prior, and a naive rival, with real windows."""
    chosen = choose(test, samples, seed)
    real, pieces = _bytes_of(codec, len(chosen), chosen.batch), chosen.pieces
    cond = codec.conditions(chosen) if needed else None
    z = codec.draw(len(chosen), seed, cond=cond)
    drawn = _bytes_of(codec, len(z), lambda index: codec.decode(z[index], cond=None if cond is None else cond[index]))
    beat = int(adapter_settings(codec.preset)["steps_per_beat"])
    bar = _BEATS * beat
    first, second = halves(pieces, seed)
    true = Halves(real[first], real[second])
    rival = Halves(*(_naive(real[half], pieces[half], 2 * bar) for half in (first, second)))

    def augment(x: Tensor, rng: torch.Generator) -> Tensor:
        return bands.from_bytes(codec.adapter.augment(x, rng))  # Bytes are moved faster.

    made = Halves(drawn[: len(first)], drawn[len(first) :])
    figures["c2st_auroc"], figures["spread_c2st_auroc"] = classifier_auroc(true, made, beat, augment, seed)
    figures["floor_c2st_auroc"] = classifier_auroc(true, rival, beat, augment, seed)[0]
    truth, mine, naive = (_music(codec, x, bar) for x in (real, drawn, torch.cat(rival)))
    for name, value in truth.items():
        if value > 0:
            figures[f"{name}_ratio"], figures[f"floor_{name}_ratio"] = mine[name] / value, naive[name] / value


def _bytes_of(codec: Codec, count: int, batch: Callable[[Tensor], Tensor]) -> Tensor:
    """Return bands as bytes, some at a time."""
    return torch.cat([bands.to_bytes(batch(index)) for index in in_parts(codec, count)])


def _naive(real: Tensor, pieces: Tensor, size: int) -> Tensor:
    """Join what does not belong together: pieces of `size` steps of different songs, or parts, if there is only one.

    Windows ``(N, C, T)`` are put in the order of their `pieces` ``(N,)``, and what is joined comes from far apart.
    """
    ordered = real[pieces.argsort(stable=True)]
    made = ordered.clone()
    places = [(slice(None), slice(i, i + size)) for i in range(0, real.shape[2], size)]
    if len(places) > 1:
        for i, (_, steps) in enumerate(places):
            made[:, :, steps] = ordered[:, :, steps].roll(i * len(real) // len(places), 0)
        return made
    for i, part in enumerate(bands.PARTS):
        for rows in bands.groups_of(part):
            made[:, rows] = ordered[:, rows].roll(i * len(real) // len(bands.PARTS), 0)
    return made


def _music(codec: Codec, x: Tensor, bar: int) -> dict[str, float]:
    """Return measures of bands, as bytes: means over the windows in which there is anything to measure."""
    found: dict[str, list[Tensor]] = {"repetition": [], "key": [], "density": []}
    for index in in_parts(codec, len(x)):
        part = x[index]
        lines = [part[:, bands.groups_of(name)[0]] for name in bands.PARTS]
        found["repetition"].append(repeated_bars(lines, bands.sounding(part), bar))
        found["key"].append(key_clarity(bands.pitch_classes(part)))
        found["density"].append(density(codec, part) * bar / part.shape[2])
    return {name: torch.cat(values).nanmean().item() for name, values in found.items()}
