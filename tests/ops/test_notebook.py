"""Results show themselves in a notebook: picture, player and distances, in HTML that needs nothing else."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

import musicae
from musicae import codec
from musicae.core import Sample
from musicae.ops import notebook
from musicae.ops.notebook import Block, Shown, page, quietly


class Page(HTMLParser):
    """The tags of a page, each opened and closed in order, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open += [tag] * (tag != "img")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def contents(self, tag: str) -> list[bytes]:
        """Return what the ``data:`` addresses of all such tags hold."""
        found = [str(attributes["src"]) for name, attributes in self.tags if name == tag]
        assert all(re.match(r"data:[a-z]+/[a-z]+;base64,", address) for address in found)
        return [base64.b64decode(address.partition(",")[2]) for address in found]


def shown(result: object) -> Page:
    text = result._repr_html_()  # type: ignore[attr-defined]
    assert text is not None
    assert not re.search(r"https?:|<script", text)
    return Page(text)


def test_a_morph_shows_its_steps_sound_and_distances(tiny_melody: Path, repository: Path) -> None:
    files = [repository / "data" / f"{name}.mid" for name in ("twinkle", "ode-to-joy")]
    walk = musicae.interpolate(*files, preset=str(tiny_melody), steps=5, bars="1")
    made = shown(walk)
    (picture,), (sound,) = made.contents("img"), made.contents("audio")
    assert Image.open(io.BytesIO(picture)).format == "PNG"
    assert 5 < soundfile.info(io.BytesIO(sound)).duration < 60
    assert "A morph in 5 steps tiny-melody" in made.text
    numbers = made.text.partition("from the first: ")[2].strip().split(", ")
    assert [float(number) for number in numbers] == pytest.approx(walk.distances, abs=0.006)
    assert len([tag for tag, its in made.tags if (its.get("title") or "").startswith("step ")]) == 5
    one = shown(walk.parts[2])
    assert len(one.contents("img")[0]) < len(picture)


def test_long_sound_is_of_some_steps_only(tiny_melody: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = codec.load(str(tiny_melody))
    one = made.adapter.read(repository / "data" / "twinkle.mid", bars="1")
    monkeypatch.setattr(notebook, "_MOST_SECONDS", 12)
    text = page(Shown("x", "y", [Block(made.adapter, [one] * 9)]))
    (sound,) = Page(text).contents("audio")
    assert soundfile.info(io.BytesIO(sound)).duration < 12.1
    assert re.search(r"plays 1, [\d, ]*9 of 9", text)
    assert len(text) < 300_000


def test_a_recording_shows_before_and_after(tiny_voice: Path, tmp_path: Path) -> None:
    path = tmp_path / "<i>a & b.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal((16_000, 2)), 8000)
    made = shown(musicae.denoise(path, preset=str(tiny_voice)))
    assert [len(made.contents(tag)) for tag in ("img", "audio")] == [2, 2]
    assert "Before" in made.text
    assert "After" in made.text
    written = shown(musicae.denoise(path, tmp_path / "<b>clean.wav", preset=str(tiny_voice)))
    assert len(written.contents("audio")) == 1
    assert "<b>clean.wav" in written.text  # As text, not as a tag.


def test_a_photo_is_shown_small(tiny_denoise: Path, tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (900, 1300), np.uint8)).save(tmp_path / "a.png")
    result = musicae.denoise(tmp_path / "a.png", preset=str(tiny_denoise))
    made = shown(result)
    assert [Image.open(io.BytesIO(one)).size for one in made.contents("img")] == [(800, 554)] * 2
    assert made.contents("audio") == []
    assert result.sample is not None
    assert tuple(result.sample.tensor.shape) == (1, 900, 1300)


@pytest.mark.parametrize("name", ["drum-sounds", "mnist-cvae", "band-2bar"])
def test_what_is_made_up_shows_itself(name: str) -> None:
    several = musicae.sample(name, 3)
    made = shown(several)
    assert "3 results of musicae" in made.text
    assert len(made.contents("img")) == 1
    assert len(made.contents("audio")) == (name != "mnist-cvae")
    assert len(shown(several[0]).contents("img")) == 1


def test_other_results_show_what_they_know(repository: Path, tiny_melody: Path) -> None:
    twinkle = repository / "data" / "twinkle.mid"
    changed = musicae.shift(twinkle, "density=+1", preset="melody-2bar", bars="1-2")
    assert changed.changes[0].line() in shown(changed).text
    assert "came back right" in shown(musicae.reconstruct(twinkle, preset=str(tiny_melody), bars="1")).text
    assert "2 results" in shown(musicae.vary(twinkle, n=2, preset=str(tiny_melody), bars="1")).text


def test_nothing_inside_a_notebook_ends_in_an_error(tiny_melody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = musicae.sample(str(tiny_melody), 2)
    made[0].tensor = torch.zeros(3)
    assert made[0]._repr_html_() is None  # type: ignore[attr-defined]
    assert made._repr_html_() is None  # type: ignore[attr-defined]
    assert "Sample" in repr(Sample(torch.zeros(1)))

    def broken() -> Shown:
        raise RuntimeError("out of order")

    assert quietly(broken) is None


def test_what_files_say_is_escaped() -> None:
    text = page(Shown("<script>", 'a"&', lines=["\x1b[31m<img src=x onerror=y>\u202e"]))
    assert "<script" not in text
    assert "<img" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
