import pytest
import torch

from musicae.tensors import dsp, metrics

LINE = [0, 5, 1, 1, 7, 1, 0, 9]


def tokens(*lines):
    return torch.nn.functional.one_hot(torch.tensor(lines), 12).mT.float()


def onset_f1(target, output):
    """Of lines of tokens, of which 0 is a rest and 1 a hold."""
    return metrics.onset_f1(target[:, 2:], output[:, 2:]).item()


def test_figures_of_a_line_with_one_wrong_onset():
    target, output = tokens(LINE), tokens([0, 5, 1, 1, 8, 1, 0, 9])
    assert metrics.hamming(target, output).item() == 1
    assert metrics.token_accuracy(target, output).item() == 7 / 8
    assert metrics.exact(target, output).item() == 0
    assert onset_f1(target, output) == pytest.approx(2 / 3)


def test_a_wrong_hold_costs_no_onset():
    target, output = tokens(LINE), tokens([0, 5, 1, 0, 7, 1, 0, 9])
    assert onset_f1(target, output) == 1
    assert metrics.token_accuracy(target, output).item() == 7 / 8


def test_nothing_rightly_found_is_perfect():
    assert onset_f1(tokens([0, 0]), tokens([0, 1])) == 1
    assert onset_f1(tokens([0, 3]), tokens([0, 0])) == 0


def test_drums_count_a_step_right_only_if_every_drum_is():
    target = torch.tensor([[[1.0, 0], [1, 0]]])
    output = torch.tensor([[[1.0, 0], [0, 0]]])
    assert metrics.token_accuracy(target, output).item() == 0.5
    assert metrics.onset_f1(target, output).item() == pytest.approx(2 / 3)


def test_psnr_of_a_tenth():
    target = torch.zeros(1, 1, 4, 4)
    assert metrics.psnr(target, target + 0.1).item() == pytest.approx(20, abs=1e-4)
    assert metrics.psnr(target, target).isinf().all()


def test_auroc_counts_pairs_in_the_right_order_and_ties_as_half():
    low, high = torch.tensor([0.0, 1, 2]), torch.tensor([3.0, 4])
    assert metrics.auroc(low, high) == 1
    assert metrics.auroc(high, low) == 0
    assert metrics.auroc(low, low) == 0.5
    assert metrics.auroc(torch.tensor([0.0, 2]), torch.tensor([1.0, 2, 3])) == pytest.approx((1 + 1.5 + 2) / 6)


def test_frechet_of_gaussians_is_known():
    x = torch.randn(2000, 5, generator=torch.Generator().manual_seed(0))
    shift = torch.tensor([1.0, 0, -2, 0, 0])
    assert metrics.frechet(x, x) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet(x, x + shift) == pytest.approx(5, abs=1e-4)
    white = torch.linalg.solve_triangular(
        torch.linalg.cholesky(torch.cov(x.double().T)), (x.double() - x.double().mean(0)).T, upper=False
    ).T
    scale = torch.tensor([1.0, 2, 3, 1, 1]).double()
    assert metrics.frechet(white, white * scale) == pytest.approx(1 + 4)  # The sum of (1 - scale)^2.
    turn = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(1)).double()).Q
    assert metrics.frechet(white @ turn, (white * scale) @ turn) == pytest.approx(5)


def test_frechet_of_covariances_that_do_not_commute_is_symmetric_and_right():
    rng = torch.Generator().manual_seed(2)
    a = torch.randn(500, 4, generator=rng).double() @ torch.randn(4, 4, generator=rng).double()
    b = torch.randn(400, 4, generator=rng).double() @ torch.randn(4, 4, generator=rng).double()
    first, second = torch.cov(a.T), torch.cov(b.T)
    # The eigenvalues of A B are those of A^(1/2) B A^(1/2).
    middle = torch.linalg.eigvals(first @ second).real.sqrt().sum()
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + first.trace() + second.trace() - 2 * middle
    assert metrics.frechet(a, b) == pytest.approx(expected.item())
    assert metrics.frechet(b, a) == pytest.approx(expected.item())


def test_frechet_bears_dimensions_that_never_vary():
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(3))
    x[:, 1] = 0
    assert metrics.frechet(x, x + 1) == pytest.approx(3, abs=1e-4)


def tone(frequency, frames=8000, rate=8000):
    return torch.sin(2 * torch.pi * frequency * torch.arange(frames) / rate).view(1, 1, -1)


def test_the_ratios_of_sounds_are_what_was_mixed():
    clean, other = tone(400), tone(1000)
    assert metrics.snr(clean, clean + 0.1 * other).item() == pytest.approx(20, abs=0.01)
    assert metrics.si_sdr(clean, 3 * (clean + 0.1 * other)).item() == pytest.approx(20, abs=0.01)
    assert metrics.snr(clean, clean).item() > 100
    assert dsp.snr(clean, clean, limit=30.0).item() == pytest.approx(30, abs=0.1)
    made = torch.full((1, 1, 8), 0.1, requires_grad=True)
    dsp.snr(torch.zeros(1, 1, 8), made, limit=30.0).sum().backward()
    assert (made.grad < 0).all()  # Silence is better as silence.
    assert metrics.snr(torch.cat([clean, clean]), torch.cat([2 * clean, clean])).shape == (2,)


def test_the_distances_of_spectra_are_known():
    noise = torch.randn(2, 1, 20_000, generator=torch.Generator().manual_seed(0))
    # Ten times the amplitude is 2 in log10 of the power, 1 in that of the magnitude.
    assert metrics.log_spectral_distance(noise, 10 * noise) == pytest.approx([2.0, 2.0], abs=0.01)
    assert metrics.mel_distance(noise, 10 * noise) == pytest.approx([1.0, 1.0], abs=0.01)
    distance = metrics.multi_resolution_stft(noise, 2 * noise)
    assert distance == pytest.approx([1 + 0.6931] * 2, abs=0.01)
    for metric in (metrics.log_spectral_distance, metrics.mel_distance, metrics.multi_resolution_stft):
        assert metric(noise, noise) == pytest.approx([0.0, 0.0], abs=1e-6)
        assert metric(noise[..., :300], noise[..., :300]).shape == (2,)
