"""The address holds the state; the page outlives its server, and what is in an address that somebody made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from driver import Driver
from playwright.sync_api import Route

Open = Callable[..., Driver]
BAND = "preset=band-2bar&corner=draw:1+one&corner=draw:2+two"


def test_a_reload_restores_all_of_it(page: Open) -> None:
    it = page().open(BAND)
    it.drag((0.5, 0.5), (0.3, 0.5))
    it.page.select_option(".instrument >> nth=0", "73")
    it.page.get_by_label("Keep the drums").click()
    it.page.fill("#chords", "Am | F")
    it.page.keyboard.press("Enter")
    it.page.fill("#seed", "7")
    it.page.keyboard.press("Enter")
    it.page.get_by_label("A semitone higher").click()
    it.page.get_by_label("Tempo").fill("140")
    it.until("location.hash.includes('tempo=140')")
    it.settle()
    assert it.text("#chord-row")[:3] in ("A#m", "Bbm")  # A semitone above the chords in the box.
    seen = [it.fragment, it.place, it.text("#chord-row"), it.text("#facts")]
    it.page.reload()
    it.settle()
    assert [it.fragment, it.place, it.text("#chord-row"), it.text("#facts")] == seen
    assert it.page.input_value(".instrument >> nth=0") == "73"
    assert it.page.get_by_label("Keep the drums").get_attribute("aria-pressed") == "true"
    assert it.page.input_value("#chords") == "Am | F"
    assert it.page.input_value("#seed") == "7"
    assert it.text("#transpose output") == "+1"
    assert it.text("#tempo output") == "140 bpm"


def test_an_address_that_makes_no_sense_is_the_start(page: Open) -> None:
    it = page()
    for fragment in (
        "preset=nothing", "%%%&=&&x=", "preset=melody-2bar&corner=%3Cscript%3E&x=NaN&y=1e99&seed=-4&tempo=fast",
        "preset=melody-2bar&shift=density+9e9&shift=nothing+1&program=bass+500&mute=a&chords=%00&transpose=1e400",
        "preset=denoise&recording=a+b", "x" * 5000,
    ):  # fmt: skip
        it.page.goto("about:blank")
        it.page.goto(f"{it.address}#{fragment}")
        it.until("!document.body.classList.contains('starting')")
        if "denoise" not in fragment:
            it.settle()
        assert it.page.evaluate("document.querySelectorAll('script').length") == 1


def test_a_link_opens_in_the_same_page(page: Open) -> None:
    it = page().open(BAND)
    it.page.evaluate("location.hash = 'preset=melody-2bar&corner=draw:5+five&corner=draw:6+six&x=1'")
    it.wait(lambda: it.place == "At six", "the other state")
    it.page.keyboard.press("Control+z")
    it.wait(lambda: it.place == "Halfway between one and two", "the state before")


def test_the_server_goes_and_comes_back(page: Open) -> None:
    it = page().open(BAND)
    it.page.context.set_offline(True)
    it.page.focus("#pad")
    it.page.keyboard.press("ArrowRight")
    it.wait(lambda: "does not answer" in it.line(), "the line")
    it.page.keyboard.press("End")
    it.page.keyboard.press("Shift+ArrowRight")
    it.page.context.set_offline(False)
    it.wait(lambda: it.line() == "", "the server", 10)
    it.until("document.querySelector('#live').textContent.startsWith('62 %')")
    it.errors.clear()  # The browser's, of an address that is not there.


def test_files_are_sent_again_to_a_server_that_forgot_them(page: Open, data: Path) -> None:
    it = page().open("preset=melody-2bar&corner=draw:1+one&corner=draw:2+two")
    it.drop(data / "twinkle.mid", ".corner:nth-child(2)")
    it.wait(lambda: "twinkle" in it.place, "the dropped file")
    sent: list[str] = []
    it.page.on("request", lambda request: sent.append(request.url))

    def forget(route: Route) -> None:
        if route.request.post_data_json["x"] == 0.52 and not any("api/files" in url for url in sent):
            route.fulfill(status=404, content_type="application/json", body='{"error": "no such file"}')
        else:
            route.continue_()

    it.page.route("**/api/point", forget)
    it.page.focus("#pad")
    it.page.keyboard.press("ArrowRight")
    it.wait(lambda: any("api/files" in url for url in sent), "the file sent again")
    it.until("document.querySelector('#live').textContent.startsWith('52 %')")
    assert it.line() == ""
    it.errors.clear()  # The status that was made up.


def test_bars_of_a_file_are_typed_beside_its_name(page: Open, data: Path) -> None:
    it = page().open("preset=melody-2bar&corner=draw:1+one&corner=draw:2+two&x=0")
    boxes = it.page.locator(".corner .bars")
    assert not boxes.first.is_visible(), "a draw has none"
    it.drop(data / "twinkle.mid", ".corner:nth-child(1)")
    it.wait(lambda: it.place == "At twinkle", "the dropped file")
    it.settle()
    assert "; choose others beside its name" in it.text("#notice")
    box = it.page.get_by_label("Corner left: bars of twinkle, such as 5-8")
    whole = it.text("#facts")
    box.fill("5-6")
    box.press("Enter")
    it.until("location.hash.includes('bars=5-6')")
    it.settle()
    assert "beside its name" not in it.text("#notice")
    some = it.text("#facts")
    assert some != whole
    box.fill("99")
    box.press("Enter")
    it.wait(lambda: "bars '99' are out of range; the notes end in bar 8" in it.line(), "the line")
    assert box.get_attribute("aria-invalid") == "true"
    it.errors.clear()  # The browser's, of the status.
    it.page.reload()
    it.settle()
    assert box.input_value() == "5-6"
    assert it.text("#facts") == some
    box.fill("")
    box.press("Enter")
    it.until("!location.hash.includes('bars')")
    it.page.click("#undo")
    it.wait(lambda: box.input_value() == "5-6", "the bars before")
    it.settle()
    assert it.text("#facts") == some
    it.page.click("#redo")
    it.wait(lambda: box.input_value() == "", "all of it")


def test_bars_of_the_same_tune_tell_its_corners_apart(page: Open, data: Path) -> None:
    it = page().open("preset=melody-2bar&corner=draw:1+one&corner=draw:2+two")
    it.drop(data / "twinkle.mid", ".corner:nth-child(1)")
    it.wait(lambda: it.place == "Halfway between twinkle and two", "the first")
    it.drop(data / "twinkle.mid", ".corner:nth-child(2)")
    it.wait(lambda: it.place == "Halfway between twinkle and twinkle", "both")
    box = it.page.locator(".corner .bars").nth(1)
    box.fill("5-6")
    box.press("Tab")
    it.wait(lambda: it.place == "Halfway between twinkle and twinkle (5-6)", "the second")


def test_a_picture_has_no_bars(page: Open, data: Path) -> None:
    it = page().open("preset=mnist-vae&corner=draw:1+one&corner=draw:2+two&bars=1&bars=2")
    it.drop(data / "three.png", ".corner:nth-child(1)")
    it.wait(lambda: "three" in it.place, "the dropped file")
    assert not it.page.locator(".corner .bars").first.is_visible()
    it.until("!location.hash.includes('bars')")
