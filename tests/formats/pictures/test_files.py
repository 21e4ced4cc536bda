"""Every kind of picture file, read and written; and files that are none."""

import io
import json
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageCms
import PIL.ImageOps
import PIL.TiffImagePlugin
import pytest
import torch
from drawn import noise, pixels, put
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.adapters.image import Image
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.formats.pictures import files as raster

DATA = Path(__file__).parents[3] / "data"


@pytest.fixture
def whole():
    return Image(height=96, width=96, fit="whole", likelihood="gaussian")


@pytest.fixture
def colour():
    return Image(channels=3, height=96, width=96, fit="whole", likelihood="gaussian")


# --- kinds of pictures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".bmp", ".webp"])
@pytest.mark.parametrize("shape", [(33, 21), (33, 21, 3)])
def test_what_is_read_whole_is_written_to_the_bit(whole, colour, tmp_path, suffix, shape):
    values = noise(*shape)
    source = put(tmp_path / f"a{suffix}", values, **({"lossless": True} if suffix == ".webp" else {}))
    for adapter in (whole, colour):
        adapter.write(adapter.read(source), tmp_path / f"b{suffix}")
        again = pixels(tmp_path / f"b{suffix}")
        assert np.array_equal(again if suffix != ".webp" or len(shape) == 3 else again[..., 0], values)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_kept(suffix, channels, tmp_path):
    values = noise(19, 23, channels, kind=np.uint16)
    raster.save(raster.Raster(values), tmp_path / f"a{suffix}")
    adapter = Image(channels=channels, fit="whole")
    sample = adapter.read(tmp_path / f"a{suffix}")
    assert sample.meta["bits"] == 16
    assert np.array_equal((sample.tensor * 65535).round().movedim(0, -1).numpy(), values)
    adapter.write(sample, tmp_path / f"b{suffix}")
    assert np.array_equal(raster.load(tmp_path / f"b{suffix}").values, values)
    adapter.write(sample, tmp_path / "b.jpg")
    assert pixels(tmp_path / "b.jpg").dtype == np.uint8


def test_sixteen_bits_of_colour_pass_a_grey_preset(whole, tmp_path):
    values = noise(19, 23, 3, kind=np.uint16)
    raster.save(raster.Raster(values), tmp_path / "a.png")
    whole.write(whole.read(tmp_path / "a.png"), tmp_path / "b.png")
    again = raster.load(tmp_path / "b.png").values
    assert np.abs(again.astype(int) - values).max() <= 2


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_with_transparency(suffix, tmp_path):
    values, alpha = noise(9, 11, 3, kind=np.uint16), noise(9, 11, kind=np.uint16)
    raster.save(raster.Raster(values, alpha), tmp_path / f"a{suffix}")
    found = raster.load(tmp_path / f"a{suffix}")
    assert np.array_equal(found.values, values)
    assert np.array_equal(found.alpha, alpha)
    raster.save(raster.Raster(values[..., :1], alpha), tmp_path / f"b{suffix}")
    grey = raster.load(tmp_path / f"b{suffix}")
    assert np.array_equal(grey.values, values[..., :1])
    assert np.array_equal(grey.alpha, alpha)


def test_pillow_reads_our_sixteen_bits(tmp_path):
    values = noise(9, 11, 3, kind=np.uint16)
    for suffix in (".png", ".tif"):
        raster.save(raster.Raster(values), tmp_path / f"a{suffix}")
        assert np.array_equal(pixels(tmp_path / f"a{suffix}"), values >> 8)


def test_a_grey_picture_stays_grey_in_a_colour_preset(colour, tmp_path):
    sample = colour.read(put(tmp_path / "a.png", noise(9, 11)))
    assert sample.tensor.shape == (3, 9, 11)
    colour.write(sample, tmp_path / "b.png")
    assert pixels(tmp_path / "b.png").shape == (9, 11)


def test_colours_pass_a_grey_preset_and_are_left_out_of_its_windows(whole, tmp_path):
    values = noise(9, 11, 3)
    path = put(tmp_path / "a.png", values)
    sample = whole.read(path)
    luma = values.astype(float) @ [0.299, 0.587, 0.114] / 255
    assert np.allclose(sample.tensor[0], luma, atol=1e-6)
    assert any("put back" in line for line in sample.remarks)
    sample.tensor = sample.tensor.flip(2).clamp(0.4, 0.6)
    whole.write(sample, tmp_path / "b.png")
    assert pixels(tmp_path / "b.png").shape == values.shape
    small = Image().read(path)
    assert small.meta["mode"] == "L"
    assert any("left out" in line for line in small.remarks)
    json.dumps(small.meta)


def test_what_was_put_aside_is_scaled_with_the_picture(whole, tmp_path):
    path = put(tmp_path / "a.png", np.tile(np.uint8([200, 90, 30, 128]), (12, 10, 1)))
    sample = whole.read(path)
    sample.tensor = torch.nn.functional.interpolate(sample.tensor[None], scale_factor=2.0)[0]
    whole.write(sample, tmp_path / "b.png")
    again = pixels(tmp_path / "b.png").astype(int)
    assert again.shape == (24, 20, 4)
    assert np.abs(again - [200, 90, 30, 128]).max() <= 1


def test_transparency_is_kept_whole_and_laid_on_paper_otherwise(colour, tmp_path):
    values = noise(9, 11, 4)
    path = put(tmp_path / "a.png", values)
    colour.write(colour.read(path), tmp_path / "b.png")
    assert np.array_equal(pixels(tmp_path / "b.png"), values)
    colour.write(colour.read(path), tmp_path / "b.bmp")
    share = values[..., 3:] / 255
    assert np.abs(pixels(tmp_path / "b.bmp") - (values[..., :3] * share + 255 * (1 - share))).max() <= 1
    ink = np.zeros((28, 28, 2), np.uint8)
    ink[10:18, 10:18, 1] = 255
    assert Image().read(put(tmp_path / "ink.png", ink)).tensor[0, 0, 0] == 1
    ink[..., 0] = 255
    assert Image().read(put(tmp_path / "chalk.png", ink)).tensor[0, 0, 0] == 0


@pytest.mark.parametrize("mode", ["1", "L", "P", "PA", "LA", "RGBA", "CMYK", "YCbCr", "I", "F", "I;16"])
def test_every_mode_is_read(mode, tmp_path):
    suffix = {"CMYK": ".jpg", "YCbCr": ".jpg", "F": ".tif", "I": ".tif", "PA": ".tif"}.get(mode, ".png")
    values = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (32, 1))
    if mode in ("I", "F", "I;16"):
        kind = {"I": np.int32, "F": np.float32, "I;16": np.uint16}[mode]
        image = PIL.Image.fromarray((values / 255.0 if mode == "F" else values.astype(float) * 257).astype(kind))
    elif mode == "PA":
        image = PIL.Image.fromarray(values).convert("P").convert("PA")
    else:
        image = PIL.Image.fromarray(values).convert("RGB").convert(mode)
    path = tmp_path / f"a{suffix}"
    image.save(path)
    if mode in ("1", "P"):  # Dithered, or with few colours: what Pillow makes of it is what counts.
        with PIL.Image.open(path) as image:
            values = np.asarray(image.convert("L"))
    for channels in (1, 3):
        sample = Image(channels, 32, 32).read(path)
        assert (sample.tensor - torch.from_numpy(values / 255).float()).abs().max() < 0.01


def test_a_palette_with_a_transparent_colour(colour, tmp_path):
    image = PIL.Image.new("P", (2, 2))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1, 1, 0])
    image.save(tmp_path / "a.png", transparency=0)
    colour.write(colour.read(tmp_path / "a.png"), tmp_path / "b.png")
    again = pixels(tmp_path / "b.png")
    assert again[0, 1].tolist() == [200, 100, 50, 255]
    assert again[0, 0, 3] == 0


@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_are_turned_upright(whole, tmp_path, turn):
    exif = PIL.Image.Exif()
    exif[274] = turn
    path = put(tmp_path / "a.png", noise(5, 9), exif=exif)
    with PIL.Image.open(path) as image:
        upright = np.asarray(PIL.ImageOps.exif_transpose(image))
    sample = whole.read(path)
    assert np.array_equal((sample.tensor[0] * 255).round().numpy(), upright)
    whole.write(sample, tmp_path / "b.png")
    assert np.array_equal(pixels(tmp_path / "b.png"), upright)


def test_resolution_and_profile_are_kept(whole, tmp_path):
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    path = put(tmp_path / "a.png", noise(5, 9, 3), dpi=(300, 300), icc_profile=profile)
    whole.write(whole.read(path), tmp_path / "b.png")
    with PIL.Image.open(tmp_path / "b.png") as image:
        assert image.info["icc_profile"] == profile
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_of_an_animation_the_first_picture_is_read(tmp_path):
    frames = [PIL.Image.new("L", (28, 28), value) for value in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    sample = Image().read(tmp_path / "a.gif")
    assert sample.tensor.mean() == pytest.approx(10 / 255)
    assert any("first of its 2" in line for line in sample.remarks)


# --- streams -------------------------------------------------------------------------------------------------------


@given(
    pixels=st.lists(st.integers(0, 255), min_size=1, max_size=40),
    channels=st.sampled_from([1, 3]),
    kind=st.sampled_from(["PNG", "TIFF", "BMP", "WEBP"]),
)
@settings(max_examples=60, deadline=None)
def test_lossless_formats_come_back_to_the_bit_through_a_stream(pixels, channels, kind):
    values = np.repeat(np.array(pixels, np.uint8)[None, :, None], channels, axis=2)
    values[..., 0] ^= 1 if channels == 3 else 0
    stream = io.BytesIO()
    raster.save(raster.Raster(values), stream, kind=kind)
    assert raster.format_of(stream.getvalue()[:16]) == kind
    found = raster.load(stream)
    assert np.array_equal(found.values if kind != "WEBP" or channels == 3 else found.values[..., :1], values)
    assert raster.FORMATS[found.suffix] == kind


@pytest.mark.parametrize("channels", [1, 3])
def test_a_stream_gets_what_a_file_gets(tmp_path, channels):
    for kind, suffix in (("PNG", ".png"), ("TIFF", ".tif"), ("JPEG", ".jpg"), ("GIF", ".gif")):
        picture = raster.Raster(noise(9, 11, channels, kind=np.uint16 if kind in ("PNG", "TIFF") else np.uint8))
        stream = io.BytesIO()
        raster.save(picture, stream, kind=kind)
        raster.save(picture, tmp_path / f"a{suffix}")
        assert stream.getvalue() == (tmp_path / f"a{suffix}").read_bytes()
        assert np.array_equal(raster.load(stream).values, raster.load(tmp_path / f"a{suffix}").values)


def test_bad_streams_are_one_line():
    for content, match in ((b"", "the stream is empty"), (b"no picture at all", "the stream is not a picture")):
        with pytest.raises(MusicaeError, match=match):
            raster.load(io.BytesIO(content))
    with pytest.raises(MusicaeError, match="holds 16383 pixels"):
        raster.save(raster.Raster(np.zeros((1, 20_000, 1), np.uint8)), io.BytesIO(), kind="WEBP")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"RIFF\0\0\0\0WEBP", "WEBP"),
        (b"RIFF\0\0\0\0WAVE", ""),
        (b"BM\x10\0\0\0\0\0\0\0\x36", "BMP"),
        (b"BMX is a bicycle", ""),
        (b"MThd", ""),
        (b"", ""),
    ],
)
def test_pictures_are_recognised_by_how_they_begin(head, kind):
    assert raster.format_of(head) == kind


# --- bad input -----------------------------------------------------------------------------------------------------


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def test_bad_files_are_one_line(tmp_path):
    good = (DATA / "scene.png").read_bytes()
    put(tmp_path / "good.jpg", noise(64, 64, 3))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    cases = {
        "empty.png": (b"", "empty"),
        "words.png": (b"this is no picture at all", "not a picture"),
        "cut.png": (good[: len(good) // 2], "cut short"),
        "cut.jpg": ((tmp_path / "good.jpg").read_bytes()[:900], "cut short"),
        "head.png": (good[:20], "picture|cut short"),
        "bomb.png": (
            good[:8] + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""),
            "60000 x 60000 pixels.*MUSICAE_MEMORY=",
        ),
    }
    for name, (content, says) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MusicaeError, match=says) as caught:
            Image().read(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(MusicaeError, match="there is no file"):
        Image().read(tmp_path / "none.png")
    with pytest.raises(MusicaeError, match="is a folder"):
        Image().read(tmp_path)


def test_large_pictures_are_read_without_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    Image().read(DATA / "scene.png")
    assert PIL.Image.MAX_IMAGE_PIXELS == 100
    monkeypatch.setenv("MUSICAE_MEMORY", "100K")
    with pytest.raises(MusicaeError, match=r"\(\d+ x \d+ pixels\) takes .* of memory, the limit is 100 KB"):
        Image().read(DATA / "scene.png")


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    sample = Image().read(DATA / "three.png")
    for path, says in (
        (tmp_path / "a.xyz", "does not end as a picture does"),
        (tmp_path / "none" / "a.png", "no folder"),
    ):
        with pytest.raises(MusicaeError, match=says):
            Image().write(sample, path)
    long = Sample(torch.zeros(1, 1, 70_000), Image().blank())
    for suffix in (".webp", ".jpg", ".gif", ".avif"):
        with pytest.raises(MusicaeError, match=r"pixels a side, not 70000; use \.png"):
            Image().write(long, tmp_path / f"a{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_pictures_of_16_bits_keep_profile_and_resolution(tmp_path, suffix, channels):
    deep = np.random.default_rng(0).integers(0, 65536, (5, 7, channels), dtype=np.uint16)
    alpha = deep[..., 3] if channels == 4 else None
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    raster.save(raster.Raster(deep[..., :3], alpha, (300.0, 150.0), profile), tmp_path / f"a{suffix}")
    found = raster.load(tmp_path / f"a{suffix}")
    assert np.array_equal(found.values, deep[..., :3])
    assert alpha is None or np.array_equal(found.alpha, alpha)
    assert found.dpi == pytest.approx((300, 150), abs=0.02)
    assert found.profile == profile


def test_no_limit_of_pillow_s_own_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)
    for name in ("a.tif", "a.png"):
        raster.save(raster.Raster(np.zeros((9, 9, 1), np.uint8)), tmp_path / name)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert raster.load(tmp_path / name).values.shape == (9, 9, 1)
    assert PIL.Image.MAX_IMAGE_PIXELS == 10


def test_memory_counts_for_what_is_done_afterwards(tmp_path, monkeypatch):
    path = put(tmp_path / "a.png", np.zeros((100, 100), np.uint8))
    monkeypatch.setenv("MUSICAE_MEMORY", "100K")
    raster.load(path)
    with pytest.raises(MusicaeError, match="takes 400 KB of memory"):
        raster.load(path, pixel_bytes=40)


def test_a_huge_tile_counts_as_its_picture(tmp_path):
    table = PIL.TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in {256: 8, 257: 8, 258: 8, 259: 8, 262: 1, 277: 1, 322: 60_000, 323: 60_000, 324: 200}.items():
        table[tag] = value
    table[325] = 20
    with (tmp_path / "a.tif").open("wb") as file:
        table.save(file)
    with pytest.raises(MusicaeError, match="MUSICAE_MEMORY=8G"):
        raster.load(tmp_path / "a.tif")


def test_no_file_starts_a_program(tmp_path, monkeypatch):
    def start(*args, **options):
        raise AssertionError(f"started {args}")

    for name in ("run", "Popen", "check_call", "call"):
        monkeypatch.setattr(f"subprocess.{name}", start)
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n%%EndComments\nshowpage\n"
    for name in ("a.png", "a.eps"):
        (tmp_path / name).write_bytes(script)
        with pytest.raises(MusicaeError, match="is PostScript, which is not read; run: gs"):
            raster.load(tmp_path / name)
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))
    with pytest.raises(MusicaeError, match=r"a\.jpg is HEIC, which is not read; .*heif-convert FILE FILE\.jpg"):
        raster.load(tmp_path / "a.jpg")


def test_jpegs_of_very_many_scans_are_refused(tmp_path):
    path = put(tmp_path / "a.jpg", noise(16, 16), progressive=True)
    content = path.read_bytes()
    raster.load(path)
    path.write_bytes(content[:-2] + b"\xff\xda" * 101)
    with pytest.raises(MusicaeError, match="more than 100 scans"):
        raster.load(path)


@pytest.mark.parametrize("suffix", [".jpe", ".jfif", ".avif", ".jp2", ".ppm", ".pgm"])
def test_the_content_decides_and_every_ending_is_written(whole, colour, tmp_path, suffix):
    values = np.tile(np.linspace(30, 220, 40).astype(np.uint8)[:, None, None], (1, 30, 3))
    put(tmp_path / "a.png", values)
    colour.write(colour.read(tmp_path / "a.png"), tmp_path / f"a{suffix}")
    assert raster.FORMATS[suffix] == raster.format_of((tmp_path / f"a{suffix}").read_bytes()[:64])
    (tmp_path / f"a{suffix}").rename(tmp_path / "b.png")
    again = colour.read(tmp_path / "b.png")
    assert (again.tensor * 255 - torch.from_numpy(values).movedim(2, 0)).abs().max() < 3


def test_hidden_colours_do_not_bleed(colour, tmp_path):
    values = np.zeros((20, 20, 4), np.uint8)
    values[..., 1] = 200  # Bright green, where nothing shows.
    values[6:14, 6:14] = [200, 40, 40, 255]
    for name, image in {
        "a.png": PIL.Image.fromarray(values),
        "p.png": PIL.Image.fromarray(values).quantize(),
        "a.gif": PIL.Image.fromarray(values),
    }.items():
        image.save(tmp_path / name)
        sample = colour.read(tmp_path / name)
        assert sample.tensor.flatten(1).std(1).max() < 0.01, name
        colour.write(sample, tmp_path / f"b_{name}")
        again = raster.load(tmp_path / f"b_{name}")
        assert np.array_equal(again.alpha, values[..., 3])
        assert np.abs(again.values[8, 8].astype(int) - [200, 40, 40]).max() <= 4
    grey = put(tmp_path / "la.png", values[..., [1, 3]])
    colour.write(colour.read(grey), tmp_path / "b.png")
    assert np.array_equal(pixels(tmp_path / "b.png"), values[..., [1, 3]])


def test_what_is_lost_is_said(colour, tmp_path):
    image = PIL.Image.fromarray(noise(9, 11, 4))
    exif = PIL.Image.Exif()
    exif[271] = "A maker"
    image.save(tmp_path / "a.png", exif=exif, dpi=(100, 100))
    sample = colour.read(tmp_path / "a.png")
    for suffix, lost in ((".png", []), (".tif", []), (".bmp", ["BMP does not keep: EXIF, transparency"])):
        sample.remarks = []
        colour.write(sample, tmp_path / f"b{suffix}")
        assert sample.remarks == lost


def test_damaged_metadata_cost_no_picture(colour, tmp_path):
    exif = PIL.Image.Exif()
    exif[271] = "A maker"
    content = exif.tobytes()
    values = noise(9, 11, 3)
    for cut in (content[:9], content[:20], content[:10] + b"\xff" * 30, b"Exif\0\0II*\0\xff\xff\xff\x7f"):
        for suffix in (".png", ".webp", ".tif", ".avif", ".jpg"):
            put(tmp_path / "a.png", values, exif=cut)  # A warning would be an error here.
            sample = colour.read(tmp_path / "a.png")
            colour.write(sample, tmp_path / f"b{suffix}")
            assert raster.load(tmp_path / f"b{suffix}").values.shape == values.shape


def test_a_broken_profile_is_left_out(colour, tmp_path):
    for profile in (b"none", bytes(200), b"\xff" * 5000):
        path = put(tmp_path / "a.tif", noise(9, 11, 3), icc_profile=profile)
        sample = colour.read(path)
        assert any("profile is damaged" in line for line in sample.remarks)
        colour.write(sample, tmp_path / "b.tif")
        assert np.array_equal(pixels(tmp_path / "b.tif"), pixels(path))
