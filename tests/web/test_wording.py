"""What the page says names nothing that only a command has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from musicae.web.wording import for_the_page

LIST = "in the list at the top"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("a.mid: the first 4 of 8 bars loop; --bars chooses others", "a.mid: the first 4 of 8 bars loop"),
        ("a was moved 2 semitones up; --own-key leaves it as it is", "a was moved 2 semitones up"),
        ("a.mid is of no kind; choose one with --preset", f"a.mid is of no kind; choose one {LIST}"),
        (
            "it has only drums; choose a preset for drums with --preset (musicae presets lists them)",
            f"it has only drums; choose a preset for drums {LIST}",
        ),
        ("nothing in 'x'; choose another preset (musicae presets)", f"nothing in 'x'; choose another preset {LIST}"),
        (
            "track 3 is drums; choose another with --track, or a preset for drums with --preset",
            f"track 3 is drums; choose a preset for drums {LIST}",
        ),
        ("a was taken for speech; if it is music, add --preset denoise",
         f"a was taken for speech; if it is music, choose denoise {LIST}"),
        ("it has no percussion (27..87); choose another with --track",
         "it has no percussion (27..87); drop another file"),
        ("none plays; send one to a part, such as --part 1=harmony", "none plays; drop another file"),
        ("it lasts 900 bars, more than fit; choose some, such as --bars 1-64",
         "it lasts 900 bars, more than fit; drop a shorter file"),
        ("--keep bass: a.mid has no bass; it has drums",
         "the bass cannot be locked: a.mid has no bass; it has drums; unlock it"),
        ("--chords: 'x' takes no chords; use one for bands (--only band)",
         f"chords: 'x' takes no chords; choose one for bands {LIST}"),
        ("--transpose must be -24 to 24 semitones, not 99", "transpose must be -24 to 24 semitones, not 99"),
        ("not fitted yet; run: musicae attributes x --fit", "not fitted yet; run: musicae attributes x --fit"),
        ("its digit was inverted (--fit scale takes the whole picture)", "its digit was inverted"),
        ("a.mid cannot be read - it is damaged; give another", "a.mid cannot be read - it is damaged; give another"),
    ],
)  # fmt: skip
def test_messages_say_what_to_do_on_the_page(message: str, said: str) -> None:
    assert for_the_page(message) == said


def messages(path: Path) -> Iterator[str]:
    """All texts of a module, with x where something is filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "x" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (docs | inside):
            yield node.value


def test_no_message_of_what_the_page_uses_names_an_option_there(repository: Path) -> None:
    """Whoever writes a new message finds here that the page says it, too."""
    seen = 0
    for folder in ("adapters", "formats", "ops", "codec", "web"):
        for path in sorted((repository / "musicae" / folder).rglob("*.py")):
            for message in messages(path):
                if " --" not in message and not message.startswith("--"):
                    continue
                seen += 1
                for clause in for_the_page(message).split("; "):
                    assert "musicae " in clause or not re.search(r"(?<![\w-])--[a-z]", clause), (
                        f"{path.name}: {message}"
                    )
    assert seen > 50
