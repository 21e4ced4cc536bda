"""When ticks come."""

import pytest
from symusic.core import ScoreTick, TempoTick

from musicae.errors import MusicaeError
from musicae.formats.music.tempo_map import check_tempo, seconds_at


@pytest.mark.parametrize(
    ("tempos", "wanted"),
    [
        ([], {-480: -0.5, 0: 0, 240: 0.25, 4800: 5}),
        ([(0, 60)], {-480: -1, 0: 0, 960: 2}),
        ([(960, 60), (0, 240)], {480: 0.25, 960: 0.5, 1440: 1.5}),
        ([(960, 60)], {960: 1, 1440: 2}),
    ],
)
def test_a_tick_comes_when_the_tempos_before_it_say(tempos, wanted):
    score = ScoreTick(480)
    for tick, qpm in tempos:
        score.tempos.append(TempoTick(tick, qpm=qpm))
    assert {tick: pytest.approx(seconds_at(score, tick)) for tick in wanted} == wanted


@pytest.mark.parametrize("tempo", [9.9, 1001, -120, float("nan"), float("inf")])
def test_a_tempo_of_no_music(tempo):
    check_tempo(120)
    with pytest.raises(MusicaeError, match="--tempo must be 10 to 1000 beats a minute, not"):
        check_tempo(tempo)
