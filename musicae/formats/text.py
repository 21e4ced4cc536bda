"""Text of unknown encoding, as it stands in files older than UTF-8."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

__all__ = ["ENCODINGS", "decode_texts"]

_ENCODINGS = ("cp932", "euc_jp", "gb18030", "big5", "cp949", "koi8_r", "cp1251", "cp1252", "latin_1")
_MAX_SAMPLE = 20_000  # Bytes; enough to detect an encoding.
_WORDS = re.compile(
    "メロディ|ボーカル|ピアノ|ギター|ベース|ドラム|パーカッション|旋律|人声|人聲|钢琴|鋼琴|贝司|貝斯|吉他|鼓|멜로디|피아노|기타|베이스|드럼|"
    "(?i:мелодия|голос|вокал|гитара|ударные|барабаны|пианино|фортепиано|mélodie|flöte|baß|batería|percussão)"
)
"""Words in the names of tracks: an encoding that gives one is right, while the bytes alone are too few to tell."""


ENCODINGS = ("utf-8", "utf-16", *_ENCODINGS)
"""The names of encodings that `decode_texts` may return."""


def decode_texts(texts: Sequence[bytes]) -> tuple[list[str], str]:
    """Return the texts of one file decoded, and their encoding: UTF-8, UTF-16, or what fits best.

    What no encoding fits is decoded as Latin-1, so that it can be written back as it came.
    """
    try:
        return [text.decode() for text in texts], "utf-8"
    except UnicodeDecodeError:
        pass
    if all(text[:2] in (b"\xff\xfe", b"\xfe\xff") for text in texts if not text.isascii()):
        return [_decode(text, "ascii" if text.isascii() else "utf-16") for text in texts], "utf-16"
    sample = b"\n".join(texts)
    if len(sample) > _MAX_SAMPLE:
        # What tells an encoding are the lines that are not ASCII.
        sample = b"\n".join(line for text in texts for line in text.splitlines() if not line.isascii())[:_MAX_SAMPLE]
    for encoding in _ENCODINGS:
        try:
            decoded = codecs.getincrementaldecoder(encoding)().decode(sample)  # Its last letter may be cut in two.
        except UnicodeDecodeError:
            continue
        if _WORDS.search(decoded):
            return [_decode(text, encoding) for text in texts], encoding
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=list(_ENCODINGS)).best()
    encoding = best.encoding if best is not None and best.encoding in _ENCODINGS else "latin_1"
    return [_decode(text, encoding) for text in texts], encoding


def _decode(text: bytes, encoding: str) -> str:
    return text.decode(encoding, "replace")
