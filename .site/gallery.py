"""Makes the pictures and sounds of docs/gallery.md by its commands: ``python .site/gallery.py``.

Pictures get few colours, and sounds become short MP3 files, so that the repository stays small.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
COLOURS, WIDEST, LONGEST, FADE = 64, 1100, 24.0, 1.5  # Colours and pixels of a picture, seconds of a sound.


def main() -> None:
    """Run all commands in a folder of their own, and keep what the page shows."""
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    target = ROOT / "docs" / "gallery"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "data", folder / "data")
        for line in "".join(re.findall(r"^```sh\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)).splitlines():
            subprocess.run([sys.executable, "-m", *shlex.split(line)], cwd=folder, check=True)
        for shown in re.findall(r"\]\(gallery/(\S+)\)", page):
            if shown.endswith(".png"):
                keep_picture(folder / shown, target / shown)
            else:
                keep_sound(folder / Path(shown).with_suffix(".wav"), target / shown)


def keep_picture(source: Path, target: Path) -> None:
    """Write a picture with few colours, and no wider than a page."""
    with Image.open(source) as picture:
        small = picture.convert("RGB")
        small.thumbnail((WIDEST, 10 * WIDEST))
        small.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


def keep_sound(source: Path, target: Path) -> None:
    """Write the beginning of a sound as MP3, in mono."""
    samples, rate = soundfile.read(source, always_2d=True)
    mono = samples.mean(1)[: round(LONGEST * rate)]
    if len(mono) < len(samples):
        fade = round(FADE * rate)
        mono[-fade:] *= np.linspace(1, 0, fade)
    soundfile.write(target, 0.9 * mono / np.abs(mono).max(), rate, format="MP3", compression_level=0.7)


if __name__ == "__main__":
    main()
