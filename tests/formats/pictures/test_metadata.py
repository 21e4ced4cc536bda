"""Metadata that pictures keep on their way through, as other programs read them."""

import io
import struct

import exifread
import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest
from drawn import noise
from PIL.PngImagePlugin import PngInfo

from musicae.adapters.image import Image
from musicae.formats.pictures.metadata import Metadata, keeps, save_options

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="6" exif:PixelXDimension="64" '
    b'dc:title="A title"><exif:PixelYDimension>48</exif:PixelYDimension></rdf:Description></rdf:RDF></x:xmpmeta>'
)
PROFILE = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
IPTC = b"\x1c\x02\x78\x00\x09A caption"
RESOURCES = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC
ADAPTER = Image(3, 64, 64, fit="whole", likelihood="gaussian")


def exif_data() -> PIL.Image.Exif:
    made = PIL.Image.Exif()
    made[271], made[272], made[274] = "A maker", "A model", 6
    folder = made.get_ifd(0x8769)
    folder[0x9003], folder[0xA002], folder[0xA003] = "2024:05:06 07:08:09", 64, 48
    made.get_ifd(0x8825)[1] = "N"
    made.get_ifd(0x8825)[2] = (48.0, 8.0, 14.5)
    return made


def photo(path):
    image = PIL.Image.fromarray(noise(48, 64, 3))
    options = {"exif": exif_data().tobytes(), "icc_profile": PROFILE, "dpi": (300, 300)}
    if path.suffix == ".png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"].add_text("Title", "A title")
        options["pnginfo"].add_itxt("Autor", "Jürgen", "de", "Author")
    elif path.suffix == ".tif":
        options["exif"] = PIL.Image.Exif()
        options["exif"].load(exif_data().tobytes())
        options["exif"][700], options["exif"][34377] = XMP, RESOURCES
    else:
        options["xmp"] = XMP
    if path.suffix == ".jpg":
        segment = b"Photoshop 3.0\0" + RESOURCES
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment
        options |= {"quality": 71, "subsampling": 2, "progressive": True, "comment": b"A comment"}
    image.save(path, **options)
    return path


def exif_tags(path):
    content = path.read_bytes()
    if path.suffix in (".avif", ".webp"):  # In these they stand as they are.
        content = content[min(content.find(head) for head in (b"MM\0*", b"II*\0") if head in content) :]
    return {name: str(tag) for name, tag in exifread.process_file(io.BytesIO(content), details=False).items()}


@pytest.mark.parametrize("target", [".jpg", ".png", ".webp", ".tif", ".avif"])
@pytest.mark.parametrize("source", [".jpg", ".png", ".tif"])
def test_photos_keep_what_they_say(tmp_path, source, target):
    path, made = photo(tmp_path / f"a{source}"), tmp_path / f"b{target}"
    ADAPTER.write(ADAPTER.read(path), made)
    tags = exif_tags(made)
    assert (tags["Image Make"], tags["Image Model"]) == ("A maker", "A model")
    assert tags["EXIF DateTimeOriginal"] == "2024:05:06 07:08:09"
    assert (tags["EXIF ExifImageWidth"], tags["EXIF ExifImageLength"]) == ("48", "64")
    assert (tags["GPS GPSLatitudeRef"], tags["GPS GPSLatitude"]) == ("N", "[48, 8, 29/2]")
    assert tags.get("Image Orientation", "Horizontal (normal)") == "Horizontal (normal)"
    content = made.read_bytes()
    assert content.count(b'dc:title="A title"') == 1
    assert b'tiff:Orientation="6"' not in content
    assert b'exif:PixelXDimension="48"' in content
    assert b"<exif:PixelYDimension>64<" in content
    with PIL.Image.open(made) as image:
        assert image.size == (48, 64)
        assert image.info["icc_profile"] == PROFILE
        assert target == ".avif" or np.abs(np.subtract(image.info.get("dpi", (300, 300)), 300)).max() < 0.1


def test_upscaled_photos_say_their_size(tmp_path):
    sample = ADAPTER.read(photo(tmp_path / "a.jpg"))
    sample.tensor = sample.tensor.repeat(1, 2, 2)
    ADAPTER.write(sample, tmp_path / "b.jpg")
    tags = exif_tags(tmp_path / "b.jpg")
    assert (tags["EXIF ExifImageWidth"], tags["EXIF ExifImageLength"]) == ("96", "128")


def test_a_jpeg_is_compressed_as_it_was(tmp_path):
    ADAPTER.write(ADAPTER.read(photo(tmp_path / "a.jpg")), tmp_path / "b.jpg")
    with PIL.Image.open(tmp_path / "a.jpg") as before, PIL.Image.open(tmp_path / "b.jpg") as after:
        assert after.quantization == before.quantization
        assert after.layer == before.layer
        assert after.info["progressive"]
        assert after.info["comment"] == b"A comment"
    assert (tmp_path / "b.jpg").read_bytes().count(b"Photoshop 3.0\0" + RESOURCES) == 1
    ADAPTER.write(ADAPTER.read(tmp_path / "a.jpg"), tmp_path / "b.tif")
    assert (tmp_path / "b.tif").read_bytes().count(RESOURCES) == 1


def test_texts_of_a_png(tmp_path):
    ADAPTER.write(ADAPTER.read(photo(tmp_path / "a.png")), tmp_path / "b.png")
    with PIL.Image.open(tmp_path / "b.png") as image:
        assert (image.text["Title"], image.text["Autor"], image.text["Autor"].tkey) == ("A title", "Jürgen", "Author")
    sample = ADAPTER.read(tmp_path / "b.png")
    ADAPTER.write(sample, tmp_path / "b.webp")
    assert sample.remarks[-1] == "WEBP does not keep: texts"


def test_deep_pngs_keep_metadata(tmp_path):
    from musicae.formats.pictures.files import Raster, load, save

    texts = [("Title", "A title")]
    given = Metadata(exif_data().tobytes().removeprefix(b"Exif\0\0"), XMP, comment=b"A comment", texts=texts)
    for suffix in (".png", ".tif"):
        save(Raster(noise(48, 64, 3, kind=np.uint16), metadata=given), tmp_path / f"a{suffix}")
        assert exif_tags(tmp_path / f"a{suffix}")["Image Make"] == "A maker"
        assert b"A title" in load(tmp_path / f"a{suffix}").metadata.xmp
    assert load(tmp_path / "a.png").metadata.texts == [("Title", "A title"), ("Comment", "A comment")]


def test_what_is_too_large_for_a_jpeg_is_named():
    lost: list[str] = []
    options = save_options(Metadata(exif_data().tobytes() + bytes(70_000), bytes(70_000)), "JPEG", 5, 5, lost)
    assert lost == ["EXIF", "XMP"]
    assert not options.get("exif")
    assert not options.get("xmp")


def test_every_format_says_what_it_keeps():
    from musicae.formats.pictures.decoders import FORMATS

    assert all("EXIF" in keeps(kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF"))
    assert [kind for kind in sorted(set(FORMATS.values())) if "transparency" not in keeps(kind)] == [
        "BMP",
        "JPEG",
        "PPM",
    ]
