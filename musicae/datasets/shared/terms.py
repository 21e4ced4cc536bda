"""Where the data sets come from and under which terms, for the cards of models that were trained on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["TERMS", "Terms", "terms"]


class Terms(NamedTuple):
    """What a data set is, its licence or status, and where it comes from."""

    what: str
    licence: str
    source: str


_OWN = "the licence of the files"

TERMS: Mapping[str, Terms] = {
    "early-web": Terms("2,293 MIDI files of the 1990s", "unknown", "github.com/reubenson/midi-archive"),
    "fashion-mnist": Terms("70,000 pictures of clothes", "MIT", "Xiao, Rasul and Vollgraf 2017"),
    "folk": Terms(
        "Essen folk songs, O'Neill 1850, Aird's Airs, Ryan's Mammoth Collection",
        "out of copyright, or distributed by permission of the encoders (music21's corpus/license.txt)",
        "the package music21",
    ),
    "free-game-music": Terms(
        "117 MIDI files of games", "BSD-like, GPL 2, GPL 3 or later, CC BY 3.0",
        "Debian: freedoom, openttd-openmsx, planetblupi-music-midi, freedink-data",
    ),
    "groove": Terms("Groove MIDI Dataset 1.0.0", "CC BY 4.0", "Gillick et al., ICML 2019"),
    "jazz": Terms(
        "662 MIDI files", "none given; transcriptions of copyrighted tunes",
        "github.com/lemduc/CSCI599-TransformMusicProject, from midkar.com",
    ),
    "karaoke": Terms(
        "253 MIDI files", "CC BY-NC-SA, as its compiler says; many tunes are others'", "Tegridy MIDI Dataset"
    ),
    "midi-files": Terms("a folder of MIDI files", _OWN, "the trainer's own"),
    "mma-bands": Terms("338 lead sheets, played by the program MMA", "public domain", "OpenEWLD"),
    "mnist": Terms("70,000 handwritten digits", "usually given as CC BY-SA 3.0", "LeCun, Cortes and Burges 1998"),
    "one-shots": Terms("a folder of single sounds", _OWN, "the trainer's own, or packages of Debian 12"),
    "pictures": Terms("a folder of pictures", _OWN, "the trainer's own, or packages of Debian 12"),
    "pop-melody": Terms(
        "6,785 songs as MIDI files", "none given; transcriptions of copyrighted songs",
        "github.com/maxichu/MelodyTrackIdentification",
    ),
    "pop909": Terms("POP909", "MIT", "Wang et al., ISMIR 2020"),
    "recordings": Terms("a folder of recordings", _OWN, "the trainer's own, or packages of Debian 12"),
    "screen-themes": Terms(
        "407 MIDI files", "unknown; copyrighted tunes",
        "github.com/luizcartolano2/mc906-artificial-intelligence",
    ),
    "touhou": Terms(
        "1,065 transcriptions of game music",
        "may be used and changed with credit; ZUN's compositions, not for commerce",
        "github.com/AyHa1810/touhou-midi-collection",
    ),
}  # fmt: skip
"""The built-in data sets by their names; see docs/training.md."""


def terms(name: str, owner: str) -> Terms:
    """Return the terms of a data set; of one from another package, its `owner`, that they are there."""
    return TERMS.get(name) or Terms(f"the data set {name}", "see its package", f"the package {owner}")
