"""The plane of codes of two numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from musicae import codec as codecs
from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.ops.plane import check_plane, code_at, place_of, plane


def test_the_plane_of_a_conditional_model_is_of_its_first_class(untrained: Any) -> None:
    model = {"name": "vae", "latent": 2, "classes": 10, "width": 8, "depth": 2}
    codec = codecs.load(str(untrained("tiny-class-plane", adapter={"name": "image"}, model=model)))
    tiles, at, under = plane(codec)
    assert under == ", class 0"
    assert at == pytest.approx([-value for value in reversed(at)], abs=1e-5)
    label = codec.label_conditions(torch.tensor([0]))
    expected = codec.decode(torch.tensor([[at[0], at[3]]]), cond=label)[0]
    assert torch.allclose(tiles[3, 0], expected, atol=1e-5)


def test_a_place_is_found_again_by_its_code_and_is_what_is_drawn_there(digits: Codec) -> None:
    assert place_of(code_at(0.3, 0.8)[0]) == pytest.approx((0.3, 0.8), abs=1e-5)
    tiles, at, _ = plane(digits)
    torch.testing.assert_close(code_at(0.5 / 20, 0.5 / 20), torch.tensor([[at[0], at[-1]]]))
    torch.testing.assert_close(tiles[-1, 0], digits.decode(code_at(0, 0))[0], atol=1e-5, rtol=0)


def test_other_codes_are_no_plane(tiny: Codec) -> None:
    with pytest.raises(MusicaeError, match="no plane"):
        check_plane(tiny)
