"""Every request of the page, right and wrong."""

from __future__ import annotations

import io
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from asking import TOKEN, Client
from PIL import Image

from musicae import hub, preset
from musicae.codec import load
from musicae.ops import codes
from musicae.web.app import PAGE

TUNES = {"preset": "tiny-melody", "corners": ["draw:1", "draw:2"], "x": 0.3}


def test_the_page_is_served_with_headers_that_keep_it_to_itself(client: Client) -> None:
    page = client.get("")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    for file in PAGE.iterdir():
        assert client.get(f"page/{file.name}").body == file.read_bytes()
    assert client.get("page/..%2Fapp.py").status == 404
    assert client.get("page/nothing.js").error == "the page has no such file"
    for answer in (page, client.get("api/health"), client.get("nothing"), client.ask("GET", "/wrong/")):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_start_describes_every_preset_that_can_be_played_with(client: Client) -> None:
    start = client.get("api/start").json
    assert start["start"]["preset"] == "tiny-melody"
    assert [corner["id"] for corner in start["start"]["corners"]] == ["draw:1", "draw:2"]
    assert len(start["instruments"]) == 128
    assert start["limits"] == {"upload_bytes": 32 * 2**20, "corners": 4}
    presets = {one["name"]: one for one in start["presets"]}
    for name in preset.listed():
        if hub.find_weights(name) is not None and load(name).model.latent_size:
            assert presets[name]["kind"] in ("notes", "picture", "sound")
            assert presets[name]["draws"]
    assert presets["tiny-voice"]["kind"] == "recording"
    assert presets["tiny-digits"]["map"]
    assert presets["tiny-arrangement"]["chords"]
    assert presets["tiny-arrangement"]["parts"] == ["melody", "bass", "harmony", "drums"]
    assert set(presets["tiny-arrangement"]["programs"]) == {"melody", "bass", "harmony"}
    assert presets["tiny-melody"]["programs"] == {"": 0}


def test_a_point_of_every_kind_of_preset(client: Client) -> None:
    for one in client.get("api/start").json["presets"]:
        if not one["draws"]:
            continue
        body = {"preset": one["name"], "corners": [f"draw:{i}" for i in range(4)], "x": 0.2, "y": 0.7}
        found = client.post("api/point", body).json
        assert found["kind"] == one["kind"], found
        assert len(found["distances"]) == 4
        assert all(0 <= distance <= 1 for distance in found["distances"])
        if one["kind"] == "notes":
            assert {roll["part"] for roll in found["rolls"]} == set(one["parts"] or [""])
            assert found["length"] % found["steps_per_beat"] == 0
        elif one["kind"] == "picture":
            assert found["picture"]["png"]
        else:
            assert found["wave"]["peaks"]
            assert found["wave"]["seconds"] > 0


def test_a_file_goes_to_a_corner_and_comes_back_at_it(client: Client, data: Path) -> None:
    given = client.give(data / "twinkle.mid").json
    assert given["preset"] == "melody-2bar"
    assert given["kind"] == "notes"
    assert given["name"] == "twinkle.mid"
    assert given["notices"] == ["twinkle.mid: the first 4 of 8 bars loop; choose others beside its name"]
    body = {"preset": "melody-2bar", "corners": [given["id"], "draw:1"], "x": 0}
    found = client.post("api/point", body).json
    assert found["distances"][0] == 0
    assert [note[2] for note in found["rolls"][0]["notes"]][:7] == [60, 60, 67, 67, 69, 69, 67]


def test_bars_of_a_file_are_chosen(client: Client, data: Path) -> None:
    given = client.give(data / "twinkle.mid", preset="melody-2bar", bars="5-6").json
    assert given["notices"] == []
    found = client.post("api/point", {"preset": "melody-2bar", "corners": [given["id"], given["id"]]}).json
    assert found["length"] == 32
    assert "99" in client.give(data / "twinkle.mid", preset="melody-2bar", bars="99").error


def test_a_file_that_is_there_is_read_from_other_bars(client: Client, data: Path) -> None:
    first = client.give(data / "twinkle.mid", preset="melody-2bar").json
    some = client.post(f"api/files?id={first['id']}&preset=melody-2bar&bars=5-6").json
    assert some["id"] == client.give(data / "twinkle.mid", preset="melody-2bar", bars="5-6").json["id"]
    assert (some["name"], some["notices"]) == ("twinkle.mid", [])
    back = client.post(f"api/files?id={some['id']}&preset=melody-2bar").json
    assert back["id"] == first["id"]
    wrong = client.post(f"api/files?id={first['id']}&preset=melody-2bar&bars=8-9")
    assert wrong.error == "twinkle.mid: bars '8-9' are out of range; the notes end in bar 8"
    assert client.post("api/files?id=nothing&preset=melody-2bar&bars=1").status == 404
    start = client.get("api/start").json
    with_bars = {one["name"] for one in start["presets"] if one["bars"]}
    assert {"tiny-melody", "tiny-drums", "tiny-arrangement"} <= with_bars
    assert not {"tiny-digits", "tiny-voice", "tiny-denoise"} & with_bars


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({**TUNES, "preset": "nothing"}, "no preset named 'nothing'"),
        ({**TUNES, "preset": "/etc/passwd"}, "no preset named '/etc/passwd'"),
        ({**TUNES, "preset": "tiny-voice"}, "has no codes"),
        ({**TUNES, "corners": ["draw:1"]}, "length >= 2"),
        ({**TUNES, "corners": ["draw:1"] * 5}, "length <= 4"),
        ({**TUNES, "corners": ["draw:1"] * 3}, "2 or 4 corners, not 3"),
        ({**TUNES, "corners": ["draw:1", "draw:-1"]}, "'draw:-1' is no draw"),
        ({**TUNES, "corners": ["draw:1", "map:0,0"]}, "no plane"),
        ({**TUNES, "x": 1.5}, "<= 1.0 - at 'x'"),
        ({**TUNES, "x": "left"}, "at 'x'"),
        ({**TUNES, "temperature": -1}, "at 'temperature'"),
        ({**TUNES, "programs": {"": 128}}, "<= 127"),
        ({**TUNES, "programs": {"bass": 3}}, "has no parts"),
        ({**TUNES, "lock": ["melody"]}, "has no parts"),
        ({**TUNES, "chords": "C | H"}, "H"),
        ({**TUNES, "chords": "C | G"}, "takes no chords"),
        ({**TUNES, "shift": {"density": 1}}, "not fitted yet"),
        ({**TUNES, "preset": "melody-2bar", "shift": {"loudness": 1}}, "no attribute 'loudness'"),
        ({**TUNES, "shift": {"density": 1e9}}, "<= 8.0"),
        ({**TUNES, "tempo": 0}, "at 'tempo'"),
        ({**TUNES, "transpose": 99}, "<= 24"),
        ({**TUNES, "more": 1}, "unknown field 'more'"),
        ({"x": 1}, "missing required field"),
        ([1], "Expected 'object'"),
    ],
)
def test_a_wrong_point_is_one_line(client: Client, body: Any, expected: str) -> None:
    answer = client.post("api/point", body)
    assert answer.status == 400
    assert expected in answer.error


@pytest.mark.parametrize("body", [b"", b"{", b'{"x": NaN}', b'{"x": 1e999}', b"\xff\xfe", b"[" * 60_000])
def test_a_body_that_is_no_json_is_one_line(client: Client, body: bytes) -> None:
    answer = client.post("api/point", data=body)
    assert answer.status == 400
    assert answer.error.startswith("this request cannot be understood")


def test_a_draw_is_as_long_as_its_chords_and_messages_name_no_options(client: Client) -> None:
    body = {"preset": "tiny-arrangement", "corners": ["draw:1", "draw:2"], "chords": "C | Am | F | G"}
    found = client.post("api/point", body).json
    assert found["length"] == 64
    assert [name for _, name in found["chords"]] == ["C", "Am", "F", "G"]
    too_long = client.post("api/point", {**body, "chords": "C | Am | F | G | C | G | Am | F | C"}).json
    assert (too_long["length"], too_long["notices"]) == (128, ["of 9 bars of chords the first 8 fit"])
    wrong = client.post("api/point", {**TUNES, "chords": "C"}).error
    assert wrong.startswith("the preset 'tiny-melody' takes no chords; choose one for bands in the list")


def test_a_file_that_the_server_does_not_have_is_not_found(client: Client) -> None:
    answer = client.post("api/point", {**TUNES, "corners": ["0" * 32, "draw:1"]})
    assert answer.status == 404
    assert "drop it on the page again" in answer.error
    assert client.get("api/audio/after-99.wav").status == 404
    assert client.get("api/save/..%2f..").status == 404


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("empty.mid", b"", "empty.mid is empty"),
        ("notes.txt", b"to do: sleep", "notes.txt is of no kind that can be read"),
        ("a.mid", b"MThd\0\0\0\6\0\1\0\1\1\xe0", "a.mid"),
        ("..%2F..%2Fa.mid", b"MThd", "a.mid"),
    ],
)
def test_a_bad_file_is_one_line_without_the_place_where_it_lies(
    client: Client, name: str, content: bytes, expected: str
) -> None:
    answer = client.post(f"api/files?name={name}", data=content)
    assert answer.status == 400
    assert answer.error.startswith(expected)
    assert str(client.studio.store.folder) not in answer.error


def test_a_file_of_a_gigabyte_is_refused_without_being_read(client: Client) -> None:
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as page:
        head = f"POST /{TOKEN}/api/files?name=a.wav HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n"
        page.sendall(f"{head}Content-Length: {2**30}\r\n\r\n".encode())
        answer = b""
        while part := page.recv(4096):
            answer += part  # Until the connection ends.
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"at most 32 MB" in answer


def test_a_file_without_a_length_is_refused_as_soon_as_it_is_too_large(client: Client) -> None:
    part = b"100000\r\n" + b"\0" * 0x100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as page:
        head = f"POST /{TOKEN}/api/files?name=a.wav HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n"
        page.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        sent, answer = 0, b""
        page.settimeout(0.02)
        while not answer and sent < 200:
            try:
                page.settimeout(10)
                page.sendall(part)
                sent += 1
                page.settimeout(0.001)
                answer = page.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
    assert 32 <= sent < 100
    assert not answer or answer.startswith(b"HTTP/1.1 413")


def test_a_point_is_heard_for_exactly_one_loop(client: Client) -> None:
    body = {**TUNES, "preset": "melody-2bar", "tempo": 100}
    wav = client.post("api/sound", body)
    assert wav.headers["content-type"] == "audio/wav"
    sound, rate = soundfile.read(io.BytesIO(wav.body))
    assert len(sound) == round(rate * 60 / 100 * 8)
    assert np.abs(sound).max() > 0.01
    assert client.post("api/sound", body).body == wav.body


def test_stems_add_up_to_the_whole(client: Client, data: Path) -> None:
    key = client.id_of(data / "band.mid", "band-2bar")
    body = {"preset": "band-2bar", "corners": [key, "draw:1"], "x": 0}
    whole = soundfile.read(io.BytesIO(client.post("api/sound", body).body))[0]
    stems = [
        soundfile.read(io.BytesIO(client.post("api/sound", {**body, "only": [part]}).body))[0]
        for part in ("melody", "bass", "harmony", "drums")
    ]
    assert all(stem.shape == whole.shape for stem in stems)
    np.testing.assert_allclose(sum(stems), whole, atol=1e-3)
    assert "no part 'flute'" in client.post("api/sound", {**body, "only": ["flute"]}).error


def test_single_sounds_are_heard(client: Client) -> None:
    body = {"preset": "tiny-drum", "corners": ["draw:1", "draw:2"]}
    sound, rate = soundfile.read(io.BytesIO(client.post("api/sound", body).body))
    assert rate == 8000
    assert len(sound) == 32 * 64
    assert client.post("api/sound", {**body, "preset": "tiny-digits"}).status == 400


def test_a_point_is_saved_as_what_the_commands_write(client: Client, tmp_path: Path, data: Path) -> None:
    body = {"preset": "melody-2bar", "corners": [client.id_of(data / "twinkle.mid", "melody-2bar"), "draw:1"], "x": 0}
    saved = client.post("api/save?as=mid", body)
    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''melody-2bar-twinkle-draw1.mid"
    assert saved.headers["content-type"] == "audio/midi"
    (tmp_path / "a.mid").write_bytes(saved.body)
    again = client.post("api/point", {**body, "corners": [client.id_of(tmp_path / "a.mid", "melody-2bar"), "draw:1"]})
    assert again.json["rolls"] == client.post("api/point", body).json["rolls"]
    sound, _ = soundfile.read(io.BytesIO(client.post("api/save?as=wav", body).body))
    assert np.abs(sound).max() == pytest.approx(0.9, abs=0.001)
    assert Image.open(io.BytesIO(client.post("api/save?as=png", body).body)).width > 100
    (tmp_path / "a.npz").write_bytes(client.post("api/save?as=npz", {**body, "x": 0.4}).body)
    (made,) = codes.decode(codes.load(tmp_path / "a.npz"), preset="melody-2bar")
    notes = client.post("api/point", {**body, "x": 0.4}).json["rolls"][0]["notes"]
    assert [list(note) for note in client.studio.catalog.codec("melody-2bar").adapter.rolls(made)[0].notes] == [
        note[:3] for note in notes
    ]
    assert "saved as mid, npz, png, wav, not as 'exe'" in client.post("api/save?as=exe", body).error


def test_the_whole_walk_is_saved(client: Client, tmp_path: Path) -> None:
    body = {**TUNES, "corners": ["draw:1", "draw:2", "draw:3", "draw:4"]}
    saved = client.post("api/walk?as=mid&steps=3", body)
    assert saved.headers["content-disposition"].endswith("tiny-melody-draw1-draw2-walk.mid")
    assert client.post("api/walk?as=png&steps=3", body).body.startswith(b"\x89PNG")
    assert "2 to 33 steps" in client.post("api/walk?as=mid&steps=99", body).error
    assert "a number of steps" in client.post("api/walk?as=mid&steps=x", body).error
    assert "not as 'npz'" in client.post("api/walk?as=npz&steps=3", body).error


def test_the_plane_of_codes_is_shown_where_there_is_one(client: Client) -> None:
    picture = Image.open(io.BytesIO(client.get("api/map?preset=tiny-digits").body))
    assert picture.size == (20 * 28, 20 * 28)
    assert client.get("api/map?preset=tiny-melody").status == 404
    corners = ["map:0.2,0.1", "map:0.9,0.1", "map:0.2,0.8", "map:0.9,0.8"]
    found = client.post("api/point", {"preset": "tiny-digits", "corners": corners, "x": 0, "y": 1}).json
    assert found["map"] == pytest.approx([0.2, 0.8], abs=1e-4)
    assert (
        "no place of the map"
        in client.post("api/point", {"preset": "tiny-digits", "corners": ["map:nan,0", "map:1,1"]}).error
    )


def test_a_recording_before_and_after(client: Client) -> None:
    file = io.BytesIO()
    noise = 0.1 * np.random.default_rng(0).standard_normal((8000, 2))
    soundfile.write(file, noise, 8000, format="FLAC")
    made = client.post("api/restore?name=a.flac&preset=tiny-voice", data=file.getvalue()).json
    before, rate = soundfile.read(io.BytesIO(client.get(f"api/audio/{made['before']}.wav").body))
    assert rate == 8000
    np.testing.assert_allclose(before, noise, atol=1e-4)
    assert client.get(f"api/picture/{made['after']}.png").body.startswith(b"\x89PNG")
    saved = client.get(f"api/save/{made['after']}")
    assert saved.body.startswith(b"fLaC")
    assert "a-after.flac" in saved.headers["content-disposition"]
    assert (
        "restores no recordings or photos" in client.post("api/restore?name=a.flac&preset=tiny-melody", data=b"x").error
    )
    assert "a.flac" in client.post("api/restore?name=a.flac&preset=tiny-voice", data=b"x").error
    given = client.post("api/files?name=a.flac&preset=tiny-voice", data=file.getvalue()).json
    assert given["kind"] == "recording"
    again = client.post(f"api/restore?id={given['id']}&preset=tiny-voice").json
    assert again["id"] == given["id"]
    assert client.get(f"api/audio/{again['after']}.wav").body == client.get(f"api/audio/{made['after']}.wav").body


def test_a_photo_before_and_after(client: Client, data: Path) -> None:
    given = client.give(data / "noisy-scene.png").json
    assert (given["kind"], given["preset"]) == ("photo", "photo-denoise")
    made = client.post(f"api/restore?id={given['id']}&preset=tiny-denoise").json
    assert Image.open(io.BytesIO(client.get(f"api/picture/{made['before']}.png").body)).size == (160, 120)
    saved = client.get(f"api/save/{made['after']}")
    assert saved.body == client.get(f"api/picture/{made['after']}.png").body
    assert "noisy-scene-after.png" in saved.headers["content-disposition"]
    assert client.get(f"api/audio/{made['after']}.wav").error == "a photo has no sound"


def test_ten_people_at_once_all_get_answers(client: Client) -> None:
    def drag(person: int) -> list[float]:
        corners, took = [f"draw:{person}", f"draw:{person + 1}"], []
        for step in range(12):
            began = time.perf_counter()
            answer = client.post("api/point", {**TUNES, "corners": corners, "x": step / 12})
            took.append(time.perf_counter() - began)
            assert answer.status == 200
        return took

    with ThreadPoolExecutor(10) as people:
        took = sorted(second for person in people.map(drag, range(10)) for second in person)
    assert took[-1] < 10


def test_a_request_whose_page_has_gone_is_not_worked_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    busy, done = threading.Event(), []
    find = client.studio.find

    def slow(ask: Any) -> Any:
        done.append(ask.x)
        busy.wait(20)
        return find(ask)

    monkeypatch.setattr(client.studio, "find", slow)
    with ThreadPoolExecutor(2) as others:
        waiting = [others.submit(client.post, "api/point", {**TUNES, "x": x}) for x in (0.1, 0.2)]
        while len(done) < 2:
            time.sleep(0.01)
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", client.port), timeout=10) as page:
                body = b'{"preset": "tiny-melody", "corners": ["draw:1", "draw:2"], "x": 0.9}'
                head = f"POST /{TOKEN}/api/point HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n"
                page.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                time.sleep(0.1)
        time.sleep(0.3)
        busy.set()
        assert [one.result().status for one in waiting] == [200, 200]
    assert client.post("api/point", {**TUNES, "x": 0.3}).status == 200
    assert 0.9 not in done
