"""What a data set leaves out, and why."""

from __future__ import annotations

import pytest

from musicae.datasets.shared.left_out import LeftOut
from musicae.errors import MusicaeError


def test_the_most_frequent_reason_comes_first_with_an_example(caplog: pytest.LogCaptureFixture) -> None:
    left_out = LeftOut("pictures under p")
    left_out.report(used=0)
    left_out.report(used=3)
    assert not caplog.messages
    left_out.add("flat", "sky.png")
    for name in ("a.png", "b.png"):
        left_out.add("smaller than 8 x 8 pixels", name)
    left_out.report(used=3)
    left_out.report(used=0, needed=False)
    listed = "2 smaller than 8 x 8 pixels (a.png), 1 flat (sky.png)"
    assert caplog.messages == [f"3 of {count} pictures under p were left out: {listed}" for count in (6, 3)]
    with pytest.raises(MusicaeError) as error:
        left_out.report(used=0)
    assert str(error.value) == f"none of the 3 pictures under p can be used: {listed}; give others with --data"
