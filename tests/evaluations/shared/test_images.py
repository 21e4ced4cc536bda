"""PSNR, entropy, components and probes of pictures."""

import math

import pytest
import torch

from musicae.core import Windows
from musicae.evaluations.shared.images import PCA, entropy, knowledge, probe, psnr


def test_a_probe_finds_what_a_line_can_tell_and_no_more():
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(600, 4, generator=rng)
    line = (x[:, 1] > 0.3).long()
    assert probe(x[:400], line[:400], x[400:], line[400:]).mean() > 0.97
    apart = (x[:, 0] * x[:, 1] > 0).long()
    assert probe(x[:400], apart[:400], x[400:], apart[400:]).mean() < 0.7
    constant = torch.cat([x, torch.ones(600, 1)], 1)
    assert probe(constant[:400], line[:400], constant[400:], line[400:]).mean() > 0.97


def test_pictures_without_error_count_as_a_hundred_decibels():
    x = torch.rand(2, 1, 4, 4)
    assert psnr(x, x).tolist() == [100, 100]


def test_entropy_is_that_of_independent_draws():
    assert entropy(torch.full((3, 1, 2, 2), 0.5)).tolist() == pytest.approx([4 * math.log(2)] * 3)
    assert entropy(torch.zeros(1, 1, 2, 2)).item() == 0


def test_components_keep_what_lies_on_them_within_its_range():
    rng = torch.Generator().manual_seed(0)
    plane = 0.5 + 0.1 * torch.einsum(
        "nk,kchw->nchw", torch.rand(80, 2, generator=rng), torch.rand(2, 1, 4, 4, generator=rng)
    )
    components = PCA(Windows(plane, torch.arange(80), 1), 2)
    assert components.encode(plane).shape == (80, 2)
    torch.testing.assert_close(components.restore(plane), plane, atol=1e-4, rtol=0)
    assert components.restore(plane + 5).max() <= 1


def test_knowledge_is_of_the_codes_and_not_of_conditional_models(kit):
    train, test = kit.drawn(200, seed=1), kit.drawn(60)
    figures = {}
    knowledge(figures, kit.made(kit.Doubtful((1, 8, 8))), train, test, PCA(train, 4), None, 100, 0)
    assert figures["probe_accuracy"] < 0.7 < figures["floor_probe_accuracy"]
    told = {}
    knowledge(told, kit.made(kit.Whole((1, 8, 8), classes=3)), train, test, PCA(train, 4), None, 100, 0)
    train.labels = None
    knowledge(told, kit.made(kit.Whole((1, 8, 8))), train, test, PCA(train, 4), None, 100, 0)
    assert told == {}
