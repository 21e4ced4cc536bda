"""Where results go, and what is printed of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from musicae import codec as codecs
from musicae.cli.shared.options import BESIDE, OutputOptions
from musicae.cli.shared.results import beside, check_suffix, results, say_json, say_skipped
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError


@pytest.fixture(scope="module")
def codec(tiny_melody: Path) -> Codec:
    return codecs.load(str(tiny_melody))


def tune(codec: Codec) -> Sample:
    tensor = torch.zeros(90, 16)
    tensor[[5, *[1] * 15], range(16)] = 1
    return Sample(tensor, codec.adapter.blank(), 16)


@pytest.mark.parametrize("png", [None, BESIDE])
def test_one_file_or_a_folder_with_one_for_each(
    codec: Codec, tmp_path: Path, capsys: pytest.CaptureFixture[str], png: str | None
) -> None:
    parts = [tune(codec), tune(codec)]
    with results(codec, tmp_path, "x", OutputOptions(png=png)) as out:
        out.write(parts)
    out.report(preset="p")
    with results(codec, tmp_path, "y", OutputOptions(png=png, as_json=True), ["a", "b"], join=False) as out:
        out.write(parts)
    out.report(preset="p")
    lines = capsys.readouterr().out.splitlines()
    pictures = [str(tmp_path / "x.png")] if png else []
    assert lines[:-1] == [str(tmp_path / "x.mid"), *pictures]
    extra = {"png": str(tmp_path / "y" / "y.png")} if png else {}
    paths = [str(tmp_path / "y" / name) for name in ("a.mid", "b.mid")]
    assert json.loads(lines[-1]) == {"paths": paths, **extra, "preset": "p"}
    assert codec.adapter.read(tmp_path / "x.mid").tensor.shape == (90, 32)
    assert codec.adapter.read(tmp_path / "y" / "b.mid").tensor.shape == (90, 16)


def test_what_cannot_be_drawn_is_one_line(codec: Codec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec.adapter, "rolls", lambda sample: [])
    with (
        pytest.raises(MusicaeError, match="--png: the output of this preset cannot be drawn"),
        results(codec, tmp_path, "x", OutputOptions(png=BESIDE)) as out,
    ):
        out.write([tune(codec)])
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_several_parts_has_a_lane_for_each(
    codec: Codec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights = []
    (roll,) = codec.adapter.rolls(tune(codec))
    for count in (1, 2, 3):
        monkeypatch.setattr(codec.adapter, "rolls", lambda sample, count=count: [roll] * count)
        with results(codec, tmp_path, str(count), OutputOptions(png=BESIDE)) as out:
            out.write([tune(codec)])
        with Image.open(tmp_path / f"{count}.png") as image:
            heights.append(image.height)
    assert heights[0] < heights[1] < heights[2]


def test_wrong_outputs_are_one_line(codec: Codec, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_text("")
    for output, join, said in (
        ("d", True, "is a folder; name a file, or write a folder of files with --split"),
        ("x.wav", True, "what 'tiny-melody' makes ends in .mid"),
        ("f", False, "is a file; with --split it must be a folder"),
    ):
        options = OutputOptions(str(tmp_path / output))
        with pytest.raises(MusicaeError, match=said), results(codec, tmp_path, "x", options, ["a"], join=join):
            raise AssertionError("it was computed before the output was checked")
    with (
        pytest.raises(MusicaeError, match="does not go with"),
        results(codec, tmp_path, "x", OutputOptions("-"), join=False),
    ):
        pass
    check_suffix(codec, Path("x.MID"))


def test_a_picture_lies_beside_the_result_or_where_it_is_named() -> None:
    assert beside("png", None, Path("a/b")) is None
    assert beside("png", BESIDE, Path("a/b.c")) == Path("a/b.c.png")
    assert beside("png", "c.PNG", Path("a/b")) == Path("c.PNG")
    with pytest.raises(MusicaeError, match=r"--wav c\.mp3: name a file that ends in \.wav"):
        beside("wav", "c.mp3", Path("a/b"))


def test_names_that_are_not_valid_text_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a\udce9.wav", "é.wav"):
        say_json({"path": name})
        line = capsys.readouterr().out
        assert json.loads(line) == {"path": name}
        assert ("é" in line) == (name == "é.wav")


def test_skipped_files_are_named_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    say_skipped({}, 3)
    with pytest.raises(MusicaeError, match="2 of 3 files could not be read and were left out"):
        say_skipped({"a": "a is empty", "b": "it is empty"}, 3)
    assert capsys.readouterr().err == "a is empty\nb: it is empty\n"
