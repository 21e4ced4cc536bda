"""The command plot: which pictures it makes, and of what."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as Pillow

from musicae import codec as codecs
from musicae import plots
from musicae.cli import plot

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def data(mnist: Path) -> tuple[str, str]:
    return ("--data", str(mnist))


def is_png(path: str | Path) -> bool:
    with Pillow.open(path) as image:
        return image.format == "PNG" and min(image.size) > 200


def test_codes_of_two_numbers_and_their_plane(shell: Any, tiny_digits: Path, data: tuple[str, str]) -> None:
    lines = shell.ok("plot", "latent", tiny_digits, *data, "-o", "pictures").splitlines()
    assert lines == [str(Path("pictures") / f"tiny-digits-{what}.png") for what in ("codes", "plane")]
    assert all(is_png(line) for line in lines)
    assert "exists already" in shell.fails("plot", "latent", tiny_digits, *data, "-o", "pictures")


def test_what_is_drawn_are_the_codes_of_the_test_split(
    shell: Any, tiny_digits: Path, data: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(plots, "scatter", lambda points, path, *rest, **more: _keep(seen, path, points, *rest))
    monkeypatch.setattr(plots, "plane", lambda tiles, values, path, title: _keep(seen, path, tiles, values))
    shell.ok("plot", "latent", tiny_digits, *data, "-n", "7")
    points, labels, names = seen["tiny-digits-codes.png"]
    assert points.shape == (7, 2)
    assert labels.shape == (7,)
    assert names == list("0123456789")
    tiles, values = seen["tiny-digits-plane.png"]
    assert tiles.shape == (20, 20, 1, 28, 28)
    codec = codecs.load(str(tiny_digits))
    corner = codec.decode(torch.tensor([[values[-1], values[0]]]))  # First number largest, second least.
    assert torch.allclose(tiles[0, -1], corner[0], atol=1e-5)


def _keep(seen: dict[str, Any], path: Path, *what: Any) -> None:
    seen[path.name] = what
    path.write_bytes(b"drawn")


def test_codes_of_more_numbers_are_projected(shell: Any, tiny_classes: Path, data: tuple[str, str]) -> None:
    assert shell.ok("plot", "latent", tiny_classes, *data) == "tiny-classes-codes.png"
    flat = torch.randn(50, 2) * torch.tensor([3.0, 1.0])
    basis = torch.linalg.qr(torch.randn(5, 5)).Q[:2]
    points, axes = plot._points(flat @ basis + 4)
    assert torch.allclose(torch.pdist(points), torch.pdist(flat), atol=1e-3)
    assert points[:, 0].var() > points[:, 1].var()
    assert axes[0].startswith("principal component 1 of 5 (")
    assert plot._points(torch.randn(4, 1))[0].shape == (4, 2)


def test_reconstructions_with_what_the_network_was_given(
    shell: Any, tiny_digits: Path, tiny_denoise: Path, data: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = shell("plot", "reconstruction", tiny_digits, *data)
    assert result.stdout == "tiny-digits-reconstruction.png\n"
    assert result.stderr.startswith("PSNR ")
    assert is_png("tiny-digits-reconstruction.png")
    seen: dict[str, Any] = {}
    monkeypatch.setattr(plots, "rows", lambda lines, path: _keep(seen, path, lines))
    shell.ok("plot", "reconstruction", tiny_denoise, *data, "-n", "4", "-o", "r.png")
    (lines,) = seen["r.png"]
    assert list(lines) == ["input", "given", "output", "error"]
    assert torch.equal(lines["error"], (lines["output"] - lines["input"]).abs())
    assert lines["given"].shape == (4, 1, 28, 28)
    assert not torch.equal(lines["given"], lines["input"])


def test_the_curves_of_a_training(shell: Any) -> None:
    (shell.folder / "run").mkdir()
    rows = [{"step": 50, "steps": 100, "lr": 0.1, "beta": 1, "loss": 3.0, "kl": 2.0}, {"step": 50, "validation_kl": 4}]
    (shell.folder / "run" / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    curves = plot._curves(Path("run/metrics.jsonl"))
    assert curves == {"loss": [(50, 3)], "kl": [(50, 2)], "validation_kl": [(50, 4)]}
    assert shell.ok("plot", "losses", "run") == str(Path("run/losses.png"))
    assert is_png("run/losses.png")


NO_LOGS = [
    "{",
    "[]",
    "3",
    '{"loss": 1}',
    '{"step": 1, "loss": "much"}',
    "[" * 2000,
    '{"step": 1, "loss": ' + "9" * 400 + "}",
]


@pytest.mark.parametrize("content", NO_LOGS)
def test_a_file_that_is_no_log(shell: Any, content: str) -> None:
    (shell.folder / "metrics.jsonl").write_text(content)
    line = shell.fails("plot", "losses", ".")
    assert line.startswith("metrics.jsonl is not the log of a training, or it is damaged; name ")


def test_what_cannot_be_drawn_is_one_line(shell: Any, tiny_denoise: Path, tiny_melody: Path, tiny_digits: Path) -> None:
    assert shell.fails("plot", "losses", "run").startswith("there is no ")
    assert "has no codes to draw" in shell.fails("plot", "latent", tiny_denoise)
    assert "'tiny-melody' makes no pictures" in shell.fails("plot", "reconstruction", tiny_melody)
    (shell.folder / "empty").mkdir()
    assert "under empty; check the path given with --data" in shell.fails(
        "plot", "latent", tiny_digits, "--data", "empty", "-o", "new"
    )
    assert shell("plot", "drawing").exit_code == 2


def test_the_notes_of_a_file(shell: Any) -> None:
    shutil.copy(DATA / "band.mid", "band.mid")
    before = shell.files()
    assert shell.ok("plot", "notes", "band.mid", "--bars", "1-2") == "band.png"
    assert is_png("band.png")
    shell.ok("plot", "notes", "twinkle.mid", "--bars", "1-2", "-o", "melody.png")
    heights = {}
    for name in ("band", "melody"):
        with Pillow.open(f"{name}.png") as image:
            heights[name] = image.height
    assert heights["melody"] < heights["band"] / 2  # One part, not four.
    assert "exists already" in shell.fails("plot", "notes", "band.mid")
    assert "no file" in shell.fails("plot", "notes", "gone.mid")
    assert "out of range" in shell.fails("plot", "notes", "band.mid", "--bars", "90", "-o", "none.png")
    assert shell.new(before) == ["band.png", "melody.png"]
