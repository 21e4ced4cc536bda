"""Weights in 8 bits."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from musicae.tensors.quantize import dequantize, quantizable, quantize


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def plain(x: Tensor) -> Tensor:
    """Return `x` ``(R, C)`` in 8 bits with the largest number of each row at the end of the range."""
    scales = x.abs().amax(1, keepdim=True) / 127
    return (x / scales).round() * scales


@pytest.mark.parametrize("shape", [(64, 64), (8, 16, 3, 3), (5, 40, 7)])
def test_numbers_come_back_within_about_half_a_step(shape: tuple[int, ...]) -> None:
    x = draw(*shape) * torch.logspace(-6, 3, shape[0]).view(-1, *(1,) * (len(shape) - 1))
    integers, scales = quantize(x)
    assert (integers.dtype, integers.shape) == (torch.int8, x.shape)
    assert (scales.dtype, scales.shape) == (torch.float32, x.shape[:1])
    error = (dequantize(integers, scales) - x).flatten(1)
    assert (error.square().mean(1).sqrt() < 0.01 * x.flatten(1).std(1)).all()
    inside = integers.flatten(1).abs() < 127
    assert (error.abs()[inside] <= 0.6 * scales[:, None].expand_as(error)[inside]).all()


def test_the_scale_of_a_row_gives_less_error_than_its_largest_number() -> None:
    x = draw(64, 32)
    error, largest = ((back - x).square().sum(1) for back in (dequantize(*quantize(x)), plain(x)))
    assert (error <= largest).all()
    assert error.sum() < 0.95 * largest.sum()


def test_what_was_in_8_bits_stays_as_it_is() -> None:
    once = dequantize(*quantize(draw(40, 50) ** 3))
    torch.testing.assert_close(dequantize(*quantize(once)), once, rtol=1e-6, atol=0)


def test_rows_of_zeros_and_of_tiny_numbers_have_scales() -> None:
    x = torch.zeros(3, 400)
    x[1] = 1e-45
    x[2, 5] = -2.0
    integers, scales = quantize(x)
    assert (scales > 0).all()
    back = dequantize(integers, scales)
    assert back[0].tolist() == [0.0] * 400
    assert torch.equal(back[2], x[2])
    torch.testing.assert_close(back[1], x[1], rtol=0, atol=1e-30)


@pytest.mark.parametrize(
    ("tensor", "worth"),
    [
        (torch.zeros(4096, 16), True),
        (torch.zeros(4096, 16).half(), True),
        (torch.zeros(4, 1024, 3, 3), True),
        (torch.zeros(2**16), False),
        (torch.zeros(1, 200, 200), False),
        (torch.zeros(8192, 8), False),
        (torch.zeros(2048, 16), True),
        (torch.zeros(1024, 16), False),
        (torch.zeros(4096, 16, dtype=torch.int64), False),
        (torch.full((4096, 16), torch.nan), False),
        (torch.full((4096, 16), torch.inf), False),
        (torch.zeros(0, 16), False),
        (torch.tensor(1.0), False),
    ],
)
def test_only_matrices_and_kernels_are_worth_it(tensor: Tensor, worth: bool) -> None:
    assert quantizable(tensor) is worth
