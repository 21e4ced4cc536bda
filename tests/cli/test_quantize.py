"""The command quantize."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from musicae import checkpoint


@pytest.fixture
def melody(untrained: Any) -> Path:
    """The checkpoint of an untrained melody preset with matrices that are worth 8 bits."""
    model = {"name": "patch-vae", "latent": 64, "width": 128, "depth": 1, "heads": 2}
    path: Path = untrained("wide-melody", adapter={"name": "melody"}, model=model)
    return path


def test_quantize_writes_a_smaller_file_that_works_alike(shell: Any, melody: Path) -> None:
    (shell.folder / "mine.safetensors").write_bytes(melody.read_bytes())
    result = shell("quantize", "mine.safetensors")
    assert (result.exit_code, result.stdout) == (0, "mine-int8.safetensors\n")
    assert " instead of " in result.stderr
    assert Path("mine-int8.safetensors").stat().st_size < 0.3 * melody.stat().st_size
    assert checkpoint.read_header(Path("mine-int8.safetensors")) == checkpoint.read_header(melody)
    assert "step 7," in shell.ok("show", "mine-int8.safetensors")
    assert shell.ok("reconstruct", "twinkle.mid", "--preset", "mine-int8.safetensors", "-o", "b.mid")
    assert shell.fails("quantize", "mine.safetensors") == (
        "mine-int8.safetensors exists already; -f overwrites it, -o names another"
    )
    # In place, and of what is in 8 bits already.
    assert shell.ok("quantize", "mine-int8.safetensors", "-f", "-o", "mine-int8.safetensors")


def test_what_is_kept_has_16_bits(shell: Any, melody: Path) -> None:
    every = checkpoint.read(melody)[1]
    shell.ok("quantize", melody, "-o", "new/x.safetensors", "--keep", "model.encoder*", "--keep", "*.bias")
    same = {name for name, x in checkpoint.read(Path("new/x.safetensors"))[1].items() if x.equal(every[name].half())}
    assert {name for name in every if name.startswith("model.encoder")} <= same < every.keys()


def test_what_is_not_trained_has_8_bits_if_asked_for(shell: Any, untrained: Any) -> None:
    model = {"name": "column-vae", "latent": 256, "columns": 16, "components": 64, "width": 8, "blocks": 1}
    path = untrained("sounds", adapter={"name": "mel"}, model=model)
    shell.ok("quantize", path, "-o", "a.safetensors")
    shell.ok("quantize", path, "-o", "b.safetensors", "--also", "model.rotation")
    plain, smaller = (Path(name).stat().st_size for name in ("a.safetensors", "b.safetensors"))
    assert plain - smaller > 0.9 * 256 * 256
    assert checkpoint.read(Path("b.safetensors"))[1]["model.rotation"].equal(torch.eye(256))
    assert shell.fails("quantize", path, "--also", "model.logvar").startswith("no tensor's name matches 'model.logvar'")


def test_a_preset_by_its_name_is_written_here(shell: Any) -> None:
    assert shell.ok("quantize", "drums-lm") == "drums-lm-int8.safetensors"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no.safetensors"], "no checkpoint at no.safetensors; check the path"),
        (["drums-ml"], "no preset named 'drums-ml'; did you mean 'drums-lm'?"),
        (["sound-low"], "the preset 'sound-low' has no trained weights yet; run: musicae train sound-low"),
        (["drums-lm", "-o", "x.npz"], "-o x.npz: weights are written as .safetensors; name a file that ends so"),
        (["drums-lm", "--keep", "encoder"], "no tensor's name matches 'encoder'; they are called model."),
        (["drums-lm", "-o", "rock.mid/x.safetensors"], "cannot"),
    ],
)
def test_quantize_refuses(shell: Any, words: list[str], said: str) -> None:
    assert shell.fails("quantize", *words).startswith(said)
