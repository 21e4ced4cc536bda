"""How often speech is taken for music, and music for speech, when a preset for denoising is chosen.

    python tests/bench/speech_or_music.py FOLDER

FOLDER holds clips of 3 to 15 s at 22.05 kHz or more in the folders ``speech/``, ``singing/``, ``solo/``, ``ensemble/``
and ``noise/``. Each is taken as it is, with hiss (white noise) 20, 10 and 5 dB below it, and with a clip of ``noise/``
as far below, which the seed chooses. The table says what share of them goes to the preset for speech.
docs/sound-data.md says where clips come from.
"""

from __future__ import annotations

import argparse
import io
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from click import echo
from numpy.typing import NDArray

from musicae.adapters.audio import excerpt
from musicae.ops import detect
from musicae.tensors import speech
from musicae.tensors.speech import FEATURES

CLASSES = ("speech", "singing", "solo", "ensemble", "noise")
MUSIC = ("singing", "solo", "ensemble")
SNRS = (20, 10, 5)  # dB
WEIGHTS = {"speech": 3.5, "singing": 3.0, "solo": 1.0, "ensemble": 0.5, "noise": 0.3}
CAUTION = 1.2

Samples = NDArray[np.float32]


@dataclass
class Row:
    """A clip in one condition."""

    kind: str
    name: str
    condition: str
    features: dict[str, float]


def read(file: Path) -> tuple[Samples, int]:
    """Return the samples ``(T,)`` of a file, its channels mixed to one, and its rate in Hz."""
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return samples.mean(1), rate


def mixed(clip: Samples, noise: Samples, snr: float) -> Samples:
    """Return the clip with the noise `snr` dB below it."""
    noise = np.resize(noise, len(clip))
    gain = np.sqrt(np.square(clip).mean() / max(float(np.square(noise).mean()), 1e-12) / 10 ** (snr / 10))
    together = clip + gain * noise
    return (0.9 * together / max(1.0, float(np.abs(together).max()))).astype(np.float32)


def features(clip: Samples, rate: int) -> dict[str, float]:
    """Return what the choice of a preset for this clip goes by."""
    stream = io.BytesIO()
    soundfile.write(stream, clip, rate, format="WAV", subtype="PCM_16")
    stream.seek(0)
    return detect.features(*excerpt(stream))


def gathered(folder: Path, seed: int) -> list[Row]:
    """Return all clips in all conditions."""
    noises = sorted((folder / "noise").glob("*"))
    rows = []
    for kind in CLASSES:
        for file in sorted((folder / kind).glob("*")):
            rng = np.random.default_rng([seed, len(file.name), sum(file.name.encode())])
            clip, rate = read(file)
            names = [f"{what} {snr}" for what in ("hiss", "noise") if kind != "noise" or what == "hiss" for snr in SNRS]
            for name in ("clean", *names):
                spoiled = clip
                if name.startswith("hiss"):
                    spoiled = mixed(clip, rng.standard_normal(len(clip)).astype(np.float32), float(name.split()[1]))
                elif name.startswith("noise"):
                    spoiled = mixed(clip, read(noises[rng.integers(len(noises))])[0], float(name.split()[1]))
                rows.append(Row(kind, file.name, name, features(spoiled, rate)))
    return rows


def fit(rows: list[Row]) -> None:
    """Print the numbers in `musicae.tensors.speech` as a logistic regression finds them.

    Classes count by `WEIGHTS`, whatever their number of clips; and that a sound is speech must be `CAUTION` times as
    likely as that it is music.
    """
    from sklearn.linear_model import LogisticRegression

    names = list(FEATURES)
    values = np.array([[row.features[name] for name in names] for row in rows])
    means, deviations = values.mean(0), values.std(0)
    x = speech.expanded(values, means, deviations)
    kinds = np.array([row.kind for row in rows])
    weights = np.array([WEIGHTS[kind] / (kinds == kind).sum() for kind in kinds])
    model = LogisticRegression(C=0.3, max_iter=5000).fit(x, kinds == "speech", weights * len(rows) / weights.sum())
    linear, square = model.coef_[0].reshape(2, -1)
    echo("FEATURES = {")
    for row in zip(names, means, deviations, linear, square, strict=True):
        echo(f'    "{row[0]}": ({", ".join(f"{number:.4g}" for number in row[1:])}),')
    echo(f"}}\nBIAS = {model.intercept_[0] - np.log(CAUTION):.4g}")


def table(rows: list[Row], verbose: bool) -> None:
    """Print how many of each class, in each condition, go to the preset for speech."""
    taken: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for row in rows:
        found = speech.speech_log_odds(row.features)
        taken[row.kind, row.condition].append(found > 0)
        if verbose and row.kind != "noise" and (found > 0) != (row.kind == "speech"):
            echo(f"{row.kind}/{row.name} ({row.condition}): log-odds {found:.1f}")
    columns = ["clean", *(f"{what} {snr}" for what in ("hiss", "noise") for snr in SNRS)]
    echo("taken for speech, %".ljust(22) + "clips".rjust(6) + "".join(name.rjust(10) for name in (*columns, "all")))
    for kind in CLASSES:
        found = [taken[kind, name] for name in columns]
        figures = [
            100 * np.mean(one) if one else float("nan") for one in (*found, [one for part in found for one in part])
        ]
        echo(kind.ljust(22) + str(len(found[0])).rjust(6) + "".join(f"{figure:10.1f}" for figure in figures))
    music = [one for (kind, _), found in taken.items() if kind in MUSIC for one in found]
    missed = [not one for (kind, _), found in taken.items() if kind == "speech" for one in found]
    echo(f"speech taken for music: {100 * np.mean(missed):.2f} % of {len(missed)}")
    echo(f"music taken for speech: {100 * np.mean(music):.2f} % of {len(music)}")


def main() -> None:
    """Print the table, or the fitted numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fit", action="store_true", help="print the numbers of musicae/tensors/speech.py instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-v", "--verbose", action="store_true", help="name each clip that is taken for the other")
    args = parser.parse_args()
    rows = gathered(args.folder, args.seed)
    if args.fit:
        fit(rows)
    else:
        table(rows, args.verbose)


if __name__ == "__main__":
    main()
