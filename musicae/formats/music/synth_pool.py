"""Synthesisers in processes of their own, so that several render at once and nothing else waits for them."""

from __future__ import annotations

import queue
import subprocess
import sys
from contextlib import suppress
from typing import Any

from musicae.errors import MusicaeError
from musicae.formats.music.synth import decoded, soundfont, synthesiser
from musicae.formats.music.synth_process import HEAD
from musicae.formats.sound.kind import Block
from musicae.processes import ignoring_sigint

__all__ = ["SynthPool"]


class SynthPool:
    """`count` processes of midirenderer; it is called, by any thread, with MIDI and returns frames ``(frames, 2)``.

    Where the user has named another synthesiser, that renders, in this process. They end with this process, or with
    `close`. Raise MusicaeError for a synthesiser that does not exist.
    """

    def __init__(self, count: int) -> None:
        name, synth = synthesiser()
        self._synth = None if name == "midirenderer" else synth
        self._command = [sys.executable, "-m", "musicae.formats.music.synth_process", str(soundfont())]
        self._free: queue.SimpleQueue[subprocess.Popen[bytes] | None] = queue.SimpleQueue()
        self._count = 0 if self._synth else count
        with ignoring_sigint():
            for _ in range(self._count):
                self._free.put(self._started())

    def __call__(self, data: bytes) -> Block:
        """Return the sound of a MIDI file. Raise MusicaeError where it cannot be rendered."""
        if self._synth:
            return self._synth(data)
        process = self._free.get()
        try:
            if process is None or process.poll() is not None:
                process = self._started()
            return decoded(_exchanged(process, data))
        except (OSError, EOFError):
            if process is not None:
                _end(process)
            process = None
            raise MusicaeError("the synthesiser failed at this music; move on and try again") from None
        finally:
            self._free.put(process)

    def close(self) -> None:
        """End the processes."""
        for _ in range(self._count):
            with suppress(queue.Empty):
                process = self._free.get(timeout=0.1)
                if process is not None:
                    _end(process)

    def _started(self) -> subprocess.Popen[bytes]:
        pipe, none = subprocess.PIPE, subprocess.DEVNULL
        return subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=none)


def _exchanged(process: subprocess.Popen[bytes], data: bytes) -> bytes:
    source, target = _pipes(process)
    target.write(HEAD.pack(len(data)) + data)
    target.flush()
    head = source.read(HEAD.size)
    if len(head) < HEAD.size:
        raise EOFError
    wav: bytes = source.read(HEAD.unpack(head)[0])
    return wav


def _pipes(process: subprocess.Popen[bytes]) -> tuple[Any, Any]:
    return process.stdout, process.stdin


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in _pipes(process):
        with suppress(OSError):
            pipe.close()
    process.wait()
