"""Figures of bands in company, of a model that follows chords and of bands whose figures are known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from band_model import follower

from musicae.core import Windows
from musicae.evaluations.shared import company, two_samples
from musicae.evaluations.shared.company import accompanied, chords_followed, transposed_to_fit
from musicae.tensors import band as bands
from musicae.tensors.melody_tokens import FIRST_ONSET


def windows(n: int, songs: int = 4, seed: int = 0) -> Windows:
    """Return windows that each play one major triad: its root in the bass, its tones in harmony and melody, a beat."""
    rng = torch.Generator().manual_seed(seed)
    x = bands.silent()[None, :, None].repeat(n, 1, 32)
    cond, pieces = torch.zeros(n, 24, 32), torch.arange(n) * songs // n
    beats = (torch.rand(songs, 9, 32, generator=rng) < 0.3).float()
    for one, chord, root, piece in zip(
        x, cond, torch.randint(12, (n,), generator=rng).tolist(), pieces.tolist(), strict=True
    ):
        for part, pitches in (("bass", [36 + root] * 2), ("melody", [72 + root, 76 + root])):
            rows = bands.groups_of(part)[0]
            one[rows] = 0
            one[rows.start + 1] = 1
            for i, pitch in enumerate(pitches):
                one[rows, 16 * i] = 0
                one[rows.start + FIRST_ONSET + pitch - bands.RANGES[part][0], 16 * i] = 1
        rows = bands.groups_of("harmony")[0]
        for tone in (0, 4, 7):
            one[rows.start + 24 + root + tone] = 1
            one[rows.start + 61 + 24 + root + tone, 0] = 1
        one[bands.groups_of("drums")[0]] = beats[piece]
        chord[[root, *(12 + (root + tone) % 12 for tone in (0, 4, 7))]] = 1
    return Windows(x, pieces, x.shape[1], cond=cond)


def test_chords_that_are_followed() -> None:
    figures: dict[str, float] = {}
    chords_followed(figures, follower(), windows(40), 40, 0)
    assert figures["chord_root"] == figures["chord_root_drawn"] == figures["real_chord_root"] == 1
    assert figures["floor_chord_root"] < 0.5
    assert figures["real_chord_tones"] == 1
    assert figures["chord_tones"] == pytest.approx(figures["floor_chord_tones"])  # Only its bass follows.
    assert figures["chord_tones"] < 0.7
    assert {"spread_chord_root", "spread_chord_tones", "spread_style_similarity"} <= set(figures)


def test_a_style_that_stays() -> None:
    figures: dict[str, float] = {}
    codec = follower()
    codec.model.params = lambda z, x=None, cond=None: type(codec.model).params(codec.model, z)  # type: ignore[method-assign]
    chords_followed(figures, codec, windows(40), 40, 0)
    assert figures["style_similarity"] == figures["real_style_similarity"] == 1
    assert figures["floor_style_similarity"] < 0.8
    assert figures["chord_root"] == figures["floor_chord_root"] < 0.5


def test_windows_are_paired_with_those_of_their_song_and_of_others() -> None:
    pieces = torch.tensor([3, 1, 3, 1, 2, 3])
    near, far = company._near(pieces), company._far(pieces)
    assert near[4] == -1
    assert all(pieces[other] == pieces[i] and other != i for i, other in enumerate(near.tolist()) if other >= 0)
    assert (near >= 0).sum() == 3
    assert (pieces[far] != pieces).sum() >= 4


def test_bands_for_tunes_are_compared_with_real_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_samples, "_STEPS", 3)
    figures: dict[str, float] = {}
    accompanied(figures, follower(), windows(24), 24, 0)
    names = {f"accompany_auroc{end}" for end in ("", "_style", "_own")}
    assert names | {f"spread_{name}" for name in names} | {"floor_accompany_auroc"} == set(figures)
    assert all(0 <= value <= 1 for value in figures.values())
    few: dict[str, float] = {}
    accompanied(few, follower(), windows(3), 3, 0)
    assert few == {}


def test_each_window_has_draws_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A classifier would know a band again that several windows share."""
    seen: list[torch.Tensor] = []
    draw = company.drawn

    def watched(*given: Any) -> Any:
        seen.append(given[-1])
        return draw(*given)

    monkeypatch.setattr(two_samples, "_STEPS", 3)
    monkeypatch.setattr(company, "drawn", watched)
    monkeypatch.setattr(company, "in_parts", lambda codec, n, copies=1: torch.arange(n).split(8))
    accompanied({}, follower(), windows(24), 24, 0)
    noise = torch.cat(seen, dim=1).flatten(0, 1)
    assert len(noise) == 24 * company.DRAWS
    assert len(noise.unique(dim=0)) == len(noise)


def test_the_rival_is_in_the_key_of_the_tune() -> None:
    x = windows(12, seed=1).data
    assert isinstance(x, torch.Tensor)
    tune = torch.where(bands.spec(32).parts["melody"].view(-1, 1), x, bands.silent()[:, None])
    fitted = transposed_to_fit(x.roll(5, 0), tune)
    mine, wanted = bands.pitch_classes(fitted) > 0, bands.pitch_classes(tune) > 0
    assert (mine & wanted).sum(1).eq(wanted.sum(1)).all()
