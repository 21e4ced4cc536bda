"""The sound files of a folder, by piece and split."""

import pytest

from musicae.adapters.audio import Audio
from musicae.datasets.shared.sound_folder import grouped
from musicae.errors import MusicaeError

SPLITS = ("train", "validation", "test")


@pytest.fixture
def folder(tmp_path):
    for speaker in range(10):
        (tmp_path / f"s{speaker}" / "deep").mkdir(parents=True)
        for place in ("0.wav", "deep/1.FLAC"):
            (tmp_path / f"s{speaker}" / place).write_text(f"{speaker} {place}")
    (tmp_path / "top.wav").write_text("top")
    (tmp_path / "notes.txt").write_text("no sound")
    return tmp_path


@pytest.mark.parametrize(("split_by", "pieces"), [("file", 21), ("folder", 11)])
def test_every_piece_is_in_one_split(folder, split_by, pieces):
    found = [grouped(Audio(), split, folder, split_by, 0, 0.3, 0.3) for split in SPLITS]
    names = [name for groups in found for name in groups]
    assert len(names) == len(set(names)) == pieces
    assert sum(len(paths) for groups in found for paths in groups.values()) == 21
    assert "top.wav" in names
    assert all(found)


def test_files_with_the_same_content_count_once(folder):
    (folder / "s9" / "copy.wav").write_text("0 0.wav")
    (folder / "s9" / "same-size.wav").write_text("7 7.wav")
    groups = grouped(Audio(), "train", folder, "folder", 0, 0.0, 0.0)
    assert [path.name for path in groups["s9"]] == ["0.wav", "1.FLAC", "same-size.wav"]


def test_wrong_folders_and_settings_are_one_line(folder, tmp_path):
    (tmp_path / "none").mkdir()
    for arguments, match in (
        (("train", tmp_path / "none", "file"), "no sound files under"),
        (("train", folder, "speaker"), "split_by must be 'file' or 'folder', not 'speaker'"),
        (("trian", folder, "file"), "did you mean 'train'"),
    ):
        with pytest.raises(MusicaeError, match=match):
            grouped(Audio(), *arguments, 0, 0.1, 0.1)
