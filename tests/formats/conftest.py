"""What the tests of file formats share: small MIDI files."""

from made_midi import make_midi

__all__ = ["make_midi"]
