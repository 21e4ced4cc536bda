"""How much slower commands get on a busy machine: each runs quiet, and with busy loops beside it, one for each core.

    python tests/bench/threads.py [NAME ...] [--runs 3] [--loops 2]

Prints the seconds of the best of the runs of both, their ratio, and the seconds of CPU; it exits with 1 where a ratio
is over 3. Run it on a machine that does nothing else: what else runs counts as one more busy loop. The seconds of CPU
tell even then: a busy machine must not make them grow. Idle threads that spin while they wait do just that, tenfold.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

DATA = Path(__file__).resolve().parents[2] / "data"
MAX_RATIO = 3.0

COMMANDS = {
    "interpolate": "interpolate {data}/twinkle.mid {data}/ode-to-joy.mid -o out.mid",
    "interpolate-long": "interpolate {data}/twinkle.mid {data}/greensleeves.mid --steps 60 -o out.mid",
    "interpolate-grid": "interpolate {data}/twinkle.mid {data}/ode-to-joy.mid {data}/greensleeves.mid {data}/band.mid "
    "--grid -o out.mid",
    "interpolate-drums": "interpolate {data}/rock.mid {data}/bossa.mid -o out.mid",
    "interpolate-pictures": "interpolate {data}/three.png {data}/seven.png -o out.png",
    "interpolate-sound": "interpolate speech.wav music.wav --preset sound --steps 3 -o out.wav",
    "reconstruct": "reconstruct {data}/twinkle.mid -o out.mid",
    "sample": "sample -n 20 -o out.mid",
    "vary": "vary {data}/twinkle.mid -n 20 -o out.mid",
    "encode": "encode {data}/twinkle.mid -o out.npz",
    "denoise-speech": "denoise speech.wav -o out.wav",
    "denoise-music": "denoise music.wav --preset denoise -o out.wav",
    "denoise-photo": "denoise {data}/noisy-scene.png -o out.png",
    "upscale-sound": "upscale speech.wav -o out.wav",
    "upscale-photo": "upscale {data}/three.png -o out.png",
}


def make_sounds() -> None:
    """Write 8 seconds of a voice-like sound at 16 kHz, and of a chord at 44.1 kHz, in noise."""
    rng = np.random.default_rng(0)
    for name, rate, tones in (("speech.wav", 16_000, (140,)), ("music.wav", 44_100, (220, 277, 330))):
        time_axis = np.arange(8 * rate) / rate
        tone = sum(np.sin(2 * np.pi * hz * k * time_axis) / k for hz in tones for k in range(1, 9))
        swell = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time_axis)
        soundfile.write(name, 0.05 * tone * swell + 0.02 * rng.standard_normal(len(time_axis)), rate)


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Keep `count` processes busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def seconds(command: str, runs: int) -> tuple[float, float]:
    """Return how long a command takes, and how much CPU, in the quickest of several runs."""
    words = [sys.executable, "-m", "musicae", *command.format(data=DATA).split(), "-f"]
    found = []
    for _ in range(runs):
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found.append((time.perf_counter() - started, cpu))
    return min(found)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=", ".join(COMMANDS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--loops", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_sounds()
        print(f"{'command':22} {'quiet':>8} {'busy':>8} {'ratio':>6}   CPU quiet, busy")  # noqa: T201
        for name in options.names or COMMANDS:
            quiet, cpu = seconds(COMMANDS[name], options.runs)
            with busy_loops(options.loops):
                busy, busy_cpu = seconds(COMMANDS[name], options.runs)
            worst = max(worst, busy / quiet)
            line = f"{name:22} {quiet:6.2f} s {busy:6.2f} s {busy / quiet:6.2f}   {cpu:.2f} s, {busy_cpu:.2f} s"
            print(line, flush=True)  # noqa: T201
        os.chdir(DATA)
    sys.exit(1 if worst > MAX_RATIO else 0)


if __name__ == "__main__":
    main()
