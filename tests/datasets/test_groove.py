"""The Groove MIDI Dataset: its official split."""

import pytest
import torch

from musicae.adapters.drums import Drums
from musicae.core import Sample
from musicae.datasets.groove import groove
from musicae.errors import MusicaeError

SPLITS = ("train", "validation", "test")


@pytest.fixture
def folder(tmp_path):
    adapter, rows = Drums(), ["midi_filename,split,beat_type"]
    for i, split in enumerate(["train", "train", "validation", "test"]):
        hits = torch.zeros(9, 32)
        hits[0, :: 4 + i] = 1
        path = tmp_path / "groove" / "drummer1" / f"{i}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        adapter.write(Sample(hits, adapter.blank()), path)
        rows.append(f"drummer1/{i}.mid,{split},{'fill' if i == 0 else 'beat'}")
    (tmp_path / "groove" / "broken.mid").write_bytes(b"MThd oh no")
    rows += ["broken.mid,train,beat", "gone.mid,train,beat"]
    (tmp_path / "groove" / "info.csv").write_text("\n".join(rows))
    return tmp_path


def names_of(windows):
    return sorted({windows.names[int(piece)] for piece in windows.pieces})


def test_it_takes_its_official_split(folder):
    found = {split: groove(Drums(), split, folder) for split in SPLITS}
    assert {split: names_of(windows) for split, windows in found.items()} == {
        "train": ["drummer1/0.mid", "drummer1/1.mid"],
        "validation": ["drummer1/2.mid"],
        "test": ["drummer1/3.mid"],
    }
    assert found["train"].values().dtype == torch.bool
    assert torch.equal(found["test"].values()[0, 0].nonzero().squeeze(1), torch.arange(0, 32, 7))


def test_fills_can_be_left_out(folder):
    assert names_of(groove(Drums(), "train", folder, fills=False)) == ["drummer1/1.mid"]


def test_another_grid_is_prepared_anew(folder):
    assert groove(Drums(), "train", folder).data.shape[1:] == (9, 32)
    assert groove(Drums(steps_per_beat=2), "train", folder).data.shape[1:] == (9, 16)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(MusicaeError, match=r"no info\.csv of the Groove MIDI Dataset under"):
        groove(Drums(), "train", tmp_path)
    with pytest.raises(MusicaeError, match="no split named 'all'"):
        groove(Drums(), "all", tmp_path)


@pytest.mark.parametrize("text", [b"\xff\xfe", b"a,b\n1,2\n", b"midi_filename,split,beat_type\n" + b"x" * 200_000])
def test_a_damaged_table_is_one_line(tmp_path, text):
    (tmp_path / "info.csv").write_bytes(text)
    with pytest.raises(MusicaeError, match=r"info\.csv is damaged; get the Groove MIDI Dataset again$"):
        groove(Drums(), "train", tmp_path)


def test_a_table_names_no_file_elsewhere(folder):
    table = next(folder.rglob("info.csv"))
    outside = folder.parent / "outside.mid"
    outside.write_bytes(next(folder.rglob("*.mid")).read_bytes())
    before = names_of(groove(Drums(), "train", folder))
    fields = table.read_text().splitlines()[0].split(",")
    for name in (str(outside), "../outside.mid", "a\0b"):
        row = {"midi_filename": name, "split": "train", "beat_type": "beat"}
        with table.open("a") as file:
            file.write(",".join(row.get(field, "x") for field in fields) + "\n")
    assert names_of(groove(Drums(), "train", folder)) == before
