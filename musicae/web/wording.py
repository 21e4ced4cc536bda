"""Messages of the verbs as the page says them: what to do there, not which option of a command would do it."""

from __future__ import annotations

import re

__all__ = ["for_the_page"]

_LIST = "in the list at the top"
_OPTION = re.compile(r"(?<![\w-])--(?=[a-z])")
_RULES = [
    (r" with --preset(?: \(musicae presets[^)]*\))?", f" {_LIST}"),
    (r"(?<=another preset) \(musicae presets[^)]*\)", f" {_LIST}"),
    (r"add --preset ([\w.-]+)", rf"choose \1 {_LIST}"),
    (r"choose another with --track, or a preset", "choose a preset"),
    (r"; choose another with --track$", "; drop another file"),
    (r"send one to a part, such as --part \S+", "drop another file"),
    (r"choose some, such as --bars \S+", "drop a shorter file"),
    (r"use one for bands \(--only band\)", f"choose one for bands {_LIST}"),
    (r"--chords has", "the progression has"),
    (r"--keep (\w+): (.*)", r"the \1 cannot be locked: \2; unlock it"),
    (r"--keep: (.*)", r"locked: \1"),
    (r"; name a \.wav file with -o", "; convert it to WAV first"),
    (r"; name another place with -o", ""),
    (r"--png: ", ""),
]


def for_the_page(message: str) -> str:
    """Return a message without options: with what the page has instead, or without the advice that it cannot follow.

    A whole command, for the terminal, stays as it is.
    """
    for pattern, instead in _RULES:
        message = re.sub(pattern, instead, message)
    first, *advice = re.sub(r" \([^()]*--\w[^()]*\)", "", message).split("; ")
    kept = [clause for clause in advice if "musicae " in clause or not _OPTION.search(clause)]
    return "; ".join([_OPTION.sub("", first), *kept])
