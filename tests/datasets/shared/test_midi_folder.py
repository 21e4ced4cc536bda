"""One split of a folder of MIDI files."""

from functools import partial

import pytest
import torch

from musicae.adapters.drums import Drums
from musicae.adapters.melody import Melody
from musicae.core import Sample
from musicae.datasets.shared import prepare
from musicae.datasets.shared.cache import cache_folder
from musicae.datasets.shared.midi_folder import folder_windows, songs_of
from musicae.datasets.shared.split import split_of
from musicae.errors import MusicaeError
from musicae.tensors import melody_tokens

SPLITS = ("train", "validation", "test")


def write(path, pitches, track="Lead"):
    adapter = Melody()
    line = torch.tensor([token for pitch in pitches for token in (pitch - 19, 1)])
    path.parent.mkdir(parents=True, exist_ok=True)
    adapter.write(Sample(melody_tokens.one_hot(line, 90), adapter.blank() | {"track": track}), path)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "midi"
    for i in range(40):
        write(root / f"{i % 3}" / f"tune{i}.{'MID' if i % 2 else 'mid'}", range(40 + i, 56 + i))
    (root / "broken.mid").write_bytes(b"MThd oh no")
    (root / "words.txt").write_text("not music")
    return root


def windows_of(split, folder, adapter=None, track="", seed=0):
    assign = partial(split_of, seed=seed, test=0.2, validation=0.2)
    return folder_windows(adapter or Melody(), split, folder, track, assign)


def names_of(windows):
    return {windows.names[int(piece)] for piece in windows.pieces}


def test_every_readable_file_is_in_one_split(folder):
    names = [names_of(windows_of(split, folder)) for split in SPLITS]
    assert all(names)
    assert sum(map(len, names)) == len(set().union(*names)) == 40
    assert "0/tune0.mid" in set().union(*names)
    other = [names_of(windows_of(split, folder, seed=1)) for split in SPLITS]
    assert other != names


def test_what_was_prepared_is_used_again_for_the_same_settings_only(folder, monkeypatch):
    first = windows_of("train", folder)
    collected = []
    save = prepare.save_shard
    monkeypatch.setattr(prepare, "save_shard", lambda *given: collected.append(given) or save(*given))
    assert torch.equal(windows_of("train", folder).values(), first.values())
    assert not collected
    windows_of("train", folder, Melody(steps_per_beat=2))
    windows_of("train", folder, Melody(low=36))
    windows_of("train", folder, track="Lead")
    assert len(collected) == 3
    write(folder / "new.mid", range(50, 66))
    windows_of("train", folder)
    assert len(collected) == 4


def test_the_track_that_is_named_is_read(folder):
    with pytest.raises(MusicaeError, match=r"none of the 41 MIDI files .*: 41 that cannot be read \(.*no track 'bass'"):
        windows_of("train", folder, track="bass")
    write(folder / "bass.mid", range(30, 46), track="Bass")
    found = set().union(*(names_of(windows_of(split, folder, track="bass")) for split in SPLITS))
    assert found == {"bass.mid"}


def test_files_with_one_melody_are_in_one_split(tmp_path, caplog):
    for i in range(20):
        pitches = torch.randint(50, 70, (32,), generator=torch.Generator().manual_seed(i))
        for up in (0, 4):
            write(tmp_path / f"{up}" / f"tune{i}.mid", (pitches + up).tolist())

    def split_by(by_song):
        assign = partial(split_of, test=0.4, validation=0.2)
        found = [folder_windows(Melody(4), split, tmp_path, "", assign, by_song) for split in SPLITS]
        return [{name.split("/")[1] for name in names_of(windows)} for windows in found]

    apart, together = split_by(False), split_by(True)
    assert sum(map(len, together)) == 20 < sum(map(len, apart))
    assert caplog.text.count("40 of 40 MIDI files") == 1  # What was found is kept.
    for kept in (cache_folder() / "songs").iterdir():
        kept.write_bytes(b"damaged")
    assert split_by(True) == together


def test_a_song_is_known_by_what_is_said_of_it_and_by_its_melody(tmp_path):
    names = ["a.mid", "b.mid", "c.mid", "d.mid"]
    for i, name in enumerate(names):
        pitches = torch.randint(50, 70, (32,), generator=torch.Generator().manual_seed(i % 2 * i))
        write(tmp_path / name, pitches.tolist())
    files = [str(tmp_path / name) for name in names]
    assert songs_of(tmp_path, files, "", {}) == {name: name for name in names} | {"c.mid": "a.mid"}
    known = {"a.mid": "song 3", "b.mid": "song 2", "c.mid": "song 1", "d.mid": "song 2"}
    assert songs_of(tmp_path, files, "", known) == known | {"a.mid": "song 1"}


def test_what_is_missing_is_said(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(MusicaeError, match=r"no folder .*gone; check the path"):
        windows_of("train", tmp_path / "gone")
    with pytest.raises(MusicaeError, match="no MIDI files under"):
        windows_of("train", tmp_path / "empty")
    with pytest.raises(MusicaeError, match="did you mean 'train'"):
        windows_of("trian", folder)
    with pytest.raises(MusicaeError, match=r"none of the 41 MIDI files under .* can be used"):
        windows_of("train", folder, Drums())
