"""Pictures <-> values 0 .. 1: PNG, JPEG, WebP, TIFF, BMP and GIF, grey or in colour, of any size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypedDict

import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from musicae.adapters.shared.schema import Name, checked
from musicae.core import Adapter, Attribute, File, Sample, Spec
from musicae.errors import MusicaeError, did_you_mean
from musicae.formats.files import suffix_of
from musicae.formats.pictures import files as pictures
from musicae.formats.pictures import fit as picture_fit
from musicae.formats.pictures.files import Raster
from musicae.ranges import Share, Size
from musicae.tensors.luma import LUMA_WEIGHTS, luma

__all__ = ["Image"]

FITS = ("scale", "pad", "digit", "whole")
_OF_DIGITS = ("thickness", "slant", "width")
_MAX_ROW = 12  # Frames in one row; more are arranged in a square.
_GAP = 2  # Pixels between frames.
_STRIP = 256  # Rows of a picture converted at a time.
_WORK_BYTES = {1: 16, 3: 20}  # Of a pixel that is restored: as a tensor before and after, and when written.
_BYTES = 8  # The same of a pixel in colour that stays 8 bits all along.
_SMALL, _ENLARGEMENT = 128, 4  # Smaller frames are enlarged by this factor in an animation.
_Pixels = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_Dpi = Annotated[float, Meta(gt=0, le=1e6)]
_CHROMA = (1.772, 1.402)  # Blue minus luma and red minus luma, over these, are Cb and Cr (JFIF 1.02).
_OWN = (
    "alpha",
    "chroma",
    "frames",
    "hidden",
    "losses",
    "metadata",
    "numbers",
    "profile",
    "size",
    "source",
)  # `meta` of one picture.


class _PictureMeta(TypedDict, total=False):
    """The `meta` of a picture in a file of codes."""

    mode: Literal["L", "RGB"]
    bits: Literal[8, 16]
    size: tuple[_Pixels, _Pixels]
    suffix: Annotated[str, Meta(max_length=20)]
    source: Name
    dpi: tuple[_Dpi, _Dpi]


class Image(Adapter):
    """Pictures <-> values ``(C, H, W)`` from 0 (black) to 1.

    Read at its own size (``fit="whole"``), a picture keeps its bit depth, transparency, colour profile, resolution,
    metadata and, if the preset is grey, its colours; PNG, TIFF, WebP and BMP are then written back bit for bit. All
    frames but the first are lost, and what a format cannot hold.

    Parameters
    ----------
    channels : 1 for grey, 3 for red, green and blue.
    height, width : of a window, in pixels.
    fit : what to do with a picture of another size: ``"scale"`` it to fit with its proportions, and fill the rest with
        the median colour of its border; ``"pad"`` it with that, or crop it, around its centre; find the ``"digit"`` in
        it, dark or light, and bring it to the form of MNIST's (without a plain one: scale); or keep it ``"whole"``.
    binarise : draw each value of a training batch as 0 or 1, with the value as the probability of 1.
    flips : flip (and, where windows are square, transpose) training batches at random.
    grey_share : the share of the pictures of a training batch that lose their colours.
    likelihood : ``"bernoulli"`` or ``"gaussian"``.
    """

    suffixes: ClassVar[tuple[str, ...]] = tuple(pictures.FORMATS)
    writes: ClassVar[tuple[str, ...]] = tuple(pictures.FORMATS)
    free_settings: ClassVar[tuple[str, ...]] = ("width", "binarise", "flips", "grey_share")

    def __init__(
        self,
        channels: Size = 1,
        height: Size = 28,
        width: Size = 28,
        fit: str = "scale",
        binarise: bool = False,
        flips: bool = False,
        grey_share: Share = 0.0,
        likelihood: str = "bernoulli",
    ) -> None:
        if channels not in (1, 3):
            raise MusicaeError(f"[adapter] channels must be 1 (grey) or 3 (red, green, blue), not {channels}")
        if height < 1 or width < 1:
            raise MusicaeError("[adapter] height and width must be at least 1")
        if likelihood not in ("bernoulli", "gaussian"):
            raise MusicaeError(f"[adapter] likelihood must be 'bernoulli' or 'gaussian', not '{likelihood}'")
        if not 0 <= grey_share <= 1:
            raise MusicaeError(f"[adapter] grey_share must be 0 to 1, not {grey_share}")
        _check_fit(fit)
        self.fit, self.binarise, self.flips, self.grey_share = fit, binarise, flips, grey_share
        self.any_size = fit == "whole"
        self.attributes = _OF_DIGITS if fit == "digit" and channels == 1 else ()
        self._spec = Spec(channels, (height, width), likelihood)

    @property
    def spec(self) -> Spec:
        """One window: ``(channels, height, width)``."""
        return self._spec

    def measure(self, attribute: Attribute, x: Tensor, part: str = "") -> Tensor:
        """Return an attribute of grey pictures ``(B, 1, H, W)``, ``(B,)``."""
        return attribute.of_pictures(x)

    @classmethod
    def sniff(cls, head: bytes, file: File) -> float:
        """Return .9 for a file that begins as a picture, .5 for one with the suffix of a picture."""
        if pictures.format_of(head):
            return 0.9
        return 0.5 if suffix_of(file) in cls.suffixes else 0.0

    # --- files -----------------------------------------------------------------------------------------------------

    def read(self, file: File, *, fit: str | None = None, as_bytes: bool = False) -> Sample:
        """Read a picture.

        Parameters
        ----------
        file : a picture; its content, not its ending, decides the format.
        fit : what to do with a picture of another size, instead of the adapter's setting.
        as_bytes : for a preset in colour, the tensor of a picture in colour of 8 bits at its own size may be uint8,
            whose 255 stands for 1.

        Raises
        ------
        MusicaeError : a file that is missing, empty, damaged, not a picture, or larger than the memory allowed.
        """
        fit = self.fit if fit is None else fit
        _check_fit(fit)
        work = _WORK_BYTES[self.spec.channels] if fit == "whole" else 0
        as_bytes = as_bytes and self.spec.channels == 3
        raster = pictures.load(file, work, _BYTES if as_bytes else work)
        height, width, channels = raster.values.shape
        meta: dict[str, Any] = {
            "mode": "L" if channels == 1 else "RGB",
            "bits": 8 if raster.top == 255 else 16,
            "size": [width, height],
            "suffix": suffix_of(file) or raster.suffix,
            "source": file.name if isinstance(file, Path) else "",
        }
        if raster.dpi:
            meta["dpi"] = list(raster.dpi)
        if fit == "whole":
            return Sample(self._at_full_size(raster, meta, as_bytes), meta, None, raster.remarks)
        values = picture_fit.without_alpha(raster)
        height, width = self.spec.shape
        if fit == "digit":
            values = picture_fit.digit(values, raster.top, height, width, raster.remarks)
        values = self._colours(values, meta, raster.remarks)
        if fit == "scale":
            values = picture_fit.scaled(values, height, width, raster.remarks)
        values = picture_fit.centred(values, height, width, raster.remarks)
        return Sample(_tensor(values), meta, None, raster.remarks)

    def _at_full_size(self, raster: Raster, meta: dict[str, Any], as_bytes: bool) -> Tensor:
        """Return a picture at its own size, ``(C, H, W)``; what it lacks goes into `meta`, as tensors and bytes."""
        if raster.profile:
            meta["profile"] = raster.profile
        meta["metadata"], meta["losses"] = raster.metadata, raster.losses
        if raster.numbers:
            meta["numbers"] = raster.numbers
        if raster.alpha is not None:
            meta["alpha"] = _tensor(raster.alpha[..., None])
            meta["hidden"] = raster.values[raster.alpha == 0]
            raster.values = picture_fit.spread(raster.values, raster.alpha)
            raster.remarks.append("its transparency is kept and put back")
        channels = raster.values.shape[2]
        if self.spec.channels == 1 and channels == 3:
            grey, meta["chroma"] = _luma_and_chroma(raster)
            raster.remarks.append("the preset is grey: the colours (Cb, Cr) are kept and put back")
            return grey
        if channels == 1 and self.spec.channels == 3:  # Not as bytes: the three that come back are averaged.
            return _tensor(raster.values).expand(3, -1, -1).contiguous()
        if as_bytes and raster.top == 255:
            return torch.from_numpy(raster.values).movedim(-1, 0)
        return _tensor(raster.values)

    def _colours(self, values: NDArray[Any], meta: dict[str, Any], remarks: list[str]) -> NDArray[Any]:
        """Return ``(H, W, C)`` in grey or in colour, like the preset."""
        if self.spec.channels == 1 and values.shape[2] == 3:
            meta["mode"] = "L"
            remarks.append("the preset is grey: the colours were left out")
            return pictures.grey(values).round().astype(values.dtype)[..., None]
        return np.broadcast_to(values, (*values.shape[:2], self.spec.channels))

    def write(self, sample: Sample, file: File) -> None:
        """Write ``(C, H, W)``, or the frames that `concat` joined, in the format that the ending of `file` names.

        A stream gets the format in the sample's `meta`, or PNG. A GIF of several frames is an animation, forwards and
        back. What `meta` keeps of the picture that was read is put back, scaled if the size has changed; what was lost
        is added to the sample's remarks.

        Raises
        ------
        MusicaeError : an ending that is not a picture's, a folder that is missing or cannot be written.
        """
        meta, tensor = sample.meta, sample.tensor.detach().cpu()
        kind = pictures.FORMATS.get(meta.get("suffix", ""), "PNG")
        if frames := _frames(tensor, meta):
            shown = [self._raster(frame, {**meta, "bits": 8}).values for frame in frames]
            animation = [_enlarged(picture) for picture in (*shown, *shown[-2:0:-1])]
            pictures.save(Raster(_in_rows(shown, meta["frames"])), file, animation, kind)
        else:
            sample.remarks += [*meta.get("losses", ()), *pictures.save(self._raster(tensor, meta), file, kind=kind)]

    def _raster(self, tensor: Tensor, meta: dict[str, Any]) -> Raster:
        height, width = tensor.shape[1:]
        numbers = meta.get("numbers")
        top = 1 if numbers else 65535 if meta.get("bits", 8) == 16 else 255
        if (chroma := meta.get("chroma")) is not None and len(tensor) == 1:
            values = _array(tensor, top, [_to_size(plane[None], height, width)[0] for plane in chroma])
        else:
            values = _array(tensor, top, to_grey=len(tensor) == 3 and meta.get("mode") == "L")
        alpha = None
        if "alpha" in meta:
            alpha = _array(_to_size(meta["alpha"], height, width), top)[..., 0]
            if meta["hidden"].shape == values[alpha == 0].shape:
                values[alpha == 0] = meta["hidden"]
        same = meta.get("mode") == ("RGB" if values.shape[2] == 3 else "L")
        made = Raster(values, alpha, tuple(meta["dpi"]) if meta.get("dpi") else None)
        made.profile, made.numbers = meta.get("profile") if same else None, numbers
        made.metadata = meta.get("metadata", made.metadata)
        return made

    # --- between files -----------------------------------------------------------------------------------

    def blank(self) -> dict[str, Any]:
        """Return the `meta` of a picture that came from no file: 8 bits, grey or in colour like the preset."""
        return {"mode": "L" if self.spec.channels == 1 else "RGB", "bits": 8}

    def check_meta(self, meta: Mapping[str, Any]) -> dict[str, Any]:
        """Return the `meta` of a file of codes, checked: what `read` keeps of a picture that it brings to a window."""
        return checked(meta, _PictureMeta, self.blank())

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Return the `meta` of the picture with the largest weight, without what belongs only to that picture."""
        heaviest = max(range(len(metas)), key=lambda i: weights[i])
        if weights[heaviest] >= 1:
            return dict(metas[heaviest])
        return {name: value for name, value in metas[heaviest].items() if name not in _OWN}

    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Join pictures side by side, ``(C, H, sum of W)``; `write` adds gaps, and breaks many into rows.

        Pictures of different sizes are first centred on grey of the largest size. ``meta["frames"]`` has the layout.
        """
        height = max(part.tensor.shape[1] for part in parts)
        width = max(part.tensor.shape[2] for part in parts)
        columns = len(parts) if len(parts) <= _MAX_ROW else math.ceil(math.sqrt(len(parts)))
        tensor = torch.cat([_on_grey(part.tensor, height, width) for part in parts], dim=-1)
        meta = {**self.blank(), "mode": "RGB" if any(part.meta.get("mode") == "RGB" for part in parts) else "L"}
        meta["frames"] = {"count": len(parts), "columns": columns, "height": height, "width": width, "gap": _GAP}
        return Sample(tensor, meta, None, [remark for part in parts for remark in part.remarks])

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return ``(B, C, H, W)`` cropped to the window, flipped, made grey and binarised at random."""
        height, width = self.spec.shape
        n, spare = len(batch), (batch.shape[2] - height, batch.shape[3] - width)
        if spare[0] > 0 or spare[1] > 0:
            tops = torch.randint(max(spare[0], 0) + 1, (n,), generator=generator).tolist()
            lefts = torch.randint(max(spare[1], 0) + 1, (n,), generator=generator).tolist()
            crops = [
                picture[:, y : y + height, x : x + width] for picture, y, x in zip(batch, tops, lefts, strict=True)
            ]
            batch = torch.stack(crops)
        if self.flips:
            chance = torch.rand(3, n, generator=generator).lt(0.5).to(batch.device)
            batch = torch.where(chance[0].view(n, 1, 1, 1), batch.flip(3), batch)
            batch = torch.where(chance[1].view(n, 1, 1, 1), batch.flip(2), batch)
            if height == width:
                batch = torch.where(chance[2].view(n, 1, 1, 1), batch.transpose(2, 3), batch)
        if self.grey_share and batch.shape[1] == 3:
            chosen = torch.rand(n, generator=generator).lt(self.grey_share).to(batch.device)
            batch = torch.where(chosen.view(n, 1, 1, 1), luma(batch), batch)
        if self.binarise:
            batch = (torch.rand(batch.shape, generator=generator).to(batch.device) < batch).to(batch)
        return batch


# --- sizes ---------------------------------------------------------------------------------------------------------


def _check_fit(fit: str) -> None:
    if fit not in FITS:
        raise MusicaeError(f"fit must be 'scale', 'pad' or 'whole', not '{fit}'{did_you_mean(fit, FITS)}")


def _to_size(planes: Tensor, height: int, width: int) -> Tensor:
    if planes.shape[1:] == (height, width):
        return planes
    scaled = F.interpolate(planes[None].float(), (height, width), mode="bicubic", antialias=True)[0]
    return scaled.to(planes.dtype)


# --- values --------------------------------------------------------------------------------------------------------


def _tensor(values: NDArray[Any]) -> Tensor:
    """Return ``(C, H, W)`` in 0 .. 1 of ``(H, W, C)``."""
    tensor = torch.from_numpy(np.moveaxis(values, -1, 0).astype(np.float32, order="C"))
    return tensor if values.dtype.kind == "f" else tensor.div_(float(np.iinfo(values.dtype).max))


def _array(tensor: Tensor, top: int, chroma: Sequence[Tensor] = (), to_grey: bool = False) -> NDArray[Any]:
    """Return ``(H, W, C)`` in 0 .. 255, 0 .. 65535, or (float32) 0 .. 1, as `top` says, of ``(C, H, W)``.

    With `chroma`, Cb and Cr ``(H, W)``, the one channel is the luma of three; `to_grey` makes one channel of three.
    A tensor of bytes is a picture of 8 bits already.
    """
    if tensor.dtype == torch.uint8:
        return tensor.movedim(0, -1).numpy()
    kind = {255: np.uint8, 65535: np.uint16}.get(top, np.float32)
    values: NDArray[Any] = np.empty((*tensor.shape[1:], 1 if to_grey else 3 if chroma else len(tensor)), kind)
    for at in range(0, len(values), _STRIP):  # A copy of a large picture would take a gigabyte.
        part = tensor[:, at : at + _STRIP].float().nan_to_num()
        if chroma:
            part = _rgb(part[0], *(plane[at : at + _STRIP].float() for plane in chroma))
        part = (luma(part) if to_grey else part).clamp(0, 1)
        values[at : at + _STRIP] = (part.mul_(top).round_() if top > 1 else part).movedim(0, -1).numpy()
    return values


def _luma_and_chroma(raster: Raster) -> tuple[Tensor, Tensor]:
    """Return the luma ``(1, H, W)`` and Cb and Cr ``(2, H, W)`` of a picture in colour."""
    height, width = raster.values.shape[:2]
    # Half precision is finer than 8 bits, and saves memory with a large photo.
    chroma = torch.empty(2, height, width, dtype=torch.half if raster.top == 255 else torch.float)
    grey = torch.empty(1, height, width)
    for at in range(0, height, _STRIP):
        values = raster.values[at : at + _STRIP]
        y = torch.from_numpy(pictures.grey(values) / np.float32(raster.top))
        for plane, channel, weight in zip(chroma, (2, 0), _CHROMA, strict=True):
            plane[at : at + _STRIP] = (torch.from_numpy(values[..., channel] / np.float32(raster.top)) - y) / weight
        grey[0, at : at + _STRIP] = y.clamp(0, 1)
    return grey, chroma


def _rgb(y: Tensor, cb: Tensor, cr: Tensor) -> Tensor:
    """Return ``(3, H, W)`` of luma and chroma ``(H, W)``."""
    blue, red = y + _CHROMA[0] * cb, y + _CHROMA[1] * cr
    # The definition of luma, solved for green.
    green = (y - LUMA_WEIGHTS[0] * red - LUMA_WEIGHTS[2] * blue) / LUMA_WEIGHTS[1]
    return torch.stack([red, green, blue])


# --- frames --------------------------------------------------------------------------------------------------------


def _on_grey(tensor: Tensor, height: int, width: int) -> Tensor:
    down, right = height - tensor.shape[1], width - tensor.shape[2]
    return F.pad(tensor, (right // 2, right - right // 2, down // 2, down - down // 2), value=0.5)


def _frames(tensor: Tensor, meta: dict[str, Any]) -> list[Tensor]:
    """Return the frames that `concat` joined; none for a single picture, or one cropped since."""
    frames = meta.get("frames")
    if not frames or frames["count"] < 2 or tensor.shape[2] != frames["count"] * frames["width"]:
        return []
    return list(torch.split(tensor, frames["width"], dim=2))


def _in_rows(pictures: Sequence[NDArray[Any]], frames: dict[str, int]) -> NDArray[Any]:
    """Return frames arranged in rows, with mid-grey between them and after a short last row."""
    high, wide, gap = frames["height"], frames["width"], frames["gap"]
    columns = frames["columns"]
    rows = math.ceil(len(pictures) / columns)
    shape = (rows * (high + gap) - gap, columns * (wide + gap) - gap, pictures[0].shape[2])
    out = np.full(shape, 128, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // columns * (high + gap), i % columns * (wide + gap)
        out[y : y + high, x : x + wide] = picture
    return out


def _enlarged(picture: NDArray[Any]) -> NDArray[Any]:
    """Return a frame large enough to look at, each pixel a square."""
    if max(picture.shape[:2]) >= _SMALL:
        return picture
    return picture.repeat(_ENLARGEMENT, 0).repeat(_ENLARGEMENT, 1)
