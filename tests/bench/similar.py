"""How often the other half of a tune is the nearest of all: in code, by pitch classes, and by chance.

``python tests/bench/similar.py [POP909]`` takes the held-out folk tunes of music21's corpus, and those of the folder of
POP909's MIDI files. Each of eight bars or more is cut in two at a bar; the second halves are transposed at random and
written as MIDI files. ``musicae.similar`` then looks for the second half of each (of every so many with ``--every``) by
its first half. The baseline compares how long each pitch class sounds, in all twelve keys.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import music21
import torch
from torch import Tensor

import musicae
from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Sample
from musicae.datasets.shared.split import split_of
from musicae.errors import MusicaeError
from musicae.formats.music import abc
from musicae.tensors.random import generator

BOOKS = ("essenFolksong", "oneills1850", "airdsAirs", "ryansMammoth")
TOP = 10


def tunes(codec: Codec, pop909: Path | None) -> Iterator[Sample]:
    """Go through the held-out tunes; names and splits are those of the data sets."""
    for book in BOOKS:
        for path in sorted((Path(music21.__file__).parent / "corpus" / book).glob("*.abc")):
            parts = re.split(r"(?m)^(?=X:)", path.read_text(encoding="utf-8", errors="replace"))[1:]
            titles = [re.search(r"(?m)^T:\s*(.+)$", part) for part in parts]
            names = [
                re.sub(r"\W+", " ", title[1]).strip().lower() if title else f"{path.stem} {i}"
                for i, title in enumerate(titles)
            ]
            chosen = [part.encode() for part, name in zip(parts, names, strict=True) if held_out(name)]
            with abc.converted(chosen):
                for tune in chosen:
                    try:
                        yield codec.adapter.read(io.BytesIO(tune))
                    except MusicaeError:
                        continue
    for path in sorted(pop909.glob("*.mid")) if pop909 else ():
        if held_out(path.name):
            yield codec.adapter.read(path, track="MELODY")


def held_out(name: str) -> bool:
    """Tell whether a tune is in the test split."""
    return split_of(name, seed=0, test=0.05, validation=0.03) == "test"


def halves(tune: Sample) -> tuple[Sample, Sample] | None:
    """Return both halves of a tune, cut at a bar; None for one of fewer than eight bars."""
    _, numerator, denominator = tune.meta["meters"][0]
    bar = round(16 * numerator / denominator)
    middle = tune.tensor.shape[-1] // bar // 2 * bar
    if middle < 4 * bar:
        return None
    meta = {key: tune.meta[key] for key in ("tempos", "programs", "keys", "swing", "track", "source")}
    meta |= {"meters": tune.meta["meters"][:1]}
    velocities = tune.meta["velocities"]
    parts = (slice(0, middle), slice(middle, None))
    one, other = (
        Sample(tune.tensor[:, part].contiguous(), {**meta, "velocities": velocities[part]}, tune.hop) for part in parts
    )
    return one, other


def pitch_classes(codec: Codec, sample: Sample) -> Tensor:
    """Return how long each pitch class sounds, ``(12,)`` of norm 1."""
    durations = torch.zeros(12)
    for _, length, pitch in codec.adapter.rolls(sample)[0].notes:
        durations[pitch % 12] += length
    return durations / durations.norm().clamp_min(1e-6)


def main() -> None:
    """Print how often the other half comes first, and is among the first ten."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("pop909", type=Path, nargs="?")
    options.add_argument("--preset", default="melody-2bar")
    options.add_argument("--every", type=int, default=1, help="look for every so many only")
    asked = options.parse_args()
    torch.set_num_threads(1)
    codec = codecs.load(asked.preset)
    pairs = [pair for pair in map(halves, tunes(codec, asked.pop909)) if pair and pair[1].tensor.any()]
    with tempfile.TemporaryDirectory() as folder:
        shifts = torch.randint(-5, 7, (len(pairs),), generator=generator(0)).tolist()
        for i, ((_, other), shift) in enumerate(zip(pairs, shifts, strict=True)):
            plain = io.BytesIO()
            codec.adapter.write(other, plain)
            plain.seek(0)
            codec.adapter.write(codec.adapter.read(plain, transpose=shift), Path(folder) / f"{i:05}.mid")
        known = torch.stack([pitch_classes(codec, codec.adapter.read(path)) for path in sorted(Path(folder).iterdir())])
        looked = range(0, len(pairs), asked.every)
        first, ten = torch.zeros(2), torch.zeros(2)
        for i in looked:
            stream = io.BytesIO()
            codec.adapter.write(pairs[i][0], stream)
            found = musicae.similar(stream, folder, TOP, preset=codec).matches
            own = pitch_classes(codec, pairs[i][0])
            near = torch.stack([known @ own.roll(shift) for shift in range(12)]).amax(0)
            ranks = [
                next((k for k, one in enumerate(found) if int(one.path.stem) == i), TOP),
                int((near > near[i]).sum()),
            ]
            first += torch.tensor([rank < 1 for rank in ranks])
            ten += torch.tensor([rank < TOP for rank in ranks])
    print(f"{len(looked)} tunes among {len(pairs)}: the other half comes first, and is among the first {TOP}")  # noqa: T201
    for name, at_first, among in zip(("codes", "pitch classes"), first.tolist(), ten.tolist(), strict=True):
        print(f"{name:14} {at_first / len(looked):.3f} {among / len(looked):.3f}")  # noqa: T201
    print(f"{'chance':14} {1 / len(pairs):.3f} {TOP / len(pairs):.3f}")  # noqa: T201


if __name__ == "__main__":
    main()
