"""Data sets: splits by piece, no test window that training has seen, caches that notice a change."""

import numpy as np
import pytest
import torch

from musicae import registry
from musicae import splits as data
from musicae.core import Sample, Windows
from musicae.datasets import groove, pop909
from musicae.datasets import midi_files as files
from musicae.datasets.shared import cache, prepare, scores, shards
from musicae.datasets.shared.split import check, split_of
from musicae.errors import MusicaeError
from musicae.preset import Preset
from musicae.tensors import melody_tokens

SPLITS = ("train", "validation", "test")


@pytest.fixture
def melody():
    return registry.build("adapters", "melody")


def line(*pitches, step=2, bars=2):
    """A line of notes, each of `step` sixteenths, over `bars` bars of silence."""
    tokens = torch.zeros(16 * bars, dtype=torch.long)
    for i, pitch in enumerate(pitches):
        tokens[i * step : (i + 1) * step] = 1
        tokens[i * step] = pitch - 21 + 2
    return torch.nn.functional.one_hot(tokens, 90).T.float()


def write(adapter, path, tensor):
    path.parent.mkdir(parents=True, exist_ok=True)
    adapter.write(Sample(tensor, adapter.blank()), path)


def scale(root, n=16):
    return line(*[root + 2 * (i % 5) + (i * root) % 11 for i in range(n)])


@pytest.fixture
def folder(melody, tmp_path):
    for i in range(60):
        unlike = line(*torch.randint(50, 70, (16,), generator=torch.Generator().manual_seed(i)).tolist())
        write(melody, tmp_path / "midi" / f"{i % 4}" / f"tune{i}.mid", scale(40 + i) if i < 30 else unlike)
    (tmp_path / "midi" / "broken.mid").write_bytes(b"MThd oh no")
    (tmp_path / "midi" / "words.txt").write_text("not music")
    return tmp_path / "midi"


def test_a_split_is_a_hash_of_the_name():
    names = [f"tune {i}" for i in range(4000)]
    shares = {split: sum(split_of(name, 0, 0.1, 0.1) == split for name in names) / 4000 for split in SPLITS}
    assert abs(shares["test"] - 0.1) < 0.02
    assert abs(shares["validation"] - 0.1) < 0.02
    assert split_of("tune 1", 0) == split_of("tune 1", 0)
    assert any(split_of(name, 0) != split_of(name, 1) for name in names)
    with pytest.raises(MusicaeError, match="did you mean 'train'"):
        check("trian")


def test_every_piece_is_in_one_split_only(melody, folder):
    found = {split: files.midi_files(melody, split, folder, test=0.2, validation=0.2) for split in SPLITS}
    names = {split: {w.names[int(p)] for p in w.pieces} for split, w in found.items()}
    assert sum(map(len, names.values())) == 60
    assert all(names.values())
    assert not names["train"] & (names["validation"] | names["test"])


def test_a_window_of_the_training_set_is_no_test_window_even_transposed(melody, folder):
    recipe = Preset("x", {"dataset": {"name": "midi-files", "test": 0.3}})
    train = data.load(recipe, melody, "train", {"": folder})
    known = {row.numpy().tobytes() for row in melody.canonical(train.values())}
    raw = files.midi_files(melody, "test", folder, test=0.3)
    test = data.load(recipe, melody, "test", {"": folder})
    assert 0 < len(test) < len(raw)
    assert not known & {row.numpy().tobytes() for row in melody.canonical(test.values())}


def test_the_cache_is_used_and_notices_a_new_file(melody, folder, monkeypatch):
    first = files.midi_files(melody, "train", folder)
    monkeypatch.setattr(prepare, "save_shard", lambda *a: pytest.fail("read again although nothing changed"))
    again = files.midi_files(melody, "train", folder)
    assert torch.equal(first.values(), again.values())
    assert again.names == first.names
    monkeypatch.undo()
    write(melody, folder / "new.mid", scale(50))
    key = cache.fingerprint(sorted(folder.rglob("*.mid")), folder)
    write(melody, folder / "new.mid", scale(51, 12))
    assert key != cache.fingerprint(sorted(folder.rglob("*.mid")), folder)


def test_a_damaged_cache_is_made_again(melody, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path / "cache"))
    first = files.midi_files(melody, "train", folder)
    for path in (tmp_path / "cache").rglob("*.safetensors"):
        path.write_bytes(b"damaged")
    assert torch.equal(files.midi_files(melody, "train", folder).values(), first.values())


def test_a_cache_that_cannot_be_written_does_not_matter(melody, folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path / "file"))
    assert len(files.midi_files(melody, "train", folder))


def test_cutting_keeps_bars_and_drops_gaps(melody):
    long = torch.cat([scale(60), line(60, 62, bars=4), scale(64)], dim=1)
    starts = scores.cut(melody, "", scores.pack(melody, Sample(long, melody.blank()))).starts.tolist()
    assert 0 in starts
    assert 96 in starts
    assert 32 not in starts
    assert 48 not in starts


def test_sets_joined_by_a_plus_keep_their_pieces_apart(melody, folder, tmp_path):
    abc = tmp_path / "abc" / "book.abc"
    abc.parent.mkdir()
    tunes = [f"X:{i}\nT:Tune {i}\nM:4/4\nL:1/8\nK:C\nCDEF GABc|cBAG F{n}D{n}|\n" for i, n in enumerate("EFGA")]
    abc.write_text("".join(tunes))
    recipe = Preset("x", {"dataset": {"name": "folk+midi-files", "test": 0.0, "validation": 0.0}})
    found = data.load(recipe, melody, "train", {"folk": abc.parent, "midi-files": folder})
    assert len(found.names) == 64
    assert found.names[int(found.pieces[0])].startswith("tune ")
    assert found.names[int(found.pieces[-1])].endswith(".mid")
    with pytest.raises(MusicaeError, match="no data set 'flok'; did you mean 'folk'"):
        data.load(recipe, melody, "train", {"flok": folder})


def test_missing_folders_say_what_to_do(melody, tmp_path):
    with pytest.raises(MusicaeError, match="--data DIR"):
        files.midi_files(melody, "train", None)
    with pytest.raises(MusicaeError, match="no folder"):
        files.midi_files(melody, "train", tmp_path / "none")
    with pytest.raises(MusicaeError, match="no MIDI files"):
        files.midi_files(melody, "train", tmp_path)
    with pytest.raises(MusicaeError, match="--data pop909=DIR"):
        pop909.pop909(melody, "train", None)


def test_a_missing_folder_is_told_before_another_set_is_read(melody, monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "data_folder", lambda: tmp_path)
    read = []
    monkeypatch.setattr(scores, "prepared", lambda *args: read.append(args))
    with pytest.raises(MusicaeError, match="no POP909"):
        data.load(Preset("p", {"dataset": {"name": "folk+pop909"}}), melody, "train", {})
    assert not read


def test_groove_takes_its_official_split(tmp_path):
    drums = registry.build("adapters", "drums")
    rows = ["midi_filename,split,beat_type"]
    for i, split in enumerate(["train", "train", "validation", "test"]):
        hits = torch.zeros(9, 32)
        hits[0, :: 4 + i] = 1
        write(drums, tmp_path / f"{i}.mid", hits)
        rows.append(f"{i}.mid,{split},{'fill' if i == 0 else 'beat'}")
    (tmp_path / "info.csv").write_text("\n".join(rows))
    found = {split: groove.groove(drums, split, tmp_path) for split in SPLITS}
    assert {s: sorted({w.names[int(p)] for p in w.pieces}) for s, w in found.items()} == {
        "train": ["0.mid", "1.mid"], "validation": ["2.mid"], "test": ["3.mid"],
    }  # fmt: skip
    assert len(groove.groove(drums, "train", tmp_path, fills=False).pieces.unique()) == 1
    assert found["train"].values().dtype == torch.bool
    (tmp_path / "empty").mkdir()
    with pytest.raises(MusicaeError, match=r"info\.csv"):
        groove.groove(drums, "train", tmp_path / "empty")


def test_windows_give_one_hot_and_binary_batches():
    one_hot = Windows(torch.tensor([[0, 2], [1, 1]], dtype=torch.uint8), torch.zeros(2), 3)
    assert one_hot.batch(torch.tensor([0])).tolist() == [[[1, 0], [0, 0], [0, 1]]]
    binary = Windows(torch.tensor([[[True, False]]]), torch.zeros(1), 1)
    assert binary.batch(torch.tensor([0])).tolist() == [[[1.0, 0.0]]]


def tokens(n, seed):
    return torch.randint(0, 90, (n, 32), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def test_held_out_windows_are_those_of_a_plain_comparison(melody, monkeypatch):
    train, held = tokens(5000, 1), tokens(500, 2)
    held[::7] = melody_tokens.transpose(train[: len(held[::7])], torch.tensor([[2]]), 90).to(torch.uint8)
    held[3] = train[-1]
    known = {row.numpy().tobytes() for row in melody.canonical(train)}
    plain = [i for i, row in enumerate(melody.canonical(held)) if row.numpy().tobytes() not in known]
    assert 400 < len(plain) < 450
    splits = [Windows(rows, torch.zeros(len(rows)), 90) for rows in (held, train)]
    assert data._held_out(melody, *splits).tolist() == plain
    monkeypatch.setattr(data, "_AT_ONCE", 1 << 14)  # In many parts.
    monkeypatch.setattr(data, "_hashes", lambda rows: rows[:, :8].copy().view(np.uint64)[:, 0] % np.uint64(3))
    assert data._held_out(melody, *splits).tolist() == plain  # Equal hashes are not yet equal windows.
    assert data._held_out(melody, Windows(held[:0], torch.zeros(0), 90), splits[1]).tolist() == []
    assert data._held_out(melody, splits[0], Windows(train[:0], torch.zeros(0), 90)).tolist() == list(range(500))


@pytest.mark.parametrize("width", [1, 7, 8, 64, 1001])
def test_hashes_of_rows_hardly_ever_agree(width):
    rows = np.random.default_rng(0).integers(0, 256, (3000, width), dtype=np.uint8)
    assert len(np.unique(data._hashes(rows))) == len(np.unique(rows, axis=0))


def stored(rows, key):
    path = cache.cache_folder() / key
    path.parent.mkdir(parents=True, exist_ok=True)
    line = rows.numpy().reshape(-1)
    shards.save_shard(shards.pack_shard([shards.Piece("a", line, np.arange(len(rows)) * 32)], False), path, key)
    return Windows(shards.ShardedData([shards.open_shard(path, key)], (32,), False), torch.zeros(len(rows)), 90)


def test_for_many_windows_what_is_held_out_is_worked_out_once(melody, monkeypatch):
    monkeypatch.setattr(data, "_MIN_KEPT", 1000)
    train, held = tokens(2000, 1), tokens(50, 2)
    held[4] = train[9]
    fresh = [i for i in range(50) if i != 4]
    assert data._held_out(melody, stored(held, "held"), stored(train, "train")).tolist() == fresh
    (kept,) = (cache.cache_folder() / "held-out").iterdir()
    compare = data._fresh
    monkeypatch.setattr(data, "_fresh", lambda *args: pytest.fail("compared again"))
    assert data._held_out(melody, stored(held, "held"), stored(train, "train")).tolist() == fresh
    monkeypatch.setattr(data, "_fresh", compare)
    kept.write_bytes(kept.read_bytes()[:-40])
    assert data._held_out(melody, stored(held, "held"), stored(train, "train")).tolist() == fresh
    train[0] = held[7]
    assert data._held_out(melody, stored(held, "held"), stored(train, "train")).tolist() == [*fresh[:6], *fresh[7:]]


def test_sets_in_files_are_joined_without_reading_them():
    rows = [tokens(40, 1), tokens(30, 2), tokens(20, 3)]
    sets = [stored(rows[0], "a"), Windows(rows[1], torch.zeros(30), 90, ["x"]), stored(rows[2], "c")]
    joined = data._concat(sets)
    whole = torch.cat(rows)
    assert torch.equal(joined.values(), whole)
    order = torch.randperm(90, generator=torch.Generator().manual_seed(0))
    assert torch.equal(joined.data[order[:9]], whole[order[:9]])
    chosen = joined.subset(order[:50]).subset(torch.tensor([4, 2, 2]))
    assert (len(chosen), chosen.data.shape) == (3, (3, 32))
    assert torch.equal(chosen.values(), whole[order[[4, 2, 2]]])
    assert joined.data.key == ""  # A part is in memory.
    both = data._concat([sets[0], sets[2]])
    keys = [both.data.key, both.subset(order[:3] % 60).data.key, data._concat([sets[2], sets[0]]).data.key]
    assert len({*keys, ""}) == 4
