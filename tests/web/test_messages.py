"""What the page says names nothing that only a command has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import Client

from musicae import errors

OPTION = re.compile(r"(?<![\w-])--[a-z]")

# Modules of verbs that the page does not have, and the beginnings of messages on options that only commands have.
NOT_ON_THE_PAGE = {
    "ops/doctor.py", "ops/drumify.py", "ops/figures.py", "ops/humanize.py", "ops/model_card.py", "ops/new_plugin.py",
    "ops/push.py", "ops/restore_all.py", "ops/score.py", "ops/shards.py", "ops/chords.py", "ops/accompany.py",
    "formats/sound/devices.py", "formats/sound/wav_pipe.py", "web/server.py", "web/choosing.py",
}  # fmt: skip
ONLY_COMMANDS = (
    "--drop", "--solo", "--program", "--strength", "--keep-noise", "--exact-endpoints", "--hold", "--same-key", "--set",
    "--preset and --only", "--wav: ", "--tempo", "--transpose", "--keep x leaves", "--part 'x' names", "--png",
    "no preset reads only", "raw (--raw)", "the codes were made with the file", "--keep",
)  # fmt: skip
REMARKS = ("track x was chosen", "; --track chooses another", "--part TRACK=PART", "track x is sent to a part twice")
"""Of `Sample.remarks`, which the page does not show of files of notes."""


def is_line(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Line"


def text_of(node: ast.AST) -> str:
    """A text, with x where something is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "x" for one in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def messages(node: ast.AST, line: ast.Call | None = None) -> Iterator[tuple[str, ast.Call | None]]:
    """All texts of a module, docstrings apart, each with the `Line` of which it is the first half."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if text := text_of(node):
        yield text, line
    elif is_line(node):
        assert isinstance(node, ast.Call)
        yield from messages(node.args[0], node)
        yield from messages(node.args[1])
    else:
        for child in ast.iter_child_nodes(node):
            yield from messages(child)


def test_no_message_of_what_the_page_uses_names_an_option_there(repository: Path) -> None:
    """Whoever writes a new message finds here that the page says it, too."""
    lines, root = 0, repository / "musicae"
    folders = ("adapters", "formats", "ops", "codec", "web")
    paths = [path for folder in folders for path in (root / folder).rglob("*.py")]
    paths += [root / name for name in ("core.py", "errors.py", "hub.py", "memory.py")]
    for path in (path for path in paths if path.relative_to(root).as_posix() not in NOT_ON_THE_PAGE):
        for text, line in messages(ast.parse(path.read_text(encoding="utf-8"))):
            if line is not None:
                lines += 1
                assert not OPTION.search(text_of(line.args[1])), f"{path.name}: {text}"
            elif OPTION.search(text) and "musicae attributes" not in text and "musicae evaluate" not in text:
                assert text.startswith((*ONLY_COMMANDS, *REMARKS)), f"{path.name}: {text}; say it with a Line"
    assert lines > 15
    assert not OPTION.search(errors.elsewhere(errors.WITH_PRESET))


@pytest.mark.parametrize(
    ("preset", "more", "said"),
    [
        ("tiny-arrangement", {"lock": ["bass"]}, "the bass cannot be locked: "),
        ("tiny-arrangement", {"lock": ["flute"]}, "locks: there is no part 'flute'"),
        (
            "tiny-melody",
            {"chords": "C | G"},
            "the preset 'tiny-melody' takes no chords; choose one for",
        ),
        ("tiny-digits", {"chords": "C"}, "what 'tiny-digits' makes has no notes; leave the chords out"),
    ],
)
def test_errors_are_worded_for_the_page(client: Client, data: Path, preset: str, more: Any, said: str) -> None:
    name = "twinkle.mid" if preset != "tiny-digits" else "three.png"
    key = client.id_of(data / name, preset)
    assert client.post("api/point", {"preset": preset, "corners": [key, "draw:1"], **more}).error.startswith(said)


def test_files_are_refused_in_the_words_of_the_page(client: Client, data: Path) -> None:
    drums = "rock.mid: it has only drums; choose a preset for drums in the list at the top"
    assert client.give(data / "rock.mid", preset="melody-2bar").error == drums
    bars = client.give(data / "twinkle.mid", preset="tiny-drums", bars="1").error
    assert bars == "twinkle.mid: it has no drums; choose a preset for melodies in the list at the top"


def test_notices_are_worded_for_the_page(client: Client, data: Path) -> None:
    songs = [client.id_of(data / name, "band-2bar") for name in ("saints.mid", "ode-to-joy.mid")]
    said = client.post("api/point", {"preset": "band-2bar", "corners": songs}).json["notices"]
    assert any("was moved" in line for line in said)
    assert not [line for line in said if OPTION.search(line)]
