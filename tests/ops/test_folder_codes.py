"""The codes of a folder's files, which are kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from musicae import codec as codecs
from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.ops import folder_codes as folders
from musicae.ops.folder_codes import codes_of, folder_codes


@pytest.fixture
def album(tmp_path: Path, data: Path) -> Path:
    folder = tmp_path / "album"
    (folder / "deep").mkdir(parents=True)
    for name in ("twinkle.mid", "ode-to-joy.mid", "rock.mid"):
        shutil.copy(data / name, folder)
    shutil.copy(data / "greensleeves.mid", folder / "deep")
    return folder


def test_files_are_encoded_once(album: Path, tiny: Codec, data: Path) -> None:
    done: list[tuple[int, int]] = []
    first = folder_codes(album, tiny, report=lambda *now: done.append(now))
    assert [path.relative_to(album).as_posix() for path in first.paths] == [
        "deep/greensleeves.mid", "ode-to-joy.mid", "twinkle.mid"
    ]  # fmt: skip
    assert list(first.skipped) == [str(album / "rock.mid")]
    assert "only drums" in first.skipped[str(album / "rock.mid")]
    assert (first.encoded, done[-1]) == (4, (4, 4))
    assert first.mean.shape == (sum(first.counts), 8)
    again = folder_codes(album, tiny)
    assert again.encoded == 0
    assert torch.equal(again.mean, first.mean)
    assert (again.paths, again.skipped) == (first.paths, first.skipped)
    # Only what is new or changed is encoded.
    shutil.copy(data / "saints.mid", album / "new.mid")
    os.utime(album / "twinkle.mid", (1, 1))
    (album / "ode-to-joy.mid").unlink()
    later = folder_codes(album, tiny)
    assert later.encoded == 2
    assert [path.name for path in later.paths] == ["greensleeves.mid", "new.mid", "twinkle.mid"]
    assert torch.equal(later.mean[-later.counts[-1] :], first.mean[-first.counts[-1] :])


def test_windows_start_at_every_bar(tiny: Codec, data: Path) -> None:
    sample = tiny.adapter.read(data / "twinkle.mid")
    (mean, logvar), *_ = codes_of(tiny, [sample, sample])
    plain = tiny.encode(tiny.split(sample))
    assert logvar is not None
    assert len(mean) == 2 * len(plain.mean) - 1
    torch.testing.assert_close(mean[::2], plain.mean)


def test_another_preset_has_an_index_of_its_own(album: Path, tiny: Codec, tiny_melody: Path) -> None:
    folder_codes(album, tiny)
    other = codecs.load(str(tiny_melody))
    with torch.no_grad():
        next(other.model.parameters()).add_(1.0)
    assert folder_codes(album, other).encoded == 4
    assert folder_codes(album, tiny).encoded == 0


def test_a_named_index_is_kept_there(album: Path, tiny: Codec, tmp_path: Path, tiny_melody: Path) -> None:
    index = tmp_path / "index.npz"
    folder_codes(album, tiny, index)
    assert folder_codes(album, tiny, index).encoded == 0
    other = codecs.load(str(tiny_melody))
    with torch.no_grad():
        next(other.model.parameters()).add_(1.0)
    before = index.read_bytes()
    with pytest.raises(MusicaeError, match=r"index.npz is an index of another preset"):
        folder_codes(album, other, index)
    assert index.read_bytes() == before
    np.savez(tmp_path / "codes.npz", mean=np.zeros((2, 8), np.float32))
    (tmp_path / "text.npz").write_text("hello")
    for name in ("codes.npz", "text.npz"):
        with pytest.raises(MusicaeError, match=f"{name} is no index of a folder"):
            folder_codes(album, tiny, tmp_path / name)


def test_a_damaged_index_in_the_cache_is_made_again(album: Path, tiny: Codec) -> None:
    folder_codes(album, tiny)
    (index,) = (folders.cache_folder() / "folders").iterdir()
    index.write_bytes(index.read_bytes()[:-100])
    assert folder_codes(album, tiny).encoded == 4
    assert folder_codes(album, tiny).encoded == 0


def test_what_was_encoded_before_ctrl_c_is_kept(album: Path, tiny: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_TOGETHER", 1)

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        folder_codes(album, tiny, report=stop)
    assert folder_codes(album, tiny).encoded == 2


def test_folders_without_a_file_to_read(tmp_path: Path, tiny: Codec, classes: Codec) -> None:
    with pytest.raises(MusicaeError, match="there is no folder"):
        folder_codes(tmp_path / "none", tiny)
    with pytest.raises(MusicaeError, match="has no file that can be read"):
        folder_codes(tmp_path, tiny)
    (tmp_path / "a.mid").write_bytes(b"")
    with pytest.raises(MusicaeError, match=r"none of the 1 files in .* can be read; the first: .*a.mid is empty"):
        folder_codes(tmp_path, tiny)
    with pytest.raises(MusicaeError, match="needs a label for each file"):
        folder_codes(tmp_path, classes)
