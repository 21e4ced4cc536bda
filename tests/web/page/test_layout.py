"""It fits a phone and a small screen, follows the system's colours, and its words can be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driver import Driver

Open = Callable[..., Driver]
CORNERS = "corner=draw:1+a+rather+long+name+for+a+corner&corner=draw:2+two"
FOUR = f"{CORNERS}&corner=draw:3+three&corner=draw:4+four"
PRESETS = ("melody-2bar", "band-2bar", "mnist-vae-2d", "mnist-cvae", "drum-sounds", "denoise", "photo-denoise")
PHONE = {"viewport": {"width": 375, "height": 812}, "has_touch": True, "is_mobile": True}

# Contrast of WCAG 2.2 between each text and what is behind it, of those below 4.5.
CONTRAST = """
() => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (colours) => {
    pen.globalAlpha = 1;
    pen.fillStyle = getComputedStyle(document.body).backgroundColor;
    pen.fillRect(0, 0, 1, 1);
    for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = [];
  for (const one of document.querySelectorAll("h1, p, button, span, output, summary, select, figcaption, small")) {
    const words = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!one.checkVisibility() || !words || one.closest(":disabled, #corners, .spectrogram, .unseen")) continue;
    const behind = [];
    for (let up = one; up; up = up.parentElement) behind.unshift(getComputedStyle(up).backgroundColor);
    const [a, b] = [light(paint(behind)), light(paint([...behind, getComputedStyle(one).color]))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) poor.push(`${one.textContent.trim().slice(0, 20)}: ${contrast.toFixed(2)}`);
  }
  return poor;
}
"""


def visit(it: Driver, preset: str, corners: str) -> None:
    it.page.goto("about:blank")
    it.page.goto(f"{it.address}#preset={preset}&{corners}")
    it.until("!document.body.classList.contains('starting')")
    if "denoise" not in preset:
        it.settle()


def test_a_phone_scrolls_only_down(page: Open) -> None:
    it = page(**PHONE)
    for preset in PRESETS:
        visit(it, preset, FOUR)
        assert it.page.evaluate("document.documentElement.scrollWidth") <= 375, preset
        low = "[...document.querySelectorAll('main button, main select')].filter((one) => one.checkVisibility()"
        small = it.page.evaluate(f"{low} && one.getBoundingClientRect().height < 36).map((one) => one.textContent)")
        assert small == [], preset


def test_a_small_screen_shows_all_of_it(page: Open) -> None:
    it = page()
    for preset in PRESETS:
        visit(it, preset, FOUR)
        size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert it.page.evaluate(size) == [1280, 800], preset
        out = it.page.evaluate(
            "[...document.querySelectorAll('main button, main input, main select, main canvas')].filter((one) => "
            "one.checkVisibility()).filter((one) => { const box = one.getBoundingClientRect(); "
            "return box.bottom > 800 || box.right > 1280 || !box.width; }).map((one) => one.id || one.className)"
        )
        assert out == [], preset


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out(page: Open, scheme: str) -> None:
    it = page(color_scheme=scheme)
    visit(it, "denoise", CORNERS)
    assert it.page.evaluate(CONTRAST) == []
    visit(it, "band-2bar", CORNERS)
    it.page.click("#save summary")
    assert it.page.evaluate(CONTRAST) == []
    background = it.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(20, 19, 22)") == (scheme == "dark")


def test_little_moves_for_who_wants_it_calm(page: Open) -> None:
    it = page(reduced_motion="reduce").open(f"preset=melody-2bar&{CORNERS}")
    assert it.page.evaluate("getComputedStyle(document.querySelector('button')).transitionDuration") == "0s"


def test_every_control_has_a_name(page: Open) -> None:
    it = page().open(f"preset=band-2bar&{CORNERS}")
    nameless = it.page.evaluate(
        "[...document.querySelectorAll('button, select, input, summary, [role=slider]')].filter((one) => "
        "!one.textContent.trim() && !one.ariaLabel && !one.labels?.length).map((one) => one.outerHTML)"
    )
    assert nameless == []
    tree = it.page.locator("main").aria_snapshot()
    for words in ('slider "Place between the corners"', 'button "Mute bass"', 'slider "Tempo"', 'img "Melody: '):
        assert words in tree


def test_no_module_of_the_page_is_too_long(repository: object) -> None:
    from musicae.web.app import PAGE

    assert {path.name for path in PAGE.iterdir() if len(path.read_text().splitlines()) > 400} == set()
