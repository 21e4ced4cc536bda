"""A codec as a folder of files that run without PyTorch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import musicae
from musicae.errors import MusicaeError
from musicae.exports import run
from musicae.exports.run import DESCRIPTION, export


def test_an_export_agrees_with_the_codec_on_a_real_tune(tmp_path: Path, repository: Path) -> None:
    codec = musicae.load("drums-2bar")
    made = export(codec, tmp_path / "out")
    spec = json.loads((made.folder / DESCRIPTION).read_text())
    assert spec == made.description
    assert sorted(made.sizes) == sorted([DESCRIPTION, *(graph["file"] for graph in spec["graphs"].values())])
    assert max(made.differences["encoder"].values()) < 1e-4
    x = codec.split(codec.adapter.read(repository / "data" / "rock.mid"))
    mean, _ = run.onnx_file.run(made.folder / "encoder.onnx", {"x": x.numpy()})
    np.testing.assert_allclose(mean, codec.encode(x).mean.numpy(), atol=1e-4)
    (noise,) = run.onnx_file.run(made.folder / "to_noise.onnx", {"z": mean})
    (again,) = run.onnx_file.run(made.folder / "from_noise.onnx", {"noise": noise})
    np.testing.assert_allclose(again, codec.from_noise(codec.to_noise(torch.from_numpy(mean))).numpy(), atol=1e-3)


def test_progress_is_reported_and_an_existing_folder_is_kept_unless_forced(tmp_path: Path) -> None:
    folder, seen = tmp_path / "out", []
    export("drums-lm", folder, report=lambda done, of: seen.append((done, of)))
    assert seen == [(0, 1), (1, 1)]
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(MusicaeError, match="exists already; -f overwrites its files"):
        export("drums-lm", folder)
    before = (folder / "step.onnx").stat().st_size
    assert export("drums-lm", folder, bits=8, force=True).sizes["step.onnx"] < 0.5 * before
    assert (folder / "mine.txt").read_text() == "kept"


def test_an_export_that_does_not_agree_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run.onnx_file.run
    monkeypatch.setattr(run.onnx_file, "run", lambda *args: [made + 1 for made in whole(*args)])
    with pytest.raises(MusicaeError, match=r"step.onnx of 'drums-lm' does not agree with PyTorch \('values' differs"):
        export("drums-lm", tmp_path / "new" / "out")
    assert not (tmp_path / "new" / "out").exists()


@pytest.mark.parametrize("bits", [0, 16])
def test_other_numbers_of_bits_are_refused(tmp_path: Path, bits: int) -> None:
    with pytest.raises(MusicaeError, match="bits must be 32 or 8"):
        export("drums-lm", tmp_path / "out", bits=bits)
