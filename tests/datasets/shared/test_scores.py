"""From pieces to windows: where they start, which are kept, and how they are stored."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.adapters.drums import Drums
from musicae.adapters.image import Image
from musicae.adapters.melody import Melody
from musicae.core import Packed, Sample, Windows
from musicae.datasets.shared import scores
from musicae.datasets.shared.prepare import Plan
from musicae.datasets.shared.shards import Piece
from musicae.errors import MusicaeError
from musicae.tensors import melody_tokens

C4 = 2 + 60 - 21
DATA = Path(__file__).parents[3] / "data"


def piece(adapter, line, meter=(4, 4)):
    tensor = melody_tokens.one_hot(torch.as_tensor(line), adapter.spec.channels)
    return Sample(tensor, adapter.blank() | {"meters": [[0, *meter]]})


def cut(adapter, sample):
    """Return the windows of a sample as the data sets keep them, in the order of their starts."""
    found = scores.cut(adapter, "x", scores.pack(adapter, sample))
    return torch.from_numpy(scores._windows(found.data, np.sort(found.starts), adapter.spec.shape[-1]))


def cut_starts(adapter, length, meter=(4, 4)):
    """Return where the windows of a piece start: each of its steps is another onset."""
    line = 2 + torch.arange(length) % (adapter.spec.channels - 2)
    windows = cut(adapter, piece(adapter, line, meter))
    return [int(first) - 2 for first in windows[:, 0]]


@pytest.mark.parametrize(
    ("steps_per_beat", "meter", "length", "starts"),
    [
        (4, (4, 4), 64, [0, 16, 32]),
        (4, (4, 4), 60, [0, 16, 32]),
        (4, (3, 4), 48, [0, 24]),
        (4, (2, 4), 64, [0, 16, 32]),
        (4, (6, 8), 48, [0, 24]),
        (4, (12, 4), 80, [0, 32, 64]),
        (4, (4, 4), 16, [0]),
        (4, (4, 4), 8, []),
        (2, (4, 4), 32, [0, 8, 16]),
        (6, (3, 4), 72, [0, 36]),
        (6, (4, 4), 80, [0, 24, 48]),
    ],
)
def test_windows_start_at_bars_at_any_number_of_steps_in_a_beat(steps_per_beat, meter, length, starts):
    assert cut_starts(Melody(2, steps_per_beat), length, meter) == starts


def test_the_last_window_is_padded_with_rests_by_half_of_it_at_most():
    adapter = Melody()
    line = [step for i in range(28) for step in (C4 + i, 1)]
    windows = cut(adapter, piece(adapter, line))
    assert (windows.dtype, windows.shape) == (torch.uint8, (3, 32))
    assert windows[2].tolist() == line[32:] + [0] * 8
    short = cut(adapter, piece(adapter, [C4, 1] * 8))
    assert short.tolist() == [[C4, 1] * 8 + [0] * 16]


def test_windows_need_two_onsets_and_no_long_gap():
    adapter = Melody()

    def kept(line):
        return len(cut(adapter, piece(adapter, line)))

    assert kept([C4] + [1] * 31) == 0
    assert kept([C4] * 2 + [1] * 30) == 1
    assert kept([C4] * 2 + [0] * 15 + [C4] * 15) == 1
    assert kept([C4] * 2 + [0] * 17 + [C4] * 13) == 0
    assert kept([C4] * 15 + [0] * 17) == 0


def test_a_note_that_is_held_over_the_start_of_a_window_sounds_there():
    adapter = Melody()
    line = torch.zeros(48, dtype=torch.long)
    line[:2], line[2:34], line[34] = C4, 1, C4
    line[46:] = C4
    assert [int(window[0]) for window in cut(adapter, piece(adapter, line))] == [C4, 1]


def test_hits_are_stored_as_booleans():
    adapter = Drums()
    tensor = torch.zeros(9, 48)
    tensor[0, ::4] = tensor[1, 1] = 1
    windows = cut(adapter, Sample(tensor, adapter.blank()))
    assert (windows.dtype, windows.shape) == (torch.bool, (2, 9, 32))
    assert torch.equal(windows[0].float(), tensor[:, :32])
    tensor[:, 1:] = 0
    assert len(cut(adapter, Sample(tensor, adapter.blank()))) == 0


@pytest.mark.parametrize(
    ("bars", "meter", "hop"), [(16, (4, 4), 16), (8, (4, 4), 16), (8, (3, 4), 12), (4, (4, 4), 32), (16, (2, 4), 8)]
)
def test_a_long_window_starts_at_each_bar(bars, meter, hop):
    line = np.full(16 * bars + 4 * hop, C4, np.uint8)
    line[0 :: hop // 4] = C4 + np.arange(len(line[0 :: hop // 4])) % 7
    found = scores.cut(Melody(bars), "x", Packed(line, line > 1, line > 0, 16 * meter[0] / meter[1]))
    assert np.diff(np.sort(found.starts)).min() == hop


def test_of_several_parts_two_play_in_each_window():
    adapter, size = Melody(), 96
    line = np.where(np.arange(size) % 2, 1, C4 + np.arange(size) // 8).astype(np.uint8)
    parts = np.zeros((3, size), bool)
    parts[0], parts[2, 32:40], parts[1, 88:] = True, True, True

    def cut_of(parts):
        return scores.cut(adapter, "x", Packed(line, line > 1, line >= 0, 16, parts))

    assert sorted(cut_of(None).starts.tolist()) == [0, 16, 32, 48, 64]
    assert sorted(cut_of(parts).starts.tolist()) == [16, 32, 64]
    parts[2, 32] = False
    assert sorted(cut_of(parts).starts.tolist()) == [64]
    alone = cut_of(parts[:1])
    assert (alone.starts.tolist(), alone.left_out) == ([], (("in which no two parts play together", "x"),))


def test_an_adapter_without_notes_is_refused():
    with pytest.raises(MusicaeError, match="this data set holds notes"):
        scores.pack(Image(), Sample(torch.zeros(1, 28, 28)))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.integers(1, 200), st.integers(1, 12), st.tuples(st.integers(1, 12), st.sampled_from([2, 4, 8, 16])))
def test_all_windows_together_cover_the_piece_but_for_half_a_window(length, steps_per_beat, meter):
    adapter = Melody(2, steps_per_beat, 0, 127)
    size = 8 * steps_per_beat
    line = 2 + torch.arange(length) % 127
    # All steps are onsets, so every window is kept whose padding is half of it at most.
    windows = cut(adapter, piece(adapter, line, meter))
    if length >= max(2, size // 2):
        assert len(windows) >= max(1, (length - size // 2) // size)
        assert torch.equal(windows[0, :length].long(), line[:size])
    assert all((window >= 2).sum() >= 2 for window in windows)


def test_a_window_that_a_piece_repeats_is_kept_once():
    adapter = Melody()
    a, b = np.full(32, C4, np.uint8), np.full(32, C4 + 1, np.uint8)
    whole = np.concatenate([b, a, b, b])
    found = scores.cut(adapter, "one", Packed(whole, whole > 1, whole > 0, 16))
    assert found.starts.tolist() == [32, 48, 16, 0]


def test_pieces_without_windows_are_left_out(caplog):
    adapter = Melody()
    a, b = np.full(32, C4, np.uint8), np.full(32, C4 + 1, np.uint8)
    one, two = Piece("one", np.concatenate([b, a]), np.array([32, 0])), Piece("two", a, np.array([0]))
    none = scores.cut(adapter, "none", Packed(a, a < 0, a > 0, 16))
    damaged = scores.unreadable("bad", MusicaeError("it is damaged"))

    def plan(key, *pieces):
        return Plan("tunes", key, [pieces[:2], pieces[2:]], lambda batch: list(batch))

    found = scores.collect(adapter, plan("a", one, none, damaged, two))
    assert (found.names, found.pieces.tolist(), found.channels) == (["one", "two"], [0, 0, 1], 90)
    assert torch.equal(found.values(), torch.from_numpy(np.stack([a, b, a])))
    assert "2 of 4 tunes were left out: 1 without two notes" in caplog.text
    why = r"none of the 3 tunes can be used: 2 without two notes .* no long gap \(none\), 1 .* \(bad: it is damaged\)"
    for _ in range(2):  # It is said again.
        with pytest.raises(MusicaeError, match=why):
            scores.collect(adapter, plan("b", damaged, none, none))
    with pytest.raises(MusicaeError, match="there are no tunes"):
        scores.collect(adapter, Plan("tunes", "c", [], list))


def test_a_subset_keeps_labels_and_conditions():
    windows = Windows(
        torch.arange(8).view(4, 2).to(torch.uint8), torch.tensor([0, 1, 1, 2]), 8, ["a", "b", "c"],
        labels=torch.tensor([5, 6, 7, 8]), cond=torch.arange(4.0).view(4, 1),
    )  # fmt: skip
    found = scores.subset(windows, lambda name: name != "b")
    assert (found.pieces.tolist(), found.names) == ([0, 2], ["a", "b", "c"])
    assert found.labels.tolist() == [5, 8]
    assert found.cond.tolist() == [[0.0], [3.0]]
    assert len(scores.subset(windows, lambda name: False)) == 0


def test_the_windows_of_a_random_piece_are_slices_of_it():
    adapter = Melody()
    line = torch.from_numpy(np.random.default_rng(0).integers(2, 90, 100))
    windows = cut(adapter, piece(adapter, line))
    for i, window in enumerate(windows[:-1]):
        assert torch.equal(window.long(), line[16 * i : 16 * i + 32])


@pytest.mark.parametrize("dtype", [np.uint8, np.bool_, np.int32, np.float32])
def test_windows_are_in_the_order_of_their_values(dtype):
    rng = np.random.default_rng(0)
    windows = rng.integers(0, 2 if dtype == np.bool_ else 300 if dtype == np.int32 else 3, (40, 2, 3)).astype(dtype)
    expected = torch.unique(torch.from_numpy(windows), dim=0)
    assert torch.equal(torch.from_numpy(windows[scores._once(windows)]), expected)
    assert scores._once(windows[:0]) == []


@pytest.mark.parametrize("adapter", [Melody(), Drums(), Melody(3, 12, 48, 72)])
def test_a_file_is_read_for_training_as_it_is_otherwise(adapter):
    for path in sorted(DATA.glob("*.mid")):
        found = scores.read_piece(adapter, path.name, path)
        if "that cannot be read" in dict(found.left_out):
            with pytest.raises(MusicaeError, match=re.escape(found.left_out[0][1])):
                adapter.read(path)
            continue
        sample = adapter.read(path)
        expected = scores.cut(adapter, path.name, scores.pack(adapter, sample))
        assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))
        packed, plain = adapter.read_packed(path), scores.pack(adapter, sample)
        assert packed.data.dtype == plain.data.dtype
        assert packed.bar == plain.bar


def test_an_adapter_that_only_reads_samples_will_do():
    class Plain(Melody):
        def pack_score(self, loaded, track):
            return None

    path = DATA / "twinkle.mid"
    for found, plain in zip(scores.read_piece(Plain(), "x", path), scores.read_piece(Melody(), "x", path), strict=True):
        assert np.array_equal(found, plain)
