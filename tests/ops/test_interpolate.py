"""From one file to another, with a model that keeps everything, and with a small untrained one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import soundfile
import torch
from mirror_model import SPEC, exact, line, written

import musicae
from musicae import codec as codecs
from musicae import preset
from musicae.adapters.melody import Melody
from musicae.codec import Codec
from musicae.errors import MusicaeError


def test_the_whole_length_of_both_is_interpolated(data: Path) -> None:
    codec = exact()
    a, b = (codec.adapter.read(data / name) for name in ("twinkle.mid", "ode-to-joy.mid"))
    made = musicae.interpolate(data / "twinkle.mid", data / "ode-to-joy.mid", preset=codec, steps=5)
    assert len(made.parts) == len(made.distances) == 5
    assert made.codes.shape == (2, 4, codec.model.latent_size)
    assert torch.equal(made.parts[0].tensor, a.tensor)
    assert torch.equal(made.parts[-1].tensor, b.tensor)
    assert made.distances[0] == 0
    assert made.distances[-1] == pytest.approx(codec.likelihood.distance(a.tensor[None], b.tensor[None]).item())
    assert made.notices == []
    assert made.joined().tensor.shape == (SPEC.channels, 5 * 128)


def test_a_walk_is_saved_to_a_path_or_a_stream(data: Path, tmp_path: Path) -> None:
    codec = exact()
    made = musicae.interpolate(data / "twinkle.mid", data / "ode-to-joy.mid", preset=codec, steps=3)
    made.save(str(tmp_path / "a.mid"))
    stream = io.BytesIO()
    made.save(stream)
    assert stream.getvalue() == (tmp_path / "a.mid").read_bytes()
    assert torch.equal(codec.adapter.read(tmp_path / "a.mid").tensor, made.joined().tensor)


def test_the_shorter_is_looped_padded_or_the_longer_trimmed(tmp_path: Path) -> None:
    short, long = [5, 1, 1, 1, 6, 1, 1, 1] * 2, [9, 1, 1, 1] * 12
    a, b = written(tmp_path / "a.mid", line(*short)), written(tmp_path / "b.mid", line(*long))

    def first_and_last(align: str) -> tuple[list[int], list[int], list[str]]:
        made = musicae.interpolate(a, b, preset=exact(), steps=3, align=align)
        tokens = [part.tensor.argmax(0).tolist() for part in made.parts]
        return tokens[0], tokens[-1], made.notices

    assert first_and_last("loop") == (short * 3, long, ["a.mid has 1 bar, not 3; it was looped"])
    assert first_and_last("pad") == (short + [0] * 32, long, ["a.mid has 1 bar, not 3; silence was added"])
    assert first_and_last("trim") == (short, long[:16], ["b.mid has 3 bars, not 1; it was cut"])
    with pytest.raises(MusicaeError, match="align must be"):
        musicae.interpolate(a, b, preset=exact(), align="stretch")


def test_whole_recordings_are_interpolated_and_lengths_are_in_seconds(tmp_path: Path) -> None:
    model = {"name": "mdct-vae", "latent": 32, "hop_length": 32, "width": 8, "blocks": 1}
    codec = codecs.build(
        preset.Preset("made", {"adapter": {"name": "audio", "sample_rate": 8000, "size": 1024}, "model": model})
    )
    sounds = {name: torch.randn(length) / 10 for name, length in {"a.wav": 4000, "b.wav": 12_000}.items()}
    for name, x in sounds.items():
        soundfile.write(tmp_path / name, x.numpy(), 8000, "FLOAT")
    made = musicae.interpolate(tmp_path / "a.wav", tmp_path / "b.wav", preset=codec, steps=3)
    assert made.notices == ["a.wav has 0.5 s, not 1.5 s; it was looped"]
    first, last = made.parts[0].tensor[0], made.parts[-1].tensor[0]
    torch.testing.assert_close(first, sounds["a.wav"].repeat(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(last, sounds["b.wav"], atol=1e-3, rtol=0)
    assert made.joined().tensor.shape == (1, 36_000)


def test_the_shorter_of_two_drums_is_struck_once(tmp_path: Path) -> None:
    time = torch.arange(57_000) / 44_100
    for name, seconds, pitch in (("kick", 0.6, 60), ("snare", 1.2, 180)):
        hit = 0.8 * torch.sin(2 * torch.pi * pitch * time) * torch.exp(-9 * time) * (time < seconds)
        soundfile.write(tmp_path / f"{name}.wav", hit[: round(seconds * 44_100)].numpy(), 44_100)
    kick, snare = tmp_path / "kick.wav", tmp_path / "snare.wav"

    def levels(align: str | None) -> tuple[list[str], torch.Tensor]:
        made = musicae.interpolate(kick, snare, steps=2, align=align)
        return made.notices, made.parts[0].tensor[0].mean(0)

    notices, level = levels(None)
    assert notices == ["kick.wav has 1.0 s, not 1.2 s; silence was added"]
    struck = level[:20].max()
    assert level[170:].max() < 0.2 * struck
    notices, level = levels("loop")
    assert notices == ["kick.wav has 1.0 s, not 1.2 s; it was looped"]
    assert level[170:].max() > 0.5 * struck


def test_what_was_looped_or_cut_leaves_no_tempo_behind_in_what_follows(tmp_path: Path) -> None:
    b = written(tmp_path / "b.mid", line(*[9, 1, 1, 1] * 12), tempos=[[0, 100.0], [32, 200.0]])
    a = written(tmp_path / "a.mid", line(*[5, 1, 1, 1] * 4), tempos=[[0, 60.0]])
    made = musicae.interpolate(b, a, preset=exact(), steps=2, align="trim", exact_endpoints=True)
    tempos = made.joined().meta["tempos"]
    assert [(at, round(qpm)) for at, qpm in tempos] == [(0, 100), (16, 60)]


def test_windows_overlap_by_the_hop_of_the_inputs(data: Path) -> None:
    codec = exact()
    path = data / "greensleeves.mid"
    sample = codec.adapter.read(path)
    assert sample.hop == 24  # Two bars of 6/8 would not fit a window; one and a half of 4/4 do.
    made = musicae.interpolate(path, path, preset=codec, steps=2)
    assert all(torch.equal(part.tensor, sample.tensor) for part in made.parts)
    mixed = musicae.interpolate(path, data / "twinkle.mid", preset=codec, steps=2)
    assert "the inputs have different bars; all are cut into windows of 2 bars of 4/4" in mixed.notices
    assert torch.equal(mixed.parts[0].tensor[:, :108], sample.tensor)


def test_exact_endpoints_are_the_inputs(tiny: Codec, data: Path) -> None:
    files = data / "twinkle.mid", data / "ode-to-joy.mid"
    plain = musicae.interpolate(*files, preset=tiny, steps=4)
    ends = musicae.interpolate(*files, preset=tiny, steps=4, exact_endpoints=True)
    for i, file in ((0, files[0]), (-1, files[1])):
        sample = tiny.adapter.read(file)
        assert not torch.equal(plain.parts[i].tensor, sample.tensor)
        assert torch.equal(ends.parts[i].tensor, sample.tensor)
        assert ends.parts[i].meta == sample.meta
    assert torch.equal(plain.parts[1].tensor, ends.parts[1].tensor)
    assert ends.distances[0] == 0


def test_a_grid_has_its_inputs_in_the_corners(data: Path) -> None:
    codec = exact()
    files = [data / f"{name}.mid" for name in ("twinkle", "ode-to-joy", "band", "twinkle")]
    made = musicae.interpolate(*files, preset=codec, steps=3, grid=True)
    assert len(made.parts) == 9
    for corner, file in zip((0, 2, 6, 8), files, strict=True):
        sample = codec.adapter.read(file)
        assert torch.equal(made.parts[corner].tensor[:, : sample.tensor.shape[1]], sample.tensor)
    assert made.parts[0].meta["tempos"] == codec.adapter.read(files[0]).meta["tempos"]


def test_tempo_goes_from_one_to_the_other(tmp_path: Path) -> None:
    notes = line(*[5, 1, 1, 1] * 8)
    a = written(tmp_path / "a.mid", notes, tempos=[[0, 60.0]])
    b = written(tmp_path / "b.mid", notes, tempos=[[0, 240.0]])
    made = musicae.interpolate(a, b, preset=exact(), steps=3)
    assert [part.meta["tempos"][0][1] for part in made.parts] == pytest.approx([60, 120, 240], rel=1e-3)


@pytest.mark.parametrize("spherical", [True, False])
def test_the_same_file_twice(tiny: Codec, data: Path, spherical: bool) -> None:
    file = data / "twinkle.mid"
    made = musicae.interpolate(file, file, preset=tiny, spherical=spherical)
    assert made.distances == [0.0] * 9


def test_the_same_call_gives_the_same_music(tiny: Codec, data: Path) -> None:
    files = data / "twinkle.mid", data / "ode-to-joy.mid"
    one, two = (musicae.interpolate(*files, preset=tiny, steps=3, temperature=0.8, seed=5) for _ in range(2))
    assert all(torch.equal(a.tensor, b.tensor) for a, b in zip(one.parts, two.parts, strict=True))


def test_drums_are_interpolated_too(tiny_drums: Path, data: Path) -> None:
    made = musicae.interpolate(data / "rock.mid", data / "bossa.mid", preset=str(tiny_drums), steps=3)
    assert made.parts[1].tensor.shape == (9, 64)
    assert set(made.parts[1].tensor.unique().tolist()) <= {0.0, 1.0}


def test_read_options_hold_for_all_inputs(data: Path) -> None:
    made = musicae.interpolate(data / "twinkle.mid", data / "ode-to-joy.mid", preset=exact(), steps=2, bars="3-4")
    for part, name in zip(made.parts, ("twinkle.mid", "ode-to-joy.mid"), strict=True):
        assert torch.equal(part.tensor, Melody().read(data / name).tensor[:, 32:64])


def test_interpolate_refuses(tiny: Codec, data: Path) -> None:
    a, b = data / "twinkle.mid", data / "ode-to-joy.mid"
    for arguments, settings, line_ in [
        ((a, b, a), {}, "interpolate takes 2 files, or 4 for a grid, not 3"),
        ((a, b), {"grid": True}, "interpolate takes 2 files, or 4 for a grid, not 2 for a grid"),
        ((a, b), {"steps": 1}, "steps must be between 2 and 1000, not 1"),
        ((a, b), {"temperature": float("nan")}, "temperature must be 0 or more, not nan"),
        ((a, b), {"temperature": -1.0}, "temperature must be 0 or more"),
        ((a, b), {"pages": 3}, "the adapter of 'tiny-melody' has no option 'pages'; it takes track, bars"),
        ((a, data / "no.mid"), {}, "there is no file .*no.mid; check the name"),
        ((a, data / "rock.mid"), {}, "rock.mid: it has only drums; choose a preset for drums with --preset"),
    ]:
        with pytest.raises(MusicaeError, match=line_):
            musicae.interpolate(*arguments, preset=tiny, **settings)


def test_pictures_are_interpolated(data: Path, digits: Codec) -> None:
    made = musicae.interpolate(data / "three.png", data / "seven.png", preset=digits, steps=5)
    assert [part.tensor.shape for part in made.parts] == [(1, 28, 28)] * 5
    for part, name in ((made.parts[0], "three"), (made.parts[-1], "seven")):
        whole = musicae.reconstruct(data / f"{name}.png", preset=digits).sample.tensor
        assert torch.allclose(part.tensor, whole, atol=1e-5)
    assert made.distances == sorted(made.distances)
    assert made.joined().tensor.shape == (1, 28, 5 * 28)


def test_an_attribute_of_the_first_is_held_all_the_way(data: Path) -> None:
    codec = codecs.load("melody-2bar")
    files = [codec.adapter.read(data / name, bars="1-2") for name in ("twinkle.mid", "korobeiniki.mid")]
    free, same = (musicae.interpolate(*files, preset=codec, steps=3, hold=names) for names in ((), ["density"]))
    counts = [[codec.adapter.onsets(part.tensor[None]).sum().item() for part in one.parts] for one in (free, same)]
    assert counts[0][0] < counts[0][-1]
    assert counts[1] == pytest.approx([counts[0][0]] * 3, abs=1)
    with pytest.raises(MusicaeError, match="--hold does not; leave one out"):
        musicae.interpolate(*files, preset=codec, hold=["density"], exact_endpoints=True)
    with pytest.raises(MusicaeError, match="did you mean 'density'"):
        musicae.interpolate(*files, preset=codec, hold=["densty"])
