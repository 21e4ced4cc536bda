"""The pad moves by mouse, touch and keyboard, and what is shown follows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from driver import Driver

Open = Callable[..., Driver]
TWO = "preset=melody-2bar&corner=draw:1+one&corner=draw:2+two"
FOUR = f"{TWO}&corner=draw:3+three&corner=draw:4+four"


def test_a_drag_changes_lane_words_and_address(page: Open) -> None:
    it = page().open(TWO)
    assert it.place == "Halfway between one and two"
    before, address = it.lane(), it.fragment
    it.drag((0.5, 0.5), (0.2, 0.5), (0.0, 0.5))
    it.wait(lambda: it.place == "At one", "the point at the corner")
    it.wait(lambda: it.lane() != before, "other notes")
    it.until("document.querySelector('#facts').textContent.includes('0 % unlike one')")
    it.wait(lambda: it.fragment != address, "a new address")
    assert "x=0&" in it.fragment


def test_four_corners_are_a_square(page: Open) -> None:
    it = page().open(FOUR)
    assert it.place == "In the middle of all four"
    it.drag((0.5, 0.5), (1.0, 0.0))
    it.wait(lambda: it.place == "At two", "the second corner")
    it.drag((0.9, 0.5), (0.0, 1.0))
    it.wait(lambda: it.place == "At three", "the third corner")
    it.page.click("#four")
    it.wait(lambda: it.page.locator(".corner").count() == 2, "two corners")


def test_only_the_newest_point_is_asked_for(page: Open) -> None:
    it = page().open(TWO)
    open_now, most, asked = 0, 0, 0

    def began(request: object) -> None:
        nonlocal open_now, most, asked
        if "api/point" in request.url:  # type: ignore[attr-defined]
            open_now, asked = open_now + 1, asked + 1
            most = max(most, open_now)

    def ended(request: object) -> None:
        nonlocal open_now
        open_now -= "api/point" in request.url  # type: ignore[attr-defined]

    it.page.on("request", began)
    it.page.on("requestfinished", ended)
    it.drag(*[(0.1 + 0.08 * i, 0.5) for i in range(10)])
    it.wait(lambda: not open_now, "the last answer")
    assert most <= 2  # The browser may tell of the next request before it tells of the end of the last.
    assert 1 <= asked <= 36 + 8  # There were 36 moves; on a fast machine each is answered, and where the hand rests.


def test_all_of_it_by_keyboard(page: Open) -> None:
    it = page().open(TWO)
    press = it.page.keyboard.press
    focus = "document.activeElement.id || document.activeElement.className"
    for _ in range(20):
        press("Tab")
        if it.page.evaluate(focus) == "pad":
            break
    assert it.page.evaluate(focus) == "pad"
    assert it.page.evaluate("document.activeElement.matches(':focus-visible')")
    press("ArrowRight")
    assert it.page.get_attribute("#pad", "aria-valuenow") == "52"
    press("Shift+ArrowRight")
    assert it.page.get_attribute("#pad", "aria-valuenow") == "62"
    it.until("/^62 % of the way from one to two; \\d+ notes$/.test(document.querySelector('#live').textContent)")
    assert it.page.get_attribute("#pad", "aria-valuetext") == it.text("#live")
    press("Home")
    assert it.place == "Halfway between one and two"
    press("Control+z")
    assert it.page.get_attribute("#pad", "aria-valuenow") in ("50", "62")  # Keys in a row are one step to undo.
    press("Control+Shift+z")
    assert it.place == "Halfway between one and two"
    reached = set()
    for _ in range(40):
        press("Tab")
        reached.add(it.page.evaluate(focus))
    assert {"undo", "copy", "preset", "new", "four", "wander", "seed", "play", "midi"} <= reached


def test_a_thumb_moves_it_without_scrolling_the_page(page: Open) -> None:
    it = page(viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True).open(TWO)
    touch = it.page.context.new_cdp_session(it.page)
    box = it.page.locator("#pad").bounding_box()
    assert box is not None
    for kind, x in (("touchStart", 0.5), ("touchMove", 0.6), ("touchMove", 0.9), ("touchMove", 1.0)):
        at = {"x": box["x"] + x * box["width"] - 1, "y": box["y"] + 0.5 * box["height"] + 30 * x}
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    it.wait(lambda: it.place == "At two", "the second corner")
    assert it.page.evaluate("scrollY") == 0


def test_it_wanders_and_stops_at_a_touch(page: Open) -> None:
    it = page().open(TWO)
    it.page.click("#wander")
    it.wait(lambda: it.place != "Halfway between one and two", "a move")
    it.drag((0.5, 0.5), (0.5, 0.5))
    assert it.page.get_attribute("#wander", "aria-pressed") == "false"


def test_shape_shifts_what_is_there_and_says_so(page: Open) -> None:
    it = page().open(TWO)
    slider = it.page.get_by_label("Density")
    slider.focus()
    for _ in range(15):
        it.page.keyboard.press("ArrowRight")
    assert "+1.5 SD" in (slider.get_attribute("aria-valuetext") or "")
    assert "notes a bar" in (slider.get_attribute("aria-valuetext") or "")
    it.until("document.querySelector('#notice').textContent.startsWith('Density: ')")
    slider.dblclick()
    assert slider.get_attribute("aria-valuetext") == "as it is"


def test_something_new_can_be_undone(page: Open) -> None:
    it = page().open(TWO)
    it.page.click("#new")
    it.until("![...document.querySelectorAll('.corner')].some(({ textContent }) => /one|two/.test(textContent))")
    it.page.click("#undo")
    it.wait(lambda: it.place == "Halfway between one and two", "the corners of before")
    it.wait(lambda: "seed" not in it.fragment, "the address of before")


def test_what_is_to_be_known_stands_in_whole_sentences(page: Open, data: Path) -> None:
    chords = "+%7C+".join("CGCGCGCGC")
    it = page().open(f"preset=band-2bar&corner=draw:1+one&corner=draw:2+two&chords={chords}")
    it.wait(lambda: it.text("#notice") == "Of 9 bars of chords the first 8 fit.", "the notice")
    it.drop(data / "saints.mid", ".corner:nth-child(1)")
    cut = "Of 9 bars of chords the first 8 fit. saints.mid: the first 4 of 17 bars loop; choose others beside its name."
    it.wait(lambda: it.text("#notice") == cut, "both notices")
    words = """(exact) => import('./page/words.js').then(({ changes }) => changes([
        { name: 'drums.density', unit: 'hits a bar', was: 21, asked: 27.31, is: 27.312, missed: false },
        { name: 'pitch', unit: '', was: 60, asked: 64, is: 62, missed: true }], exact))"""
    density = "Drums, density: was 21, is 27.3 hits a bar."
    assert it.page.evaluate(words, False) == [density, "Pitch: was 60, is 62."]
    missed = "Pitch: 64 is out of reach; it went from 60 as far as 62."
    assert it.page.evaluate(words, True) == [density, missed]


def test_a_class_is_chosen_and_taken_back(page: Open) -> None:
    it = page().open("preset=mnist-cvae&corner=draw:3+one&corner=draw:8+two")
    before = it.page.locator("#picture-canvas").screenshot()
    it.page.get_by_role("group", name="Class").get_by_text("5").click()
    it.wait(lambda: it.page.locator("#picture-canvas").screenshot() != before, "another digit")
    assert it.text("#classes output") == "5"
    it.wait(lambda: "label=5" in it.fragment, "the address")
    it.page.reload()
    it.settle()
    five = it.page.get_by_role("group", name="Class").get_by_text("5")
    assert five.get_attribute("aria-pressed") == "true"
    five.click()
    it.wait(lambda: it.page.locator("#picture-canvas").screenshot() == before, "the digit of before")
    it.page.select_option("#preset", "mnist-vae")
    it.wait(lambda: not it.shown("#classes"), "no classes")


def test_a_click_asks_once(page: Open) -> None:
    it = page().open(f"{TWO}&x=0")
    sent: list[str] = []
    it.page.on("request", lambda request: sent.append(request.post_data or "") if "api/point" in request.url else None)
    it.page.evaluate(
        """() => { const pad = document.querySelector("#pad"), box = pad.getBoundingClientRect();
        const at = { clientX: box.left + 0.7 * box.width, clientY: box.top + 9, pointerId: 1, button: 0, buttons: 1 };
        for (const kind of ["pointerdown", "pointermove"])
          pad.dispatchEvent(new PointerEvent(kind, { ...at, bubbles: true })); }"""
    )
    it.wait(lambda: "% of the way" in it.place, "the place")
    it.settle()
    assert len([one for one in map(json.loads, sent) if 0.5 < one["x"] < 1]) == 1
