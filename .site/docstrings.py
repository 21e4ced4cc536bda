"""Lets mkdocstrings read the docstrings as they are written: ``name : what it is``, where numpydoc has a type."""

from __future__ import annotations

import re
from typing import Any

import griffe

_SECTIONS = re.compile(r"^(Parameters|Raises)\n-+\n(.*?)(?=\n\n(?! )|\Z)", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^(\S[^\n:]*?) : ", re.MULTILINE)


class PlainEntries(griffe.Extension):
    """Moves what follows the colon of a parameter, or an error, into its description."""

    def on_object(self, *, obj: griffe.Object, **rest: Any) -> None:
        """Rewrite the docstring of an object that was read."""
        if obj.docstring:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(text: str) -> str:
    """Return a docstring whose parameters and errors have descriptions as numpydoc has them."""
    return _SECTIONS.sub(lambda section: _ENTRY.sub(r"\1\n    ", section[0]), text)
