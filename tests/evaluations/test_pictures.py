import math

import pytest
import torch

from musicae.evaluations.pictures import pictures
from musicae.evaluations.shared import common
from musicae.evaluations.shared.images import entropy


def test_a_model_that_keeps_everything(kit):
    parts = kit.made(kit.Whole((1, 8, 8)))
    figures = pictures(parts, kit.drawn(300, seed=1), kit.drawn(100), {})
    assert figures["psnr"] == 100
    assert figures["spread_psnr"] == 0
    assert figures["mse"] == 0
    assert figures["floor_pca"] == figures["floor_psnr"] > 60  # As many components as pixels.
    assert figures["probe_accuracy"] == figures["floor_probe_accuracy"] == 1
    assert "floor_input" not in figures
    assert "bce" not in figures


def test_noise_of_a_known_deviation_has_its_psnr(kit):
    parts = kit.made(kit.Echo(), corruption={"name": "noise", "std": 0.01})
    test = kit.drawn(200)
    test.data.clamp_(26, 220)
    figures = pictures(parts, kit.drawn(50, seed=1), test, {}, classical=20)
    assert figures["psnr"] == pytest.approx(40, abs=0.25)
    assert figures["floor_input"] == figures["psnr"]
    assert figures["mse"] == pytest.approx(1e-4, rel=0.02)
    assert figures["floor_psnr"] == max(figures["floor_input"], figures.get("floor_nlm", 0))
    assert pictures(parts, kit.drawn(50, seed=1), test, {}, classical=20) == figures


@pytest.mark.parametrize("method", ["mean", "bicubic"])
def test_enlargement_stands_beside_bicubic_and_back_projection(kit, method):
    parts = kit.made(kit.Echo(), corruption={"name": "downsample", "factor": 2, "method": method})
    smooth = kit.drawn(40)
    wave = torch.sin(torch.arange(8) * 0.7 + torch.rand(40, 1, 1, 1, generator=torch.Generator().manual_seed(0)) * 6)
    smooth.data = ((wave + 1.2) * 100).byte().expand(40, 1, 8, 8).contiguous()
    figures = pictures(parts, kit.drawn(50, seed=1), smooth, {})
    assert figures["floor_back_projection"] > figures["floor_bicubic"] > 15
    assert figures["floor_psnr"] == figures["floor_back_projection"]
    assert figures["floor_input"] == pytest.approx(figures["psnr"])
    assert "floor_nlm" not in figures


def test_the_entropy_is_the_least_cost_of_greys(kit):
    grey = torch.full((3, 1, 2, 2), 0.5)
    assert entropy(grey).tolist() == pytest.approx([4 * math.log(2)] * 3)
    assert entropy(torch.zeros(1, 1, 2, 2)).item() == 0
    parts = kit.made(kit.Doubtful((1, 8, 8)), "bernoulli")
    test = kit.drawn(50)
    figures = pictures(parts, kit.drawn(50, seed=1), test, {})
    assert figures["bce"] == pytest.approx(64 * math.log(2), rel=1e-5)
    assert figures["floor_bce"] == pytest.approx(entropy(common.all_of(test)).mean().item())
    assert figures["floor_bce"] < figures["bce"]
    echo = kit.made(kit.Echo(), "bernoulli", corruption={"name": "noise", "std": 0.1})
    assert pictures(echo, kit.drawn(50, seed=1), test, {})["bce"] > figures["floor_bce"]


def test_a_model_of_its_own_data_tells_other_data_by_its_error(kit, monkeypatch):
    class Components(kit.Whole):
        """Keeps the mean of each column only, which is all there is in the data it knows."""

        def params(self, z, x=None, cond=None):
            return z.view(-1, *self.shape).mean(2, keepdim=True).expand(-1, *self.shape)

    striped, noise = kit.drawn(60), kit.drawn(60, seed=3)
    striped.data = striped.data[:, :, :1].expand(60, 1, 8, 8).contiguous()
    monkeypatch.setattr("musicae.evaluations.pictures.other_set", lambda *_: noise)
    parts = kit.made(Components((1, 8, 8)))
    parts.model.latent_size = 64
    figures = pictures(parts, striped, striped, {}, outliers="some-noise")
    assert figures["auroc_some_noise"] == 1
    assert 0 <= figures["floor_auroc_some_noise"] <= 1


def test_a_conditional_model_is_not_probed(kit):
    parts = kit.made(kit.Whole((1, 8, 8), classes=3))
    figures = pictures(parts, kit.drawn(50, seed=1), kit.drawn(20), {})
    assert "probe_accuracy" not in figures
    assert figures["psnr"] == 100
