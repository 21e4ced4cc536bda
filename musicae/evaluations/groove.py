"""Grooves: how drums are humanized, what is made of taps, what a code keeps, and walks and samples."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Latent, Windows
from musicae.errors import MusicaeError
from musicae.evaluations.shared.common import Figures, all_of, choose, mean
from musicae.evaluations.shared.feel import Rivals, distribution, errors, f1
from musicae.evaluations.shared.sequences import Components, density, encoded, interpolation
from musicae.ops.grooves import played, steady, styles, widening
from musicae.ranges import Count, Seed
from musicae.tensors import groove as grooves
from musicae.tensors import metrics
from musicae.tensors.groove import HITS
from musicae.tensors.random import generator

__all__ = ["groove"]

_EXAMPLES = 4  # Windows of the same performance that are played like.


def groove(
    codec: Codec,
    train: Windows,
    test: Windows,
    *,
    pairs: Count = 500,
    samples: Count = 2000,
    steps: Count = 9,
    seed: Seed = 0,
) -> Figures:
    """Measure a model of grooves.

    Of flattened windows, humanized as the verb writes them: ``timing_error`` in ms and ``velocity_error`` (0 .. 127),
    mean and absolute, over all hits, and how both are distributed (see `distribution`). ``predicted_...`` are those of
    what the code says, before it is widened; ``like_...`` those with other windows of the same performance as an
    example. Floors: the grid and the median velocity (``grid``), means by drum and step (``place``), the training
    window with the most similar hits (``neighbour``); the best of them is the floor of the figure itself.

    ``taps_f1`` is the F1 score of hits made of taps, each as loud and as late as the loudest hit of its step;
    ``taps_flat_f1`` of taps without loudness and timing, ``taps_whole_f1`` of all windows of a performance together, as
    the verb makes them. Floors: the drums that are most often struck at each tapped
    step (``pattern``), and the training window tapped most alike (``neighbour``).

    ``kept_...`` is what a code's mean keeps of played windows, ``exact_windows`` the share in which all hits are right;
    its floor has as many principal components. Walks between `pairs` of windows in `steps` are measured as
    `interpolation` does, and the feel of what lies half-way; that of `samples` of the prior, too.

    Raise MusicaeError for a preset of another adapter, without a code, or fewer than two windows.
    """
    if codec.spec.groups != grooves.GROUPS:
        raise MusicaeError(f"'{codec.preset.name}' is no preset for grooves; set [evaluation] name = 'sequence'")
    if not codec.model.latent_size:
        raise MusicaeError(codec.model.why_no_code)
    if len(test) < 2 or test.cond is None:
        raise MusicaeError("the evaluation 'groove' needs two windows or more; give more data with --data")
    figures: Figures = {}
    x, lengths, rivals = all_of(test), test.cond[torch.arange(len(test))][:, 0], Rivals(train)
    _humanized(figures, codec, rivals, x, lengths, test.pieces, seed)
    _drumified(figures, codec, rivals, x, test.pieces)
    latent = encoded(codec, test)
    _kept(figures, codec, train, x, lengths, latent)
    middle, *ends = interpolation(figures, codec, test, latent.mean, min(pairs, len(test) // 2), steps, seed)
    at_ends = torch.cat(ends)
    _like_real(figures, codec, "midpoint_", x[at_ends], middle, (lengths[at_ends], lengths[ends[0]]))
    chosen = choose(test, samples, seed)
    real, own = all_of(chosen), chosen.cond[torch.arange(len(chosen))][:, 0] if chosen.cond is not None else lengths
    for prefix, z in (
        ("prior_", codec.draw(len(chosen), seed)),
        ("floor_prior_", torch.randn(len(chosen), codec.model.latent_size, generator=generator(seed))),
    ):
        _like_real(figures, codec, prefix, real, codec.decode(z), (own, own))
    return figures


def _humanized(
    figures: Figures, codec: Codec, rivals: Rivals, x: Tensor, lengths: Tensor, pieces: Tensor, seed: int
) -> None:
    wider, predicted = widening(codec), played(codec, x)
    made = {
        "": wider.apply(predicted),
        "predicted_": predicted,
        "floor_grid_": rivals.on_grid(x),
        "floor_place_": rivals.at_places(x),
        "floor_neighbour_": rivals.neighbours(x),
    }
    for prefix, y in made.items():
        errors(figures, prefix, x, y, lengths)
        distribution(figures, prefix, x, y, (lengths, lengths))
    for what in ("timing", "velocity"):
        floors = [figures[f"{prefix}{what}_error"] for prefix in made if prefix.startswith("floor_")]
        figures[f"floor_{what}_error"] = min(floors)
    shifts, known = _examples(codec, x, pieces, seed)
    if known.any():
        y = wider.apply(played(codec, x[known], shifts))
        errors(figures, "like_", x[known], y, lengths[known])
        errors(figures, "floor_like_", x[known], made[""][known], lengths[known])


def _examples(codec: Codec, x: Tensor, pieces: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return what other windows of its performance add to the code of each of ``(N, 27, T)``, and which have those.

    No bar of these is one of its own.
    """
    own_styles, bars = styles(codec, x, grooves.flattened), x.view(len(x), x.shape[1], 2, -1).movedim(2, 1).flatten(2)
    known, found = torch.zeros(len(x), dtype=torch.bool), []
    for at, piece in enumerate(pieces.tolist()):
        others = (pieces == piece).nonzero().squeeze(1)
        shared = (bars[others].unsqueeze(2) == bars[at]).all(3).flatten(1).any(1)
        others = others[~shared]
        if len(others) >= _EXAMPLES:
            order = torch.randperm(len(others), generator=generator(seed, 5, at))[:_EXAMPLES]
            found.append(own_styles[others[order]].mean(0))
            known[at] = True
    return torch.stack(found) if found else own_styles[:0], known


def _drumified(figures: Figures, codec: Codec, rivals: Rivals, x: Tensor, pieces: Tensor) -> None:
    struck = x[:, HITS] > 0
    tapped = grooves.tapped(x)
    for name, given in (("taps_f1", tapped), ("taps_flat_f1", grooves.tapped(grooves.flattened(x)))):
        f1(figures, "", name, struck, codec.decode(codec.encode(given).mean)[:, HITS] > 0)
    whole, codes = torch.zeros_like(struck), codec.encode(tapped).mean
    for piece in sorted(set(pieces.tolist())):
        whole[pieces == piece] = steady(codec, codes[pieces == piece])[:, HITS] > 0
    f1(figures, "", "taps_whole_f1", struck, whole)
    found = {"pattern": rivals.pattern(struck.any(1)), "neighbour": rivals.answers(tapped)}
    for name, hits in found.items():
        f1(figures, "floor_", f"{name}_taps_f1", struck, hits)
    figures["floor_taps_f1"] = max(figures[f"floor_{name}_taps_f1"] for name in found)


def _kept(figures: Figures, codec: Codec, train: Windows, x: Tensor, lengths: Tensor, latent: Latent) -> None:
    made, rival = codec.decode(latent.mean), Components(codec, train).restore(x)
    true, hits = x[:, HITS], made[:, HITS]
    mean(figures, "exact_windows", metrics.exact(true, hits))
    figures["floor_exact_windows"] = metrics.exact(true, rival[:, HITS]).mean().item()
    f1(figures, "", "onset_f1_mean", true > 0, hits > 0)
    f1(figures, "floor_", "onset_f1_mean", true > 0, rival[:, HITS] > 0)
    for prefix, y in (("kept_", made), ("floor_kept_", rival)):
        errors(figures, prefix, x, y, lengths, (true > 0) & (y[:, HITS] > 0))
    mean(figures, "kl_nats", latent.kl().sum(1))


def _like_real(
    figures: Figures, codec: Codec, prefix: str, real: Tensor, made: Tensor, lengths: tuple[Tensor, Tensor]
) -> None:
    """Compare how many hits grooves have, and their feel, with real ones."""
    figures[f"{prefix}density_ratio"] = (density(codec, made).mean() / density(codec, real).mean()).item()
    if (made[:, HITS] > 0).any():
        distribution(figures, prefix, real, made, lengths)
