"""A classifier that tells samples from real windows, on windows that can or cannot be told apart."""

import pytest
import torch

from musicae.evaluations.shared import two_samples
from musicae.evaluations.shared.two_samples import Halves, classifier_auroc, halves
from musicae.tensors import metrics


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(two_samples, "_STEPS", 80)


def windows(n, seed, share=0.2):
    return (torch.rand(n, 6, 32, generator=torch.Generator().manual_seed(seed)) < share).to(torch.uint8)


def values(x, rng):
    return x.float()


def both(seed, **options):
    return Halves(windows(200, seed, **options), windows(200, seed + 100, **options))


def test_windows_of_the_same_kind_cannot_be_told_apart():
    found, spread = classifier_auroc(both(1), both(2), 4, values, 0)
    assert found == pytest.approx(0.5, abs=1.6 * spread)
    assert 0.04 < spread < 0.07


def test_windows_that_differ_can_be_told_apart_and_the_figure_is_the_same_each_time():
    denser = both(2, share=0.3)
    found, spread = classifier_auroc(both(1), denser, 4, values, 0)
    assert found > 0.9
    assert spread < 0.03
    state = torch.get_rng_state()
    assert classifier_auroc(both(1), denser, 4, values, 0) == (found, spread)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_does_not_belong_together_is_told_from_what_does():
    """Every bar of a real window is like the first; of the others each is of its own."""

    def bars(n, seed, same):
        kinds = torch.randint(6, (n, 8), generator=torch.Generator().manual_seed(seed))
        kinds = kinds[:, :1].expand(-1, 8) if same else kinds
        return torch.nn.functional.one_hot(kinds.repeat_interleave(16, 1), 6).mT.to(torch.uint8)

    real = Halves(bars(200, 1, True), bars(200, 2, True))
    made = Halves(bars(200, 3, False), bars(200, 4, False))
    assert classifier_auroc(real, made, 4, values, 0)[0] > 0.95


def test_batches_are_augmented_in_training_and_in_the_test(monkeypatch):
    monkeypatch.setattr(two_samples, "_STEPS", 3)
    seen = []

    def augment(x, rng):
        seen.append(len(x))
        return x.float()

    classifier_auroc(both(1), both(2), 4, augment, 0)
    assert seen == [1] + [128] * 3 + [128, 72] * 2  # The first one tells how many channels there are.


def test_no_piece_is_in_both_halves():
    pieces = torch.tensor([5, 5, 5, 7, 7, 9, 9, 9, 9, 2])
    first, second = halves(pieces, 0)
    assert sorted([*first.tolist(), *second.tolist()]) == list(range(10))
    assert not set(pieces[first].tolist()) & set(pieces[second].tolist())
    assert 3 <= len(first) <= 5
    assert not torch.equal(halves(torch.arange(10), 0)[0], halves(torch.arange(10), 1)[0])
    assert [half.tolist() for half in halves(torch.zeros(5), 0)] == [[0, 1], [2, 3, 4]]
    assert [len(half) for half in halves(torch.tensor([3, 4]), 0)] == [1, 1]


def test_the_spread_is_that_of_many_trials():
    rng = torch.Generator().manual_seed(0)
    found = [metrics.auroc(torch.randn(80, generator=rng), 1 + torch.randn(60, generator=rng)) for _ in range(400)]
    mean, std = torch.tensor(found).mean().item(), torch.tensor(found).std().item()
    assert two_samples.auroc_spread(mean, 80, 60) == pytest.approx(1.96 * std, rel=0.15)
