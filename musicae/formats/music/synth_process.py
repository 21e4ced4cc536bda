"""A process that renders MIDI with midirenderer and does nothing else: it holds the lock of its interpreter meanwhile.

It reads from stdin, and writes to stdout, the length of a file in 8 bytes and the file: MIDI in, WAV out. It ends with
its stdin. Nothing is imported that takes long.
"""

from __future__ import annotations

import signal
import struct
import sys
from pathlib import Path

__all__ = ["HEAD", "main"]

HEAD = struct.Struct("<Q")
"""The length of what follows."""


def main(soundfont: str) -> None:
    """Render what comes in until nothing does any more."""
    from midirenderer import render_wave_from

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one.
    instruments, source, target = Path(soundfont).read_bytes(), sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(HEAD.size)) == HEAD.size:
        wav = render_wave_from(instruments, source.read(HEAD.unpack(head)[0]))
        target.write(HEAD.pack(len(wav)) + wav)
        target.flush()


if __name__ == "__main__":
    main(sys.argv[1])
