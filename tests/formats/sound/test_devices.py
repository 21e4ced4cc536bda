"""Devices for sound: the list, the one that is meant, its rate, and what is said where there is none."""

import sys

import numpy as np
import pytest
from fake_devices import FakeDevices, PortAudioError, facts

from musicae.errors import MusicaeError
from musicae.formats.sound import devices
from musicae.formats.sound.devices import Device, Pair, find, opened, pair


@pytest.fixture
def fake(monkeypatch):
    made = FakeDevices(np.zeros((400, 1)))
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    return made


def test_the_list_says_channels_rates_and_what_is_usual(fake):
    first, _, third, cable = devices.devices()
    assert first == Device(0, "Desk Microphone", 1, 0, 48_000, ("input",))
    assert (third.default, cable.default) == (("output",), ())
    fake.default.device = [3, 3]
    assert devices.devices()[3].default == ("input", "output")


def test_a_missing_package_library_or_device_is_one_line(fake, monkeypatch, tmp_path):
    fake.devices = []
    with pytest.raises(MusicaeError, match="no device for sound"):
        devices.devices()
    monkeypatch.setattr(fake, "query_devices", lambda: (_ for _ in ()).throw(PortAudioError("PortAudio\nfailed")))
    with pytest.raises(MusicaeError, match="cannot be listed: PortAudio failed"):
        devices.devices()
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MusicaeError, match=r"pip install 'musicae\[live\]'"):
        devices.devices()
    monkeypatch.delitem(sys.modules, "sounddevice")
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MusicaeError, match="apt install libportaudio2"):
        devices.devices()


@pytest.mark.parametrize(
    ("word", "role", "number"),
    [(None, "input", 0), (None, "output", 2), ("1", "input", 1), ("line in", "input", 1), ("cab", "output", 3)],
)
def test_a_number_a_name_or_a_part_of_it_finds_a_device(fake, word, role, number):
    assert find(word, role, devices.devices()).number == number


def test_without_a_default_the_first_that_can_is_taken(fake):
    fake.default.device = [-1, -1]
    assert find(None, "output", devices.devices()).name == "Loudspeakers"


def test_a_name_that_is_whole_wins_over_parts(fake):
    fake.devices = [facts("Cable 2", 2, 2), facts("Cable", 2, 2)]
    assert find("cable", "input", devices.devices()).number == 1


@pytest.mark.parametrize(
    ("word", "role", "line"),
    [
        ("2", "input", "there is no input device '2'"),
        ("microphone", "output", "there is no output device 'microphone'"),
        ("Line Inn", "input", r"no input device 'Line Inn'; did you mean 'Line In'\?"),
        ("i", "input", r"several input devices: 0 \(Desk Microphone\), 1 \(Line In\); give the number"),
    ],
)
def test_a_device_that_is_not_meant_is_named(fake, word, role, line):
    with pytest.raises(MusicaeError, match=line):
        find(word, role, devices.devices())


def test_a_machine_without_a_microphone_says_so(fake):
    fake.devices = [facts("Loudspeakers", 0, 2)]
    with pytest.raises(MusicaeError, match="there is no input device on this machine"):
        find(None, "input", devices.devices())


def test_the_rate_is_the_one_wanted_where_both_take_it(fake):
    source, _, target, _ = devices.devices()
    assert pair(source, target, None, 16_000) == Pair(source, target, 16_000)
    assert pair(source, target, 44_100, 16_000).rate == 44_100
    fake.rates = {44_100, 48_000}
    assert pair(source, target, None, 16_000).rate == 48_000
    fake.rates = {44_100}
    assert pair(source, target, None, 16_000).rate == 44_100
    with pytest.raises(MusicaeError, match="cannot be opened at 48000 Hz: Invalid sample rate"):
        pair(source, target, 48_000, 16_000)
    fake.rates = set()
    with pytest.raises(MusicaeError, match="cannot be opened at one rate"):
        pair(source, target, None, 16_000)


def test_channels_are_two_at_most():
    many = Device(0, "Console", 32, 1, 48_000)
    assert Pair(many, many, 48_000).channels == (2, 1)


def test_a_stream_hands_over_blocks_and_what_the_device_lost(fake):
    source, _, target, _ = devices.devices()
    fake.faulty, fake.unplugged = {1}, True
    seen = []

    def echo(heard, played, lost):
        seen.append((heard.shape, lost))
        played[:] = heard

    with opened(Pair(source, target, 8000), 100, echo) as stream:
        while stream.active:
            pass
    assert seen == [((100, 1), number == 1) for number in range(4)]
    assert np.array_equal(fake.played, np.zeros((400, 2)))
    assert {fake.settings[key] for key in ("samplerate", "blocksize", "dtype")} == {8000, 100, "float32"}
    assert fake.settings["device"] == (0, 2)


def test_a_device_that_refuses_is_one_line(fake):
    source, _, target, _ = devices.devices()
    fake.refusal = "Device unavailable"
    with (
        pytest.raises(MusicaeError, match="'Desk Microphone' and 'Loudspeakers' cannot be opened: Device unavailable;"),
        opened(Pair(source, target, 8000), 100, lambda *block: None),
    ):
        pass
