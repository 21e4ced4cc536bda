"""What is fuzzed: each target makes an input from random numbers, and does with it what a user would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from music_targets import Abc, Midi
from picture_targets import Picture
from sound_targets import Audio
from stored_targets import Checkpoint, Codes
from target import Target
from written_targets import CommandLine, Preset

__all__ = ["TARGETS"]

TARGETS: dict[str, Callable[[Path], Target]] = {
    one.name: one for one in (Midi, Abc, Audio, Picture, Codes, Checkpoint, Preset, CommandLine)
}
