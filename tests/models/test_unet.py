"""The U-Net."""

import pytest
import torch

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.unet import UNet
from musicae.testing import check_model

LINE, PICTURE = Spec(5, (16,), "categorical"), Spec(3, (8, 8), "bernoulli")


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
def test_it_keeps_its_promises(spec):
    check_model(lambda spec: UNet(spec, width=8), spec)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda model: model.encode(torch.zeros(1, 3, 8, 8)),
        lambda model: model.params(torch.zeros(1, 0), torch.ones(1)),
        lambda model: model.decode(torch.zeros(1, 0), lambda params: params),
    ],
)
def test_it_has_no_code_and_says_so(attempt):
    with pytest.raises(MusicaeError, match="a U-Net has no code"):
        attempt(UNet(PICTURE, width=8))


@pytest.mark.parametrize("shuffle", [1, 2])
def test_it_takes_any_size_that_its_multiple_divides(shuffle):
    model = UNet(PICTURE, width=8, depth=1, shuffle=shuffle)
    x = torch.rand(1, 3, 2 * model.multiple, 5 * model.multiple)
    assert model.restore(x).shape == x.shape
    assert (model.restore(x) - x).abs().mean() < 1  # It starts near the identity.


def test_with_logits_it_corrects_those_of_its_input():
    torch.manual_seed(0)
    model, x = UNet(PICTURE, width=8, logits=True).eval(), torch.rand(1, 3, 8, 8)
    torch.manual_seed(0)
    plain = UNet(PICTURE, width=8).eval()
    expected = plain.restore(x) - x + torch.logit(x, 0.02)
    torch.testing.assert_close(model.restore(x), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("number", [2, 4])
def test_a_self_ensemble_treats_a_mirrored_picture_alike(number):
    torch.manual_seed(0)
    model = UNet(PICTURE, width=8, self_ensemble=number).eval()
    x = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        made = model.restore(x)
        torch.testing.assert_close(model.restore(x.flip([2, 3])).flip([2, 3]), made, atol=1e-5, rtol=0)
        sideways = model.restore(x.flip([3])).flip([3])
        assert torch.allclose(sideways, made, atol=1e-5) == (number == 4)
        model.train()
        assert not torch.allclose(model.restore(x), made, atol=1e-5)


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(MusicaeError, match="divides"):
        UNet(PICTURE, depth=4)
    with pytest.raises(MusicaeError, match="2 with shuffle"):
        UNet(LINE, shuffle=2)
    for spec, wrong in ((PICTURE, 3), (LINE, 2)):
        with pytest.raises(MusicaeError, match="self_ensemble must be"):
            UNet(spec, self_ensemble=wrong)


def test_in_half_precision_the_picture_itself_is_not_rounded():
    torch.manual_seed(0)
    model = UNet(PICTURE, width=8).eval()
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        exact, first = model.restore(x), model.conv_in(x)
        with torch.autocast("cpu", torch.bfloat16):
            coarse, seen = model.restore(x), model._seen(x)
    assert torch.equal(seen, first.bfloat16())
    assert coarse.dtype == torch.float32
    assert 0 < (coarse - exact).abs().max() < 0.02 * (exact - x).abs().max()
