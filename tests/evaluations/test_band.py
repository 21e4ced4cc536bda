"""Figures of bands, checked on codecs and made-up bands whose figures are known."""

import math

import pytest
import torch

from musicae import codec
from musicae.core import ConditionSpec, Latent, Lower, Model, Windows
from musicae.errors import MusicaeError
from musicae.evaluations import band as suite
from musicae.evaluations.shared import two_samples
from musicae.models.patch_vae import patch_vae
from musicae.models.stack import Stack
from musicae.preset import Preset
from musicae.tensors import band as bands
from musicae.tensors.melody_tokens import FIRST_ONSET

JOINT = {
    f"{part}_velocity": {"scale": 0.1, "where": part, "first": first}
    for part, first in (("melody", 2), ("bass", 2), ("harmony", 61), ("drums", 0))
}


class Whole(Model):
    """Keeps everything: its code is the tensor, with a spread of `std`. `loses` are channels that are blank in it.

    With `chords` it gives them back where chords are given.
    """

    def __init__(self, spec, std=1e-4, loses=(), chords=False):
        super().__init__()
        self.shape, self.std, self.latent_size = spec.full_shape, std, math.prod(spec.full_shape)
        self.loses = loses
        if chords:
            self.condition = ConditionSpec(24, along=True, optional=True)
        self.threshold = torch.zeros(self.shape[0], 1)
        for part in ("harmony", "drums"):
            self.threshold[bands.groups_of(part)[0]] = 0.5

    def encode(self, x, cond=None):
        mean = x.clone()
        for rows in self.loses if cond is None else ():
            mean[:, rows] = bands.silent()[rows, None]
        return Latent(mean.flatten(1), torch.full_like(mean.flatten(1), 2 * math.log(self.std)))

    def params(self, z, x=None, cond=None):
        return z.view(-1, *self.shape) - self.threshold


def made(bars=2, **options):
    sections = {
        "adapter": {"name": "band", "bars": bars},
        "model": {"name": "patch-vae", "latent": 4, "width": 8, "depth": 1, "heads": 2},
        "likelihood": {"name": "joint", "groups": JOINT},
    }
    parts = codec.build(Preset("made", sections))
    parts.model = Whole(parts.spec, **options)
    return parts


def music(n, seed=0, bars=2, silent=(), loudness=0.5):
    """Return windows of bands, each bar of a window like its first: an arpeggio, its root below, its triad, a beat."""
    rng = torch.Generator().manual_seed(seed)
    x = bands.silent()[None, :, None].repeat(n, 1, 16)
    for band, key in zip(x, torch.randint(12, (n,), generator=rng).tolist(), strict=True):
        for part, lowest in (("melody", 12), ("bass", 4)):
            rows, loud = bands.groups_of(part)
            line = torch.ones(16, dtype=torch.long)
            steps = torch.arange(0, 16, 2 if part == "melody" else 8)
            chord = torch.tensor([0, 4, 7])[torch.randint(3 if part == "melody" else 1, steps.shape, generator=rng)]
            line[steps] = FIRST_ONSET + lowest + key + chord
            band[rows] = torch.nn.functional.one_hot(line, rows.stop - rows.start).T.float()
            band[loud, steps] = loudness
        rows, loud = bands.groups_of("harmony")
        for tone in (0, 4, 7):
            band[rows.start + 24 + key + tone] = 1
            band[rows.start + 61 + 24 + key + tone, 0] = 1
        band[loud, 0] = loudness
        rows, loud = bands.groups_of("drums")
        hits = (torch.rand(9, 16, generator=rng) < 0.2).float()
        band[rows], band[loud] = hits, hits * loudness
    for part in silent:
        for rows in bands.groups_of(part):
            x[:, rows] = bands.silent()[rows, None]
    cond = torch.zeros(n, 24, 16 * bars)
    return Windows(x.repeat(1, 1, bars), torch.arange(n) // 2, x.shape[1], cond=cond)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(two_samples, "_STEPS", 4)


def measured(parts, test, **settings):
    train = music(60, 1, bars=parts.spec.shape[0] // 16)
    return suite.band(parts, train, test, **{"pairs": 4, "samples": 20, "steps": 3, **settings})


def test_a_perfect_codec_has_perfect_figures():
    figures = measured(made(), music(24))
    for part in ("melody", "bass", "drums"):
        for kind in ("mean", "sampled"):
            for counted in ("", "_playing"):
                name = f"{part}_token_accuracy_{kind}{counted}"
                assert figures[name] == 1
                assert figures[f"spread_{name}"] == 0
                assert 0 < figures[f"floor_{name}"] <= 1
        assert figures[f"{part}_velocity_error"] == pytest.approx(0, abs=1e-3)
    assert figures["harmony_onset_f1"] == figures["harmony_sounding_f1"] == figures["exact_windows"] == 1
    assert figures["floor_melody_token_accuracy_mean"] < 1
    assert figures["floor_exact_windows"] == 0
    assert figures["velocity_error"] == pytest.approx(0, abs=1e-3)
    assert figures["kl_nats"] > 1000
    assert figures["interpolation_monotone"] == 1
    assert 0 < figures["interpolation_max_jump"] <= 1
    assert {"floor_interpolation_monotone", "c2st_auroc", "floor_c2st_auroc", "midpoint_density_ratio"} <= set(figures)
    assert not any(name.endswith("_chords") for name in figures)


def test_a_code_of_much_noise_is_worse_when_drawn_than_at_its_mean():
    figures = measured(made(std=0.4), music(24))
    for part in ("melody", "bass", "drums"):
        assert figures[f"{part}_token_accuracy_mean"] == 1
        assert figures[f"{part}_token_accuracy_sampled"] < 0.95


def test_a_part_that_is_silent_all_the_time_has_no_figure_where_it_plays():
    figures = measured(made(), music(24, silent=["bass"]))
    assert figures["bass_token_accuracy_mean"] == 1
    assert "bass_token_accuracy_mean_playing" not in figures
    assert "bass_velocity_error" not in figures
    assert figures["melody_token_accuracy_mean_playing"] == 1


def test_silence_does_not_inflate_what_is_lost_where_a_part_plays():
    first, second = music(12), music(12, 5, silent=["drums"])
    test = Windows(torch.cat([first.data, second.data]), torch.arange(24), first.channels)
    figures = measured(made(loses=[bands.groups_of("drums")[0]]), test)
    struck = first.data[:, bands.groups_of("drums")[0]].amax(1).mean().item()
    assert figures["drums_token_accuracy_mean"] == pytest.approx(1 - struck / 2)
    assert figures["drums_token_accuracy_mean_playing"] == pytest.approx(1 - struck)
    assert figures["exact_windows"] == 0.5


def test_chords_are_given_where_the_model_takes_them():
    parts = made(loses=[bands.groups_of("harmony")[0]], chords=True)
    figures = measured(parts, music(24))
    assert figures["harmony_onset_f1"] == figures["harmony_sounding_f1"] == 0
    assert figures["harmony_onset_f1_chords"] == figures["harmony_sounding_f1_chords"] == 1
    assert figures["melody_token_accuracy_chords"] == figures["exact_windows_chords"] == 1


def test_the_error_of_a_velocity_is_in_units_of_midi_and_its_floor_is_the_median():
    loud = [bands.groups_of(part)[1] for part in bands.PARTS]
    figures = measured(made(loses=loud), music(24, loudness=100 / 127))
    for name in ("velocity_error", *(f"{part}_velocity_error" for part in bands.PARTS)):
        assert figures[name] == pytest.approx(100, abs=0.1)
        assert figures[f"floor_{name}"] == pytest.approx(100 - 63.5, abs=0.1)


def test_half_of_the_harmony_has_a_score_below_one():
    rows = bands.groups_of("harmony")[0]
    figures = measured(made(loses=[slice(rows.start + 61, rows.stop)]), music(24))
    assert figures["harmony_onset_f1"] == 0
    assert figures["harmony_sounding_f1"] == 1


def test_bands_are_kept_as_bytes_without_loss():
    parts, x = made(), music(6).data
    x[:, bands.groups_of("drums")[1]] *= 60 / 63.5
    kept = suite._bytes_of(parts, 6, lambda index: x[index])
    assert kept.dtype == torch.uint8
    assert torch.allclose(bands.from_bytes(kept), x, atol=0.5 / 127)


def test_the_naive_rival_has_parts_of_different_songs_or_pieces_of_different_songs():
    windows = music(40)
    x, pieces = windows.data, windows.pieces
    rival = suite._naive(x.flip(0), pieces.flip(0), 32)
    for i, part in enumerate(bands.PARTS):
        rows = bands.groups_of(part)[0]
        source = (torch.arange(40) - 10 * i) % 40
        assert torch.equal(rival[:, rows], x[(source // 2 * 2) + 1 - source % 2][:, rows])
    long = x.repeat(1, 1, 4)
    joined = suite._naive(long, pieces, 32)
    for place in range(4):
        here = slice(32 * place, 32 * place + 32)
        assert torch.equal(joined[:, :, here], x.roll(10 * place, 0))


def test_real_music_is_measured():
    parts = made(bars=4)
    measures = suite._music(parts, suite._bytes_of(parts, 12, lambda index: music(12, bars=4).data[index]), 16)
    assert measures["repetition"] == 1  # Each bar is like the first.
    assert measures["key"] > 0.7
    hits = music(12).data[:, bands.groups_of("drums")[0]].sum().item() / 12 / 2
    assert measures["density"] == pytest.approx(8 + 2 + 3 + hits)


def test_sixteen_bars_of_samples_are_compared_with_real_ones():
    figures = suite.band(made(bars=16), music(12, 1, 16), music(10, bars=16), pairs=2, samples=6, steps=3)
    assert figures["melody_token_accuracy_mean"] == 1
    assert figures["floor_key_ratio"] < 0.95  # Each window is in one key, but not its rival.
    assert figures["floor_density_ratio"] == pytest.approx(1)
    assert 0 <= figures["c2st_auroc"] <= 1


@pytest.fixture
def untaught(tmp_path):
    """Write a language model that has learnt nothing: each of its values costs about the same."""

    def write(adapter, **settings):
        torch.manual_seed(0)
        lm = codec.build(Preset("lm", {"adapter": {"name": adapter, **settings}, "model": {"name": "lm", "width": 4}}))
        lm.save(tmp_path / "lm.safetensors")
        return str(tmp_path / "lm.safetensors")

    return write


def test_melodies_cost_a_language_model_what_they_do_where_they_play(untaught):
    lm = untaught("melody")
    figures = measured(made(bars=4), music(24, bars=4), lm=lm)
    assert figures["melody_data_cost"] == pytest.approx(math.log(90), rel=0.1)
    assert abs(figures["midpoint_cost_excess"]) < 0.2
    assert figures["blend_density_ratio"] == pytest.approx(1, abs=0.15)
    x = torch.cat([music(6).data, music(6, silent=["melody"]).data])
    assert torch.allclose(suite._melody_costs(codec.load(lm), x), suite._melody_costs(codec.load(lm), music(6).data))


@pytest.mark.parametrize(("adapter", "settings"), [("drums", {}), ("melody", {"low": 60})])
def test_a_language_model_of_something_else_is_refused(untaught, adapter, settings):
    with pytest.raises(MusicaeError, match="'lm' is no model of melodies"):
        measured(made(), music(24), lm=untaught(adapter, **settings))


def test_a_stack_that_takes_chords_is_measured_as_any_other_model():
    parts, below = made(bars=4), made()
    tiny = patch_vae(below.spec, latent=4, width=8, depth=1, heads=2, along=24)
    parts.model = Stack(parts.spec, Lower(tiny, below.spec), latent=6, width=8, depth=1, heads=2).eval()
    figures = measured(parts, music(10, bars=4))
    assert {"melody_token_accuracy_sampled", "melody_token_accuracy_chords", "c2st_auroc", "kl_nats"} <= set(figures)
    assert {"style_similarity", "accompany_auroc", "floor_accompany_auroc"} <= set(figures)
    assert all(math.isfinite(value) for value in figures.values())
    assert measured(parts, music(10, bars=4)) == figures


def test_only_bands_with_a_code_and_some_windows_are_measured():
    with pytest.raises(MusicaeError, match="two windows or more"):
        suite.band(made(), music(9), music(1))
    melody = codec.build(Preset("line", {"adapter": {"name": "melody"}, "model": {"name": "lm", "width": 4}}))
    with pytest.raises(MusicaeError, match="'line' is no preset for bands"):
        suite.band(melody, music(9), music(9))
    lm = {"adapter": {"name": "band"}, "model": {"name": "lm", "width": 4}}
    with pytest.raises(MusicaeError, match="has no code"):
        suite.band(codec.build(Preset("lm", lm)), music(9), music(9))
