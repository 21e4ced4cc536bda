"""Denoising what a microphone hears while it is heard, with a delay that stays the same."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from musicae.errors import MusicaeError
from musicae.ops.stream import Block, Denoiser

__all__ = ["Figures", "Live"]

_HOP = 0.02  # Seconds of a block.
_PENDING = 0.25  # Seconds that may wait for the model; what comes in beyond is lost at once.
_TRIAL = 1.5  # Seconds of silence that show how far the denoiser is behind at most.
_KEPT = 30.0  # Seconds that may wait to be recorded.
_LOAD_OVER = 1.0  # Seconds over which the load is averaged.


@dataclass(frozen=True)
class Figures:
    """How it goes: `seconds` heard, `latency` in seconds without that of the devices, `load` as a share of real time.

    `dropouts` counts the blocks of which some was missing when it had to be played, `lost` those that a device lost.
    """

    seconds: float
    latency: float
    load: float
    mean_load: float
    dropouts: int
    lost: int


class Live:
    """A denoiser between a microphone and a loudspeaker: `exchange` takes a block and gives the one to be played.

    Parameters
    ----------
    denoiser : at the devices' rate; its channels are those that come in.
    out_channels : those that go out: one is played on all, and several on one as their mean.
    buffer : seconds by which the sound is later than it need be, so that a block may take longer now and then.
    keep : keep what is played, for `recorded`.

    A thread of its own runs the model. A block that is late is lost, and counted; the next ones are as late as those
    before it were, never later. `start` begins, `stop` ends it. `exchange` never waits for the model: it may be called
    where the system wants its answer at once.
    """

    def __init__(self, denoiser: Denoiser, out_channels: int, buffer: float = _HOP, keep: bool = False) -> None:
        self.denoiser, self.rate, self.out_channels = denoiser, denoiser.rate, out_channels
        self.frames = max(1, round(_HOP * self.rate))
        self.delay = _most_behind(denoiser, self.frames) + self.frames + math.ceil(buffer * self.rate)
        self._waiting: queue.Queue[tuple[int, Block] | None] = queue.Queue(math.ceil(_PENDING / _HOP))
        size = self.delay + (self._waiting.maxsize + 2) * self.frames
        self._ring = np.zeros((size, denoiser.channels), np.float32)  # Restored samples, by their time modulo its size.
        self._is_there = np.zeros(size, bool)
        self._ring_lock = threading.Lock()
        self._heard = 0  # Frames that came in.
        self._expected = self._next = 0  # The frame that should go to the model next, and the one that comes out next.
        self._dropouts = self._lost = 0
        self._busy = self._mean_busy = self._taken = 0.0  # Seconds of work, and of the sound worked on.
        self._kept: deque[Block] | None = deque() if keep else None
        self._error: Exception | None = None
        self._worker = threading.Thread(target=self._work, name="denoiser", daemon=True)

    def start(self) -> None:
        """Start the thread of the model."""
        self._worker.start()

    def stop(self) -> None:
        """End the thread of the model when it has done what waits for it."""
        self._waiting.put(None)
        self._worker.join()

    def wait(self) -> None:
        """Wait until the model has done all that came in."""
        self._waiting.join()

    def exchange(self, heard: Block, played: Block, device_lost: bool = False) -> None:
        """Take ``(frames, channels)`` and fill ``(frames, out_channels)`` with what is to be played now."""
        self._lost += device_lost
        with suppress(queue.Full):  # When it would have been played, it is counted.
            self._waiting.put_nowait((self._heard, heard.copy()))
        due = np.arange(self._heard - self.delay, self._heard - self.delay + len(heard))
        self._heard += len(heard)
        at = due % len(self._ring)
        with self._ring_lock:
            found = self._is_there[at]
            block = np.where(found[:, None], self._ring[at], np.float32(0))
            self._is_there[at] = False
        self._dropouts += bool((~found & (due >= 0)).any())
        played[:] = block if block.shape[1] == self.out_channels else block.mean(1, keepdims=True)
        if self._kept is not None and due[-1] >= 0:
            self._kept.append(block[due >= 0])

    def figures(self) -> Figures:
        """Return how it goes. Raise MusicaeError if something went wrong in the thread of the model."""
        if self._error:
            raise self._error
        mean = self._mean_busy / self._taken if self._taken else 0.0
        latency = self.delay / self.rate
        return Figures(self._heard / self.rate, latency, self._busy, mean, self._dropouts, self._lost)

    def recorded(self) -> list[Block]:
        """Return the blocks that were played since the last call, in time with what was heard.

        Raise MusicaeError if half a minute of them waits: the disk is too slow.
        """
        blocks: list[Block] = []
        while self._kept:
            blocks.append(self._kept.popleft())
        if sum(map(len, blocks)) > _KEPT * self.rate:
            raise MusicaeError("the disk is too slow for the recording; leave out -o, or name another place")
        return blocks

    def _work(self) -> None:
        while taken := self._all_waiting():
            try:
                for start, block, _ in taken:
                    if not self._error:
                        self._restore(start, block)
            except Exception as error:  # It is raised where somebody sees it.
                self._error = error
            for _ in range(sum(count for _, _, count in taken)):
                self._waiting.task_done()

    def _restore(self, start: int, block: Block) -> None:
        """Restore the block that came in as the frames from `start` on."""
        if start != self._expected:  # Blocks were lost in between: begin anew.
            self.denoiser.reset()
            self._next = start
        self._expected = start + len(block)
        began = time.perf_counter()
        out = self.denoiser.process(block)
        self._measure(time.perf_counter() - began, len(block) / self.rate)
        self._place(out, self._next)
        self._next += len(out)

    def _all_waiting(self) -> list[tuple[int, Block, int]]:
        """Wait for blocks and return all there are, those that follow each other as one; none at the end."""
        item = self._waiting.get()
        taken: list[tuple[int, Block, int]] = []
        while item is not None:
            start, block = item
            if taken and start == taken[-1][0] + len(taken[-1][1]):
                first, before, count = taken.pop()
                taken.append((first, np.concatenate([before, block]), count + 1))
            else:
                taken.append((start, block, 1))
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return taken
        if taken:
            self._waiting.put(None)  # For the next call; there is room, since all was taken.
        self._waiting.task_done()
        return taken

    def _place(self, out: Block, start: int) -> None:
        """Put restored samples where they will be played, but for those whose time has passed."""
        with self._ring_lock:
            late = max(0, self._heard - self.delay - start)
            at = np.arange(start + late, start + len(out)) % len(self._ring)
            self._ring[at] = out[late:]
            self._is_there[at] = True

    def _measure(self, busy: float, seconds: float) -> None:
        keep = math.exp(-seconds / _LOAD_OVER)
        self._busy = keep * self._busy + (1 - keep) * busy / seconds
        self._mean_busy += busy
        self._taken += seconds


def _most_behind(denoiser: Denoiser, frames: int) -> int:
    """Return by how many frames what comes out of blocks of `frames` is behind what went in, at most.

    That depends on the resampler as well, which gives more at some times than at others. It also warms the model up.
    """
    silence = np.zeros((frames, denoiser.channels), np.float32)
    behind = most = 0
    for _ in range(math.ceil(_TRIAL / _HOP)):
        behind += frames - len(denoiser.process(silence))
        most = max(most, behind)
    denoiser.reset()
    return most
