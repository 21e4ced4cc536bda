"""How much memory a picture takes, before anything of it is decoded: some kilobytes may stand for gigabytes."""

from __future__ import annotations

import PIL.Image
from PIL.TiffImagePlugin import TiffImageFile

from musicae.formats.pictures.colours import CONVERTED
from musicae.formats.pictures.numbers import has_numbers, swapped

__all__ = ["memory_of", "plain_mode"]

_TILE_WIDTH, _TILE_LENGTH = 322, 323  # Tags of a TIFF file.
_STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}  # Bytes a pixel in Pillow's memory; of other modes 4.
_NUMBERS, _DEEP = 24, 32  # Bytes of a pixel while numbers, or colours of 16 bits, are decoded.
_COPIES = 3  # Of numbers of 16 bits at a time: two while Pillow hands them over, and one that is turned or blended.
_CLEAR, _WIDE = 12, 8  # Bytes that a pixel takes more afterwards with transparency, and in colours of 16 bits.


def memory_of(image: PIL.Image.Image, pixel_bytes: int, byte_pixel_bytes: int) -> int:
    """Return the bytes that a picture takes at most, while it is decoded or afterwards.

    A pixel then takes `pixel_bytes`, or `byte_pixel_bytes` in a picture that is in colour of 8 bits, whatever it shows.
    """
    mode, stored, is_deep = plain_mode(image), _STORED.get(image.mode, 4), swapped(image) is not None
    if is_deep:
        decoding = _DEEP
    elif has_numbers(image):
        decoding = stored + (_COPIES * stored if stored == 2 else _NUMBERS)
    else:
        converted = 0 if image.mode == mode else 1 if mode == "L" else 4
        decoding = stored + converted + len(mode) * (2 if "A" in mode else 1)
        pixel_bytes = byte_pixel_bytes if image.mode in ("RGB", *CONVERTED) else pixel_bytes
    afterwards = pixel_bytes + (_CLEAR * ("A" in mode) + _WIDE * is_deep) * (pixel_bytes > 0)
    pixels = image.width * image.height
    if isinstance(image, TiffImageFile):
        width, length = (image.tag_v2.get(tag, 0) for tag in (_TILE_WIDTH, _TILE_LENGTH))
        if isinstance(width, int) and isinstance(length, int):
            pixels = max(pixels, width * length)
    return pixels * max(decoding, afterwards)


def plain_mode(image: PIL.Image.Image) -> str:
    """Return the mode of bytes that keeps all of a picture: L, LA, RGB or RGBA."""
    if image.mode in CONVERTED:
        return "RGB"
    has_alpha = "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    return ("L" if image.mode in ("1", "L", "LA", "La") else "RGB") + "A" * has_alpha
