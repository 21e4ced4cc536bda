"""How much is done, from reports that are few."""

from __future__ import annotations

import pytest

from musicae.errors import MusicaeError
from musicae.web import progress as module
from musicae.web.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_what_reports_often_is_as_far_as_it_reports(clock: list[float]) -> None:
    progress = Progress()
    assert progress.share == 0
    progress.report(30, 120)
    clock[0] += 5
    assert progress.share == 0.25
    progress.report(120, 120)
    assert progress.share == 0.99


def test_between_reports_it_goes_on_as_the_time_does(clock: list[float]) -> None:
    progress = Progress()
    progress.begin(40.0)
    clock[0] += 4
    assert progress.share == pytest.approx(0.1)
    progress.report(0, 4)
    clock[0] += 5
    assert progress.share == pytest.approx(0.125)
    clock[0] += 100
    assert progress.share < 0.25
    progress.report(1, 4)
    assert progress.share == 0.25
    assert progress.seconds == pytest.approx(4 * 109)


def test_it_never_goes_back_within_a_step(clock: list[float]) -> None:
    progress, shown = Progress(), []
    progress.begin(10.0)
    for step in range(4):
        progress.report(step, 4)
        for _ in range(30):
            clock[0] += 0.1
            shown.append(progress.share)
    assert shown == sorted(shown)
    assert shown[-1] < 1


def test_stopped_work_ends_when_it_reports() -> None:
    progress = Progress()
    progress.report(1, 2)
    progress.stop()
    with pytest.raises(MusicaeError, match="nobody waits"):
        progress.report(2, 2)
