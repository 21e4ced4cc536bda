"""What attributes are asked for."""

from __future__ import annotations

import pytest
import torch

from musicae import registry
from musicae.core import Attribute, Notes, Spectra
from musicae.errors import MusicaeError


def test_an_attribute_says_what_it_is_not_of() -> None:
    nothing = Attribute()
    with pytest.raises(MusicaeError, match="Attribute is not an attribute of notes"):
        nothing.of_notes(Notes(torch.zeros(1, 2, 4, dtype=torch.bool), 4))
    with pytest.raises(MusicaeError, match="not an attribute of sounds"):
        nothing.of_spectra(Spectra(torch.zeros(1, 2, 4), torch.ones(2), 10.0))
    with pytest.raises(MusicaeError, match="not an attribute of pictures"):
        nothing.of_pictures(torch.zeros(1, 1, 4, 4))


def test_each_says_what_it_is() -> None:
    for name in registry.names("attributes"):
        assert registry.build("attributes", name).about
