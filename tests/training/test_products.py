import pytest
import torch
from torch import nn
from torch.nn import functional as F

from musicae.training.products import Products


@pytest.mark.parametrize(
    ("layer", "shape", "forward"),
    [
        (nn.Linear(6, 5), (4, 3, 6), 2 * 12 * 6 * 5),
        (nn.Conv2d(2, 4, 3, padding=1), (3, 2, 8, 8), 2 * 3 * 64 * 18 * 4),
        (nn.Conv1d(2, 4, 4, stride=2, padding=1), (3, 2, 8), 2 * 3 * 4 * 8 * 4),
        (nn.ConvTranspose2d(4, 2, 4, stride=2, padding=1), (3, 4, 8, 8), 2 * 3 * 64 * 32 * 4),
        (nn.LSTM(4, 4, batch_first=True), (3, 7, 4), 2 * 21 * 2 * 16 * 4),
    ],
)
def test_the_operations_of_a_layer_are_counted(layer, shape, forward):
    x = torch.randn(shape, requires_grad=True)
    with Products() as products:
        out = layer(x)
        out = out[0] if isinstance(out, tuple) else out
        assert products.total == forward
        out.sum().backward()
    assert products.total == 3 * forward  # The gradients of the input, and of the weights.


def test_attention_is_counted_on_either_path():
    q = torch.randn(2, 3, 5, 4, requires_grad=True)
    with Products() as products:
        F.scaled_dot_product_attention(q, q, q)
    assert products.total == 2 * 2 * (2 * 3) * 5 * 4 * 5
    with Products() as plain:
        (q @ q.transpose(-1, -2)).softmax(-1) @ q
    assert plain.total == products.total


def test_nothing_is_counted_outside_the_block():
    with Products() as products:
        torch.ones(3).exp()
    torch.ones(3, 3) @ torch.ones(3, 3)
    assert products.total == 0
