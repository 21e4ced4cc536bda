import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.tensors import windows


@given(data=st.data(), length=st.integers(1, 60), size=st.integers(1, 20), fade=st.booleans())
@settings(max_examples=150, deadline=None)
def test_join_undoes_split(data, length, size, fade):
    hop = data.draw(st.integers(1, size))
    shape = data.draw(st.sampled_from([(2,), (1, 3)]))
    x = torch.randn(*shape, length, generator=torch.Generator().manual_seed(length))
    parts = windows.split(x, size, hop)
    assert parts.shape[1:] == (*shape, size)
    assert len(parts) == windows.count(length, size, hop)
    torch.testing.assert_close(windows.join(parts, hop, length, fade=fade), x)


@given(length=st.integers(1, 60), size=st.integers(1, 20), hop=st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_split_cuts_no_window_that_adds_nothing(length, size, hop):
    assume(hop <= size)
    n = windows.count(length, size, hop)
    assert (n - 1) * hop + size >= length  # They cover it all ...
    assert n == 1 or (n - 2) * hop + size < length  # ... and one fewer would not.


def test_split_counts_by_example():
    assert len(windows.split(torch.zeros(1, 16), 8)) == 2
    assert len(windows.split(torch.zeros(1, 17), 8)) == 3
    assert len(windows.split(torch.zeros(1, 14), 8, 6)) == 2


def test_split_pads_with_what_it_is_given():
    step = torch.tensor([[1.0], [0.0]])
    parts = windows.split(torch.zeros(2, 3), 5, pad=step)
    assert parts[0, 0].tolist() == [0, 0, 0, 1, 1]
    assert parts[0, 1].tolist() == [0, 0, 0, 0, 0]


def test_without_a_fade_the_later_window_wins_from_its_start():
    parts = torch.stack([torch.zeros(1, 4), torch.ones(1, 4)])
    assert windows.join(parts, 3)[0].tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_a_fade_is_a_slope():
    parts = torch.stack([torch.zeros(1, 6), torch.ones(1, 6)])
    joined = windows.join(parts, 3, fade=True)[0]
    assert joined[:3].tolist() == [0, 0, 0]
    assert (joined[3:6].diff() > 0).all()
    assert joined[6:].tolist() == [1, 1, 1]


@pytest.mark.parametrize("hop", [0, 9])
def test_a_hop_that_does_not_fit_is_refused(hop):
    with pytest.raises(MusicaeError, match="hop"):
        windows.split(torch.zeros(1, 8), 8, hop)


@given(
    shape=st.lists(st.integers(1, 40), min_size=1, max_size=2),
    size=st.integers(1, 20),
    context=st.integers(0, 9),
    grain=st.sampled_from([1, 2, 4]),
)
@settings(max_examples=60, deadline=None)
def test_tiles_cover_everything_once_in_phase(shape, size, context, grain):
    x, count = torch.rand(shape), torch.zeros(shape)
    for around, inner, place in windows.tiles(shape, size, context, grain):
        assert torch.equal(x[around][inner], x[place])
        count[place] += 1
        assert all(part.start % grain == 0 for part in (*around, *inner, *place))
        assert all(part.stop - part.start <= max(size, grain) for part in place)
    assert (count == 1).all()


@given(height=st.integers(1, 40), width=st.integers(1, 9), size=st.integers(2, 9), context=st.integers(0, 12))
@settings(max_examples=100, deadline=None)
def test_rows_are_as_they_were_while_a_tensor_is_overwritten(height, width, size, context):
    x = torch.randn(2, height, width, generator=torch.Generator().manual_seed(height))
    kept, rows = x.clone(), windows.Rows(x)
    for around, _, place in windows.tiles((height, width), size, context):
        assert torch.equal(rows.at(around[0], place[0]), kept[:, around[0]])
        x[(slice(None), *place)] = -1.0


def test_only_some_channels_are_averaged_where_windows_overlap():
    parts = torch.stack([torch.zeros(2, 4), torch.ones(2, 4)])
    joined = windows.join_channels(parts, 2, 6, torch.tensor([True, False]))
    assert joined[1].unique().tolist() == [0.0, 1.0]
    assert 0 < joined[0, 2:4].mean() < 1
    assert not set(joined[0, 2:4].tolist()) <= {0.0, 1.0}
    assert torch.equal(windows.join_channels(parts, 2, 6, torch.tensor([False, False])), windows.join(parts, 2, 6))


def test_conditions_are_cut_and_joined_like_their_samples():
    along = Sample(torch.zeros(1, 14), hop=6, cond=torch.arange(28.0).view(2, 14))
    parts = windows.split_cond(along, 8)
    assert parts.shape == (2, 2, 8)
    assert parts[1, 0].tolist() == [6, 7, 8, 9, 10, 11, 12, 13]
    assert torch.equal(windows.join_cond(parts, 6, 14), along.cond)
    whole = Sample(torch.zeros(1, 17), cond=torch.tensor([0.25, 0.75]))
    parts = windows.split_cond(whole, 8)
    assert parts.shape == (3, 2)
    assert torch.equal(windows.join_cond(parts, None, 17), whole.cond)
    assert windows.split_cond(Sample(torch.zeros(1, 17)), 8) is windows.join_cond(None, None, 17) is None
