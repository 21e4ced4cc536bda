"""The command map."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from PIL import Image


def test_a_map_of_a_folder(gallery: Any, tiny_digits: Path) -> None:
    (gallery.folder / "digits" / "few").mkdir(parents=True)
    for name in ("three.png", "seven.png"):
        (gallery.folder / name).rename(gallery.folder / "digits" / "few" / name)
    words = ("map", "digits", "--preset", str(tiny_digits))
    assert "has 2 files that can be read" in gallery.fails(*words)
    shutil.copy(gallery.folder / "scene.png", gallery.folder / "digits")
    (gallery.folder / "digits" / "bad.png").write_bytes(b"")
    result = gallery(*words, "-v")
    assert (result.exit_code, result.stdout) == (0, "digits-map.png\n")
    assert "preset tiny-digits; 3 of 3 files have room for their name" in result.stderr
    assert "1 of 4 files could not be read and were left out" in result.stderr
    with Image.open("digits-map.png") as image:
        assert image.size[0] > 1000
    assert "exists already" in gallery.fails(*words)
    facts = json.loads(gallery.ok(*words, "-f", "--json", "--method", "tsne", "-o", "m.png"))
    assert (facts["png"], facts["method"], len(facts["files"])) == ("m.png", "tsne", 3)
    assert set(facts["files"][0]) == {"path", "x", "y"}


def test_wrong_words(shell: Any, preset: Any) -> None:
    assert "there is no folder none" in shell.fails("map", "none", *preset)
    assert "name a file that ends in .png" in shell.fails("map", ".", "-o", "map.pdf", *preset)
    assert "no method named 'umap'" in shell.fails("map", ".", "--method", "umap", *preset)
    assert "an index is an .npz file" in shell.fails("map", ".", "--index", "a.csv", *preset)
