"""Check the `meta` of a sample that comes from a file of codes, which may be damaged or hostile, against a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from msgspec import Meta, ValidationError, convert

from musicae.errors import MusicaeError

__all__ = ["KindMeta", "Name", "SoundMeta", "checked"]

Name = Annotated[str, Meta(max_length=1000)]
"""The name of a file or a track."""


class KindMeta(TypedDict, total=False):
    """The kind of a sound file, as `musicae.formats.sound.kind.Kind` has it; what else it has is left out."""

    rate: Annotated[int, Meta(ge=1, le=768_000)]
    channels: Annotated[int, Meta(ge=1, le=64)]
    format: Annotated[str, Meta(max_length=20)]
    subtype: Annotated[str, Meta(max_length=20)]
    bitrate: Annotated[int, Meta(ge=0, lt=10**9)]
    bitrate_mode: Literal["", "CONSTANT", "AVERAGE", "VARIABLE"]


class SoundMeta(TypedDict, total=False):
    """The `meta` of a sound."""

    kind: KindMeta | None
    length: Annotated[int, Meta(ge=0, le=2**48)] | None


def checked(meta: Mapping[str, Any], schema: Any, blank: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `schema` (a TypedDict) declares of `meta`; what is missing comes from `blank`.

    Raise MusicaeError, one line, for a value of another type or out of its range.
    """
    try:
        declared: dict[str, Any] = convert(dict(meta), schema)
    except (ValidationError, RecursionError, UnicodeError) as error:
        what = str(error).replace("`", "").replace(" - at", ", at")
        raise MusicaeError(f"its meta is damaged: {what[:1].lower()}{what[1:]}") from None
    return {**blank, **declared}
