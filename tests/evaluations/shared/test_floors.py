import math

import pytest
import torch

from musicae.evaluations.shared import floors


def test_reduction_by_two_has_the_known_weights():
    # The cubic kernel stretched by two, at the distances 0.5, 1.5, 2.5 and 3.5 of a half.
    known = torch.tensor([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
    matrix = floors._resize_matrix(40, 0.5)
    assert matrix.shape == (20, 40)
    assert torch.allclose(matrix[10, 17:25], known.double())
    assert matrix.sum(1).allclose(torch.ones(20).double())


def test_beyond_the_edge_the_picture_is_mirrored():
    x = torch.rand(1, 12, 12, generator=torch.Generator().manual_seed(0))
    mirrored = torch.cat([x.flip(-1), x, x.flip(-1)], -1)
    inside = floors.resize(torch.cat([mirrored.flip(-2), mirrored, mirrored.flip(-2)], -2), 0.5)[..., 6:12, 6:12]
    assert torch.allclose(floors.resize(x, 0.5), inside, atol=1e-6)


def test_enlarging_keeps_straight_lines_and_the_size_asked_for():
    ramp = torch.arange(16.0).expand(1, 10, 16)
    larger = floors.resize(ramp, 2)
    assert larger.shape == (1, 20, 32)
    assert torch.allclose(larger[0, 5, 6:-6], (torch.arange(32.0)[6:-6] + 0.5) / 2 - 0.5, atol=1e-5)
    assert floors.resize(torch.zeros(3, 7, 9), 1 / 2).shape == (3, 4, 5)
    assert torch.allclose(floors.resize(ramp, 1), ramp, atol=1e-6)


def test_back_projection_reduces_to_what_it_was_given():
    x = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(1)) * 0.2 + 0.4

    def enlarge(part):
        return floors.resize(part, 2)

    def reduce(part):
        return torch.nn.functional.avg_pool2d(part, 2)

    small = reduce(x)
    back = floors.back_projection(small, enlarge, reduce)
    assert (reduce(back) - small).abs().max() < 1e-3
    assert (reduce(enlarge(small)) - small).abs().max() > 1e-2


def test_luma_is_that_of_matlab():
    colours = torch.tensor([[0.0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]).T.view(3, 5, 1)
    assert (floors.rec601_luma(colours) * 255).flatten().round().tolist() == [16, 235, 81, 145, 41]
    assert (floors.rec601_luma(torch.tensor([[[0.0, 1.0]]])) * 255).flatten().round().tolist() == [16, 235]


def test_bytes_are_those_of_a_file():
    assert floors.to_bytes(torch.tensor([-0.1, 0.5, 0.999, 1.2])).tolist() == pytest.approx([0, 128 / 255, 1, 1])


def test_non_local_means_take_noise_away_where_they_are_installed(monkeypatch):
    clean = torch.zeros(1, 1, 32, 32)
    clean[..., 16:] = 0.8
    noisy = clean + 0.1 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(2))
    done = floors.nlm(noisy, torch.tensor([0.1]))
    if done is not None:
        assert (done - clean).std() < 0.03
        assert floors.nlm(noisy.expand(1, 3, 32, 32).contiguous(), torch.tensor([0.1])).shape == (1, 3, 32, 32)
        assert floors.nlm(clean, torch.tensor([0.0])).sub(clean).abs().max() < 1e-3
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert floors.nlm(noisy, torch.tensor([0.1])) is None


def test_the_same_axis_is_computed_once():
    assert floors._resize_matrix(31, 2.0) is floors._resize_matrix(31, 2.0)
    assert math.ceil(31 / 2) == floors._resize_matrix(31, 0.5).shape[0]
