"""Presets fitted to a person's own files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

import musicae
from musicae import codec as codecs
from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.tensors import melody_tokens

TUNES = ("twinkle", "ode-to-joy", "greensleeves")


@pytest.fixture
def album(tmp_path: Path, data: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for name in TUNES:
        shutil.copy(data / f"{name}.mid", folder)
    return folder


def test_the_prior_is_that_of_the_files_and_all_else_as_before(album: Path, tiny: Codec, data: Path) -> None:
    (album / "bad.mid").write_bytes(b"")
    made = musicae.personalize(tiny, album, name="mine")
    assert (made.files, list(made.skipped)) == (3, [str(album / "bad.mid")])
    assert made.windows > 20
    x = tiny.split(tiny.adapter.read(data / "twinkle.mid"))
    assert torch.equal(made.codec.encode(x).mean, tiny.encode(x).mean)
    # Among the codes of the files are changed ones, too: both lie where draws do.
    own = torch.cat([tiny.encode(tiny.split(tiny.adapter.read(album / f"{name}.mid"))).mean for name in TUNES])
    drawn = made.codec.draw(500)
    assert (drawn.mean(0) - own.mean(0)).norm() < 0.5 * tiny.draw(500).sub(own.mean(0)).mean(0).norm() + 0.5
    assert torch.equal(musicae.personalize(tiny, album).codec.draw(500), drawn)
    assert tiny.prior is None


def test_a_file_of_it_is_a_preset_like_any_other(album: Path, tiny: Codec, tmp_path: Path) -> None:
    made = musicae.personalize(tiny, album, name="mine").codec
    path = tmp_path / "mine.safetensors"
    made.save(path)
    loaded = codecs.load(str(path))
    assert loaded.preset.name == "mine"
    assert loaded.preset.description == "tiny-melody, fitted to 3 files."
    torch.testing.assert_close(loaded.draw(20), made.draw(20), atol=0.02, rtol=0.02)
    assert len(musicae.sample(loaded, 2)) == 2
    assert len(musicae.vary(album / "twinkle.mid", 0, preset=loaded)) == 1
    walk = musicae.interpolate(album / "twinkle.mid", album / "ode-to-joy.mid", preset=loaded, steps=3)
    assert len(walk.parts) == 3


def test_variety_is_the_bandwidth(album: Path, tiny: Codec) -> None:
    near, far = (musicae.personalize(tiny, album, variety=variety).codec for variety in (0.05, 1.0))
    assert [one.preset.sections["prior"]["bandwidth"] for one in (near, far)] == [0.05, 1.0]
    assert not torch.allclose(near.draw(5), far.draw(5), atol=0.1)


def test_chords_go_with_the_windows_of_a_band(data: Path, tiny_arrangement: Path) -> None:
    songs = [data / f"{name}.mid" for name in ("saints", "korobeiniki", "band")]
    made = musicae.personalize(codecs.load(str(tiny_arrangement)), *songs)
    assert len(musicae.sample(made.codec, 2)) == 2
    assert made.windows > 10


def test_digits_and_drums(tmp_path: Path, data: Path, digits: Codec, tiny_drums: Path) -> None:
    pictures = [data / "three.png", data / "seven.png", data / "three.png"]
    assert musicae.personalize(digits, *pictures).codec.draw(3).shape == (3, digits.model.latent_size)
    drums = musicae.personalize(codecs.load(str(tiny_drums)), data / "rock.mid", data / "bossa.mid", data / "rock.mid")
    assert drums.codec.preset.sections["prior"]["name"] == "kernels"


def test_too_few_files_and_wrong_words(album: Path, tiny: Codec, data: Path) -> None:
    (album / "twinkle.mid").write_bytes(b"")
    with pytest.raises(MusicaeError, match=r"^2 files can be read, .* takes 3 or more; the first that cannot: .*empty"):
        musicae.personalize(tiny, album)
    with pytest.raises(MusicaeError, match=r"^1 files can be read, .* takes 3 or more$"):
        musicae.personalize(tiny, data / "twinkle.mid")
    with pytest.raises(MusicaeError, match="there is no file"):
        musicae.personalize(tiny, album / "none")
    with pytest.raises(MusicaeError, match="variety must be over 0 and at most 1"):
        musicae.personalize(tiny, album, variety=0)
    with pytest.raises(MusicaeError, match="is no name for a preset"):
        musicae.personalize(tiny, album, name="../x")
    silence = tiny.adapter.read(data / "twinkle.mid")
    silence.tensor = melody_tokens.one_hot(torch.zeros(64, dtype=torch.long), tiny.spec.channels)
    with pytest.raises(MusicaeError, match="nothing in these files but silence"):
        musicae.personalize(tiny, silence, silence, silence)
