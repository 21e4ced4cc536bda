"""What spec.json says."""

from __future__ import annotations

import json

import pytest

import musicae
from musicae import codec as codecs
from musicae.errors import MusicaeError
from musicae.exports.description import describe
from musicae.exports.graphs import graphs


def described(name: str) -> dict:
    codec = musicae.load(name)
    return json.loads(json.dumps(describe(codec, graphs(codec), 32)))


def test_a_step_wise_preset_is_described() -> None:
    spec = described("melody-2bar")
    assert (spec["preset"], spec["format"], spec["bits"], spec["latent_size"]) == ("melody-2bar", 1, 32, 128)
    assert spec["adapter"]["name"] == "melody"
    assert spec["adapter"]["bars"] == 2
    assert spec["window"]["channels"] == 90
    assert spec["window"]["shape"] == [32]
    assert spec["steps"] == {"windows": 1, "steps": 32, "features": 192}
    assert spec["prior"]["name"] == "flow"
    assert spec["condition"] is None
    encoder = spec["graphs"]["encoder"]
    assert encoder["inputs"] == [{"name": "x", "shape": ["batch", 90, 32], "type": "float32"}]
    assert (encoder["file"], encoder["outputs"]) == ("encoder.onnx", ["mean", "logvar"])


def test_groups_and_conditions_are_described() -> None:
    spec = described("band-2bar")
    assert [group["name"] for group in spec["window"]["groups"]][:2] == ["melody", "bass"]
    assert sum(group["channels"] for group in spec["window"]["groups"]) == spec["window"]["channels"]
    assert spec["condition"] == {"shape": [24, 32], "classes": False, "zeros_mean_none": True}
    assert [one["name"] for one in spec["graphs"]["from_noise"]["inputs"]] == ["noise", "cond", "given"]


def test_a_stream_is_described() -> None:
    spec = described("denoise-speech")
    assert spec["stream"] == {"block_size": 320, "delay": 320}
    assert spec["sample_rate"] == 16_000
    assert spec["graphs"]["stream"]["inputs"][0]["shape"] == ["batch", 1, 320]
    states = [one["shape"] for one in spec["graphs"]["stream"]["inputs"] if one["name"].startswith("state")]
    assert states[0] == ["batch", 320]


def test_a_state_that_is_not_zeros_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = codecs.load("drums-lm")
    parts = graphs(codec)
    monkeypatch.setattr(codec.model, "initial_state", lambda batch=1: (codec.model.head.out.bias + 1,))
    with pytest.raises(MusicaeError, match="do not start from zeros"):
        describe(codec, parts, 32)
