"""What a preset's content sounds like."""

import numpy as np
import pytest
from made_up_sounds import SOLOS, chords, voice, with_hiss

from musicae.errors import MusicaeError
from musicae.ops.detect import features, log_odds

RATE = 44_100


@pytest.mark.parametrize("snr", [60, 20])
@pytest.mark.parametrize("pitches", [(95, 140), (180, 240)])
def test_a_voice_is_speech(pitches, snr):
    rng = np.random.default_rng(2)
    assert log_odds("speech", with_hiss(voice(RATE, rng, *pitches), rng, snr).astype(np.float32), RATE) > 0


@pytest.mark.parametrize("snr", [60, 20])
@pytest.mark.parametrize("name", [*SOLOS, "chords"])
def test_an_instrument_alone_is_plainly_no_speech(name, snr):
    rng = np.random.default_rng(0)
    x = SOLOS.get(name, chords)(RATE, rng)
    assert log_odds("speech", with_hiss(x, rng, snr).astype(np.float32), RATE) < -1


def test_neither_rate_nor_level_changes_what_is_heard():
    x = voice(48_000, np.random.default_rng(0)).astype(np.float32)
    found = features(x, 48_000)
    for other in (features(x[::2], 24_000), features(0.2 * x, 48_000)):
        assert other["held"] == pytest.approx(found["held"], abs=0.05)
        assert other["drift_4"] == pytest.approx(found["drift_4"], abs=0.1)


@pytest.mark.parametrize("length", [0, 1, 500, 20_000])
def test_silence_and_what_is_too_short_are_no_speech(length):
    assert log_odds("speech", np.zeros(length, np.float32), RATE) < -1


def test_only_speech_can_be_told():
    with pytest.raises(MusicaeError, match="no detector for 'birds'; choose a preset with --preset"):
        log_odds("birds", np.zeros(5, np.float32), RATE)
