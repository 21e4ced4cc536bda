import io
import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from drawn import noise, pixels, put
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.adapters.image import Image
from musicae.core import Adapter, Sample
from musicae.errors import MusicaeError
from musicae.testing import check_adapter

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


# --- promises ------------------------------------------------------------------------------------------------------


def test_it_is_an_adapter():
    assert isinstance(Image(), Adapter)
    assert (Image().spec.full_shape, Image().spec.likelihood) == ((1, 28, 28), "bernoulli")
    assert Image(3, 8, 12, likelihood="gaussian").spec.full_shape == (3, 8, 12)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"binarise": True},
        {"likelihood": "gaussian"},
        {"height": 96, "width": 96, "fit": "whole", "flips": True, "likelihood": "gaussian"},
        {"channels": 3, "height": 96, "width": 96, "fit": "whole", "flips": True, "likelihood": "gaussian"},
        {"channels": 3, "height": 20, "width": 30, "fit": "pad"},
    ],
)
def test_it_keeps_its_promises(settings):
    check_adapter(Image(**settings))


@pytest.mark.parametrize("name", ["three.png", "seven.png", "scene.png"])
@pytest.mark.parametrize("settings", [{}, {"channels": 3, "fit": "pad"}, {"height": 120, "fit": "whole"}])
def test_it_keeps_its_promises_for_files(name, settings):
    if settings.get("fit") != "whole" or name == "scene.png":
        check_adapter(Image(**settings), DATA / name)


@pytest.mark.parametrize(
    "settings", [{"channels": 2}, {"height": 0}, {"width": -1}, {"fit": "stretch"}, {"likelihood": "categorical"}]
)
def test_wrong_settings_are_refused(settings):
    with pytest.raises(MusicaeError, match="must"):
        Image(**settings)


def test_the_samples_are_what_the_script_writes(tmp_path):
    runpy.run_path(str(ROOT / "tests" / "make_samples.py"))["make"](tmp_path)
    readme = (DATA / "README.md").read_text()
    for path in DATA.glob("*.png"):
        assert path.name in readme
        assert np.abs(pixels(path).astype(int) - pixels(tmp_path / path.name)).max() <= 1


# --- which files ---------------------------------------------------------------------------------------------------


def test_the_content_decides_before_the_suffix(tmp_path):
    for path in DATA.glob("*.png"):
        assert Image.sniff(path.read_bytes(), path) == 0.9
        assert Image.sniff(path.read_bytes(), io.BytesIO()) == 0.9
        assert Image.sniff(path.read_bytes(), Path("a.wav")) == 0.9
    assert Image.sniff(b"no picture", Path("A.PNG")) == 0.5
    assert Image.sniff(b"", Path("a.png")) == 0.5
    assert Image.sniff(b"RIFF\0\0\0\0WAVEfmt ", Path("a.wav")) == 0
    assert Image.sniff(b"no picture", io.BytesIO()) == 0


def test_an_adapter_says_whether_it_takes_any_size():
    assert not Image().any_size
    assert Image(fit="whole").any_size


def test_streams_are_read_and_written(whole, tmp_path):
    png = (DATA / "scene.png").read_bytes()
    sample = whole.read(io.BytesIO(png))
    assert torch.equal(sample.tensor, whole.read(DATA / "scene.png").tensor)
    assert (sample.meta["source"], sample.meta["suffix"]) == ("", ".png")
    written = io.BytesIO()
    whole.write(sample, written)
    whole.write(sample, tmp_path / "a.png")
    assert written.getvalue() == (tmp_path / "a.png").read_bytes()
    whole.write(sample, tmp_path / "a.jpg")
    jpeg = whole.read(io.BytesIO((tmp_path / "a.jpg").read_bytes()))
    again = io.BytesIO()
    whole.write(jpeg, again)
    assert again.getvalue()[:3] == b"\xff\xd8\xff"
    drawn = io.BytesIO()
    whole.write(Sample(torch.zeros(1, 8, 8), whole.blank()), drawn)
    assert drawn.getvalue()[1:4] == b"PNG"


# --- sizes ---------------------------------------------------------------------------------------------------------


def test_a_picture_of_the_windows_size_is_read_as_it_is():
    sample = Image().read(DATA / "three.png")
    assert torch.equal(sample.tensor, torch.tensor(pixels(DATA / "three.png")).float()[None] / 255)
    assert not sample.remarks


def test_scale_keeps_proportions_and_fills_with_the_borders_colour(tmp_path):
    path = put(tmp_path / "a.png", np.full((40, 80), 90, np.uint8))
    sample = Image().read(path)
    assert sample.tensor.shape == (1, 28, 28)
    assert torch.equal(sample.tensor, torch.full((1, 28, 28), 90 / 255))
    values = np.full((40, 80), 200, np.uint8)
    values[8:-8, 8:-8] = 10
    tensor = Image().read(put(path, values)).tensor[0]
    assert torch.equal(tensor[:7], torch.full((7, 28), 200 / 255))
    assert torch.equal(tensor[-7:], torch.full((7, 28), 200 / 255))
    assert tensor[14, 14] == pytest.approx(10 / 255)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_the_smallest_pictures_are_read(tmp_path, shape):
    path = put(tmp_path / "a.png", np.full(shape, 77, np.uint8))
    for fit in ("scale", "pad"):
        assert torch.equal(Image().read(path, fit=fit).tensor, torch.full((1, 28, 28), 77 / 255))
    assert Image().read(path, fit="whole").tensor.shape == (1, *shape)


def test_pad_cuts_or_adds_around_the_middle(tmp_path):
    values = noise(30, 20)
    sample = Image(height=28, width=28).read(put(tmp_path / "a.png", values), fit="pad")
    assert torch.equal((sample.tensor[0, :, 4:24] * 255).round().byte(), torch.from_numpy(values[1:29]))
    assert len(sample.tensor[0, :, :4].unique()) == 1
    with pytest.raises(MusicaeError, match="did you mean 'scale'"):
        Image().read(tmp_path / "a.png", fit="scael")


@given(
    height=st.integers(1, 40), width=st.integers(1, 40), size=st.integers(1, 30), fit=st.sampled_from(["scale", "pad"])
)
@settings(max_examples=40, deadline=None)
def test_every_picture_fits_the_window(height, width, size, fit):
    stream = io.BytesIO()
    PIL.Image.fromarray(noise(height, width)).save(stream, "PNG")
    sample = Image(1, size, size + 3, fit=fit).read(stream)
    assert sample.tensor.shape == (1, size, size + 3)
    assert 0 <= sample.tensor.min() <= sample.tensor.max() <= 1


@given(height=st.integers(1, 30), width=st.integers(1, 30), channels=st.sampled_from([1, 2, 3, 4]), grey=st.booleans())
@settings(max_examples=40, deadline=None)
def test_windows_of_any_size_come_back_to_the_bit(height, width, channels, grey):
    values = noise(height, width, channels) if channels > 1 else noise(height, width)
    stream, again = io.BytesIO(), io.BytesIO()
    PIL.Image.fromarray(values).save(stream, "PNG")
    adapter = Image(1 if grey else 3, 8, 8, fit="whole")
    adapter.write(adapter.read(stream), again)
    with PIL.Image.open(stream) as first, PIL.Image.open(again) as second:
        assert np.array_equal(np.asarray(first.convert("RGBA")), np.asarray(second.convert("RGBA")))


# --- frames --------------------------------------------------------------------------------------------------------


def parts(n: int, height: int = 28, width: int = 28) -> list[Sample]:
    return [Sample(torch.full((1, height, width), i / max(n - 1, 1)), Image().blank()) for i in range(n)]


@pytest.mark.parametrize(
    ("n", "shape"), [(1, (28, 28)), (9, (28, 268)), (12, (28, 358)), (64, (238, 238)), (20, (118, 148))]
)
def test_frames_stand_in_a_row_or_a_square(tmp_path, n, shape):
    joined = Image().concat(parts(n))
    assert joined.tensor.shape == (1, 28, 28 * n)
    Image().write(joined, tmp_path / "a.png")
    picture = pixels(tmp_path / "a.png")
    assert picture.shape == shape
    if n > 1:
        columns = joined.meta["frames"]["columns"]
        for i in (0, 1, n - 1):
            y, x = i // columns * 30, i % columns * 30
            assert (picture[y : y + 28, x : x + 28] == round(255 * i / (n - 1))).all()
        assert (picture[:, 28:30] == 128).all()


def test_a_gif_goes_there_and_back_again(tmp_path):
    Image().write(Image().concat(parts(5)), tmp_path / "a.gif")
    with PIL.Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.size, image.info["duration"], image.info["loop"]) == (8, (112, 112), 100, 0)
        levels = []
        for i in range(8):
            image.seek(i)
            levels.append(np.asarray(image.convert("L"))[0, 0])
    assert np.allclose(levels, [0, 64, 128, 191, 255, 191, 128, 64], atol=2)
    Image().write(Image().concat(parts(2, 200, 200)), tmp_path / "b.gif")
    with PIL.Image.open(tmp_path / "b.gif") as image:
        assert (image.n_frames, image.size) == (2, (200, 200))


def test_frames_of_several_sizes_are_centred(colour, tmp_path):
    small, large = parts(1, 10, 10)[0], parts(1, 20, 30)[0]
    joined = Image(fit="whole").concat([small, large])
    assert joined.tensor.shape == (1, 20, 60)
    assert joined.tensor[0, 0, 0] == 0.5
    assert joined.tensor[0, 10, 15] == 0
    cut = Sample(joined.tensor[..., :40], joined.meta)
    Image().write(cut, tmp_path / "a.png")
    assert pixels(tmp_path / "a.png").shape == (20, 40)


def test_mixed_meta_is_of_the_heaviest_and_of_no_picture_alone(whole, tmp_path):
    one = whole.read(put(tmp_path / "a.png", noise(9, 11, 4))).meta
    other = whole.blank()
    assert "alpha" in whole.mix([one, other], [1.0, 0.0])
    mixed = whole.mix([one, other], [0.6, 0.4])
    assert mixed["mode"] == "RGB"
    json.dumps(mixed)


# --- training ------------------------------------------------------------------------------------------------------


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_binarised_values_are_drawn():
    batch = torch.full((64, 1, 28, 28), 0.3)
    drawn = Image(binarise=True).augment(batch, draw())
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert drawn.mean() == pytest.approx(0.3, abs=0.01)
    assert not torch.equal(drawn, Image(binarise=True).augment(batch, draw(1)))


def test_larger_windows_are_cut_at_random():
    places = torch.arange(12 * 12).view(1, 1, 12, 12).float().expand(400, -1, -1, -1)
    cut = Image(height=8, width=8).augment(places, draw())
    assert cut.shape == (400, 1, 8, 8)
    corners = {(int(v) // 12, int(v) % 12) for v in cut[:, 0, 0, 0]}
    assert corners == {(y, x) for y in range(5) for x in range(5)}
    assert torch.equal(cut[0, 0, :, 1] - cut[0, 0, :, 0], torch.ones(8))


def test_flips_make_all_eight_of_a_square_and_four_of_others():
    for shape, count in (((4, 4), 8), ((4, 6), 4)):
        picture = torch.arange(shape[0] * shape[1]).view(1, 1, *shape).float()
        flipped = Image(1, *shape, flips=True).augment(picture.repeat(200, 1, 1, 1), draw())
        assert len(torch.unique(flipped, dim=0)) == count
        assert torch.equal(flipped.flatten(1).sort(1).values, picture.flatten(1).expand(200, -1))
    batch = torch.rand(4, 1, 28, 28)
    assert torch.equal(Image().augment(batch, draw()), batch)


def test_a_share_of_a_batch_loses_its_colours():
    batch = torch.rand(400, 3, 4, 4)
    out = Image(3, 4, 4, grey_share=0.25).augment(batch, draw())
    grey = (out == out[:, :1]).flatten(1).all(1)
    assert 60 < int(grey.sum()) < 140
    assert torch.equal(out[~grey], batch[~grey])
    luma = (batch[grey] * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1)
    assert torch.allclose(out[grey][:, 0], luma, atol=1e-6)
    one = torch.rand(8, 1, 28, 28)
    assert torch.equal(Image(grey_share=1.0).augment(one, draw()), one)


def test_a_share_outside_of_0_to_1_is_refused():
    with pytest.raises(MusicaeError, match=r"grey_share must be 0 to 1, not 1\.5"):
        Image(grey_share=1.5)


# --- digits --------------------------------------------------------------------------------------------------------


def test_a_digit_on_paper_is_read_as_one_of_mnist(tmp_path):
    digit = pixels(DATA / "seven.png")
    middle = [round(14.1 - np.average(np.arange(28), weights=digit.sum(axis))) for axis in (1, 0)]
    ink = np.zeros((400, 300), np.uint8)
    ink[150:318, 60:228] = digit.repeat(6, 0).repeat(6, 1)
    light = np.linspace(150, 230, 300)[None, :, None] * np.array([1, 0.97, 0.9])
    paper = put(tmp_path / "a.png", (light * (1 - 0.8 * ink[..., None] / 255.0)).round().astype(np.uint8))
    adapter = Image(fit="digit")
    sample = adapter.read(paper)
    wanted = torch.from_numpy(np.roll(digit, middle, (0, 1)) / 255).float()
    assert (sample.tensor[0] - wanted).square().mean() < 0.01
    assert any("was inverted and brought to the size and place of MNIST's" in line for line in sample.remarks)
    assert (adapter.read(paper, fit="scale").tensor[0] - wanted).square().mean() > 0.2
    assert Image(channels=3, fit="digit").read(paper).tensor.shape == (3, 28, 28)


def test_a_window_light_on_dark_passes_fit_digit_unchanged():
    for name in ("three.png", "seven.png"):
        sample = Image(fit="digit").read(DATA / name)
        assert np.array_equal((sample.tensor[0] * 255).round().numpy(), pixels(DATA / name))
        assert sample.remarks == []


def test_a_picture_of_8_bits_may_stay_bytes(tmp_path):
    rng = np.random.default_rng(0)
    adapter, values = Image(3, fit="whole"), rng.integers(0, 256, (5, 7, 3), np.uint8)
    path = put(tmp_path / "a.png", values)
    sample, plain = adapter.read(path, as_bytes=True), adapter.read(path)
    assert sample.tensor.dtype == torch.uint8
    assert torch.equal(sample.tensor / 255, plain.tensor)
    adapter.write(sample, tmp_path / "b.png")
    assert np.array_equal(np.asarray(PIL.Image.open(tmp_path / "b.png")), values)
    for other in (values[..., 0], values[..., 0].astype(np.uint16) * 257):
        assert adapter.read(put(path, other), as_bytes=True).tensor.dtype == torch.float32


_MEMORY = """
import resource, sys
from pathlib import Path
import PIL.Image
from musicae.adapters.image import Image

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def copy(source, target):
    adapter = Image(3, fit="whole")
    adapter.write(adapter.read(source, as_bytes=True), target)

folder = Path(sys.argv[1])
copy(folder / "small.png", folder / "a.png")
before = peak()
copy(folder / "large.png", folder / "b.png")
print((peak() - before) / (3000 * 3000))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is known here")
def test_a_large_picture_takes_the_memory_that_was_asked_for(tmp_path):
    for name, size in (("small", (50, 40)), ("large", (3000, 3000))):
        PIL.Image.new("RGB", size, (1, 2, 3)).save(tmp_path / f"{name}.png", compress_level=1)
    done = subprocess.run([sys.executable, "-c", _MEMORY, tmp_path], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 8.5  # Bytes a pixel: what `read` checks against the memory allowed, and a little.
