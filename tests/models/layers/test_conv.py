"""Residual convolutions."""

import pytest
import torch

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.layers.conv import ConvDecoder, ConvEncoder, ResBlock, conv, conv_transposed


@pytest.mark.parametrize("shape", [(16,), (8, 12)])
def test_convolutions_keep_halve_and_double_the_size(shape):
    dims, x = len(shape), torch.randn(2, 3, *shape)
    assert conv(dims, 3, 5)(x).shape == (2, 5, *shape)
    assert conv(dims, 3, 5, kernel=4, stride=2)(x).shape == (2, 5, *(size // 2 for size in shape))
    assert conv_transposed(dims, 3, 5)(x).shape == (2, 5, *(2 * size for size in shape))


def test_a_block_whose_last_layer_is_nothing_is_the_identity():
    block, x = ResBlock(1, 12), torch.randn(2, 12, 9)
    for parameter in block.conv_out.parameters():
        torch.nn.init.zeros_(parameter)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((16,), {}),
        ((8, 12), {}),
        ((8, 12), {"shuffle": 2}),
        ((16,), {"dense": 7}),
        ((8, 8), {"shuffle": 4, "depth": 0}),
    ],
)
def test_encoder_and_decoder_fit_the_window(shape, settings):
    spec, sizes = Spec(3, shape, "gaussian"), {"width": 8, "depth": 1, "blocks": 1, **settings}
    encoder, decoder = ConvEncoder(spec, **sizes), ConvDecoder(spec, 5, 6, **sizes)
    assert encoder(torch.randn(2, 3, *shape)).shape == (2, encoder.features)
    assert decoder(torch.randn(2, 5)).shape == (2, 6, *shape)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(MusicaeError, match="depth 2 needs a shape that 4 divides"):
        ConvEncoder(Spec(1, (10,), "gaussian"), 8, 2, 1)
    with pytest.raises(MusicaeError, match="2 with shuffle"):
        ConvDecoder(Spec(1, (16,), "gaussian"), 4, 1, 8, 1, 1, shuffle=2)
