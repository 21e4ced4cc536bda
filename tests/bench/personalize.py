"""Whether what a personal preset draws is more like a person's other tunes than what its base draws.

``python tests/bench/personalize.py irish=DIR jazz=DIR`` takes folders of MIDI files, and the collections of folk tunes
in music21's corpus. Of each, 20 tunes chosen at random make a preset; up to 200 others, with other titles, are what
draws of it and of its base are compared with:

- by a classifier (see ``musicae.evaluations.shared.two_samples``): its AUROC, .5 where it cannot tell them apart.
  Beside it stands that of the 20 tunes themselves, which shows what so few can tell of a person;
- by attributes of windows: the mean Wasserstein distance of their distributions, in standard deviations;
- by copies: the share of draws of which 90 % of the steps are those of a window of the 20 tunes, in some key. The
  person's other tunes have a share of them, too.

``--people han,lux`` takes only these, ``--tunes 10`` other numbers of tunes.
"""

from __future__ import annotations

import argparse
import io
import re
import time
from collections.abc import Sequence
from pathlib import Path

import music21
import torch
from torch import Tensor

import musicae
from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.evaluations.shared.two_samples import Halves, classifier_auroc, halves
from musicae.formats.music import abc
from musicae.tensors import melody_tokens
from musicae.tensors.random import generator

BOOKS = {"erk": "essenFolksong/erk*", "han": "essenFolksong/han*", "ballad": "essenFolksong/ballad*",
         "boehme": "essenFolksong/boehme*", "zuccal": "essenFolksong/zuccal*", "altdeu": "essenFolksong/altdeu*",
         "lux": "essenFolksong/lux*", "fink": "essenFolksong/fink*", "lot": "essenFolksong/lot*",
         "kinder": "essenFolksong/kinder*", "dva": "essenFolksong/dva*", "oneill": "oneills1850/*",
         "aird": "airdsAirs/*", "ryan": "ryansMammoth/*"}  # fmt: skip
OTHERS, DRAWS, TRIED = 200, 1500, 400
COPY = 0.9
LEAST = 0.05  # Spread of an attribute that differences are measured by: some collections have none.


def collection(codec: Codec, pattern: str, count: int) -> list[Sample]:
    """Return tunes of music21's corpus, chosen at random, each title once."""
    tunes: dict[str, bytes] = {}
    for path in sorted((Path(music21.__file__).parent / "corpus").glob(f"{pattern}.abc")):
        for i, text in enumerate(re.split(r"(?m)^(?=X:)", path.read_text(encoding="utf-8", errors="replace"))[1:]):
            title = re.search(r"(?m)^T:\s*(.+)$", text)
            tunes.setdefault(title[1].strip().lower() if title else f"{path.stem} {i}", text.encode())
    names = list(tunes)
    order = torch.randperm(len(names), generator=generator(1)).tolist()[: 2 * count]
    chosen = [tunes[names[i]] for i in order]
    with abc.converted(chosen):
        return list(_readable(codec, [io.BytesIO(tune) for tune in chosen]))[:count]


def folder(codec: Codec, path: Path, count: int) -> list[Sample]:
    """Return the tunes of a folder of MIDI files, chosen at random."""
    files = sorted(path.rglob("*.mid"))
    order = torch.randperm(len(files), generator=generator(1)).tolist()[: 2 * count]
    return _readable(codec, [files[i] for i in order])[:count]


def _readable(codec: Codec, files: Sequence[Path | io.BytesIO]) -> list[Sample]:
    found = []
    for file in files:
        try:
            found.append(codec.adapter.read(file))
        except MusicaeError:
            continue
    return found


def windows(codec: Codec, tune: Sample) -> Tensor:
    """Return the windows of a tune at every bar as tokens, uint8 ``(N, T)``; at least two notes begin in each."""
    size, hop = codec.spec.shape[-1], tune.hop or codec.spec.shape[-1]
    x = codec.split(Sample(tune.tensor, hop=max(1, hop // 2)))
    x = x[: max(1, (tune.tensor.shape[-1] - size) // max(1, hop // 2) + 1)]
    return melody_tokens.tokens(x[codec.adapter.onsets(x).flatten(1).sum(1) >= 2]).to(torch.uint8)


def attributes(tokens: Tensor) -> Tensor:
    """Return attributes of windows ``(N, T)``, ``(N, 9)``.

    Notes, mean pitch, range, mean interval, shares of repeated pitches, of sixteenths and eighths off the beat, of
    steps held, and of steps equal in both halves.
    """
    rows = []
    for line in tokens.long():
        start, _, pitch = melody_tokens.notes(line)
        p, moves, middle = pitch.float(), pitch.diff().abs().float(), len(line) // 2
        rows.append([
            len(p), p.mean(), p.max() - p.min(), moves.sum() / max(1, len(moves)),
            (moves == 0).float().sum() / max(1, len(moves)), (start % 2 == 1).float().mean(),
            (start % 4 == 2).float().mean(), (line == melody_tokens.HOLD).float().mean(),
            (line[:middle] == line[middle:]).float().mean(),
        ])  # fmt: skip
    return torch.tensor(rows)


def attribute_distance(made: Tensor, real: Tensor) -> float:
    """Return the mean over attributes ``(N, A)`` of the Wasserstein distance, in standard deviations of the real."""
    at = torch.linspace(0.005, 0.995, 200)
    apart = (torch.quantile(made, at, dim=0) - torch.quantile(real, at, dim=0)).abs().mean(0)
    return (apart / real.std(0).clamp_min(LEAST)).mean().item()


def copies(made: Tensor, known: Tensor) -> float:
    """Return how many of windows ``(N, T)`` have nearly all steps of a known one, in whatever key."""
    one, other = (melody_tokens.canonical(x) for x in (made[:TRIED], known))
    best = torch.stack([(row == other).float().mean(1).max() for row in one])
    return (best >= COPY).float().mean().item()


class Person:
    """The tunes that make a preset, and the others."""

    def __init__(self, codec: Codec, tunes: Sequence[Sample], count: int) -> None:
        self.codec, self.own = codec, list(tunes[:count])
        self.known = torch.cat([windows(codec, tune) for tune in self.own])
        others = [windows(codec, tune) for tune in tunes[count:]]
        pieces = torch.repeat_interleave(torch.arange(len(others)), torch.tensor(list(map(len, others))))
        self.others = torch.cat(others)
        self.halves = [part[torch.randperm(len(part), generator=generator(2))[:DRAWS]] for part in halves(pieces, 0)]

    def figures(self, made: Tensor) -> tuple[float, float, float]:
        """Return the AUROC, the attribute distance and the share of copies of windows ``(N, T)``."""
        notes = (made >= melody_tokens.FIRST_ONSET).sum(1) >= 2
        made = made[notes][torch.randperm(int(notes.sum()), generator=generator(3))]
        channels = self.codec.spec.channels

        def augmented(x: Tensor, rng: torch.Generator) -> Tensor:
            return self.codec.adapter.augment(melody_tokens.one_hot(x, channels), rng)

        real = Halves(*(self.others[part] for part in self.halves))
        middle = len(made) // 2
        auroc, _ = classifier_auroc(real, Halves(made[:middle], made[middle:]), 4, augmented, seed=0)
        distance = attribute_distance(attributes(made), attributes(torch.cat(real)))
        return auroc, distance, copies(made, self.known)

    def drawn(self, codec: Codec) -> Tensor:
        """Return draws of a codec as tokens."""
        return melody_tokens.tokens(codec.decode(codec.draw(DRAWS, seed=1))).to(torch.uint8)


def main() -> None:
    """Print a row for each person."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="*", metavar="NAME=DIR")
    options.add_argument("--preset", default="melody-2bar")
    options.add_argument("--people", default="", help="only these, separated by commas")
    options.add_argument("--tunes", type=int, default=20)
    options.add_argument("--variety", type=float, default=0.7)
    asked = options.parse_args()
    torch.set_num_threads(1)
    codec = codecs.load(asked.preset)
    folders = dict(text.split("=", 1) for text in asked.folders)
    chosen = [name for name in asked.people.split(",") if name] or [*BOOKS, *folders]
    print("person         windows  AUROC mine base tunes | attributes mine base | copies mine base others | seconds")  # noqa: T201
    for name in chosen:
        count = asked.tunes + OTHERS
        tunes = folder(codec, Path(folders[name]), count) if name in folders else collection(codec, BOOKS[name], count)
        person, began = Person(codec, tunes, asked.tunes), time.process_time()
        made = musicae.personalize(codec, *person.own, variety=asked.variety)
        seconds = time.process_time() - began
        mine, base = (person.figures(person.drawn(one)) for one in (made.codec, codec))
        own = person.figures(person.known)
        others = copies(person.others[torch.randperm(len(person.others), generator=generator(4))], person.known)
        aurocs = f"{mine[0]:10.3f} {base[0]:.3f} {own[0]:.3f}"
        rest = f"{mine[1]:15.3f} {base[1]:.3f} | {mine[2]:11.3f} {base[2]:.3f} {others:.3f} | {seconds:.1f}"
        print(f"{name:14} {made.windows:7}  {aurocs} | {rest}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
