"""Patches and the Transformer over them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.layers.transformer import Block, PatchDecoder, PatchEncoder, attention, patchify, unpatchify


@given(patch=st.integers(1, 5), counts=st.lists(st.integers(1, 4), min_size=1, max_size=2), channels=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_patches_go_together_again(patch, counts, channels):
    shape = tuple(patch * count for count in counts)
    x = torch.randn(2, channels, *shape)
    tokens = patchify(x, patch)
    assert tokens.shape == (2, x[0, 0].numel() // patch ** len(shape), channels * patch ** len(shape))
    assert torch.equal(unpatchify(tokens, channels, shape, patch), x)


def test_a_patch_is_a_square_of_the_picture():
    x = torch.arange(64.0).view(1, 1, 8, 8)
    assert torch.equal(patchify(x, 4)[0, 1].view(4, 4), x[0, 0, :4, 4:])


@pytest.mark.parametrize("tokens", [1, 8, 200])
def test_attention_is_that_of_pytorch(tokens):
    q, k, v = torch.randn(3, 2, 3, tokens, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    assert torch.allclose(attention(q, k, v), expected, atol=1e-12)


def test_attention_reaches_every_token():
    torch.manual_seed(0)
    block, x = Block(8, 2).eval(), torch.randn(1, 6, 8)
    changed = x.clone()
    changed[:, 5, 0] += 1
    assert ((block(x) - block(changed)).abs().amax(-1) > 1e-6).all()


@pytest.mark.parametrize("shape", [(16,), (8, 12)])
def test_encoder_and_decoder_fit_the_window(shape):
    spec = Spec(3, shape, "gaussian")
    encoder, decoder = PatchEncoder(spec, 4, 8, 1, 2), PatchDecoder(spec, 5, 7, 4, 8, 1, 2)
    assert encoder(torch.randn(2, 3, *shape)).shape == (2, encoder.features)
    assert decoder(torch.randn(2, 5)).shape == (2, 7, *shape)


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(MusicaeError, match="1 or 2 spatial axes, not 3"):
        PatchEncoder(Spec(1, (4, 4, 4), "gaussian"), 4, 8, 1, 2)
    with pytest.raises(MusicaeError, match="patch 5 does not divide"):
        PatchEncoder(Spec(1, (16,), "gaussian"), 5, 8, 1, 2)
    with pytest.raises(MusicaeError, match="heads 3 does not divide width 8"):
        PatchDecoder(Spec(1, (16,), "gaussian"), 4, 1, 4, 8, 1, 3)


def test_what_runs_along_is_added_patch_by_patch():
    torch.manual_seed(0)
    spec, sizes = Spec(2, (8, 8), "bernoulli"), (4, 8, 1, 2, 3)
    encoder, decoder = PatchEncoder(spec, *sizes).eval(), PatchDecoder(spec, 6, 5, *sizes).eval()
    x, z, along = torch.rand(2, 2, 8, 8), torch.rand(2, 6), torch.rand(2, 3, 8, 8)
    for network, given_, shape in ((encoder, x, (2, encoder.features)), (decoder, z, (2, 5, 8, 8))):
        with torch.no_grad():
            out = [network(given_, one) for one in (None, torch.zeros_like(along), along)]
        assert out[0].shape == shape
        assert torch.equal(out[0], out[1])
        assert not torch.allclose(out[0], out[2])
    assert PatchEncoder(spec, *sizes[:4])(x, along).shape == (2, encoder.features)
