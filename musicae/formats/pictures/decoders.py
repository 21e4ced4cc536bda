"""Which picture formats are read and written, and how their files begin. Nothing else is ever decoded."""

from __future__ import annotations

__all__ = ["FORMATS", "UNREAD", "decoders", "format_of"]

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".avif": "AVIF",
    ".jp2": "JPEG2000",
    ".ppm": "PPM",
    ".pgm": "PPM",
}
"""The format written for each file ending; reading goes by the content."""

UNREAD = {
    "HEIC": "save it as JPEG in the camera or the photo app, or run: heif-convert FILE FILE.jpg",
    "JPEG XL": "run: djxl FILE FILE.png",
    "PostScript": "run: gs -sDEVICE=png16m -r300 -o FILE.png FILE",
    "PDF": "run: pdftoppm -png FILE FILE",
    "SVG": "run: rsvg-convert FILE -o FILE.png",
}
"""Formats that are known but not read, and how to convert them."""

_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"%!PS": "PostScript",
    b"\xc5\xd0\xd3\xc6": "PostScript",
    b"%PDF-": "PDF",
    b"<svg": "SVG",
}
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"mif1": "HEIC"}


def format_of(head: bytes) -> str:
    """Return the format in `FORMATS` or `UNREAD` of a file that begins with `head` (64 bytes or more), or ''."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "BMP"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PPM"
    if head[4:8] == b"ftyp":  # ISO 14496-12: the main brand, the minor version, and the compatible brands.
        size = min(int.from_bytes(head[:4], "big"), len(head))
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
        kinds = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
        return "AVIF" if "AVIF" in kinds else kinds[0] if kinds else ""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")


def decoders() -> list[str]:
    """Return the formats that Pillow may decode: never one that starts another program, such as PostScript."""
    return sorted(set(FORMATS.values()))
