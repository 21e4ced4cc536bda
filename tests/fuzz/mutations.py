"""How valid inputs are damaged: bytes, JSON trees, text."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["ODD_NUMBERS", "ODD_WORDS", "damaged", "damaged_text", "damaged_tree"]

ODD_NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 2, 3, 7, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, -(2**31), 2**32, 2**53, 2**62, 2**63, 10**9),
    *(0.0, -0.0, 0.5, -0.5, 1e-9, 1e9, 1e300, -1e300, 1e-320, float("nan"), float("inf"), float("-inf")),
)
ODD_WORDS: tuple[str, ...] = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\n",
        "\x1b[31mred\x1b[0m",
        "\x9b31m",
        "\u202eevil",
        "\ud800",
        "é",
        "メロディ",
        "x" * 10_000,
    ),
    *(
        "../escaped/evil",
        "/etc/passwd",
        "file:///etc/passwd",
        "C:\\con",
        "-",
        "--",
        "-f",
        "*",
        "[red]bold[/red]",
        "%s%n",
    ),
    *("None", "nan", "1e999", "0x10", "true", "[", "[[[[", "{}", "9" * 5_000, "{" * 2_000, "[" * 2_000, "'" * 3, '"'),
)
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000, 1_000_000)


def damaged(rng: random.Random, data: bytes, other: bytes = b"") -> bytes:
    """Return `data` damaged in one to six ways; `other` is valid too, and gives pieces to splice in."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        rng.choice(_BYTE_WAYS)(rng, changed, other)
    return bytes(changed)


def _place(rng: random.Random, data: bytearray) -> int:
    """Return a place in `data`: three in ten near its start, where headers are."""
    return rng.randrange(min(len(data), 128)) if rng.random() < 0.3 else rng.randrange(len(data))


def _flip(rng: random.Random, data: bytearray, other: bytes) -> None:
    for _ in range(rng.choice((1, 1, 4, 16))):
        if data:
            data[_place(rng, data)] ^= 1 << rng.randrange(8)


def _number(rng: random.Random, data: bytearray, other: bytes) -> None:
    if len(data) > 8:
        at = min(_place(rng, data), len(data) - 8)
        form = rng.choice((">B", ">H", "<H", ">I", "<I", ">Q", "<Q"))
        value = rng.choice(_INTERESTING) + rng.choice((0, 0, 0, 1, -1))
        packed = struct.pack(form, value % 2 ** (8 * struct.calcsize(form)))
        data[at : at + len(packed)] = packed


def _cut(rng: random.Random, data: bytearray, other: bytes) -> None:
    if data:
        del data[rng.randrange(len(data)) :]


def _drop(rng: random.Random, data: bytearray, other: bytes) -> None:
    if data:
        at = _place(rng, data)
        del data[at : at + rng.choice((1, 2, 4, 16, 100, len(data) // 4 + 1))]


def _repeat(rng: random.Random, data: bytearray, other: bytes) -> None:
    if data and len(data) < 200_000:
        at = _place(rng, data)
        data[at:at] = data[at : at + rng.choice((1, 4, 16, 256))] * rng.choice((1, 2, 8, 50))


def _insert(rng: random.Random, data: bytearray, other: bytes) -> None:
    at = _place(rng, data) if data else 0
    data[at:at] = rng.choice((rng.randbytes(rng.choice((1, 3, 20))), bytes(rng.choice((1, 8, 64))), b"\xff" * 8))


def _splice(rng: random.Random, data: bytearray, other: bytes) -> None:
    if data and other:
        at, start = _place(rng, data), rng.randrange(len(other))
        piece = other[start : start + rng.choice((4, 32, 512, len(other)))]
        data[at : at + len(piece) * rng.randrange(2)] = piece


def _zero(rng: random.Random, data: bytearray, other: bytes) -> None:
    if data:
        at, size = _place(rng, data), rng.choice((1, 4, 16, 256))
        data[at : at + size] = bytes(len(data[at : at + size]))


_BYTE_WAYS: Sequence[Callable[[random.Random, bytearray, bytes], None]] = (
    *(_flip, _flip, _flip, _number, _number, _number),
    *(_cut, _drop, _repeat, _insert, _splice, _zero),
)


def damaged_tree(rng: random.Random, tree: Any) -> Any:
    """Return a JSON-like tree with one to three of its nodes changed, left out, moved or nested."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        tree = _damage_node(rng, tree)
    return tree


def _damage_node(rng: random.Random, node: Any) -> Any:
    inside = list(node.keys()) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    if inside and rng.random() < 0.8:
        key = rng.choice(inside)
        copied = dict(node) if isinstance(node, dict) else list(node)
        way = rng.random()
        if way < 0.1:
            del copied[key]
        elif way < 0.2:
            value = copied[rng.choice(inside)]
            copied[key] = value
        elif way < 0.25 and isinstance(copied, dict):
            copied[rng.choice(ODD_WORDS)] = copied[key]
        elif way < 0.3 and isinstance(copied, list):
            copied.extend(copied * rng.choice((1, 5)))
        else:
            copied[key] = _damage_node(rng, copied[key])
        return copied
    return rng.choice((_odd_value, _nudged))(rng, node)


def _odd_value(rng: random.Random, node: Any) -> Any:
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(ODD_NUMBERS)
    if kind < 0.7:
        return rng.choice(ODD_WORDS)
    return rng.choice((None, True, False, [], {}, [node], {"name": node}, [[]] * 9, {"a": {"b": {"c": 1}}}))


def _nudged(rng: random.Random, node: Any) -> Any:
    if isinstance(node, bool) or node is None:
        return not node
    if isinstance(node, int | float):
        return rng.choice((-node, node + 1, node - 1, node * 1000, node / 2, str(node)))
    if isinstance(node, str):
        return damaged_text(rng, node, ODD_WORDS)
    return [node]


def damaged_text(rng: random.Random, text: str, words: Sequence[str]) -> str:
    """Return `text` with one to five changes; `words` are pieces to put in."""
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        at = rng.randrange(len(text) + 1)
        end = min(len(text), at + rng.choice((0, 1, 2, 5, 20, 200)))
        piece = rng.choice((rng.choice(words), rng.choice(words), chr(rng.randrange(256)), text[at:end] * 2, "", ""))
        text = text[:at] + piece + text[end:]
    return text
