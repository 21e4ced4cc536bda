"""Recordings and photos before and after."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from driver import Driver
from PIL import Image

from musicae.errors import MusicaeError
from musicae.ops.restored import Restored, RestoreOptions
from musicae.web import restoring

Open = Callable[..., Driver]


def drop(it: Driver, path: Path, preset: str) -> None:
    it.page.goto(f"{it.address}#preset={preset}")
    it.wait(lambda: it.shown("#restore-drop"), "the place to drop")
    it.drop(path, "#restore-drop")
    it.wait(lambda: it.shown("#restored"), "the result")


def test_a_recording_is_heard_before_and_after_without_a_stop(page: Open, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    seconds = np.arange(22_050) / 22_050
    noisy = 0.4 * np.sin(2 * np.pi * 440 * seconds) + 0.05 * rng.standard_normal(len(seconds))
    soundfile.write(tmp_path / "hiss.wav", noisy, 22_050)
    it = page()
    drop(it, tmp_path / "hiss.wav", "denoise")
    it.until("[...document.querySelectorAll('.spectrogram img')].every((one) => one.naturalWidth > 50)")
    it.page.click("#play")
    where = "import('./page/main.js').then(({ player: { engine } }) => engine?.playing ? engine.voice.at : -1)"
    it.until(f"{where}.then((at) => at >= 0)")
    began = it.page.evaluate(where)
    level = "import('./page/main.js').then(({ player }) => [...player.engine.levels].join())"
    assert it.page.evaluate(level) == "before,0,after,1"
    it.page.click("#before")
    assert it.page.evaluate(level) == "before,1,after,0"
    assert it.page.evaluate(where) == began, "it goes on"
    it.page.reload()
    it.wait(lambda: it.shown("#restored"), "the result, still")
    assert "hiss.wav" in it.text("#recording-facts")


def test_a_recording_goes_on_to_another_preset(page: Open, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hiss.wav", 0.1 * np.random.default_rng(0).standard_normal(8000), 8000)
    it = page()
    drop(it, tmp_path / "hiss.wav", "denoise")
    first = it.page.get_attribute("#after-picture", "src")
    it.page.select_option("#preset", "denoise-speech")
    it.wait(lambda: it.shown("#restored") and it.page.get_attribute("#after-picture", "src") != first, "the other")
    it.page.select_option("#preset", "sound")
    it.wait(lambda: it.place.startswith("Halfway between hiss and draw"), "the recording at a corner")


def roughness(it: Driver, left: float, right: float) -> float:
    """The standard deviation of the photo as it is shown, between two shares of its width."""
    box = it.page.locator("#photo").bounding_box()
    assert box is not None
    x, width, height = box["x"] + left * box["width"], (right - left) * box["width"], 0.3 * box["height"]
    shot = it.page.screenshot(clip={"x": x, "y": box["y"] + 10, "width": width, "height": height})
    return float(np.asarray(Image.open(io.BytesIO(shot)).convert("L")).std())


@pytest.mark.parametrize("screen", [(1280, 800), (375, 812)])
def test_a_photo_is_divided_into_before_and_after(page: Open, tmp_path: Path, screen: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).normal(128, 40, (60, 80)).clip(0, 255).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "dim.png")
    it = page(viewport=dict(zip(("width", "height"), screen, strict=True)))
    drop(it, tmp_path / "dim.png", "photo-denoise")
    it.until("document.querySelector('#after-photo').naturalWidth === 80")
    assert it.text("#recording-facts") == "dim.png, 80 \N{MULTIPLICATION SIGN} 60"
    assert roughness(it, 0.1, 0.4) > 3 * roughness(it, 0.6, 0.9)
    it.page.click("#before")
    assert it.page.get_attribute("#before", "aria-checked") == "true"
    rough = roughness(it, 0.6, 0.9)
    it.page.keyboard.press("ArrowRight")
    assert it.page.get_attribute("#after", "aria-checked") == "true"
    assert rough > 3 * roughness(it, 0.1, 0.4)
    box = it.page.locator("#photo").bounding_box()
    assert box is not None
    it.page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 50)
    assert roughness(it, 0.5, 0.75) > 3 * roughness(it, 0.85, 1)
    assert it.page.locator(".restore [aria-checked=true]").count() == 0


def test_a_restored_photo_is_saved(page: Open, data: Path, tmp_path: Path) -> None:
    it = page()
    drop(it, data / "noisy-scene.png", "tiny-denoise")
    it.page.click("#save summary")
    with it.page.expect_download() as download:
        it.page.get_by_role("button", name="The restored photo").click()
    assert download.value.suggested_filename == "noisy-scene-after.png"
    download.value.save_as(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (160, 120)


def test_a_photo_that_is_dropped_on_a_tune_opens_its_own_panel(page: Open, data: Path) -> None:
    it = page().open("preset=melody-2bar&corner=draw:1+one&corner=draw:2+two")
    it.drop(data / "noisy-scene.png", "#pad")
    it.wait(lambda: it.shown("#photo"), "the photo")
    assert it.page.input_value("#preset") == "photo-denoise"
    it.errors.clear()  # That the first preset did not take it.
    it.page.select_option("#preset", "melody-2bar")
    it.wait(lambda: it.place.startswith("Halfway between draw"), "draws")
    it.page.select_option("#preset", "denoise")
    it.wait(lambda: it.shown("#restore-drop"), "the place to drop")
    assert it.text("#restore-drop") == "Drop a recording hereor click to choose one"


def test_how_much_is_done_is_shown_and_what_nobody_waits_for_is_stopped(
    page: Open, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, stopped, real = threading.Event(), threading.Event(), restoring.restore

    def slow(*given: Any, options: RestoreOptions, **more: Any) -> Restored:
        assert options.report is not None
        options.report(1, 4)
        while not go_on.wait(0.05):
            try:
                options.report(1, 4)
            except MusicaeError:
                stopped.set()
                raise
        return real(*given, options=options, **more)

    monkeypatch.setattr(restoring, "restore", slow)
    it = page()
    it.page.goto(f"{it.address}#preset=tiny-denoise")
    it.wait(lambda: it.shown("#restore-drop"), "the place to drop")
    it.drop(data / "noisy-scene.png", "#restore-drop")
    it.wait(lambda: it.text("#restore-drop strong") == "Working on it\N{HORIZONTAL ELLIPSIS} 25 %", "how much is done")
    go_on.set()
    it.wait(lambda: it.shown("#photo"), "the result")
    it.until("document.querySelector('#recording-facts').textContent.endsWith('160 \N{MULTIPLICATION SIGN} 120')")
    it.until("location.hash.includes('size=')")
    it.page.reload()
    it.wait(lambda: it.shown("#photo"), "the result, still")
    assert it.text("#recording-facts") == "noisy-scene.png, 160 \N{MULTIPLICATION SIGN} 120"
    go_on.clear()
    it.drop(data / "noisy-scene.png", "#photo")
    it.wait(lambda: it.text("#recording-facts").endswith("25 %"), "how much of the next is done")
    it.page.select_option("#preset", "melody-2bar")
    it.wait(stopped.is_set, "the end of what nobody waits for")
    it.settle()
