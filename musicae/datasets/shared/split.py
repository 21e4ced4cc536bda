"""Splits by piece: a seeded hash of its name decides the split of a tune, recording or speaker."""

from __future__ import annotations

import hashlib

from musicae.errors import MusicaeError, did_you_mean

__all__ = ["SPLITS", "check", "split_of"]

SPLITS = ("train", "validation", "test")


def check(split: str) -> None:
    """Raise MusicaeError unless `split` is one of `SPLITS`."""
    if split not in SPLITS:
        raise MusicaeError(f"no split named '{split}'{did_you_mean(split, SPLITS)}")


def split_of(piece: str, seed: int = 0, test: float = 0.05, validation: float = 0.03) -> str:
    """Return the split of a piece: the same for the same name and seed, on any machine."""
    digest = hashlib.sha256(f"{seed}:{piece}".encode(errors="surrogatepass")).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2**64
    return "test" if fraction < test else "validation" if fraction < test + validation else "train"
