"""Files tagged, and read back, by mutagen, which the package itself does not use."""

from __future__ import annotations

import base64

import mutagen
import mutagen.id3
import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC, Picture

from musicae.formats.sound.files import Kind, kind_like, read_tags, writing

FIELDS = {
    "TITLE": "Ein Stück, 曲",
    "ARTIST": "Zoë",
    "ALBUM": "Hiss",
    "DATE": "2001-02-03",
    "TRACKNUMBER": "3",
    "TRACKTOTAL": "12",
    "GENRE": "Jazz",
    "COMMENT": "a comment",
    "LYRICS": "la\nla",
    "REPLAYGAIN_TRACK_GAIN": "-7.30 dB",
    "MY_OWN": "x",
}
COVER = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 300  # Over a page of Ogg.
RATE = 48_000
_NAMES = {"TIT2": "TITLE", "TPE1": "ARTIST", "TALB": "ALBUM", "TDRC": "DATE", "TCON": "GENRE", "USLT": "LYRICS"}


class Tagged:
    """Makes tagged files and reads tags."""

    fields, cover, rate = FIELDS, COVER, RATE

    def make(self, path, rate=RATE):
        sound = 0.1 * np.sin(np.arange(rate // 4) / 20)
        soundfile.write(path, sound, rate, **({"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}))
        file = mutagen.File(path)
        if file.tags is None:
            file.add_tags()
        if isinstance(file.tags, mutagen.id3.ID3):
            self.add_frames(file.tags)
        else:
            picture = Picture()
            picture.data, picture.type, picture.mime, picture.desc = COVER, 3, "image/jpeg", "front"
            for name, value in {**FIELDS, "ENCODER": "of old", "ENCODEROPTIONS": "kept"}.items():
                file[name] = value
            if isinstance(file, FLAC):
                file.add_picture(picture)
            else:
                file["METADATA_BLOCK_PICTURE"] = base64.b64encode(picture.write()).decode()
        file.save()
        return path

    def add_frames(self, tags):
        frames = mutagen.id3.Frames
        for name, field in _NAMES.items():
            tags.add(frames[name](3, text=FIELDS[field]))
        tags.add(frames["TRCK"](3, ["3/12"]))
        tags.add(frames["COMM"](3, "eng", "", [FIELDS["COMMENT"]]))
        tags.add(frames["COMM"](1, "eng", "iTunSMPB", ["0000 0000"]))
        for name in ("REPLAYGAIN_TRACK_GAIN", "MY_OWN"):
            tags.add(frames["TXXX"](3, name, [FIELDS[name]]))
        tags.add(frames["APIC"](3, "image/jpeg", 3, "front", COVER))
        tags.add(frames["PRIV"]("me", b"\0\1\xff"))
        tags.add(frames["TSSE"](3, ["of old"]))

    def of(self, path):
        """Return the fields and the pictures of a file."""
        fields, pictures = {}, []
        tags = mutagen.File(path).tags or {}
        if isinstance(tags, mutagen.id3.ID3):
            for frame in tags.values():
                if frame.FrameID == "TRCK":
                    fields["TRACKNUMBER"], _, fields["TRACKTOTAL"] = str(frame).partition("/")
                elif frame.FrameID == "TXXX":
                    fields[frame.desc] = str(frame)
                elif frame.FrameID == "COMM":
                    fields["COMMENT" if not frame.desc else frame.desc] = str(frame)
                elif frame.FrameID == "APIC":
                    pictures.append(frame.data)
                else:
                    fields[_NAMES.get(frame.FrameID, frame.FrameID)] = str(frame)
        else:
            for name, values in tags.items():
                if name.upper() == "METADATA_BLOCK_PICTURE":
                    pictures += [Picture(base64.b64decode(value)).data for value in values]
                else:
                    fields[name.upper()] = values[0]
        if isinstance(file := mutagen.File(path), FLAC):
            pictures += [picture.data for picture in file.pictures]
        return fields, pictures

    def copy(self, source, target, rate=RATE):
        """Write other sound with the tags of a source; return the remarks."""
        sound = np.sin(np.arange(rate // 4) / 30).astype("f4")[:, None] / 10
        tags = read_tags(source).at(RATE)
        kind = kind_like(Kind(rate, 1), target)
        with writing(target, kind, tags) as file:
            file.write(sound)
        decoded, new_rate = soundfile.read(target, dtype="float32")
        assert (len(decoded), new_rate) == (rate // 4, rate)
        if kind.format in ("WAV", "FLAC", "AIFF"):
            assert np.abs(decoded - sound[:, 0]).max() < 2**-15
        return file.remarks


@pytest.fixture
def tagged():
    return Tagged()
