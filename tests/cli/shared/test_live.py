"""`musicae denoise --live` with made-up devices: the same sound as of a file, and one line for what is wrong."""

import json
import re
import sys
import time
from contextlib import nullcontext

import numpy as np
import pytest
import soundfile
from fake_devices import FakeDevices, facts

from musicae.ops.live import Live

RATE = 8000


@pytest.fixture
def fake(studio, monkeypatch):
    """A microphone that hears ``heard.wav``; the model gets the time it needs for each block."""
    studio.record("heard.wav", 2 * RATE, 1, rate=RATE, subtype="FLOAT")
    samples, _ = soundfile.read("heard.wav", dtype="float32", always_2d=True)
    made = FakeDevices(samples)
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    exchange = Live.exchange

    def and_wait(self, *block):
        exchange(self, *block)
        self.wait()

    monkeypatch.setattr(Live, "exchange", and_wait)
    return made


@pytest.fixture
def live(tiny_voice):
    return ("denoise", "--live", "--preset", str(tiny_voice))


def test_it_plays_what_the_file_becomes_and_ctrl_c_ends_it(studio, fake, live, tiny_voice):
    done = studio(*live, "-o", "live.wav")
    assert (done.exit_code, done.stdout) == (0, "live.wav\n")
    begun, summary = done.stderr.splitlines()
    assert begun == (
        "'Desk Microphone' is denoised with tiny-voice at 8000 Hz and played on 'Loudspeakers'; Ctrl-C ends it"
    )
    assert summary.startswith("0:02 denoised; latency ")
    assert summary.endswith(" %, 0 drop-outs")
    studio.ok("denoise", "--preset", tiny_voice, "heard.wav", "-o", "file.wav")
    (recorded, rate), (whole, _) = soundfile.read("live.wav"), soundfile.read("file.wav")
    assert rate == RATE
    delay = len(fake.played) - len(recorded)
    assert 0 < delay < 0.1 * RATE
    assert np.abs(recorded - whole[: len(recorded)]).max() < 2**-15
    assert np.abs(fake.played[delay:] - whole[: len(recorded), None]).max() < 1e-6
    assert not fake.played[:delay].any()
    assert fake.settings["channels"] == (1, 2)


def test_ctrl_c_while_it_writes_loses_nothing(studio, fake, live, monkeypatch):
    recorded = Live.recorded

    def slow(self):
        blocks = recorded(self)
        for _ in range(20 if blocks else 0):  # It ends here, between taking the blocks and writing them.
            time.sleep(0.01)
        return blocks

    monkeypatch.setattr(Live, "recorded", slow)
    monkeypatch.setattr("musicae.cli.shared.live._REFRESH", 0.001)
    assert studio(*live, "-o", "live.wav").exit_code == 0
    assert len(fake.played) - soundfile.info("live.wav").frames < 0.1 * RATE


def test_the_figures_are_there_as_json(studio, fake, live):
    fake.faulty = {3, 7}
    found = json.loads(studio.ok(*live, "--json", "--buffer", "100"))
    assert (found["paths"], found["preset"]) == ([], "tiny-voice")
    assert (found["seconds"], found["dropouts"], found["lost"]) == (2.0, 0, 2)
    plain = json.loads(studio.ok(*live, "--json", "--buffer", "0"))
    assert found["latency"] - plain["latency"] == pytest.approx(0.1)
    assert plain["latency"] > 0.025  # That of the devices is part of it.


def test_stereo_at_another_rate(studio, fake, live):
    fake.heard = np.concatenate([fake.heard, fake.heard[::-1]], axis=1)
    words = ("--input-device", "line", "--output-device", "3", "--rate", "44100", "-o", "live.flac")
    assert studio.ok(*live, *words) == "live.flac"
    info = soundfile.info("live.flac")
    assert (info.samplerate, info.channels, info.format) == (44_100, 2, "FLAC")
    assert fake.settings["device"] == (1, 3)


def test_a_model_that_is_late_is_said_and_what_helps(studio, fake, live, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    fake.heard = np.tile(fake.heard, (40, 1))  # As fast as the loop goes; no model is.
    monkeypatch.chdir(studio.folder)
    lines = studio(*live).stderr.splitlines()
    dropouts = int(lines[1].split(", ")[-1].split()[0])
    assert dropouts > 100
    assert lines[2].startswith(("--buffer 100 gives", "this machine is too slow for tiny-voice"))


def test_a_device_that_goes_away_ends_it_and_the_recording_is_kept(studio, fake, live):
    fake.unplugged = True
    done = studio(*live, "-o", "live.wav")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "musicae: a device stopped; is it still connected?"
    assert soundfile.info("live.wav").frames > 10_000


def test_sigterm_keeps_the_recording(studio, fake, live):
    fake.terminated = True
    assert studio(*live, "-o", "live.wav").exit_code == 143
    assert soundfile.info("live.wav").frames > 10_000


def test_a_terminal_shows_how_it_goes_on_one_line(studio, fake, live, monkeypatch):
    shown = []
    monkeypatch.setattr("musicae.cli.shared.live.refreshed", lambda: nullcontext(shown.append))
    studio(*live)
    assert re.fullmatch(r"0:0\d  latency \d+ ms  load \d+ %  drop-outs 0", shown[0])


def test_what_cannot_be_is_one_line(studio, fake, live, monkeypatch):
    assert "--live takes no files" in studio.fails(*live, "rec.wav")
    assert "--live takes no files" in studio.fails(*live, "--keep-noise", "n.wav")
    assert "--input-device is for --live" in studio.fails("denoise", "rec.wav", "--input-device", "1")
    assert "--buffer is for --live" in studio.fails("denoise", "rec.wav", "--buffer", "1")
    assert "no input device 'Radio'; choose from Cable, Desk Microphone, Line In" in studio.fails(
        *live, "--input-device", "Radio"
    )
    assert "exists already" in studio.fails(*live, "-o", "rec.wav")
    assert "records to a file" in studio.fails(*live, "-o", "-")
    assert "sound is written as .wav" in studio.fails(*live, "-o", "rec.txt")
    assert "cannot be opened at 192000 Hz" in studio.fails(*live, "--rate", "192000")
    fake.devices = [facts("Loudspeakers", 0, 2)]
    assert "there is no input device" in studio.fails(*live)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert "pip install 'musicae[live]'" in studio.fails(*live)
    assert studio("denoise").exit_code == 2


def test_a_device_that_cannot_be_opened_is_one_line_and_leaves_no_file(studio, fake, live):
    fake.refusal = "Device unavailable"
    before = studio.files()
    done = studio(*live, "-o", "live.wav")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].endswith("cannot be opened: Device unavailable; --list-devices shows all")
    assert studio.new(before) == []


def test_sound_that_is_no_number_is_one_line(studio, fake, live):
    fake.heard[900] = np.nan
    assert studio(*live).stderr.splitlines()[-1] == "musicae: a block has a sample that is not a number"


def test_a_preset_that_does_not_stream_is_refused(studio, fake, tiny_denoise):
    assert "does not restore sound in blocks" in studio.fails("denoise", "--live", "--preset", tiny_denoise)


def test_the_list_of_devices(studio, fake):
    lines = studio.ok("denoise", "--list-devices").splitlines()
    assert lines[0] == "  0  Desk Microphone  (1 in, 0 out, 48000 Hz, the default input)"
    assert lines[3] == "  3  Cable  (2 in, 2 out, 48000 Hz)"
    found = json.loads(studio.ok("denoise", "--list-devices", "--json"))["devices"]
    assert [device["name"] for device in found][2] == "Loudspeakers"
