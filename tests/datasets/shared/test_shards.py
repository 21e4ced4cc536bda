"""Shards: what is written is read, damage is noticed, and memory is given back."""

import json
import pickle
import resource
import sys

import numpy as np
import pytest
import torch

from musicae.datasets.shared import shards
from musicae.datasets.shared.shards import Piece, ShardedData, open_shard, pack_shard, save_shard
from musicae.errors import MusicaeError, OutputError

RNG = np.random.default_rng(0)


def pieces(number, dtype=np.uint8, lead=(), rows=False):
    """Return pieces of random numbers: three with windows of 8 steps, one without any."""
    found = []
    for i in range(3):
        shape = (5 + i, *lead, 8) if rows else (*lead, 40 + i)
        starts = np.arange(5 + i) if rows else RNG.permutation(32)[: 5 + i]
        found.append(Piece(f"{number}/{i}", RNG.integers(0, 2 if dtype is bool else 99, shape).astype(dtype), starts))
    return [found[0], Piece(f"{number}/none", np.empty(0), np.empty(0, int), (("silent", "x.mid"),)), *found[1:]]


def expected(found, rows):
    return np.concatenate(
        [p.data[p.starts] if rows else np.stack([p.data[..., s : s + 8] for s in p.starts])
         for p in found if len(p.starts)]
    )  # fmt: skip


@pytest.fixture
def stored(tmp_path):
    def make(dtype=np.uint8, lead=(), rows=False, count=3):
        made = [pieces(i, dtype, lead, rows) for i in range(count)]
        for i, one in enumerate(made):
            save_shard(pack_shard(one, rows), tmp_path / f"{i}.safetensors", "key")
        opened = [open_shard(tmp_path / f"{i}.safetensors", "key") for i in range(count)]
        values = torch.from_numpy(np.concatenate([expected(one, rows) for one in made]))
        return ShardedData(opened, (*lead, 8), rows), values

    return make


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int16, np.float32])
@pytest.mark.parametrize(("lead", "rows"), [((), False), ((9,), False), ((3, 5), True)])
def test_windows_come_back_in_any_order_and_number(stored, dtype, lead, rows):
    data, values = stored(dtype, lead, rows)
    assert (len(data), data.shape) == (len(values), tuple(values.shape))
    everything = data[torch.arange(len(data))]
    assert everything.dtype == values.dtype
    assert torch.equal(everything, values)
    index = torch.from_numpy(RNG.permutation(len(data)))
    for part in (index, index[:3], index[:0], index.repeat(5)):
        assert torch.equal(data[part], values[part])
    chosen = data.subset(index[:20]).subset(torch.tensor([3, 7, 7]))
    assert torch.equal(chosen[torch.arange(3)], values[index[:20]][[3, 7, 7]])


def test_the_header_tells_the_pieces_and_what_was_left_out(stored, tmp_path):
    stored()
    found = open_shard(tmp_path / "1.safetensors", "key")
    assert found.names == ["1/0", "1/none", "1/1", "1/2"]
    assert found.counts.tolist() == [5, 0, 6, 7]
    assert found.left_out == [("silent", "x.mid")]
    assert open_shard(tmp_path / "1.safetensors", "other") is None
    assert open_shard(tmp_path / "none.safetensors", "key") is None


def test_any_change_of_a_byte_is_noticed(stored, tmp_path):
    """In the header and the index a file does not open; in the data it does not come to be used."""
    stored(count=1)
    path = tmp_path / "0.safetensors"
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :])
        found = open_shard(path, "key")
        if found is not None and found.is_whole():  # The byte has no meaning, as a space in the header.
            assert ShardedData([found], (8,), False)[torch.arange(18)].equal(
                ShardedData([reopened(path, whole)], (8,), False)[torch.arange(18)]
            )
    path.write_bytes(whole)
    assert open_shard(path, "key").is_whole()


def reopened(path, whole):
    path.with_name("whole").write_bytes(whole)
    return open_shard(path.with_name("whole"), "key")


def test_a_file_that_is_cut_short_does_not_open(stored, tmp_path):
    stored(count=1)
    path = tmp_path / "0.safetensors"
    whole = path.read_bytes()
    for end in (0, 7, 8, 100, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert open_shard(path, "key") is None
    path.write_bytes(whole + b"x")
    assert open_shard(path, "key") is None


@pytest.mark.parametrize(
    "header",
    [[], {}, {"__metadata__": 3}, {"__metadata__": {"shard": "[]"}, "data": {}}, {"__metadata__": {"shard": "{}"}},
     {"data": {"dtype": "U8", "shape": [-1], "data_offsets": [0, 1]}}],
)  # fmt: skip
def test_an_odd_header_does_not_open(header, tmp_path):
    text = json.dumps(header).encode()
    (tmp_path / "a").write_bytes(len(text).to_bytes(8, "little") + text)
    assert open_shard(tmp_path / "a", "key") is None
    (tmp_path / "a").write_bytes((2**60).to_bytes(8, "little") + text)
    assert open_shard(tmp_path / "a", "key") is None


def test_data_that_are_damaged_later_are_refused_and_removed(stored, tmp_path):
    data, _ = stored()
    path = tmp_path / "1.safetensors"
    damaged = bytearray(path.read_bytes())
    damaged[open_shard(path, "key").at + 3] ^= 1
    path.write_bytes(damaged)
    assert len(data[torch.arange(10)]) == 10  # They are in the first shard.
    with pytest.raises(MusicaeError, match=r"1\.safetensors was damaged or removed; run the same command again"):
        data[torch.arange(40)]
    assert not path.exists()


def test_large_windows_are_read_without_mapping_files(tmp_path):
    block = RNG.integers(-999, 999, (1, 40_000)).astype(np.int16)
    pictures = RNG.integers(0, 256, (6, 3, 40, 40)).astype(np.uint8)
    for piece, window, rows in (
        (Piece("a", block, np.array([0, 7, 30_000])), (1, 3000), False),
        (Piece("b", pictures, np.arange(6)), (3, 40, 40), True),
    ):
        path = tmp_path / piece.name
        save_shard(pack_shard([piece], rows), path, "key")
        data = ShardedData([open_shard(path, "key")], window, rows)
        plain = ShardedData([pack_shard([piece], rows)], window, rows)
        index = torch.tensor([2, 0, 1, 2])
        for found, expected in ((data, plain), (data.subset(index), plain.subset(index))):
            assert torch.equal(found[index % len(found)], expected[index % len(found)])
        assert data._shards[0]._data is None
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(MusicaeError, match="was damaged or removed"):
            data[index]
        assert not path.exists()
        with pytest.raises(MusicaeError, match="was damaged or removed"):
            data[index]


def test_memory_is_given_back(stored, monkeypatch):
    data, values = stored()
    monkeypatch.setattr(shards, "_MAX_RESIDENT", 100_000)
    for _ in range(20):
        assert torch.equal(data[torch.arange(20)], values[:20])
    assert data._touched <= 100_000
    data.release()
    assert all(shard._data is None for shard in data._shards)
    assert torch.equal(data[torch.arange(20)], values[:20])


@pytest.mark.skipif(sys.platform != "linux", reason="asks for the resident memory of Linux")
def test_training_on_more_than_it_may_hold_takes_no_more(tmp_path, monkeypatch):
    """Ten times as much is read as may be resident."""
    monkeypatch.setattr(shards, "_MAX_RESIDENT", 1 << 24)
    block = np.zeros((1, 1 << 24), np.int16)  # 32 MB, of 512 windows.
    for i in range(5):
        save_shard(pack_shard([Piece("a", block, np.arange(512) * 32768)], False), tmp_path / f"{i}", "key")
    data = ShardedData([open_shard(tmp_path / f"{i}", "key") for i in range(5)], (1, 32768), False)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
    data[order[:64]]
    before = resident()
    peak = 0
    for index in torch.split(order, 64):
        data[index]
        peak = max(peak, resident())
    assert peak - before < 60e6 < 5 * block.nbytes / 2
    assert resource.getpagesize() == shards._PAGE


def resident():
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize()


def test_a_worker_that_is_spawned_opens_the_files_itself(stored):
    data, values = stored()
    assert torch.equal(data[torch.arange(30)], values[:30])
    content = pickle.dumps(data)
    assert len(content) < 6000  # The places, not the data.
    assert torch.equal(pickle.loads(content)[torch.arange(30)], values[:30])


def test_keys_tell_windows_apart(stored, tmp_path):
    one, _ = stored()
    same = ShardedData([open_shard(tmp_path / f"{i}.safetensors", "key") for i in range(3)], (8,), False)
    other, _ = stored()
    keys = [one.key, one.subset(torch.arange(5)).key, one.subset(torch.arange(6)).key, other.key]
    assert len(set(keys)) == 4
    assert all(keys)
    assert same.key == one.key
    assert ShardedData([pack_shard(pieces(0), False)], (8,), False).key == ""


def test_windows_in_memory_are_as_those_in_files():
    made = pieces(0)
    data = ShardedData([pack_shard(made, False)], (8,), False)
    data.release()
    assert torch.equal(data[torch.arange(18)], torch.from_numpy(expected(made, False)))


def test_nothing_at_all_is_a_shard_too(tmp_path):
    silent = Piece("a", np.empty(0), np.empty(0, int), (("silent", "a.wav"),))
    for found in ([], [silent]):
        save_shard(pack_shard(found, False), tmp_path / "a", "key")
        data = ShardedData([open_shard(tmp_path / "a", "key")], (1, 8), False)
        assert (len(data), tuple(data[torch.arange(0)].shape)) == (0, (0, 1, 8))


def test_a_folder_that_is_missing_is_said(tmp_path):
    with pytest.raises(OutputError, match="no folder"):
        save_shard(pack_shard(pieces(0), False), tmp_path / "none" / "a", "key")


def test_types_that_differ_are_refused(tmp_path):
    with pytest.raises(MusicaeError, match="several types"):
        ShardedData([pack_shard(pieces(0, dtype), False) for dtype in (np.uint8, np.int16)], (8,), False)
