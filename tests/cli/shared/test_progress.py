"""How far a command has got."""

from __future__ import annotations

import pytest

from musicae.cli.shared import progress


def test_the_time_left_is_shown_and_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter((0.0, 10.0, 40.0))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress.time_left() as report:
        report(60.0, 240.0)
        report(239.0, 0.0)
    assert capsys.readouterr().err == "\r\x1b[K1:00 of 4:00, 0:30 left\r\x1b[K3:59\r\x1b[K"


def test_a_text_takes_the_place_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.refreshed() as show:
        show("not on a terminal")
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        show("one")
        show("two")
    assert capsys.readouterr().err == "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[K"
