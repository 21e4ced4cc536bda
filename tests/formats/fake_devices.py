"""Stands for the package sounddevice: devices without hardware, and a stream that is driven without a clock."""

from __future__ import annotations

import _thread
import sys
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np


class PortAudioError(Exception):
    """As sounddevice's."""


def facts(name: str, ins: int, outs: int, rate: float = 48_000.0) -> dict[str, Any]:
    """What sounddevice tells of a device."""
    return {"name": name, "max_input_channels": ins, "max_output_channels": outs, "default_samplerate": rate}


DEVICES = [facts("Desk Microphone", 1, 0), facts("Line In", 2, 0), facts("Loudspeakers", 0, 2), facts("Cable", 2, 2)]


class FakeDevices:
    """The module: `heard` is what the microphone hears, `played` what came out when it is over.

    `rates` are those that all devices take. At the end of `heard` somebody presses Ctrl-C; with `unplugged` the device
    goes away, and with `terminated` the process gets SIGTERM. The blocks numbered in `faulty` come with the device's
    flag that something was lost.
    """

    PortAudioError = PortAudioError

    def __init__(self, heard: np.ndarray[Any, Any]) -> None:
        self.heard = heard.astype(np.float32)
        self.devices: list[dict[str, Any]] = DEVICES
        self.default = SimpleNamespace(device=[0, 2])
        self.rates = {8000, 16_000, 44_100, 48_000}
        self.unplugged = self.terminated = False
        self.refusal, self.faulty = "", set[int]()
        self.played = np.zeros((0, 0), np.float32)
        self.settings: dict[str, Any] = {}

    def query_devices(self) -> list[dict[str, Any]]:
        return self.devices

    def check_input_settings(self, device: int, channels: int, dtype: str, samplerate: int) -> None:
        if samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate", -9997)

    check_output_settings = check_input_settings

    def Stream(self, **settings: Any) -> FakeStream:
        self.settings = settings
        return FakeStream(self, settings)


class FakeStream:
    """As sounddevice's `Stream`; its loop begins when it is asked whether it is active."""

    latency = (0.010, 0.015)

    def __init__(self, devices: FakeDevices, settings: dict[str, Any]) -> None:
        self.devices, self.settings = devices, settings
        self.loop = threading.Thread(target=self.run)
        self.is_over = False

    def start(self) -> None:
        if self.devices.refusal:
            raise PortAudioError(self.devices.refusal, -9985)

    @property
    def active(self) -> bool:
        if not self.loop.ident:
            self.loop.start()
        if self.is_over and self.devices.terminated:
            sys.exit(143)
        return not self.is_over

    def run(self) -> None:
        frames, channels = self.settings["blocksize"], self.settings["channels"]
        played = []
        for number, at in enumerate(range(0, len(self.devices.heard) - frames + 1, frames)):
            out = np.full((frames, channels[1]), np.nan, np.float32)
            lost = number in self.devices.faulty
            status = SimpleNamespace(input_overflow=lost, output_underflow=False) if lost else None
            self.settings["callback"](self.devices.heard[at : at + frames], out, frames, None, status)
            played.append(out)
        self.devices.played = np.concatenate(played)
        if self.devices.unplugged or self.devices.terminated:
            self.is_over = True
        else:
            _thread.interrupt_main()

    def close(self) -> None:
        if self.loop.ident:
            self.loop.join()
