"""What the page may ask: the body of a request, checked."""

from __future__ import annotations

from typing import Annotated, TypeVar

from msgspec import DecodeError, Meta, Struct, ValidationError, field, json, structs

from musicae.errors import MusicaeError

__all__ = ["MAX_BODY", "MAX_CORNERS", "Point", "parsed"]

MAX_BODY = 2**16
"""Bytes of a request that is not a file."""

MAX_CORNERS = 4

_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Program = Annotated[int, Meta(ge=0, le=127)]
_By = Annotated[float, Meta(ge=-8, le=8)]

T = TypeVar("T", bound=Struct)


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """A place on the pad of a preset, and how what is there is to be made and played.

    `corners` are ids of files or ``"draw:SEED"``, `shift` is in standard deviations of each attribute, `lock` names
    parts that stay those of the first corner, `label` is the class of all, where that is not the corners' own, `only`
    are the parts that sound; `exact` tries longer to shift attributes as far as asked for. The rest is as for the
    commands.
    """

    preset: _Name
    corners: Annotated[list[_Name], Meta(min_length=2, max_length=MAX_CORNERS)]
    x: _Share = 0.5
    y: _Share = 0.0
    temperature: Annotated[float, Meta(ge=0, le=10)] = 0.0
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    shift: Annotated[dict[_Name, _By], Meta(max_length=100)] = field(default_factory=dict)
    chords: Annotated[str, Meta(max_length=2000)] = ""
    lock: Annotated[list[_Name], Meta(max_length=20)] = field(default_factory=list)
    label: Annotated[str, Meta(max_length=200)] = ""
    tempo: Annotated[float, Meta(ge=10, le=500)] | None = None
    programs: Annotated[dict[str, _Program], Meta(max_length=20)] = field(default_factory=dict)
    transpose: Annotated[int, Meta(ge=-24, le=24)] = 0
    only: Annotated[list[_Name], Meta(max_length=20)] = field(default_factory=list)
    exact: bool = False

    @property
    def key(self) -> bytes:
        """What all that is at the point depends on."""
        return json.encode(structs.replace(self, only=[]), order="sorted")

    @property
    def pad(self) -> tuple[object, ...]:
        """What the pad, and nothing that moves on it, depends on."""
        return (self.preset, *self.corners), self.chords.strip(), tuple(self.lock), self.label


def parsed(body: bytes, kind: type[T]) -> T:
    """Return the body of a request. Raise MusicaeError, one line, for anything else than `kind` describes."""
    try:
        made = json.decode(body, type=kind)
    except (ValidationError, DecodeError, RecursionError, UnicodeError) as error:
        what = str(error).replace("`", "'").replace("$.", "")
        raise MusicaeError(f"this request cannot be understood: {what}") from None
    return made
