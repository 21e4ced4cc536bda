"""Files that people gave, and values that are kept."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from musicae.errors import MusicaeError
from musicae.web.store import Cache, MissingError, Store, safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("tune.mid", "tune.mid"),
        ("../../etc/passwd", "passwd"),
        ("C:\\music\\tune.mid", "tune.mid"),
        (".hidden", "hidden"),
        ("a\x1b[31m\n\u202e.mid", "a_31m_.mid"),
        ("Grüße 1.mid", "Grüße 1.mid"),
        ("..", "file"),
        ("", "file"),
        ("x" * 300 + ".mid", "x" * 80 + ".mid"),
        ("a." + "b" * 99, "a.bbbbbbbbbbbb"),
    ],
)
def test_names_are_names(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_file_is_kept_once_by_what_it_is(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    key = store.add(b"abc", "a.mid")
    assert store.add(b"abc", "a.mid", {"bars": None}) == key
    others = {store.add(b"abd", "a.mid"), store.add(b"abc", "b.mid"), store.add(b"abc", "a.mid", {"bars": "1-4"})}
    assert len(others | {key}) == 4
    assert store.find(key).path.read_bytes() == b"abc"
    with pytest.raises(MusicaeError, match=r"a\.mid is empty"):
        store.add(b"", "a.mid")
    with pytest.raises(MissingError, match="drop it on the page again"):
        store.find("nothing")


def test_the_oldest_files_go(tmp_path: Path) -> None:
    store = Store(tmp_path, 10)
    first, second = store.add(b"1" * 5, "a"), store.add(b"2" * 5, "b")
    store.find(first)
    store.add(b"3" * 5, "c")
    assert store.find(first).path.is_file()
    with pytest.raises(MissingError):
        store.find(second)
    assert len(list(tmp_path.iterdir())) == 2


def test_messages_do_not_say_where_files_lie(tmp_path: Path) -> None:
    store = Store(tmp_path, 10)
    path = store.find(store.add(b"x", "a.mid")).path
    assert store.without_folder(f"{path} is no MIDI file, nor is {path}") == "a.mid is no MIDI file, nor is a.mid"


def test_a_cache_keeps_what_was_used_last_and_one_value_of_any_size() -> None:
    dropped: list[str] = []
    cache: Cache[str] = Cache(10, dropped.append)
    cache.put(1, "one", 5)
    cache.put(2, "two", 5)
    assert cache.get(1) == "one"
    cache.put(3, "three", 5)
    assert cache.get(2) is None
    assert dropped == ["two"]
    cache.put(4, "four", 100)
    assert cache.get(4) == "four"
    assert cache.get(1) is None
    cache.put(4, "four again", 1)
    assert cache.size == 1


def test_a_value_is_made_once_however_many_ask() -> None:
    cache, made = Cache[int](100), []

    def make() -> int:
        time.sleep(0.05)
        made.append(threading.get_ident())
        return 7

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: cache.made("key", make, lambda value: 1), range(8))) == [7] * 8
    assert len(made) == 1
    assert cache._making == {}
    with pytest.raises(ZeroDivisionError):
        cache.made("bad", lambda: 1 // 0, lambda value: 1)
    assert cache.made("bad", lambda: 3, lambda value: 1) == 3


def test_messages_have_the_names_that_people_know(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    path = store.find(store.add(b"abc", "my: tune.mid")).path
    assert store.without_folder(f"{path} is broken") == "my_ tune.mid is broken"
    assert store.without_folder(f"{path} is broken", Path("in/my: tune.mid")) == "in/my: tune.mid is broken"
    assert store.without_folder(f"{path} is broken", Path("other.mid")) == "my_ tune.mid is broken"
