"""Files of notes: MIDI and ABC."""

from __future__ import annotations

import random
from pathlib import Path

from mutations import ODD_WORDS, damaged, damaged_text
from target import DATA, Seeds, Target, read_and_write, write_damaged

import musicae
from musicae.ops import choose

__all__ = ["TUNES", "Abc", "Midi"]


class Midi(Target):
    """MIDI files under both adapters; some go on to be varied and interpolated."""

    name, suffix = "midi", ".mid"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seeds = self.make_seeds()
        self.codecs = [musicae.load("melody-2bar"), musicae.load("drums-2bar")]

    def make_seeds(self) -> Seeds:
        return [(".mid", path.read_bytes()) for path in sorted(DATA.glob("*.mid"))]

    def run(self, rng: random.Random) -> None:
        path = write_damaged(rng, self.seeds)
        if rng.random() < 0.5:
            path.write_bytes(other_data_bytes(rng, rng.choice(self.seeds)[1]))
        codec = self.codecs["drums" in choose.adapter_for(path) if rng.random() < 0.8 else rng.randrange(2)]
        read_and_write(codec, path, ".mid")
        if rng.random() < 0.02:
            musicae.vary(path, preset=codec)
            musicae.interpolate(path, DATA / "twinkle.mid", preset=codec, steps=3)


def other_data_bytes(rng: random.Random, data: bytes) -> bytes:
    """Return a MIDI file with other data bytes (times, pitches, values), so that its events are still events."""
    changed = bytearray(data)
    places = [at for at in range(22, len(data)) if data[at] < 0x80]
    for at in rng.sample(places, min(len(places), rng.choice((1, 3, 10, 50)))):
        changed[at] = rng.choice((0, 1, 127, rng.randrange(128), rng.randrange(128)))
    return bytes(changed)


TUNES = (
    "X:1\nT:One\nM:4/4\nL:1/8\nQ:1/4=120\nK:G\n|:G2AB c2d2|e2d2 B4|(3ABc d2 z4|[G2B2d2] G6:|\n",
    "X:2\nT:Two\nM:6/8\nL:1/8\nK:Ador\nE|A2B c2d|e3 e2d|{g}c2A B2G|A3-A2:|2 z6|Z4|\nw: la la la\n",
    "X:3\nT:Drei\nM:C|\nL:1/4\nK:Bb\nV:1\nB,C D/E/ F|(5FGABc d2|\nV:2\nB,4|F,4|\n",
)
_ABC = (
    *("|:", ":|", "::", "[1", "[2", "Z4", "Z99999999|", "z99999", "(3", "(9:8:7", "(99", "C99999", "C/9999", "C//////"),
    *("{", "}", "[", "]", '"', "!", "+", "V:99", "K:", "K:H", "M:0/4", "M:4/0", "M:999/1", "L:1/99999", "L:0", "Q:0"),
    *(
        "Q:1/4=99999",
        "X:2\n",
        "%%MIDI program 200",
        "%%MIDI channel 99",
        "~",
        "^^^^",
        "''''''''''",
        ",,,,,,",
        ">>>>",
        "-",
    ),
    *(
        "m:",
        "P:AABB",
        "P:(A99)99",
        "U:",
        "I:",
        "%%",
        "\\",
        "$",
        "y9999",
        "x",
        "s:",
        "W:",
        "&",
        "&&&&",
        "...",
        ":::::::|",
    ),
)


class Abc(Midi):
    """ABC tunes, under the adapter for melodies."""

    name = "abc"

    def make_seeds(self) -> Seeds:
        return [(".abc", tune.encode()) for tune in TUNES]

    def run(self, rng: random.Random) -> None:
        text = damaged_text(rng, rng.choice(TUNES), (*_ABC, *_ABC, *ODD_WORDS))
        data = text.encode("utf-8", "surrogatepass")
        path = Path("in.abc").absolute()
        path.write_bytes(damaged(rng, data) if rng.random() < 0.2 else data)
        choose.adapter_for(path)
        read_and_write(self.codecs[0], path, ".mid")
