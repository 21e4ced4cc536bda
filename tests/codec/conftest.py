"""A small codec of melodies, to save, load and build over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from musicae import codec
from musicae.preset import Preset

TINY: dict[str, dict[str, Any]] = {
    "adapter": {"name": "melody"},
    "model": {"name": "patch-vae", "latent": 8, "width": 12, "depth": 1, "heads": 2, "gru_width": 8},
    "prior": {"name": "flow", "width": 16, "depth": 1},
}


@pytest.fixture(scope="session")
def tiny() -> Callable[..., codec.Codec]:
    """Return a function that builds an untrained codec, the same every time; it takes other sections."""

    def build(**sections: dict[str, Any]) -> codec.Codec:
        torch.manual_seed(0)
        parts = codec.build(Preset("tiny", {**{key: dict(value) for key, value in TINY.items()}, **sections}))
        parts.networks().eval()
        return parts

    return build
