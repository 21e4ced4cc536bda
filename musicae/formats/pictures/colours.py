"""Colours that are not red, green and blue, converted by the profile of their picture (ICC.1:2022)."""

from __future__ import annotations

import io

import PIL.Image
import PIL.ImageCms

__all__ = ["CONVERTED", "is_profile_of", "to_rgb"]

CONVERTED = ("CMYK", "HSV", "LAB", "YCbCr")
"""Pillow's modes that `to_rgb` converts."""

_HEADER = 128  # Bytes of a profile.
_SPACES = {1: b"GRAY", 3: b"RGB "}


def is_profile_of(profile: bytes, channels: int) -> bool:
    """Return whether an ICC profile is whole and describes pictures of 1 or 3 channels."""
    size = int.from_bytes(profile[:4], "big")
    return _HEADER < size <= len(profile) and profile[36:40] == b"acsp" and profile[16:20] == _SPACES.get(channels)


def to_rgb(image: PIL.Image.Image, profile: bytes | None) -> tuple[PIL.Image.Image, str]:
    """Return a picture of a mode in `CONVERTED` as sRGB, and a remark how."""
    told = f"its {image.mode} colours were converted to RGB"
    rgb = PIL.ImageCms.createProfile("sRGB")
    try:
        if image.mode == "LAB":
            return _converted(image, PIL.ImageCms.createProfile("LAB"), rgb), told
        if image.mode == "CMYK" and profile:
            return _converted(image, PIL.ImageCms.ImageCmsProfile(io.BytesIO(profile)), rgb), f"{told} by its profile"
    except (OSError, PIL.ImageCms.PyCMSError):
        told += ", without its profile, which is damaged"
    else:
        told += ", without a profile" if image.mode == "CMYK" else ""
    return image.convert("RGB"), told


def _converted(image: PIL.Image.Image, source: object, target: object) -> PIL.Image.Image:
    made = PIL.ImageCms.profileToProfile(
        image,
        source,  # type: ignore[arg-type]
        target,  # type: ignore[arg-type]
        renderingIntent=PIL.ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=PIL.ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert made is not None  # It is None only where a picture is changed in place.
    return made
