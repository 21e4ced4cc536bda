"""What `humanize` and `drumify` share: how hits are played, and what an example says of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Source
from musicae.errors import MusicaeError
from musicae.ops.defaults import adapter_settings
from musicae.ops.inputs import read, rereadable
from musicae.tensors import groove
from musicae.tensors.groove import DRUMS, HITS, OFFSETS, VELOCITIES

__all__ = ["Widening", "check_amount", "check_grooves", "example", "played", "steady", "style", "styles", "widening"]

_BEATS = 2  # In half a bar.
_PASSES = 2  # After which windows have the same drums.
_DRAWS = 256  # Grooves from the prior by which the widening is found.
_MOST, _HALVINGS = 4.0, 16  # The largest share, and how often the range is halved in looking for it.
_MIN_SPREAD = 1e-3
_TIGHT = (
    1.25  # How much wider the timing of played grooves is than that of drawn ones, which are means as well: chosen on
)
# validation windows, where their spread is .87 of real ones then.


def check_amount(amount: float) -> None:
    """Raise MusicaeError for an amount outside 0 .. 1."""
    if not 0 <= amount <= 1:
        raise MusicaeError(f"amount must be between 0 and 1, not {amount}")


def check_grooves(codec: Codec, verb: str) -> None:
    """Raise MusicaeError for a preset that is not for grooves, or has no code."""
    if codec.spec.groups != groove.GROUPS or not codec.model.latent_size:
        raise MusicaeError(f"{verb}: the preset '{codec.preset.name}' is not for grooves; use one that is")


def example(codec: Codec, like: Source | None, spoil: Callable[[Tensor], Tensor]) -> Tensor | None:
    """Return what a file to play like adds to a code, ``(K, D)``; see `style`. None for no file."""
    return None if like is None else style(codec, codec.split(read(codec, rereadable(like))), spoil)


def style(codec: Codec, windows: Tensor, spoil: Callable[[Tensor], Tensor]) -> Tensor:
    """Return what grooves ``(N, 27, T)`` have in their codes that `spoil` takes away, their mean, ``(K, D)``.

    Added to the code of other spoilt grooves, it makes these be played likewise. There is one for each of K places in a
    window, half a bar apart, at which they can begin, the first for the grooves as they are.
    """
    struck = windows[:, HITS].flatten(1).any(1)
    if not struck.any():
        return torch.zeros(len(_turns(codec)), codec.model.latent_size)
    return styles(codec, windows[struck], spoil).mean(0)


def styles(codec: Codec, windows: Tensor, spoil: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the style of each of grooves ``(N, 27, T)``, ``(N, K, D)``; see `style`."""
    turned = [windows.roll(-turn, 2) for turn in _turns(codec)]
    return torch.stack([codec.encode(one).mean - codec.encode(spoil(one)).mean for one in turned], dim=1)


def steady(codec: Codec, codes: Tensor) -> Tensor:
    """Return the windows of codes ``(N, D)`` of taps, one after another, ``(N, 27, T)``, all in the same style.

    Decoded one by one, each would get other drums; so all are decoded again with their mean style.
    """
    made = codec.decode(codes)
    for _ in range(_PASSES if len(codes) > 1 else 0):
        made = codec.decode(codes + style(codec, made, groove.tapped)[0])
    return made


def _turns(codec: Codec) -> list[int]:
    """Return at which steps of a window half a bar begins."""
    length, half = codec.spec.shape[-1], _BEATS * int(adapter_settings(codec.preset)["steps_per_beat"])
    return [*range(0, length, half)] if length % half == 0 else [0]


@dataclass(frozen=True)
class Widening:
    """How much further from the usual hits are played than a code says.

    What a code says of flattened hits is a mean, and too tight; to have the spread of real ones it is moved away from
    the mean again (Freirich, Michaeli and Meir 2021, "A theory of the distortion-perception tradeoff"), here what is
    far from it more than what is near, which costs less accuracy.

    `share` says by how much, for velocities and for offsets, ``(2,)``; `centre` are their means for each drum,
    ``(2, 9)``, and `scale` their standard deviations around those, ``(2,)``.
    """

    share: Tensor
    centre: Tensor
    scale: Tensor

    @classmethod
    def none(cls) -> Widening:
        """Return one that changes nothing."""
        return cls(torch.zeros(2), torch.zeros(2, DRUMS), torch.ones(2))

    def apply(self, made: Tensor) -> Tensor:
        """Return grooves ``(N, 27, T)``, played wider."""
        made, struck = made.clone(), made[:, HITS] > 0
        for i, (rows, limits) in enumerate(_LIMITS):
            wider = _wider(made[:, rows], self.centre[i].view(-1, 1), self.share[i] / self.scale[i], limits)
            made[:, rows] = torch.where(struck, wider, 0.0)
        return made


_LIMITS = ((VELOCITIES, (1 / 127, 1.0)), (OFFSETS, (-groove.MAX_OFFSET, groove.MAX_OFFSET)))


def _wider(values: Tensor, centre: Tensor, share: Tensor, limits: tuple[float, float]) -> Tensor:
    away = values - centre
    return (values + share * away * away.abs()).clamp(*limits)


def widening(codec: Codec) -> Widening:
    """Return the widening for what a preset plays: that with which the grooves that it draws get their spread back.

    They are flattened, and played again.
    """
    drawn = codec.decode(codec.draw(_DRAWS, 0))
    if drawn[:, HITS].sum() < 2:
        return Widening.none()
    made, struck = played(codec, drawn), drawn[:, HITS] > 0
    found = [
        _found(made[:, rows], drawn[:, rows], struck, limits, _TIGHT if rows == OFFSETS else 1.0)
        for rows, limits in _LIMITS
    ]
    return Widening(*(torch.stack(values) for values in zip(*found, strict=True)))


def _found(
    made: Tensor, real: Tensor, struck: Tensor, limits: tuple[float, float], tight: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the share, the centre and the scale for velocities or offsets ``(N, 9, T)`` of the hits `struck`.

    Of the `real` ones the spread is `tight` times as wide.
    """
    count = struck.sum((0, 2)).clamp_min(1)
    centre, true = ((values * struck).sum((0, 2)) / count for values in (made, real))
    scale = (made - centre.view(-1, 1))[struck].std().clamp_min(_MIN_SPREAD)
    goal = tight * (real - true.view(-1, 1))[struck].std()
    low, high = torch.zeros(()), torch.tensor(_MOST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        wider = _wider(made, centre.view(-1, 1), middle / scale, limits) - centre.view(-1, 1)
        low, high = (middle, high) if wider[struck].std() < goal else (low, middle)
    return low, centre, scale


def played(codec: Codec, hits: Tensor, added: Tensor | None = None) -> Tensor:
    """Return the hits of grooves ``(N, 27, T)`` with the loudness and the timing that a codec gives them.

    It is the mean of what it says of the grooves and of these begun at each half of their bars. `added` ``(K, D)`` or
    ``(N, K, D)`` is added to their codes; see `style`.
    """
    flat, said, turns = groove.flattened(hits), torch.zeros_like(hits), _turns(codec)
    for i, turn in enumerate(turns):
        codes = codec.encode(flat.roll(-turn, 2)).mean
        said += codec.params(codes if added is None else codes + added[..., i, :]).roll(turn, 2) / len(turns)
    made, struck = torch.zeros_like(hits), hits[:, HITS] > 0
    made[:, HITS] = hits[:, HITS]
    for rows, limits in _LIMITS:
        made[:, rows] = said[:, rows].clamp(*limits) * struck
    return made
