import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.errors import MusicaeError
from musicae.tensors import latent

HALF = torch.tensor(0.5)


def test_slerp_keeps_to_the_circle_and_passes_its_middle():
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    torch.testing.assert_close(latent.slerp(a, b, HALF), torch.full((1, 2), math.sqrt(0.5)))
    torch.testing.assert_close(latent.slerp(a, 4 * b, HALF).norm(), torch.tensor(2.0))


@pytest.mark.parametrize("b", [[1.0, 2.0], [-1.0, -2.0], [0.0, 0.0], [3.0, 6.0]])
def test_slerp_of_equal_opposite_and_zero_codes_is_the_straight_line(b):
    a, b = torch.tensor([[1.0, 2.0]]), torch.tensor([b])
    torch.testing.assert_close(latent.slerp(a, b, HALF), (a + b) / 2)


@pytest.mark.parametrize("spherical", [False, True])
def test_paths_begin_and_end_at_their_ends(spherical):
    a, b = torch.randn(3, 5), torch.randn(3, 5)
    walk = latent.path(a, b, torch.linspace(0, 1, 4), spherical)
    assert walk.shape == (4, 3, 5)
    torch.testing.assert_close(walk[0], a)
    torch.testing.assert_close(walk[-1], b)


def test_each_pair_may_have_its_own_times():
    a, b = torch.zeros(2, 1), torch.ones(2, 1)
    walk = latent.path(a, b, torch.tensor([[0.0, 0.25], [1.0, 0.5]]))
    assert walk.squeeze(-1).tolist() == [[0.0, 0.25], [1.0, 0.5]]


def test_a_grid_has_its_corners():
    corners = torch.randn(4, 2, 3)
    found = latent.grid(corners, 3, 5)
    assert found.shape == (3, 5, 2, 3)
    for place, corner in zip([(0, 0), (0, -1), (-1, 0), (-1, -1)], corners, strict=True):
        torch.testing.assert_close(found[place], corner)
    torch.testing.assert_close(found[1, 2], corners.mean(0))
    with pytest.raises(MusicaeError, match="4 corners"):
        latent.grid(corners[:3], 2, 2)


def _apart(points):
    """Distances between all points of each path ``(N, F, ...)``."""
    return (points.unsqueeze(1) - points.unsqueeze(2)).abs().flatten(3).sum(-1)


def test_even_stops_spread_a_sudden_change():
    times = torch.linspace(0, 1, 201)
    far = (100 * torch.sigmoid(40 * (times - 0.5))).round()
    stops = latent.even_stops(_apart(far.view(1, -1, 1)), 5).squeeze(1)
    assert (far[stops] - torch.tensor([0.0, 25.0, 50.0, 75.0, 100.0])).abs().max() < 6
    assert stops[0] == 0
    assert stops[-1] == 200


def test_even_stops_pass_over_outputs_that_fall_back():
    times = torch.linspace(0, 1, 101)
    far = 10 * times + 3 * torch.sin(12 * torch.pi * times)
    stops = latent.even_stops(_apart(far.view(1, -1, 1)), 9).squeeze(1)
    assert (far[stops].diff() >= 0).all()
    assert (stops.diff() > 0).all()


def test_even_stops_see_a_detour_that_keeps_its_distance_from_the_start():
    """All of the second half is as far from the start as its middle, and still half of the way."""
    lines = ["0000", "1000", "1100", "1110", "1111", "2111", "2211", "2221", "2222"]
    tokens = torch.tensor([[int(token) for token in line] for line in lines])
    apart = (tokens.unsqueeze(0) != tokens.unsqueeze(1)).sum(-1).float().unsqueeze(0)
    assert latent.even_stops(apart, 5).squeeze(1).tolist() == [0, 2, 4, 6, 8]


def test_even_stops_keep_clear_of_a_point_that_costs_extra():
    apart = _apart(torch.linspace(0, 1, 9).view(1, -1, 1))
    assert latent.even_stops(apart, 3).squeeze(1).tolist() == [0, 4, 8]
    penalty = torch.zeros(1, 9)
    penalty[0, 3:6] = 1.0
    assert latent.even_stops(apart, 3, penalty)[1, 0].item() in (2, 6)


def test_even_stops_of_equal_outputs_walk_evenly():
    assert latent.even_stops(torch.zeros(2, 9, 9), 5)[:, 0].tolist() == [0, 2, 4, 6, 8]
    assert latent.even_stops(torch.zeros(2, 9, 9), 2)[:, 1].tolist() == [0, 8]


def test_an_attribute_vector_points_where_the_attribute_grows():
    codes = torch.randn(400, 8)
    direction = latent.attribute_vector(codes, codes[:, 3])
    assert direction.argmax() == 3
    assert direction[3] > 5 * direction[[0, 1, 2, 4, 5, 6, 7]].abs().max()
    with pytest.raises(MusicaeError, match="at least 4"):
        latent.attribute_vector(codes[:3], codes[:3, 0])


@given(seed=st.integers(0, 2**31), spherical=st.booleans(), size=st.integers(1, 8), scale=st.floats(1e-3, 1e3))
@settings(max_examples=60, deadline=None)
def test_any_walk_begins_and_ends_at_its_ends_and_keeps_between_their_lengths(seed, spherical, size, scale):
    rng = torch.Generator().manual_seed(seed)
    a, b = torch.randn(3, size, generator=rng).double(), scale * torch.randn(3, size, generator=rng).double()
    walk = latent.path(a, b, torch.linspace(0, 1, 7), spherical)
    torch.testing.assert_close(walk[0], a, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(walk[-1], b, atol=1e-6 * max(1, scale), rtol=1e-6)
    longest = torch.maximum(a.norm(dim=-1), b.norm(dim=-1))
    assert (walk.norm(dim=-1) <= longest * (1 + 1e-6)).all()
    back = latent.path(b, a, torch.linspace(0, 1, 7), spherical).flip(0)
    torch.testing.assert_close(back, walk, atol=1e-6 * max(1, scale), rtol=1e-5)


@given(seed=st.integers(0, 2**31), fine=st.integers(3, 40), steps=st.integers(2, 9), penalised=st.booleans())
@settings(max_examples=60, deadline=None)
def test_even_stops_go_on_from_the_first_point_to_the_last(seed, fine, steps, penalised):
    rng = torch.Generator().manual_seed(seed)
    points = torch.randn(2, fine, 3, generator=rng).cumsum(1).round()
    penalty = torch.rand(2, fine, generator=rng) if penalised else None
    distances = _apart(points)
    stops = latent.even_stops(distances, steps, penalty, still_cost=0.05)
    assert stops.shape == (steps, 2)
    assert (stops[0] == 0).all()
    assert (stops[-1] == fine - 1).all()
    assert (stops.diff(dim=0) >= 0).all()
    for path, way in zip(distances, stops.T, strict=True):
        assert (path[0, way[way < fine - 1]].diff() >= 0).all()  # Only its end may be nearer to the start again.


def test_stretches_that_change_at_once_are_staggered():
    """Two stretches that both change between the second and the third stop take turns, and keep off a barred moment."""
    path = torch.tensor([0.0, 0, 0, 1, 1, 1])  # What both stretches show at six moments.
    at = torch.tensor([[0, 0, 0], [1, 2, 3], [2, 3, 4], [5, 5, 5]])
    apart = (path[at[:-1]].unsqueeze(2) - path[at[1:]].unsqueeze(1)).abs() / 2
    apart = apart.masked_fill(at[:-1].unsqueeze(2) > at[1:].unsqueeze(1), torch.inf)
    apart = apart[:, None, None].expand(-1, 2, 1, -1, -1)
    penalty = torch.zeros(4, 1, 3)
    penalty[0, :, 1:] = penalty[3, :, 1:] = torch.inf

    def changes(chosen):
        shown = path[torch.stack([row[pick] for row, pick in zip(at, chosen[..., 0], strict=True)])]
        return (shown.diff(dim=0).abs().sum(1) / 2).tolist()

    assert sorted(changes(latent.staggered(apart, penalty))) == [0, 0.5, 0.5]
    penalty[1, :, 2] = torch.inf  # Neither may change in the first step then.
    chosen = latent.staggered(apart, penalty)
    assert (chosen[1] != 2).all()
    assert changes(chosen)[0] == 0
