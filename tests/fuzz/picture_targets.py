"""Picture files."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageCms
import PIL.PngImagePlugin
from target import Seeds, Target, read_and_write, write_damaged

import musicae
from musicae.formats.pictures import files as pictures
from musicae.ops import choose

__all__ = ["Picture"]


class Picture(Target):
    """Pictures of all formats under the adapters of digits and photos; some go on to be denoised."""

    name = "picture"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seeds = _pictures()
        self.codecs = [musicae.load(name) for name in ("mnist-vae", "photo-denoise")]

    def run(self, rng: random.Random) -> None:
        path = write_damaged(rng, self.seeds)
        choose.adapter_for(path)
        codec = rng.choice(self.codecs)
        suffix = rng.choice(codec.adapter.suffixes)
        read_and_write(codec, path, suffix)
        if rng.random() < 0.03:
            if codec.model.restores:
                musicae.denoise(path, path.with_name(f"out{suffix}"), preset=codec)
            else:
                musicae.reconstruct(path, preset=codec)


def _pictures() -> Seeds:
    rng = np.random.default_rng(0)
    seeds: Seeds = []
    values = (rng.random((23, 31, 4)) * 255).astype(np.uint8)
    whole = PIL.Image.fromarray(values)
    exif = PIL.Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    exif.get_ifd(0x8769)[0x9003], exif.get_ifd(0x8769)[0xA002] = "2024:05:06 07:08:09", 31
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 14.5)
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    texts = PIL.PngImagePlugin.PngInfo()
    texts.add_text("Title", "A title", zip=True)
    texts.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    both = {"exif": exif, "icc_profile": profile}
    options = {"PNG": {**both, "pnginfo": texts, "dpi": (300, 300)}, "TIFF": {"exif": exif, "dpi": (300, 300)},
               "JPEG": {**both, "xmp": b"<x/>", "comment": "A comment", "progressive": True}, "AVIF": both,
               "WEBP": {**both, "xmp": b"<x/>"}, "GIF": {"comment": "A comment"}}  # fmt: skip
    for form in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF", "ICO", "TGA", "JPEG2000"):
        for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "F", "I"):
            file = io.BytesIO()
            picture = whole.convert("L").convert(mode) if mode in ("I;16", "F", "I") else whole.convert(mode)
            try:
                picture.save(file, form, **options.get(form, {}))
            except (OSError, KeyError, ValueError):  # The format has no such mode, or this Pillow no such format.
                continue
            seeds.append((f".{form.lower()}", file.getvalue()))
    deep = pictures.Raster(rng.integers(0, 65536, (23, 31, 3)).astype(np.uint16), profile=profile)
    for form in ("PNG", "TIFF"):
        file = io.BytesIO()
        pictures.save(deep, file, kind=form)
        seeds.append((f".{form.lower()}", file.getvalue()))
    for frames in ("GIF", "WEBP", "TIFF", "PNG", "AVIF"):
        file = io.BytesIO()
        whole.save(file, frames, save_all=True, append_images=[whole.rotate(90), whole.rotate(180)])
        seeds.append((f".{frames.lower()}", file.getvalue()))
    return seeds
