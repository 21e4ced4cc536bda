"""The command doctor."""

from __future__ import annotations

import json
from typing import Any

import pytest

from musicae import preset
from musicae.ops import doctor


def test_it_prints_a_line_or_more_for_each_section(shell: Any) -> None:
    out = shell.ok("doctor")
    starts = [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]
    assert starts == list(doctor.SECTIONS)
    assert "29 of musicae" in out.replace(str(len(preset.listed())), "29")
    assert "(MUSICAE_CACHE)" in out


def test_it_prints_json(shell: Any) -> None:
    found = json.loads(shell.ok("doctor", "--json"))
    assert found.keys() == doctor.SECTIONS.keys()
    assert found["devices"]["trains_on"] in ("cpu", "cuda", "mps")


def test_it_never_fails(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSICAE_SYNTH", "trumpet")
    out = shell.ok("doctor")
    assert "sound      cannot be told: MusicaeError: MUSICAE_SYNTH: no synthesiser named 'trumpet'" in out


def test_what_is_missing_says_how_to_get_it(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["no-such-thing; extra == 'folk'", "scipy; extra == 'peers'", "no-such-thing; extra == 'peers'"]
    monkeypatch.setattr("musicae.ops.doctor.metadata.requires", lambda name: lines)
    out = shell.ok("doctor")
    assert "folk         missing    the data set folk, 12,800 tunes: pip install 'musicae[folk]'" in out
    assert "(without no-such-thing): pip install 'musicae[peers]'" in out
