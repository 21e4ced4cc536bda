"""Checking a sample's meta against a schema."""

from __future__ import annotations

import json

import pytest

from musicae.adapters.shared.schema import SoundMeta, checked
from musicae.errors import MusicaeError

BLANK = {"kind": None, "length": None}
KIND = {"rate": 8000, "channels": 1, "format": "WAV", "subtype": "PCM_16"}


def test_what_is_declared_is_kept_and_the_rest_dropped_or_filled_in() -> None:
    assert checked({"kind": {**KIND, "evil": [1]}, "other": 3}, SoundMeta, BLANK) == {"kind": KIND, "length": None}


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"length": "9"}, "expected int | null, got str, at $.length"),
        ({"length": -1}, "expected int >= 0, at $.length"),
        ({"length": True}, "expected int | null, got bool"),
        ({"kind": [8000]}, "expected object | null, got array, at $.kind"),
        ({"kind": {**KIND, "rate": 10**9}}, "expected int <= 768000, at $.kind.rate"),
        ({"kind": {**KIND, "channels": 0}}, "expected int >= 1, at $.kind.channels"),
        ({"kind": {**KIND, "format": "W" * 99}}, "expected str of length <= 20, at $.kind.format"),
    ],
)
def test_what_does_not_fit_is_one_line_that_says_where(meta: dict[str, object], said: str) -> None:
    for given in (meta, json.loads(json.dumps(meta))):
        with pytest.raises(MusicaeError) as caught:
            checked(given, SoundMeta, BLANK)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
