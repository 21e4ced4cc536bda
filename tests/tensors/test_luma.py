"""The luma of colours."""

import torch

from musicae.tensors.luma import LUMA_WEIGHTS, luma


def test_white_is_white_and_green_is_brightest():
    assert abs(sum(LUMA_WEIGHTS) - 1) < 1e-9
    primaries = torch.eye(3)[:, :, None, None].expand(-1, -1, 2, 5)
    assert luma(primaries).shape == (3, 1, 2, 5)
    torch.testing.assert_close(luma(primaries)[:, 0, 0, 0], torch.tensor(LUMA_WEIGHTS))
    grey = torch.rand(4, 1, 3, 3)
    torch.testing.assert_close(luma(grey.expand(-1, 3, -1, -1)), grey)
    assert luma(grey[0].expand(3, -1, -1).double()).dtype == torch.float64
