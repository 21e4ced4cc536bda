"""Microphones, loudspeakers and virtual cables, through sounddevice (PortAudio)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicae.errors import MusicaeError, did_you_mean
from musicae.formats.quiet import quiet
from musicae.formats.sound.kind import Block

__all__ = ["Callback", "Device", "Pair", "devices", "find", "opened", "pair"]

_MOST = 2  # Channels that are taken of a device: what is heard in a room is stereo at most.
_EXTRA = "live sound needs the package sounddevice; run: pip install 'musicae[live]'"
_PORTAUDIO = "live sound needs the library PortAudio; install it (on Debian and Ubuntu: apt install libportaudio2)"

Callback = Callable[[Block, Block, bool], None]
"""Gets a block ``(frames, channels)``, writes the one to be played, and whether the device lost sound before it."""


@dataclass(frozen=True)
class Device:
    """One entry of the system's list: its number there, its name, channels in and out, and usual rate in Hz."""

    number: int
    name: str
    inputs: int
    outputs: int
    rate: int
    default: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """A device to listen to and one to play on, with the channels that are used of each, and the rate in Hz."""

    source: Device
    target: Device
    rate: int

    @property
    def channels(self) -> tuple[int, int]:
        """How many channels come in, and how many go out."""
        return min(self.source.inputs, _MOST), min(self.target.outputs, _MOST)


def _sounddevice() -> Any:
    try:
        with quiet():  # ALSA prints what it misses on a machine without a sound card.
            import sounddevice
    except ImportError:
        raise MusicaeError(_EXTRA) from None
    except OSError:
        raise MusicaeError(_PORTAUDIO) from None
    return sounddevice


def devices() -> list[Device]:
    """Return all devices of this machine. Raise MusicaeError if sounddevice, PortAudio or every device is missing."""
    module = _sounddevice()
    try:
        with quiet():
            found, usual = list(module.query_devices()), list(module.default.device)
    except module.PortAudioError as error:
        raise MusicaeError(f"the devices for sound cannot be listed: {_reason(error)}") from None
    made = []
    for number, facts in enumerate(found):
        roles = [role for role, chosen in zip(("input", "output"), usual, strict=True) if chosen == number]
        ins, outs = int(facts["max_input_channels"]), int(facts["max_output_channels"])
        made.append(Device(number, str(facts["name"]), ins, outs, round(facts["default_samplerate"]), tuple(roles)))
    if not made:
        raise MusicaeError("this machine has no device for sound; connect a microphone or a sound card")
    return made


def find(word: str | None, role: str, among: Sequence[Device]) -> Device:
    """Return the device that `word` names: its number, its name, or a part of the name; None is the usual one.

    `role` is ``"input"`` or ``"output"``. Raise MusicaeError where none is meant, or several.
    """
    able = [device for device in among if (device.inputs if role == "input" else device.outputs)]
    if not able:
        raise MusicaeError(f"there is no {role} device on this machine; connect one")
    if word is None:
        return next((device for device in able if role in device.default), able[0])
    if word.isdecimal():
        meant = [device for device in able if device.number == int(word)]
    else:
        meant = [device for device in able if device.name.lower() == word.lower()][:1]
        meant = meant or [device for device in able if word.lower() in device.name.lower()]
    if len(meant) > 1:
        names = ", ".join(f"{device.number} ({device.name})" for device in meant)
        raise MusicaeError(f"'{word}' may be one of several {role} devices: {names}; give the number")
    if not meant:
        hint = did_you_mean(word, [device.name for device in able])
        raise MusicaeError(f"there is no {role} device '{word}'{hint}")
    return meant[0]


def pair(source: Device, target: Device, rate: int | None, wanted: int) -> Pair:
    """Return both devices at a rate: `rate` if given, else `wanted` where both take it, else the usual one of one.

    Raise MusicaeError where they have no rate in common, or do not take the one given.
    """
    module = _sounddevice()
    rates = [rate] if rate else list(dict.fromkeys([wanted, source.rate, target.rate, 48_000, 44_100]))
    why = ""
    for each in rates:
        made = Pair(source, target, each)
        try:
            with quiet():
                for check, device, count in zip(
                    (module.check_input_settings, module.check_output_settings),
                    (source, target),
                    made.channels,
                    strict=True,
                ):
                    check(device=device.number, channels=count, dtype="float32", samplerate=each)
        except module.PortAudioError as error:
            why = why or _reason(error)
            continue
        return made
    at = f"at {rate} Hz" if rate else "at one rate"
    raise MusicaeError(f"'{source.name}' and '{target.name}' cannot be opened {at}: {why}; choose other devices")


@contextmanager
def opened(devices: Pair, frames: int, callback: Callback) -> Iterator[Any]:
    """Run both devices in blocks of `frames` until the end of the context; give the stream.

    It is sounddevice's `Stream`: `latency` is the delay of both devices in seconds, `active` becomes false where one
    goes away. Raise MusicaeError if they cannot be opened or started.
    """
    module = _sounddevice()

    def called(heard: NDArray[np.float32], played: NDArray[np.float32], count: int, time: Any, status: Any) -> None:
        callback(heard, played, bool(status and (status.input_overflow or status.output_underflow)))

    try:
        with quiet():
            stream = module.Stream(
                samplerate=devices.rate,
                blocksize=frames,
                device=(devices.source.number, devices.target.number),
                channels=devices.channels,
                dtype="float32",
                latency="low",
                callback=called,
            )
        try:
            with quiet():
                stream.start()
            yield stream
        finally:
            with quiet(), suppress(module.PortAudioError):  # What went away needs no closing.
                stream.close()
    except module.PortAudioError as error:
        names = f"'{devices.source.name}' and '{devices.target.name}'"
        raise MusicaeError(f"{names} cannot be opened: {_reason(error)}; --list-devices shows all") from None


def _reason(error: Exception) -> str:
    return " ".join(str(error.args[0] if error.args else error).split())
