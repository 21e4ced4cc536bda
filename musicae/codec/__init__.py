"""Codecs: what the parts that a preset names do together, and how they are built and loaded."""

from musicae.codec.building import build, load
from musicae.codec.codec import Codec

__all__ = ["Codec", "build", "load"]
