"""Linear maps that start as principal components."""

import pytest
import torch

from musicae.core import Group, Spec
from musicae.models.layers.linear_path import LinearPath

SPEC = Spec.joint((8,), (Group("notes", 3, "bernoulli"), Group("loudness", 1, "gaussian")))


def windows(n, components):
    torch.manual_seed(1)
    mixed = torch.randn(n, components) @ torch.randn(components, 32)
    return (mixed.view(n, 4, 8) - mixed.mean()) / mixed.std()


def test_as_many_components_as_the_data_has_give_it_back():
    x = windows(50, 5)
    path = LinearPath(SPEC, 5)
    path.init_from_data(x)
    z = path.encode(x)
    made = path.decode(z)
    assert made.shape == x.shape
    assert torch.allclose(made[:, 3], x[:, 3], atol=1e-4)  # A mean is the value itself,
    assert torch.allclose(made[:, :3], 8 * (x[:, :3] - 0.5), atol=1e-3)  # a logit is over 0 where that is over .5.
    assert torch.allclose(z.T @ z / len(z), torch.eye(5), atol=1e-3)


def test_the_last_component_is_as_strong_as_the_noise():
    x = windows(200, 12)
    logvar = LinearPath(SPEC, 6).init_from_data(x)
    assert logvar[-1].exp() == pytest.approx(0.5)
    assert (logvar.diff() >= 0).all()


def test_numbers_without_a_component_stay_out():
    path = LinearPath(SPEC, 20)
    logvar = path.init_from_data(windows(6, 5))
    z = path.encode(windows(6, 5))
    assert not z[:, 6:].any()
    assert logvar[6:].tolist() == [0] * 14
    assert torch.isfinite(path.decode(z)).all()


def test_windows_that_are_all_the_same_are_no_fault():
    path = LinearPath(SPEC, 2)
    same = torch.ones(10, 4, 8)
    path.init_from_data(same)
    assert torch.isfinite(path.encode(same)).all()
    assert torch.allclose(path.decode(path.encode(same))[:, 3], same[:, 3], atol=1e-4)
