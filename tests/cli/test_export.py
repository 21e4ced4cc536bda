"""The command export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def test_export_writes_a_folder_and_says_how_exact_it_is(shell: Any) -> None:
    before = shell.files()
    result = shell("export", "drums-lm")
    assert (result.exit_code, result.stdout) == (0, "drums-lm-onnx\n")
    assert result.stderr.startswith("step.onnx: 0.")
    assert "largest difference from PyTorch: values 0.0e+00, params " in result.stderr
    assert shell.new(before) == ["drums-lm-onnx", "drums-lm-onnx/spec.json", "drums-lm-onnx/step.onnx"]
    assert json.loads(Path("drums-lm-onnx/spec.json").read_text())["preset"] == "drums-lm"
    assert shell.fails("export", "drums-lm") == (
        "drums-lm-onnx exists already; -f overwrites its files, -o names another"
    )
    told = json.loads(shell.ok("export", "drums-lm", "--bits", "8", "-f", "--json"))
    assert told["folder"] == "drums-lm-onnx"
    assert told["differences"]["step"]["params"] < 1.0
    assert told["sizes"]["step.onnx"] == Path("drums-lm-onnx/step.onnx").stat().st_size


def test_a_checkpoint_of_ones_own_is_exported_under_its_name(shell: Any, untrained: Any) -> None:
    path = untrained("mine", adapter={"name": "melody"}, model={"name": "lm", "width": 8})
    assert shell.ok("export", path, "-o", "new/folder") == "new/folder"
    assert shell.new({})
    assert Path("new/folder/step.onnx").is_file()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["melodi-2bar"], "no preset named 'melodi-2bar'; did you mean 'melody-2bar'?"),
        (["drums-lm", "-o", "twinkle.mid"], "twinkle.mid exists already; name a folder with -o"),
        (["drums-lm", "-o", "twinkle.mid/x"], "cannot write in twinkle.mid"),
        (["sound-low"], "sound-low"),
    ],
)
def test_what_cannot_be_exported_is_one_line(shell: Any, words: list[str], line: str) -> None:
    assert line in shell.fails("export", *words)


def test_a_file_for_nn_tilde_is_written(shell: Any) -> None:
    before = shell.files()
    result = shell("export", "denoise-speech", "--nn-tilde")
    assert (result.exit_code, result.stdout) == (0, "denoise-speech.ts\n")
    assert result.stderr == "forward: 1 in, 1 out\n"
    assert shell.new(before) == ["denoise-speech.ts"]
    assert shell.fails("export", "denoise-speech", "--nn-tilde").startswith("denoise-speech.ts exists already; -f")
    told = json.loads(shell.ok("export", "denoise-speech", "--nn-tilde", "-f", "--json"))
    assert told == {"file": "denoise-speech.ts", "methods": {"forward": [1, 1, 1, 1]}}
    assert "end in .ts" in shell.fails("export", "denoise-speech", "--nn-tilde", "-o", "a.pt")
    assert "--bits 8 is for ONNX" in shell.fails("export", "sound", "--nn-tilde", "--bits", "8")
    assert "'melody-2bar' does not" in shell.fails("export", "melody-2bar", "--nn-tilde")
