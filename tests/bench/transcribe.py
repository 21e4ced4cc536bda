"""How many notes of a tune are found in a recording of it, rendered with voices, flute, violin and piano, in noise.

``python tests/bench/transcribe.py FOLDER...`` takes folders of MIDI and ABC files, such as the corpus of music21, of
which it renders so many tunes each (``--tunes 8``), 20 seconds long, with white noise 20 dB below. A tune is brought by
octaves to where voices sing, its notes sound for 90 % of their time, and half of them last .2 s or more: what is faster
is not sung. Files on which constants were tuned, half of all by their names, are left out (``--tuned`` takes those).
It prints the F1 of notes by mir_eval: onset within 50 ms, pitch within a quarter tone. Rivals on the same recordings:
runs of the rounded pitch of librosa's pyin, and with ``--basic-pitch PYTHON``, an interpreter that has it, basic-pitch.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import subprocess
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import librosa
import mir_eval
import numpy as np
import soundfile
from symusic import Score
from symusic.core import NoteTick, ScoreTick, TempoTick, TrackTick

from musicae.adapters.melody import Melody
from musicae.errors import MusicaeError
from musicae.formats.music.synth import render
from musicae.tensors import sung

PROGRAMS = {"choir aahs": 52, "voice oohs": 53, "synth voice": 54, "flute": 73, "violin": 40, "piano": 0}
SECONDS, LEAD, GATE, SHORTEST, FEWEST = 20.0, 0.3, 0.9, 0.2, 12
NOISE = 0.1  # Of the root mean square: -20 dB.
MIDDLE, LOW, HIGH = 67, 45, 84
SHORTEST_RUN = 5  # Frames of pyin.

Notes = tuple[np.ndarray, np.ndarray, np.ndarray]
BASIC_PITCH = """
import json, sys
from basic_pitch import ICASSP_2022_MODEL_PATH
from basic_pitch.inference import Model, predict
model = Model(ICASSP_2022_MODEL_PATH)
for path in sys.argv[1:]:
    notes = sorted(predict(path, model)[2])
    print("NOTES", json.dumps([[float(n[0]), float(n[1]), int(n[2])] for n in notes]))
"""


def tunes(folder: Path, tuned: bool) -> Iterator[tuple[str, Path | io.BytesIO]]:
    """Go through the tunes of a folder, in an order that is as good as random."""
    found: list[tuple[str, Path | bytes]] = [(path.stem, path) for path in folder.rglob("*.mid")]
    for path in folder.rglob("*.abc"):
        parts = re.split(r"(?m)^(?=X:)", path.read_text(encoding="utf-8", errors="replace"))[1:]
        found += [(f"{path.stem}-{i}", part.encode()) for i, part in enumerate(parts)]
    chosen = [one for one in found if (zlib.crc32(one[0].encode()) % 2 == 0) is tuned]
    for name, source in sorted(chosen, key=lambda one: zlib.crc32(one[0].encode()[::-1])):
        yield name, io.BytesIO(source) if isinstance(source, bytes) else source


def notes_of(source: Path | io.BytesIO) -> Notes | None:
    """Return the notes of a tune, in seconds; None for one that is not sung."""
    written = io.BytesIO()
    try:
        adapter = Melody()
        adapter.write(adapter.read(source), written)
    except MusicaeError:
        return None
    notes = Score.from_midi(written.getvalue()).to("second").tracks[0].notes.numpy()
    order = np.argsort(notes["time"])
    start, pitch = notes["time"][order] - notes["time"].min() + LEAD, notes["pitch"][order].astype(int)
    end = start + GATE * notes["duration"][order]
    inside = start < SECONDS - 2 * LEAD
    start, end, pitch = start[inside], np.minimum(end[inside], SECONDS), pitch[inside]
    pitch += 12 * round((MIDDLE - float(np.median(pitch))) / 12)
    sings = len(start) >= FEWEST and np.median(np.diff(start)) >= SHORTEST
    return (start, end, pitch) if sings and pitch.min() >= LOW and pitch.max() <= HIGH else None


def recording(notes: Notes, program: int, seed: int) -> np.ndarray:
    """Return the sound of notes ``(T,)`` in noise."""
    rng = np.random.default_rng(seed)
    score, track = ScoreTick(480), TrackTick("", program)
    score.tempos.append(TempoTick(0, qpm=125))  # 1000 ticks in a second.
    for start, end, pitch in zip(*notes, strict=True):
        track.notes.append(
            NoteTick(round(1000 * start), round(1000 * (end - start)), int(pitch), rng.integers(70, 110))
        )
    score.tracks.append(track)
    wav = io.BytesIO()
    render(io.BytesIO(score.dumps_midi()), wav, "the tune")
    wav.seek(0)
    samples, rate = soundfile.read(wav, dtype="float32")
    mono = librosa.resample(samples.mean(1), orig_sr=rate, target_sr=sung.RATE)[: int(SECONDS * sung.RATE)]
    noise = NOISE * np.sqrt(np.square(mono).mean()) * rng.standard_normal(len(mono))
    return np.asarray(mono + noise, np.float32)


def ours(samples: np.ndarray) -> Notes:
    """Return the notes that musicae finds."""
    line = sung.follow([samples])
    return line.start, line.end, line.pitch


def runs(samples: np.ndarray) -> Notes:
    """Return the runs of the rounded pitch of pyin."""
    hertz, voiced, _ = librosa.pyin(samples, fmin=65.4, fmax=1108.8, sr=sung.RATE, hop_length=sung.HOP, resolution=0.2)
    pitch = np.where(voiced, np.rint(librosa.hz_to_midi(np.nan_to_num(hertz, nan=1.0))), 0).astype(int)
    start = np.flatnonzero(np.diff(pitch, prepend=-1))
    end = np.append(start[1:], len(pitch))
    kept = (pitch[start] > 0) & (end - start >= SHORTEST_RUN)
    return sung.HOP * start[kept] / sung.RATE, sung.HOP * end[kept] / sung.RATE, pitch[start[kept]]


def basic_pitch(python: str, recordings: Sequence[np.ndarray]) -> list[Notes]:
    """Return the notes that basic-pitch finds in each recording."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{i}.wav") for i in range(len(recordings))]
        for path, samples in zip(paths, recordings, strict=True):
            soundfile.write(path, samples / max(1.0, np.abs(samples).max()), sung.RATE)
        done = subprocess.run([python, "-c", BASIC_PITCH, *paths], capture_output=True, text=True, check=True)
    lines = [line.removeprefix("NOTES ") for line in done.stdout.splitlines() if line.startswith("NOTES ")]
    found = [np.array(json.loads(line), float).reshape(-1, 3) for line in lines]
    return [(one[:, 0], one[:, 1], one[:, 2]) for one in found]


def f1(wanted: Notes, found: Notes) -> float:
    """Return the F1 of notes by onset and pitch."""

    def rows(notes: Notes) -> tuple[np.ndarray, np.ndarray]:
        start, end, pitch = notes
        return np.stack([start, np.maximum(end, start + 0.01)], axis=1), librosa.midi_to_hz(np.asarray(pitch, float))

    if not len(found[0]):
        return 0.0
    return float(mir_eval.transcription.precision_recall_f1_overlap(*rows(wanted), *rows(found), offset_ratio=None)[2])


def main() -> None:
    """Print a row for each instrument."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folders", type=Path, nargs="*")
    options.add_argument("--tunes", type=int, default=8, help="of each folder")
    options.add_argument("--tuned", action="store_true", help="those on which constants were tuned")
    options.add_argument("--basic-pitch", metavar="PYTHON")
    given = options.parse_args()
    chosen: list[tuple[str, Notes]] = []
    for folder in given.folders:
        sung_ones = ((name, notes) for name, source in tunes(folder, given.tuned) if (notes := notes_of(source)))
        chosen += [one for one, _ in zip(sung_ones, range(given.tunes), strict=False)]
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    took = 0.0
    for instrument, program in PROGRAMS.items():
        recordings = [recording(notes, program, zlib.crc32(name.encode())) for name, notes in chosen]
        before = time.process_time()
        ways: dict[str, list[Notes]] = {"musicae": [ours(samples) for samples in recordings]}
        took += time.process_time() - before
        ways["pyin, runs"] = [runs(samples) for samples in recordings]
        if given.basic_pitch:
            ways["basic-pitch"] = basic_pitch(given.basic_pitch, recordings)
        for way, found in ways.items():
            scores[instrument][way] = [f1(notes, own) for (_, notes), own in zip(chosen, found, strict=True)]
    names = list(next(iter(scores.values())))
    print(f"| {len(chosen)} tunes | {' | '.join(names)} |\n|---|{'---:|' * len(names)}")  # noqa: T201
    every = {way: [score for of in scores.values() for score in of[way]] for way in names}
    for instrument, of in [*scores.items(), ("all", every)]:
        print(f"| {instrument} | {' | '.join(f'{np.mean(of[way]):.3f}' for way in names)} |")  # noqa: T201
    seconds = SECONDS * len(chosen) * len(PROGRAMS)
    print(f"{60 * took / seconds:.1f} s of CPU time for a minute")  # noqa: T201


if __name__ == "__main__":
    main()
