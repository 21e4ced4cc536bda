import pytest
import torch

from musicae import windows
from musicae.errors import MusicaeError


@pytest.mark.parametrize("length", [1, 7, 8, 9, 16, 23])
@pytest.mark.parametrize("hop", [3, 6, 8])
@pytest.mark.parametrize("fade", [False, True])
def test_join_undoes_split(length, hop, fade):
    x = torch.randn(2, 3, length)
    parts = windows.split(x, 8, hop)
    assert parts.shape[1:] == (2, 3, 8)
    assert len(parts) == windows.count(length, 8, hop)
    torch.testing.assert_close(windows.join(parts, hop, length, fade=fade), x)


def test_split_cuts_no_window_that_adds_nothing():
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


@pytest.mark.parametrize("hop", [0, 9])
def test_a_hop_that_does_not_fit_is_refused(hop):
    with pytest.raises(MusicaeError, match="hop"):
        windows.split(torch.zeros(1, 8), 8, hop)


@pytest.mark.parametrize("shape", [(1, 1), (7, 30), (64, 33)])
@pytest.mark.parametrize("grain", [1, 4])
def test_tiles_cover_everything_once_in_phase(shape, grain):
    x, count = torch.rand(shape), torch.zeros(shape)
    for context, inner, place in windows.tiles(shape, 16, 6, grain):
        assert torch.equal(x[context][inner], x[place])
        count[place] += 1
        assert all(part.start % grain == 0 for part in (*context, *inner, *place))
        assert all(part.stop - part.start <= 16 for part in place)
    assert (count == 1).all()
