"""Files, folders, streams and samples, and numbers that make sense."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
import torch

from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.inputs import (
    as_file,
    check_file,
    check_number,
    check_temperature,
    crop_windows,
    listed,
    name_of,
    read,
    read_all,
    rereadable,
)


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    for place in ("b.mid", "sub/a.MID", ".hidden/c.mid", "out/d.mid"):
        (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / "twinkle.mid", tmp_path / "in" / place)
    (tmp_path / "in" / "notes.txt").write_text("hello")
    (tmp_path / "in" / "folder.mid").mkdir()
    return tmp_path / "in"


def test_a_folder_is_all_that_can_be_read_in_it(folder: Path, data: Path) -> None:
    assert listed([folder, data / "rock.mid"], [".mid"], folder / "out") == [
        (folder / "b.mid", Path("b.mid")),
        (folder / "sub" / "a.MID", Path("sub/a.MID")),
        (data / "rock.mid", Path("rock.mid")),
    ]
    for all_of_it in (folder, folder.parent):
        assert len(listed([folder], [".mid"], all_of_it)) == 3
    with pytest.raises(MusicaeError, match=r"in has no file that can be read \(\.png\); name another folder"):
        listed([folder], [".png"])


class Pipe(io.BytesIO):
    """A stream that cannot go back."""

    def seekable(self) -> bool:
        return False


def test_a_source_is_a_path_a_stream_or_a_sample(tiny: Codec, data: Path) -> None:
    path, content = data / "twinkle.mid", (data / "twinkle.mid").read_bytes()
    stream = io.BytesIO(content)
    assert as_file(str(path)) == path
    assert as_file(stream) is stream
    spooled = as_file(Pipe(content))
    assert isinstance(spooled, io.BytesIO)
    assert spooled.read() == content
    sample = read(tiny, path)
    assert read(tiny, sample) is sample
    for source in (str(path), stream, Pipe(content)):
        assert torch.equal(read(tiny, source).tensor, sample.tensor)
    assert [name_of(one) for one in (path, str(path), stream, sample)] == [
        "twinkle.mid",
        "twinkle.mid",
        "the stream",
        "the sample",
    ]
    with pytest.raises(MusicaeError, match="a sample does not say which preset it is of"):
        as_file(sample)


def test_a_stream_that_cannot_seek_is_held_to_be_read_twice(data: Path) -> None:
    content = (data / "twinkle.mid").read_bytes()
    held, stream, path = rereadable(Pipe(content)), io.BytesIO(content), data / "twinkle.mid"
    assert isinstance(held, io.BytesIO)
    assert (held.seekable(), held.read()) == (True, content)
    assert rereadable(stream) is stream
    assert rereadable(path) is path


def test_a_stream_that_does_not_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSICAE_MEMORY", "5M")
    with pytest.raises(MusicaeError, match="the stream takes"):
        rereadable(Pipe(bytes(10_000_000)))


@pytest.mark.parametrize("shape", [(90,), (9, 32), (90, 4, 32), (90, 0)])
def test_a_sample_of_another_kind_is_refused(tiny: Codec, shape: tuple[int, ...]) -> None:
    with pytest.raises(MusicaeError, match=r"the sample is of shape .*; 'tiny-melody' takes windows of \(90, 32\)"):
        read(tiny, Sample(torch.zeros(shape)))


def test_a_picture_at_its_own_size_has_no_code_of_fixed_size(digits: Codec, data: Path) -> None:
    with pytest.raises(MusicaeError, match=r"the sample is of shape \(1, 120, 160\)"):
        read(digits, data / "scene.png", fit="whole")


def test_remarks_are_told_with_the_name_of_their_source(tiny: Codec, data: Path) -> None:
    one = Sample(torch.zeros(90, 32), remarks=["it was empty"])
    samples, remarks = read_all(tiny, [data / "twinkle.mid", one], {"bars": "1-2", "track": None})
    assert samples[0].tensor.shape[-1] == 32
    assert remarks[-1] == "the sample: it was empty"


def test_an_option_that_the_adapter_does_not_take(tiny: Codec, data: Path) -> None:
    with pytest.raises(MusicaeError, match="the adapter of 'tiny-melody' has no option 'pages'; it takes track, bars"):
        read(tiny, data / "twinkle.mid", pages=3)


def test_numbers_that_make_no_sense() -> None:
    check_number("steps", 1000, at_least=2)
    for number in (1, 1001):
        with pytest.raises(MusicaeError, match=f"steps must be between 2 and 1000, not {number}"):
            check_number("steps", number, at_least=2)
    check_temperature(0.0)
    for temperature in (-0.1, float("nan"), float("inf")):
        with pytest.raises(MusicaeError, match="temperature must be 0 or more"):
            check_temperature(temperature)


def test_a_path_that_is_not_a_files(tmp_path: Path) -> None:
    with pytest.raises(MusicaeError, match="is a folder; name a file in it"):
        check_file(tmp_path)
    with pytest.raises(MusicaeError, match=r"there is no file .*; check the name"):
        check_file(tmp_path / "none")


def x(classes: Codec) -> None:
    batch = torch.rand(3, 1, 40, 40)
    cond = torch.rand(3, 10)
    cut, same = crop_windows(classes, batch, cond, 0)
    assert same is cond
    assert cut.shape == (3, 1, 28, 28)
    assert torch.equal(cut, crop_windows(classes, batch, None, 0)[0])
    assert crop_windows(classes, cut, cond, 0) == (cut, cond)
