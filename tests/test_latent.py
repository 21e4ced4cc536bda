import math

import pytest
import torch

from musicae import latent
from musicae.errors import MusicaeError

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


def test_even_times_spread_a_sudden_change():
    def distance(times):
        return (100 * torch.sigmoid(40 * (times - 0.5))).round().unsqueeze(1)

    times = latent.even_times(distance, 5, fine=200)
    far = distance(times.squeeze(1)).squeeze(1)
    assert (far - torch.tensor([0.0, 25.0, 50.0, 75.0, 100.0])).abs().max() < 6
    assert times[0] == 0
    assert times[-1] == 1


def test_even_times_pass_over_outputs_that_fall_back():
    def distance(times):
        bumpy = 10 * times + 3 * torch.sin(12 * torch.pi * times)
        return bumpy.unsqueeze(1)

    far = distance(latent.even_times(distance, 9).squeeze(1))
    assert (far.diff(dim=0) >= 0).all()


def test_even_times_of_equal_ends_walk_evenly():
    times = latent.even_times(lambda t: torch.zeros(len(t), 2), 5)
    assert times[:, 0].tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_near_goes_from_the_draw_to_the_code():
    z, draws = torch.randn(4, 6), torch.randn(4, 6)
    torch.testing.assert_close(latent.near(z, 1.0, draws), z)
    torch.testing.assert_close(latent.near(z, 0.0, draws), draws)
    with pytest.raises(MusicaeError, match="between 0 and 1"):
        latent.near(z, float("nan"), draws)


def test_an_attribute_vector_points_where_the_attribute_grows():
    codes = torch.randn(400, 8)
    direction = latent.attribute_vector(codes, codes[:, 3])
    assert direction.argmax() == 3
    assert direction[3] > 5 * direction[[0, 1, 2, 4, 5, 6, 7]].abs().max()
    with pytest.raises(MusicaeError, match="at least 4"):
        latent.attribute_vector(codes[:3], codes[:3, 0])
