"""What the verbs make: samples that know their codec, so that they show themselves in a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from musicae.codec import Codec
from musicae.core import Sample
from musicae.ops.notebook import Block, Shown, quietly

__all__ = ["Made", "Samples"]


@dataclass
class Made(Sample):
    """A sample that a verb made with `codec`."""

    codec: Codec | None = field(default=None, repr=False, compare=False)

    def _repr_html_(self) -> str | None:
        codec = self.codec
        if codec is None:
            return None
        return quietly(lambda: Shown("A result of musicae", codec.preset.name, [Block(codec.adapter, [self])]))


class Samples(list[Sample]):
    """Samples that a verb made with `codec`; each is `Made`, and together they are shown side by side."""

    def __init__(self, codec: Codec, samples: Iterable[Sample]) -> None:
        super().__init__(Made(**{**vars(one), "codec": codec}) for one in samples)
        self.codec = codec

    def _repr_html_(self) -> str | None:
        titles = [str(i) for i in range(1, len(self) + 1)] if len(self) > 1 else []
        heading = f"{len(self)} results of musicae" if len(self) != 1 else "A result of musicae"
        return quietly(lambda: Shown(heading, self.codec.preset.name, [Block(self.codec.adapter, self, titles=titles)]))
