"""What is measured of waves, against those who measured it first."""

import pytest
import torch

from musicae.waves import intelligibility


@pytest.mark.parametrize("rate", [10_000, 16_000, 44_100])
def test_intelligibility_is_about_stoi(rate):
    stoi = pytest.importorskip("pystoi").stoi
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(4 * rate) / rate
    syllables = (torch.sin(2 * torch.pi * 2 * time) * torch.sin(2 * torch.pi * 0.7 * time)).square()
    clean = 0.1 * torch.randn(len(time), generator=generator).cumsum(0).diff(append=torch.zeros(1)) * syllables
    levels = [0.0, 0.01, 0.05, 0.3]
    noisy = [clean + level * torch.randn(len(time), generator=generator) for level in levels]
    true = torch.tensor([stoi(clean.numpy(), one.numpy(), rate) for one in noisy], dtype=torch.float32)
    found = intelligibility(clean.expand(4, -1), torch.stack(noisy), rate)
    torch.testing.assert_close(found, true, atol=0.04, rtol=0)


def test_what_is_shorter_than_a_segment_is_not_judged():
    x = torch.randn(2, 500, generator=torch.Generator().manual_seed(0))
    assert (intelligibility(x, x, 16_000) == 0).all()
    assert (intelligibility(0 * x, x, 16_000) == 0).all()


def test_silence_is_not_understood():
    x = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    made = torch.zeros_like(x, requires_grad=True)
    found = intelligibility(x, made, 16_000)
    assert found.item() == pytest.approx(0, abs=0.05)
    found.sum().backward()
    assert made.grad.isfinite().all()
