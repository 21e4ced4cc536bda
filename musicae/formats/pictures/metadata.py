"""What a picture file says beside its pixels: EXIF, XMP, IPTC, comments, texts, and how a JPEG was compressed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import PIL.Image
from PIL import JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from musicae.formats.pictures import exif

__all__ = ["Metadata", "keeps", "read_metadata", "save_options", "tiff_tags"]

_KEPT = {
    "JPEG": {"EXIF", "XMP", "IPTC", "comment", "colour profile", "resolution"},
    "PNG": {"EXIF", "XMP", "comment", "texts", "colour profile", "resolution", "transparency", "16 bits"},
    "TIFF": {"EXIF", "XMP", "IPTC", "colour profile", "resolution", "transparency", "16 bits", "range of its numbers"},
    "WEBP": {"EXIF", "XMP", "colour profile", "transparency"},
    "AVIF": {"EXIF", "XMP", "colour profile", "transparency"},
    "GIF": {"comment", "transparency"},
    "JPEG2000": {"comment", "transparency"},
    "BMP": {"resolution"},
    "PPM": set[str](),
}
_PHOTOSHOP = b"Photoshop 3.0\0"
_TIFF_XMP, _TIFF_IPTC, _TIFF_PHOTOSHOP = 700, 33723, 34377
_EXIF_FOLDER, _GPS_FOLDER, _INTEROPERABILITY = 0x8769, 0x8825, 0xA005
# Of a TIFF file: document, description, maker, model, page, program, date, author, computer, copyright; Windows' own.
_TIFF_EXIF = (269, 270, 271, 272, 285, 305, 306, 315, 316, 33432, *range(40091, 40096))
_XMP_NAME = "XML:com.adobe.xmp"
_MAX_SEGMENT = 65_000  # Bytes of a segment of a JPEG file, of at most 65,533 with its name.
_SIZES = rb"tiff:Orientation|tiff:ImageWidth|tiff:ImageLength|exif:PixelXDimension|exif:PixelYDimension"
_XMP_SIZE = re.compile(rb"\b(" + _SIZES + rb")(\s*=\s*[\"']|\s*>\s*)\d+")


@dataclass
class Metadata:
    """The metadata of one picture.

    `exif` is in the layout of a TIFF file, `xmp` a packet of XML, `photoshop` Photoshop's image resources, which hold
    IPTC captions, and `iptc` these alone; `texts` are the text chunks of a PNG, `jpeg` Pillow's options for compressing
    a JPEG as it was.
    """

    exif: bytes = b""
    xmp: bytes = b""
    photoshop: bytes = b""
    iptc: bytes = b""
    comment: bytes = b""
    texts: list[tuple[str, str]] = field(default_factory=list)
    jpeg: dict[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> set[str]:
        """Which kinds of metadata there are, by the names that messages use."""
        there = {
            "EXIF": self.exif,
            "XMP": self.xmp,
            "IPTC": self.photoshop or self.iptc,
            "comment": self.comment,
            "texts": self.texts,
        }
        return {name for name, content in there.items() if content}


def keeps(kind: str) -> set[str]:
    """Return what files of a format keep, by the names that messages use."""
    return _KEPT[kind]


# --- reading -------------------------------------------------------------------------------------------------------


def read_metadata(image: PIL.Image.Image, lost: list[str]) -> Metadata:
    """Return the metadata of a picture that was decoded, and add to `lost` what is left out."""
    info = image.info
    found = Metadata(xmp=_bytes(info.get("xmp")), comment=_bytes(info.get("comment")))
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        found.exif = _exif_of_tiff(image)
        found.photoshop = _bytes(image.tag_v2.get(_TIFF_PHOTOSHOP))
        found.iptc = _bytes(image.tag_v2.get(_TIFF_IPTC))
        return found
    found.exif = _bytes(info.get("exif"))
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        segments = [content for name, content in image.applist if name == "APP13"]
        found.photoshop = b"".join(one.removeprefix(_PHOTOSHOP) for one in segments if one.startswith(_PHOTOSHOP))
        if image.mode in ("L", "RGB") and image.quantization:
            found.jpeg = {"qtables": dict(image.quantization), "progressive": bool(info.get("progressive"))}
            found.jpeg["subsampling"] = JpegImagePlugin.get_sampling(image)
        if b"HasExtendedXMP" in found.xmp:
            lost.append("the second part of its XMP data was left out")
    elif isinstance(image, PngImagePlugin.PngImageFile):
        for name, text in image.text.items():
            if name.startswith("Raw profile type"):  # ImageMagick's own way, before PNG had a chunk for EXIF data.
                if name.endswith(("exif", "APP1")) and not found.exif:
                    found.exif = image.getexif().tobytes()
            elif name != _XMP_NAME:
                found.texts.append((name, text))
    return found


def _bytes(value: Any) -> bytes:
    """Return what Pillow gives as bytes, text, or a tuple of numbers, depending on how the file has it."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, tuple):
        return bytes(value) if all(isinstance(one, int) and 0 <= one < 256 for one in value) else b""
    return bytes(value) if isinstance(value, bytes | bytearray) else b""


def _exif_of_tiff(image: TiffImagePlugin.TiffImageFile) -> bytes:
    given, found = image.getexif(), PIL.Image.Exif()
    for tag in _TIFF_EXIF:
        if tag in given:
            found[tag] = given[tag]
    for folder in (_EXIF_FOLDER, _GPS_FOLDER):
        if folder in given:
            found.get_ifd(folder).update(given.get_ifd(folder))
    found.get_ifd(_EXIF_FOLDER).pop(_INTEROPERABILITY, None)
    return found.tobytes() if any(found.get_ifd(folder) for folder in (_EXIF_FOLDER, _GPS_FOLDER)) or found else b""


# --- writing -------------------------------------------------------------------------------------------------------


def save_options(given: Metadata, kind: str, width: int, height: int, lost: list[str]) -> dict[str, Any]:
    """Return Pillow's options to write metadata with an upright picture of a size, and add what cannot be to `lost`.

    For TIFF see `tiff_tags`.
    """
    options: dict[str, Any] = {}
    kept = keeps(kind) & given.parts
    lost += sorted(given.parts - kept)
    if "EXIF" in kept and (content := _exif(given, width, height, lost)):
        if kind == "JPEG" and len(content) > _MAX_SEGMENT:
            lost.append("EXIF")
        else:
            options["exif"] = b"Exif\0\0" + content
    xmp = _xmp(given.xmp, width, height)
    if kind == "PNG":
        options["pnginfo"] = _png_texts(given, xmp)
    elif "XMP" in kept:
        if kind == "JPEG" and len(xmp) > _MAX_SEGMENT:
            lost.append("XMP")
        else:
            options["xmp"] = xmp
    if "comment" in kept and kind != "PNG":
        options["comment"] = given.comment[:_MAX_SEGMENT]
    if kind == "JPEG":
        options |= given.jpeg
        resources = given.photoshop or (_irb(given.iptc) if given.iptc else b"")
        parts = [resources[at : at + _MAX_SEGMENT] for at in range(0, len(resources), _MAX_SEGMENT)]
        segments = [_PHOTOSHOP + part for part in parts]
        options["extra"] = b"".join(b"\xff\xed" + (len(one) + 2).to_bytes(2, "big") + one for one in segments)
    return options


def tiff_tags(given: Metadata, width: int, height: int, lost: list[str]) -> dict[int, Any]:
    """Return the tags of a TIFF file that hold metadata, and add to `lost` what cannot be written."""
    lost += sorted(given.parts - keeps("TIFF"))
    tags: dict[int, Any] = {}
    if content := _exif(given, width, height, lost):
        found = PIL.Image.Exif()
        found.load(content)
        tags |= {tag: found[tag] for tag in _TIFF_EXIF if tag in found}
        for folder in (_EXIF_FOLDER, _GPS_FOLDER):
            if entries := dict(found.get_ifd(folder)):
                entries.pop(_INTEROPERABILITY, None)
                tags[folder] = entries
    blocks = {
        _TIFF_XMP: _xmp(given.xmp, width, height),
        _TIFF_PHOTOSHOP: given.photoshop,
        _TIFF_IPTC: given.iptc,
    }
    return tags | {tag: value for tag, value in blocks.items() if value}


def _exif(given: Metadata, width: int, height: int, lost: list[str]) -> bytes:
    try:
        return exif.settled(given.exif, width, height) if given.exif else b""
    except ValueError:
        lost.append("EXIF")
        return b""


def _xmp(packet: bytes, width: int, height: int) -> bytes:
    """Return a packet with the orientation and the size of the picture as it is written."""

    def settle(match: re.Match[bytes]) -> bytes:
        name = match[1]
        value = 1 if name.endswith(b"Orientation") else width if b"Width" in name or b"XDim" in name else height
        return name + match[2] + str(value).encode()

    return _XMP_SIZE.sub(settle, packet)


def _png_texts(given: Metadata, xmp: bytes) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    if xmp:
        info.add_itxt(_XMP_NAME, xmp.decode("utf-8", "replace"))
    texts = list(given.texts)
    if given.comment and "Comment" not in dict(texts):
        texts.append(("Comment", given.comment.decode("utf-8", "replace")))
    for name, text in texts:
        if isinstance(text, PngImagePlugin.iTXt):
            info.add_itxt(name, text, text.lang or "", text.tkey or "")
        else:
            info.add_text(name, text)
    return info


def _irb(iptc: bytes) -> bytes:
    """Return IPTC data as the one resource of a block of Photoshop's (number 0x0404)."""
    return b"8BIM\x04\x04\0\0" + len(iptc).to_bytes(4, "big") + iptc + b"\0" * (len(iptc) % 2)
