"""Complex numbers as pairs of real ones."""

import pytest
import torch
from torch.nn import functional as F

from musicae.exports.pairs import Pair, pairs


@pytest.mark.parametrize("n", [6, 14, 512, 640, 2048])
def test_fourier_transforms_are_those_of_torch(n):
    x = torch.randn(2, 3, n, generator=torch.Generator().manual_seed(n))
    wanted = torch.fft.rfft(x)
    with pairs():
        spectra = torch.fft.rfft(x)
        again = torch.fft.irfft(spectra, n=n)
    assert isinstance(spectra, Pair)
    torch.testing.assert_close(spectra.real, wanted.real, rtol=0, atol=1e-6 * n)
    torch.testing.assert_close(spectra.imag, wanted.imag, rtol=0, atol=1e-6 * n)
    torch.testing.assert_close(again, x, rtol=0, atol=1e-5)


def use(x, y, real, chosen):
    """Do with complex tensors, given as pairs of numbers, what models do with them."""
    a, b = torch.view_as_complex(x), torch.view_as_complex(y)
    c = torch.complex(real, 2 * real)
    made = [
        a + b, real + a, a * b, real * a, a * 2.0, a / (1 + real.abs()), a.conj() * c, torch.exp(0.3j * real),
        torch.cat([a, b], dim=1), torch.stack([a, b], 1)[:, 0], torch.addcmul(a, b, c), torch.where(chosen, a, b),
        F.pad(a, (1, 2)), torch.stack(a.unbind(1), 1), a[:, :, None].squeeze(2), a[..., 1:],
    ]  # fmt: skip
    return [a.abs(), a.real, a.imag, *(torch.view_as_real(one) for one in made)], a.shape, a.device


def test_what_models_do_with_complex_tensors_gives_the_same():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 2, 3, 4, 2, generator=generator)
    real = torch.randn(2, 3, 4, generator=generator)
    wanted, *facts = use(x, y, real, real > 0)
    with pairs():
        made, *same = use(x, y, real, real > 0)
    assert facts == same
    for want, got in zip(wanted, made, strict=True):
        torch.testing.assert_close(got, want)


def test_a_constant_complex_tensor_is_taken_as_it_is():
    x, turns = torch.randn(3, 4, 2), torch.exp(1j * torch.arange(4))
    with pairs():
        made = torch.view_as_real(torch.view_as_complex(x) * turns)
    torch.testing.assert_close(made, torch.view_as_real(torch.view_as_complex(x) * turns))


def test_a_function_that_is_not_known_is_refused():
    with pairs(), pytest.raises(TypeError):
        torch.special.expit(torch.complex(torch.ones(2), torch.ones(2)))


def test_outside_nothing_has_changed():
    with pairs():
        pass
    assert torch.fft.rfft(torch.ones(4)).is_complex()
