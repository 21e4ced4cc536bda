import time

import pytest

from musicae.formats.text import decode_texts

NAMES = {
    "cp932": ["メロディ", "ピアノ", "Bass"],
    "euc_jp": ["メロディ", "ピアノ"],
    "gb18030": ["旋律", "钢琴"],
    "big5": ["旋律", "鋼琴"],
    "cp949": ["멜로디", "피아노"],
    "koi8_r": ["Мелодия", "Ударные"],
    "cp1251": ["Мелодия", "Ударные"],
    "cp1252": ["Mélodie", "Guitare acoustique", "Contrôle"],
    "utf-8": ["Mélodie", "メロディ"],
    "utf-16": ["メロディ", "ピアノ"],
}


@pytest.mark.parametrize("encoding", NAMES)
def test_names_of_tracks_are_decoded_and_come_back_as_they_were(encoding):
    raw = [name.encode(encoding) for name in NAMES[encoding]]
    texts, found = decode_texts(raw)
    assert texts == NAMES[encoding]
    assert [text.encode(found) for text in texts] == raw


@pytest.mark.parametrize("word", ["メロディ", "Мелодия"])
def test_one_word_is_enough(word):
    for encoding in ("cp932", "koi8_r", "cp1251"):
        try:
            raw = word.encode(encoding)
        except UnicodeEncodeError:
            continue
        assert decode_texts([raw])[0] == [word]


def test_any_bytes_are_decoded():
    for raw in (b"", b"\xff", b"\xfe\xff", b"\xff\xfea", bytes(range(256)), b"\x81\x81\x81"):
        (text,), _ = decode_texts([raw])
        assert isinstance(text, str)


def test_ascii_is_utf_8():
    assert decode_texts([b"Lead", b"Bass"]) == (["Lead", "Bass"], "utf-8")
    assert decode_texts([]) == ([], "utf-8")


@pytest.mark.parametrize("encoding", ["cp932", "koi8_r", "cp1252"])
def test_long_texts_are_told_by_their_beginning(encoding):
    line = {"cp932": "メロディの歌", "koi8_r": "Мелодия и голос", "cp1252": "Mélodie à la flûte"}[encoding]
    texts = ["plain\n" * 100_000 + f"{line}\n" * 20_000, line]
    began = time.process_time()
    assert decode_texts([text.encode(encoding) for text in texts]) == (texts, encoding)
    assert time.process_time() - began < 1
