"""Files come in by drop and choice, and go out as MIDI and more; a bad one is a line on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pretty_midi
from driver import Driver

Open = Callable[..., Driver]
TWO = "preset=melody-2bar&corner=draw:1+one&corner=draw:2+two"
BANDS = "preset=band-2bar&corner=draw:1+one&corner=draw:2+two"


def test_a_file_is_dropped_on_a_corner(page: Open, data: Path) -> None:
    it = page().open(TWO)
    it.drop(data / "twinkle.mid", ".corner:nth-child(2)")
    it.wait(lambda: it.place == "Halfway between one and twinkle", "the dropped file")
    it.drag((0.5, 0.5), (1.0, 0.5))
    it.until("document.querySelector('#facts').textContent.includes('0 % unlike twinkle')")


def test_a_file_is_chosen_by_keyboard(page: Open, data: Path) -> None:
    it = page()
    it.page.on("filechooser", lambda chooser: chooser.set_files(data / "ode-to-joy.mid"))
    it.open(TWO)
    it.page.locator(".corner .name").first.focus()
    it.page.keyboard.press("Enter")
    it.wait(lambda: it.place == "Halfway between ode to joy and two", "the chosen file")


def test_a_picture_brings_its_own_preset_along(page: Open, data: Path) -> None:
    it = page().open(TWO)
    it.drop(data / "three.png", "#pad")
    it.wait(lambda: it.shown("#picture-canvas"), "the picture")
    assert it.page.input_value("#preset").startswith("mnist")
    it.wait(lambda: "three" in it.place, "its name")
    it.errors.clear()  # That the first preset did not take it.


def test_a_bad_file_is_one_line(page: Open, tmp_path: Path) -> None:
    it = page().open(TWO)
    it.drop(tmp_path / "song.mid", "#pad", b"this is no MIDI")
    it.wait(lambda: it.line() != "", "the line")
    assert "song.mid" in it.line()
    assert "Traceback" not in it.line()
    assert it.place == "Halfway between one and two"
    assert it.errors, "the browser itself reports the status"
    it.errors.clear()
    it.page.click("#line button")
    assert it.line() == ""


def test_a_file_that_is_too_large_is_not_sent(page: Open) -> None:
    it = page().open(TWO)
    sent: list[str] = []
    it.page.on("request", lambda request: sent.append(request.url))
    it.page.evaluate(
        "() => { const it = new DataTransfer(); it.items.add(new File([new Uint8Array(40e6)], 'long.wav'));"
        " dispatchEvent(new DragEvent('drop', { dataTransfer: it, cancelable: true })); }"
    )
    it.wait(lambda: "long.wav is too large" in it.line(), "the line")
    assert not any("api/files" in url for url in sent)


def test_midi_is_saved_as_it_is_shown(page: Open, tmp_path: Path) -> None:
    it = page().open(f"{BANDS}&x=0")
    shown = int(it.text("#facts").split()[0])
    it.page.click("#save summary")
    with it.page.expect_download() as download:
        it.page.get_by_role("button", name="MIDI").first.click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.suffix == ".mid"
    notes = [note for part in pretty_midi.PrettyMIDI(str(path)).instruments for note in part.notes]
    assert len(notes) == shown > 8


def test_the_whole_walk_is_saved(page: Open, tmp_path: Path) -> None:
    it = page().open(TWO)
    it.page.click("#save summary")
    with it.page.expect_download() as download:
        it.page.locator("#saves p:nth-of-type(2) + button").click()
    path = tmp_path / "walk.mid"
    download.value.save_as(path)
    assert pretty_midi.PrettyMIDI(str(path)).get_end_time() > 9 * 2 * 1.5


def test_midi_is_dragged_out(page: Open) -> None:
    it = page().open(TWO)
    with it.page.expect_response("**/api/save?as=mid"):
        it.page.hover("#midi")
    drag = (
        "() => { const it = new DataTransfer(); document.querySelector('#midi').dispatchEvent("
        "new DragEvent('dragstart', { dataTransfer: it, cancelable: true })); return it.getData('DownloadURL'); }"
    )
    it.wait(lambda: it.page.evaluate(drag), "what a DAW gets")
    kind, name, address = it.page.evaluate(drag).split(":", 2)
    assert kind == "audio/midi"
    assert name.endswith(".mid")
    assert address.startswith("data:audio/midi;base64,TVRoZ")  # "MThd"
