"""What is shown sounds, and new sound takes over at a beat without a gap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from driver import Driver

Open = Callable[..., Driver]
TWO = "preset=drums-2bar&corner=draw:1+one&corner=draw:2+two"
BAND = "preset=band-2bar&corner=draw:1+one&corner=draw:2+two"

# A loop of 4 beats in 2 seconds whose samples say where in it they are: 1 at its start, 2 at its end.
OFFLINE = """
async ({ swaps, other, seconds }) => {
  const { LoopEngine } = await import("./page/engine.js");
  const rate = 8000;
  const context = new OfflineAudioContext(1, seconds * rate, rate);
  const engine = new LoopEngine(context, context.destination);
  const loop = (long, sign) => {
    const buffer = context.createBuffer(1, long * rate, rate);
    buffer.getChannelData(0).forEach((_, i, all) => (all[i] = sign * (1 + i / all.length)));
    return { stems: new Map([["", buffer]]), beats: 4 };
  };
  engine.load(loop(2, 1));
  engine.play();
  for (const [k, at] of swaps.entries()) {
    const next = k === swaps.length - 1 && other ? loop(other, -1) : loop(2, 1);
    context.suspend(at).then(() => { engine.load(next); context.resume(); });
  }
  return [...(await context.startRendering()).getChannelData(0)];
}
"""
RATE, START = 8000, 0.03


def render(it: Driver, swaps: list[float], other: float = 0, seconds: float = 5) -> np.ndarray:
    return np.array(it.page.evaluate(OFFLINE, {"swaps": swaps, "other": other, "seconds": seconds}))


@pytest.fixture
def blank(page: Open) -> Driver:
    return page().open(TWO)


def test_the_same_loop_taken_over_is_not_heard(blank: Driver) -> None:
    """In whatever order and however often: what comes is what would have gone on."""
    plain = render(blank, [])
    for swaps in ([0.7], [0.704, 0.72, 0.736], [0.464, 0.48, 0.496, 0.512, 0.528], [0.2, 0.9, 1.6, 2.3, 4.0]):
        taken = render(blank, swaps)
        later = np.arange(len(taken)) > (START + 0.01) * RATE
        away = np.minimum(abs(taken - plain), abs(abs(taken - plain) - 1))[later]  # At the seam 1 is as good as 2.
        assert away.max() < 0.02, swaps
        assert taken[later].min() > 0.9, swaps


def test_a_new_loop_takes_over_at_the_next_beat_at_the_same_place_of_the_bar(blank: Driver) -> None:
    sound = render(blank, [0.7], other=2)
    turn = np.flatnonzero(sound < 0)[0] / RATE
    beat = START + 1.0  # The second beat: 0.7 s is in the middle of the one before.
    assert beat - 0.010 < turn <= beat
    assert sound[int((beat + 0.001) * RATE)] == pytest.approx(-(1 + 2 / 4), abs=0.01)  # At beat 2 of 4.
    before = beat - 0.012
    assert sound[int(before * RATE)] == pytest.approx(1 + (before - START) / 2, abs=0.01)


def test_another_tempo_goes_on_in_the_beat(blank: Driver) -> None:
    sound = render(blank, [0.7], other=1)  # Twice as fast.
    beat = START + 1.0
    assert sound[int((beat + 0.25) * RATE)] == pytest.approx(-(1 + 3 / 4), abs=0.01)


LISTEN = """
async (milliseconds) => {
  const { player } = await import("./page/main.js");
  const some = new Float32Array(player.analyser.fftSize);
  const heard = [];
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    player.analyser.getFloatTimeDomainData(some);
    heard.push([player.context.currentTime, Math.hypot(...some) / Math.sqrt(some.length), player.beat]);
    await new Promise((then) => setTimeout(then, 20));
  }
  return heard;
}
"""
PLAYS = "import('./page/main.js').then(({ player }) => player.engine?.playing === true)"
LOADED = "import('./page/main.js').then(({ player }) => player.loaded)"


def test_it_plays_and_goes_on_while_the_point_moves(page: Open) -> None:
    it = page().open(TWO)
    it.page.keyboard.press("Space")
    it.until(PLAYS)
    assert it.page.get_attribute("#play", "aria-label") == "Pause"
    before = it.page.evaluate(LOADED)
    it.page.focus("#pad")
    it.page.keyboard.press("Shift+ArrowRight")
    heard = np.array(it.page.evaluate(LISTEN, 2000))
    it.wait(lambda: it.page.evaluate(LOADED) != before, "the sound of the new point")
    assert heard[:, 1].max() > 0.01
    for moment in np.arange(heard[0, 0], heard[-1, 0] - 0.5, 0.1):  # Drums rest for less than half a second.
        window = heard[(heard[:, 0] >= moment) & (heard[:, 0] < moment + 0.5), 1]
        assert window.max() > 0.001, "a gap"
    assert "beat" in it.text("#counter")
    it.page.keyboard.press("Space")
    it.wait(lambda: it.page.get_attribute("#play", "aria-label") == "Play", "silence")
    it.page.wait_for_timeout(100)
    assert np.array(it.page.evaluate(LISTEN, 100))[:, 1].max() < 1e-4


def test_parts_are_muted_and_soloed_at_once(page: Open) -> None:
    it = page().open(BAND)
    it.page.click("#play")
    it.until(PLAYS)
    for part in ("melody", "bass", "harmony", "drums"):
        it.page.get_by_label(f"Mute {part}").click()
    it.page.wait_for_timeout(150)
    assert np.array(it.page.evaluate(LISTEN, 300))[:, 1].max() < 1e-3
    it.until("location.hash.includes('mute=drums')")
    it.page.get_by_label("Solo drums").click()
    assert np.array(it.page.evaluate(LISTEN, 800))[:, 1].max() > 0.005


def test_a_single_sound_plays_on_a_click(page: Open) -> None:
    it = page().open("preset=drum-sounds&corner=draw:1+one&corner=draw:2+two")
    it.page.click("#wave")
    it.until(PLAYS)
    assert np.array(it.page.evaluate(LISTEN, 500))[:, 1].max() > 0.01
    it.wait(lambda: it.page.get_attribute("#play", "aria-label") == "Play", "its end")
