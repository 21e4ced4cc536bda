import torch

from musicae.tensors.likelihoods.spectral import Spectral


def test_the_loss_falls_with_the_noise_and_not_with_the_level_of_the_target():
    rng = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(4, 1, 4000, generator=rng).cumsum(-1) * 0.01, torch.randn(4, 1, 4000, generator=rng)
    losses = torch.stack([Spectral().nll(clean + level * noise, clean) for level in (0.0, 0.01, 0.1, 1.0)])
    assert (losses.diff(dim=0) > 0).all()
    torch.testing.assert_close(Spectral().nll(0.1 * clean + 0.01 * noise, 0.1 * clean), losses[2], rtol=1e-3, atol=1)
    torch.testing.assert_close(Spectral(snr_weight=0.0).nll(clean, clean), torch.zeros(4), atol=1e-3, rtol=0)
    assert (Spectral(snr_weight=0.0).nll(0.5 * clean, clean) > 100).all()


def test_its_parts_are_weighed():
    rng = torch.Generator().manual_seed(0)
    clean, made = torch.randn(2, 1, 4000, generator=rng), torch.randn(2, 1, 4000, generator=rng)

    def loss(magnitude, complex_, snr):
        return Spectral(magnitude_weight=magnitude, complex_weight=complex_, snr_weight=snr).nll(made, clean)

    torch.testing.assert_close(loss(2, 3, 0.5), 2 * loss(1, 0, 0) + 3 * loss(0, 1, 0) + 0.5 * loss(0, 0, 1))


def test_silence_has_a_gradient_that_is_finite():
    for target in (torch.zeros(2, 1, 2000), torch.randn(2, 1, 2000)):
        made = torch.zeros(2, 1, 2000, requires_grad=True)
        Spectral().nll(made, target).sum().backward()
        assert made.grad.isfinite().all()


def test_lost_intelligibility_costs_what_it_weighs():
    generator = torch.Generator().manual_seed(0)
    swell = torch.sin(torch.arange(16_000) / 800).square()
    clean = torch.randn(3, 1, 16_000, generator=generator) * swell
    made = clean + torch.tensor([0.0, 0.1, 1.0])[:, None, None] * torch.randn(3, 1, 16_000, generator=generator)
    lost = (Spectral(stoi_weight=2.0).nll(made, clean) - Spectral().nll(made, clean)) / 16_000 / 2.0 + 1
    assert lost[0] < 1e-4
    assert lost[0] < lost[1] < lost[2] < 1
    made = torch.zeros(3, 1, 16_000, requires_grad=True)
    for target in (clean, torch.zeros(3, 1, 16_000)):
        Spectral(stoi_weight=2.0).nll(made, target).sum().backward()
    assert made.grad.isfinite().all()
