"""What the commands that restore share; what they write is tested with the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import soundfile

from musicae.cli.shared.options import OutputOptions
from musicae.cli.shared.restoring import restore_file, restore_files, restore_pipe
from musicae.errors import MusicaeError
from musicae.ops.restored import RestoreOptions


def test_upscaling_many_goes_the_same_way(studio: Any, tiny_band: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = (Path("tapes"), Path("rec.wav"))
    restore_files("upscale", given, str(tiny_band), RestoreOptions(), OutputOptions(), 1)
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert written[0] == Path("tapes-upscaled/a.wav")
    assert written[-1] == Path("rec-upscaled.wav")
    assert {soundfile.info(path).samplerate for path in written} == {22_050}


def test_a_folder_that_is_left_empty_is_removed(studio: Any, tiny_voice: Path) -> None:
    Path("bad.wav").write_text("hello")
    before = studio.files()
    with pytest.raises(MusicaeError, match="is not a sound file"):
        restore_files("denoise", (Path("bad.wav"),), str(tiny_voice), RestoreOptions(), OutputOptions("new/deep"), 1)
    assert studio.files() == before


def test_one_file_is_explained(studio: Any, tiny_voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    restore_file("denoise", Path("rec.wav"), str(tiny_voice), RestoreOptions(), OutputOptions(verbose=True))
    captured = capsys.readouterr()
    assert captured.out == "rec-denoised.wav\n"
    assert captured.err.splitlines()[:2] == [
        "preset tiny-voice, trained for 7 steps",
        "denoised by the preset 'tiny-voice'",
    ]


@pytest.mark.parametrize("name", ["stdin", "stdout"])
def test_a_process_without_pipes_is_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"sys.{name}", None)
    with pytest.raises(MusicaeError, match=f"there is no {name}"):
        restore_pipe("denoise", None, RestoreOptions(), OutputOptions())
