"""Denoising and upscaling: where results go, and what is said of files that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from musicae import ops
from musicae.adapters.image import Image
from musicae.core import Sample
from musicae.errors import MusicaeError


@pytest.fixture
def denoise(tiny_denoise: Path) -> tuple[str, ...]:
    return ("denoise", "--preset", str(tiny_denoise))


@pytest.fixture
def upscale(tiny_upscale: Path) -> tuple[str, ...]:
    return ("upscale", "--preset", str(tiny_upscale))


def convert(source: str, target: str) -> None:
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    with Pillow.open(source) as image:
        image.save(target)


def size(path: str | Path) -> tuple[int, int]:
    with Pillow.open(path) as image:
        return image.size


@pytest.fixture
def album(gallery: Any) -> Any:
    """A folder `album` with pictures at two depths, and a text."""
    convert("scene.png", "album/scene.jpg")
    convert("three.png", "album/deep/three.png")
    (gallery.folder / "album" / "notes.txt").write_text("hello")
    return gallery


def test_the_result_is_of_the_kind_of_the_input(gallery: Any, denoise: tuple[str, ...]) -> None:
    convert("scene.png", "scene.jpg")
    before = gallery.files()
    assert gallery.ok(*denoise, "scene.jpg") == "scene-denoised.jpg"
    assert gallery.new(before) == ["scene-denoised.jpg"]
    with Pillow.open("scene-denoised.jpg") as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", size("scene.png"))
    assert "exists already; -f overwrites it" in gallery.fails(*denoise, "scene.jpg")
    assert gallery.ok(*denoise, "scene.jpg", "-o", "x.webp") == "x.webp"
    assert gallery("denoise", "scene.jpg", *denoise[1:], "-o", "-").stdout_bytes[:3] == b"\xff\xd8\xff"
    found = json.loads(gallery.ok(*denoise, "scene.jpg", "-f", "--json"))
    assert found["paths"] == ["scene-denoised.jpg"]
    assert "the preset undoes noise" in found["remarks"]


def test_upscale_doubles_a_picture(gallery: Any, upscale: tuple[str, ...]) -> None:
    width, height = size("scene.png")
    assert gallery.ok(*upscale, "scene.png") == "scene-upscaled.png"
    assert size("scene-upscaled.png") == (2 * width, 2 * height)
    line = gallery.fails(*upscale, "scene.png", "--scale", "4", "-o", "x.png")
    assert line == "the preset 'tiny-upscale' upscales by 2, not by 4; choose another"


def test_a_folder_keeps_its_tree(album: Any, denoise: tuple[str, ...]) -> None:
    before = album.files()
    lines = album.ok(*denoise, "album", "-o", "out").splitlines()
    assert lines == [str(Path("out") / name) for name in ("deep/three.png", "scene.jpg")]
    assert album.new(before) == ["out", "out/deep", "out/deep/three.png", "out/scene.jpg"]
    assert album.ok(*denoise, "album").splitlines()[1] == str(Path("album-denoised/scene.jpg"))
    done = album(*denoise, "album", "-o", "out")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "2 of 2 are done already; -f makes them anew\n"
    Path("out/scene.jpg").unlink()
    assert album.ok(*denoise, "album", "-o", "out") == str(Path("out/scene.jpg"))
    assert len(album.ok(*denoise, "album", "-o", "out", "-f").splitlines()) == 2


def test_an_output_inside_the_input_is_no_input(album: Any, denoise: tuple[str, ...]) -> None:
    for _ in range(2):
        assert len(album.ok(*denoise, "album", "-o", "album/out", "-f").splitlines()) == 2


def test_several_files_lie_beside_their_inputs_or_in_a_folder(gallery: Any, denoise: tuple[str, ...]) -> None:
    pair = ("three.png", "seven.png")
    assert gallery.ok(*denoise, *pair).splitlines() == ["three-denoised.png", "seven-denoised.png"]
    assert gallery.ok(*denoise, *pair, "-o", "d").splitlines() == [str(Path("d") / name) for name in pair]
    assert gallery.ok(*denoise, "scene.png", "-o", "d") == str(Path("d/scene.png"))
    assert "is a file; name a folder" in gallery.fails(*denoise, *pair, "-o", "scene.png")
    assert "writes one file to stdout" in gallery.fails(*denoise, *pair, "-o", "-")
    assert "would both be written to" in gallery.fails(*denoise, "three.png", "three.png", "-o", "e")


def test_an_unreadable_file_among_many_is_skipped_counted_and_named(album: Any, denoise: tuple[str, ...]) -> None:
    (album.folder / "album" / "bad.png").write_bytes(b"hello")
    (album.folder / "album" / "deep" / "empty.png").write_bytes(b"")
    result = album(*denoise, "album", "-o", "out")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    lines = result.stderr.splitlines()
    assert lines[0].startswith(f"{Path('album/bad.png')} is not a picture")
    assert lines[1].startswith(f"{Path('album/deep/empty.png')} is empty (0 bytes)")
    assert lines[2:] == ["musicae: 2 of 4 files could not be read and were left out"]
    result = album(*denoise, "album", "-o", "out", "-f", "--json")
    assert (result.exit_code, len(json.loads(result.stdout)["skipped"])) == (1, 2)


def test_a_disk_that_is_full_ends_it_with_one_line(
    album: Any, denoise: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Image, sample: Sample, path: Path) -> None:
        raise MusicaeError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr(Image, "write", full)
    line = album.fails(*denoise, "album", "-o", "out")
    assert line == f"{Path('out/deep/three.png')} cannot be written: No space left on device"
    assert album.fails(*denoise, "scene.png") == "scene-denoised.png cannot be written: No space left on device"


def test_outputs_are_checked_before_anything_is_computed(
    album: Any, denoise: tuple[str, ...], upscale: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(*args: Any, **settings: Any) -> None:
        raise AssertionError("it was computed before the output was checked")

    for verb in ("denoise", "upscale"):
        monkeypatch.setattr(ops, verb, computed)
    for words in (denoise, upscale):
        assert "exists already" in album.fails(*words, "scene.png", "-o", "three.png")
        assert "makes ends in .png" in album.fails(*words, "scene.png", "-o", "x.txt")


@pytest.mark.parametrize("verb", ["denoise", "upscale"])
def test_bad_inputs_are_one_line(gallery: Any, tiny_digits: Path, request: Any, verb: str) -> None:
    words = request.getfixturevalue(verb)
    (gallery.folder / "bad.png").write_bytes(b"hello")
    assert gallery.fails(*words, "no.png") == "there is no file no.png; check the name"
    assert gallery.fails(*words, "bad.png").startswith("bad.png is not a picture")
    said = "the preset 'tiny-digits' was trained without a corruption and restores nothing"
    assert gallery.fails(verb, "scene.png", "--preset", tiny_digits).startswith(said)
    (gallery.folder / "none").mkdir()
    expected = "none has no file that is read here" if verb == "denoise" else "none is a folder; name a file in it"
    assert gallery.fails(*words, "none").startswith(expected)


def test_a_picture_of_one_pixel(gallery: Any, denoise: tuple[str, ...], upscale: tuple[str, ...]) -> None:
    Pillow.new("L", (1, 1), 77).save("dot.png")
    gallery.ok(*denoise, "dot.png")
    gallery.ok(*upscale, "dot.png")
    assert (size("dot-denoised.png"), size("dot-upscaled.png")) == ((1, 1), (2, 2))
