import pytest
import torch

from musicae.core import Model
from musicae.tensors.layout import picture_layout


@pytest.mark.parametrize(
    ("normalised", "axes", "device", "layout"),
    [
        (False, 2, "cpu", torch.channels_last),
        (False, 2, "cuda", torch.channels_last),
        (True, 2, "cpu", torch.preserve_format),
        (True, 2, "cuda", torch.channels_last),
        (False, 1, "cpu", torch.preserve_format),
        (True, 1, "cuda", torch.preserve_format),
    ],
)
def test_pictures_have_their_channels_last_where_that_is_faster(normalised, axes, device, layout):
    model = Model()
    model.channels_last = not normalised
    assert picture_layout(model, axes, torch.device(device)) is layout
