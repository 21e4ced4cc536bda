import pytest
import torch

from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.evaluations import photos
from musicae.evaluations.shared import floors
from musicae.tensors.luma import luma


def scene(channels, height, width, seed):
    """A picture with large and small waves, grey enough to keep noise within its range."""
    rng = torch.Generator().manual_seed(seed)
    y, x = torch.arange(height)[:, None] / 9, torch.arange(width)[None] / 7
    phases = 6 * torch.rand(channels, 2, 1, 1, generator=rng)
    return 0.5 + 0.1 * torch.sin(y + phases[:, 0]) * torch.cos(x + phases[:, 1]) + 0.05 * torch.sin(4 * x + y)


@pytest.fixture
def folder(tmp_path, kit):
    for name, channels in (("BSD68", 1), ("Set5", 3)):
        (tmp_path / name).mkdir()
        adapter = kit.made(kit.Echo(), channels=channels).adapter
        for i, (height, width) in enumerate([(30, 41), (33, 36)]):
            drawn = Sample(scene(channels, height, width, i), adapter.blank())
            adapter.write(drawn, tmp_path / name / f"{i}.png")
    return tmp_path


def test_a_model_that_takes_no_noise_away_has_the_psnr_of_the_noise(kit, folder):
    parts = kit.made(kit.Echo(), corruption={"name": "blind-noise"})
    figures = photos.photos(parts, {"photos-test": folder}, None)
    for sigma, known in ((15, 24.61), (25, 20.17), (50, 14.15)):
        assert figures[f"psnr_bsd68_sigma{sigma}"] == pytest.approx(known, abs=0.4)
        assert figures[f"psnr_bsd68_sigma{sigma}"] == figures[f"floor_input_bsd68_sigma{sigma}"]
    assert "psnr_set5_x2_y" not in figures
    assert photos.photos(parts, {"": folder}, None) == figures


def test_a_colour_model_is_measured_on_grey_pictures_and_in_colour(kit, folder):
    parts = kit.made(kit.Echo(), channels=3, corruption={"name": "blind-noise"})
    figures = photos.photos(parts, {"photos-test": folder}, 1, sigmas=(25.0,))
    grey = photos.photos(kit.made(kit.Echo(), corruption={"name": "blind-noise"}), {"": folder}, 1, sigmas=(25.0,))
    assert figures["psnr_bsd68_sigma25"] == pytest.approx(grey["psnr_bsd68_sigma25"], abs=1e-4)
    assert figures["psnr_set5_color_sigma25"] == pytest.approx(20.17, abs=0.4)
    assert figures["spread_psnr_set5_color_sigma25"] == 0  # Of one picture only.


@pytest.mark.parametrize("channels", [1, 3])
def test_a_model_that_adds_nothing_is_as_good_as_bicubic(kit, folder, channels):
    corruption = {"name": "downsample", "factor": 2, "method": "bicubic"}
    parts = kit.made(kit.Echo(), channels=channels, corruption=corruption)
    figures = photos.photos(parts, {"photos-test": folder}, None)
    assert figures["psnr_set5_x2_y"] == pytest.approx(figures["floor_bicubic_set5_x2_y"], abs=0.2)
    assert figures["floor_psnr_set5_x2_y"] >= figures["floor_back_projection_set5_x2_y"]
    assert set(figures) == {
        "psnr_set5_x2_y", "spread_psnr_set5_x2_y", "floor_psnr_set5_x2_y", "floor_bicubic_set5_x2_y",
        "floor_back_projection_set5_x2_y",
    }  # fmt: skip


def test_a_model_that_knows_the_answer_is_perfect(kit, folder):
    class Knows(kit.Echo):
        """Gives back the pictures themselves, whatever it sees."""

        def __init__(self):
            super().__init__()
            read = kit.made(kit.Echo(), channels=3).adapter.read
            wanted = [read(path, fit="whole").tensor for path in sorted((folder / "Set5").iterdir())]
            self.wanted = [one[None, :, : one.shape[1] // 2 * 2, : one.shape[2] // 2 * 2] for one in wanted]

        def restore(self, x, cond=None):
            return self.wanted.pop(0)

    parts = kit.made(Knows(), channels=3, corruption={"name": "downsample", "method": "bicubic"})
    assert photos.photos(parts, {"": folder}, None)["psnr_set5_x2_y"] == 100


def test_grey_and_colour_have_the_same_luma():
    x = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(0))
    assert (floors.rec601_luma(luma(x)) - floors.rec601_luma(x)).abs().max() <= 1 / 255 + 1e-6


def test_without_pictures_it_is_said_where_to_name_them(kit, tmp_path):
    parts = kit.made(kit.Echo(), corruption={"name": "blind-noise"})
    with pytest.raises(MusicaeError, match=r"--data photos-test=DIR"):
        photos.photos(parts, {"photos-test": tmp_path}, None)
    with pytest.raises(MusicaeError, match="BSD68"):
        photos.photos(parts, {}, None)
