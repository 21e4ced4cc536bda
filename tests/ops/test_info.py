"""What files are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import musicae
from musicae.errors import MusicaeError


def test_a_song_has_tracks_with_parts(data: Path) -> None:
    facts = musicae.info(data / "band.mid")
    assert {track["name"]: track["part"] for track in facts["tracks"]} == {
        "Bass": "bass", "Chords": "harmony", "Lead melody": "melody", "Drums": "drums"
    }  # fmt: skip
    assert facts["tracks"][0]["instrument"] == "Electric Bass (finger)"
    assert (facts["kind"], facts["bars"], facts["meter"], facts["tempo"]) == ("music", 8, "4/4", 104)
    assert (facts["key"], facts["preset"]) == ("C major", "band-2bar")
    assert facts["seconds"] == pytest.approx(8 * 4 * 60 / 104, abs=1)
    assert any("was chosen for its name" in remark for remark in facts["remarks"])
    stream = io.BytesIO((data / "band.mid").read_bytes())
    assert {**musicae.info(stream), "path": None} == {**facts, "path": None}


def test_tunes_and_drums(data: Path, tmp_path: Path) -> None:
    (tmp_path / "a.abc").write_text("X:1\nM:3/4\nL:1/4\nQ:1/4=90\nK:D\nDFA|dAF|D3|\n")
    facts = musicae.info(tmp_path / "a.abc")
    assert [facts[name] for name in ("format", "meter", "tempo", "bars", "preset")] == [
        "ABC",
        "3/4",
        90,
        3,
        "melody-2bar",
    ]
    facts = musicae.info(data / "rock.mid")
    assert (facts["preset"], facts["key"]) == ("drums-2bar", None)


def test_recordings(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 220 * np.arange(3 * 22_050) / 22_050)
    soundfile.write(tmp_path / "a.wav", np.stack([0.5 * tone, 0.5 * tone], axis=1), 22_050)
    facts = musicae.info(tmp_path / "a.wav")
    assert (facts["kind"], facts["rate"], facts["channels"], facts["seconds"]) == ("recording", 22_050, 2, 3)
    assert (facts["level"], facts["peak"]) == (pytest.approx(-9, abs=0.1), pytest.approx(-6, abs=0.1))
    assert (facts["content"], facts["preset"]) == ("music", "sound")
    soundfile.write(tmp_path / "b.wav", np.zeros(8000), 8000)
    facts = musicae.info(tmp_path / "b.wav")
    assert (facts["content"], facts["level"], facts["preset"]) == (None, -120, "drum-sounds")


def test_pictures(tmp_path: Path) -> None:
    Image.new("RGBA", (30, 20), (200, 100, 50, 90)).save(tmp_path / "a.png")
    facts = musicae.info(tmp_path / "a.png")
    wanted = {"format": "PNG", "width": 30, "height": 20, "mode": "colour", "bits": 8, "alpha": True}
    assert {name: facts[name] for name in wanted} == wanted


def test_what_musicae_writes_for_itself(tiny_melody: Path, data: Path, tmp_path: Path) -> None:
    facts = musicae.info(tiny_melody)
    assert (facts["kind"], facts["preset"]) == ("checkpoint", "tiny-melody")
    from musicae.ops import codes

    codes.save(codes.encode(data / "twinkle.mid", preset=str(tiny_melody)), tmp_path / "a.npz")
    facts = musicae.info(tmp_path / "a.npz")
    assert (facts["kind"], facts["files"]) == ("codes", ["twinkle.mid"])


def test_files_of_no_kind(tmp_path: Path, data: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing")
    with pytest.raises(MusicaeError, match="is of no kind that can be read"):
        musicae.info(tmp_path / "a.txt")
    with pytest.raises(MusicaeError, match="there is no file"):
        musicae.info(tmp_path / "none.mid")
    with pytest.raises(MusicaeError, match="is a folder; name a file in it"):
        musicae.info(tmp_path)
    (tmp_path / "a.mid").write_bytes((data / "band.mid").read_bytes()[:60])
    with pytest.raises(MusicaeError):
        musicae.info(tmp_path / "a.mid")
