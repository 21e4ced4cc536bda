"""An encoder, a code and a decoder: the parts of all autoencoders and VAEs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from musicae.core import Choose, ConditionSpec, Latent, Model, Spec, State
from musicae.errors import MusicaeError
from musicae.models.layers.conv import ConvDecoder, ConvEncoder
from musicae.models.layers.heads import DirectHead, Head
from musicae.models.layers.linear_path import LinearPath
from musicae.models.layers.step_head import StepHead
from musicae.models.layers.transformer import PatchDecoder, PatchEncoder

__all__ = ["LOGVAR_RANGE", "Code", "CodeModel", "ConvShape", "PatchShape", "Steps", "conv_model", "patch_model"]

_INIT_SAMPLES = 24  # Windows for each number of the code, to find principal components in.

_MAX_SHIFT, _HALVINGS = 16.0, 12  # Of logits, and how often that range is halved in looking for the right one.

LOGVAR_RANGE = (-12.0, 6.0)
"""Limits of the natural logarithm of the variance of a code's numbers."""


@dataclass(frozen=True)
class Code:
    """The kind of a code.

    `size` is ``D``. With `variational` it is a Gaussian, else a point. `classes` > 0 makes the model conditional on a
    class, and `along` > 0 on so many channels that run along with the input, such as chords. In training they are
    withheld from a share `along_dropout` of the examples, so that the model works without them, too. In decoding it
    goes by `guidance` further from what it says without them than they alone would take it (Ho and Salimans 2022).
    With `rectified` no number is below 0. With `levels` each number is rounded to one of that many values in -1 .. 1
    (finite scalar quantisation, Mentzer et al. 2024), in decoding too.
    """

    size: int
    variational: bool = False
    classes: int = 0
    levels: int = 0
    rectified: bool = False
    along: int = 0
    along_dropout: float = 0.5
    guidance: float = 0.0


@dataclass(frozen=True)
class Steps:
    """How values are written: step by step by a GRU of `gru_width` (see `StepHead`), or all at once for 0."""

    gru_width: int = 0
    dropout: float = 0.0


@dataclass(frozen=True)
class ConvShape:
    """The settings of `ConvEncoder` and `ConvDecoder`."""

    width: int
    depth: int
    blocks: int
    shuffle: int = 1
    dense: int = 0


@dataclass(frozen=True)
class PatchShape:
    """The settings of `PatchEncoder` and `PatchDecoder`; `dropout` is the encoder's."""

    patch: int
    width: int
    depth: int
    heads: int
    dropout: float = 0.0


class CodeModel(Model):
    """Any encoder to ``(B, features)`` and decoder to ``(B, H, *S)`` around a code.

    A conditional one joins `cond` ``(B, K)`` to the encoder's features and to the code: a class, one-hot, or several
    mixed. One with a condition ``(B, K, T)`` hands it to the encoder and the decoder. `head` turns the decoder's
    features into parameters. `regularizer` adds a term on the codes to the loss. `linear` adds its own means and
    features to theirs. `binary` are the channels of each group of features that are logits of 0/1 values.
    """

    channels_last = False

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        decoder: nn.Module,
        head: Head,
        code: Code,
        regularizer: nn.Module | None = None,
        linear: LinearPath | None = None,
        binary: Sequence[slice] = (),
    ) -> None:
        super().__init__()
        self.binary = tuple(binary)
        self.regularizer, self.code, self.latent_size = regularizer, code, code.size
        self.condition = _condition(code)
        self.encoder, self.decoder, self.head, self.stepwise = encoder, decoder, head, head.stepwise
        self.to_code = nn.Linear(features + code.classes, code.size * (2 if code.variational else 1))
        self.linear = linear
        self.init_samples = _INIT_SAMPLES * code.size if linear else 0

    @torch.no_grad()
    def init_from_data(self, x: Tensor) -> None:
        """Start as the linear path, which starts as the principal components of windows ``(N, C, *S)``."""
        if self.linear is not None:
            nn.init.zeros_(self.to_code.weight)
            nn.init.zeros_(self.to_code.bias)
            self.to_code.bias[self.code.size :] = self.linear.init_from_data(x.to(self.to_code.weight))

    def _through(self, network: nn.Module, x: Tensor, cond: Tensor | None) -> Tensor:
        """Pass a tensor through the encoder or the decoder, with what runs along with it."""
        out: Tensor = network(x, None if cond is None else cond.to(x)) if self.code.along else network(x)
        return out

    def _with_cond(self, x: Tensor, cond: Tensor | None) -> Tensor:
        if self.condition is None or self.condition.along:
            return x
        channels = self.condition.channels
        if cond is None:
            raise MusicaeError(f"this model is conditional: give it a label of its {channels} classes")
        if cond.shape != (x.shape[0], channels):
            raise MusicaeError(f"a condition must be {(len(x), channels)}, not {tuple(cond.shape)}")
        return torch.cat([x, cond.to(x)], dim=-1)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Return the code of `x` ``(B, C, *S)``."""
        out = self.to_code(self._with_cond(self._through(self.encoder, x, cond), cond)).float()
        if self.code.levels:
            return Latent(self._quantise(torch.tanh(out)))
        if not self.code.variational:
            return Latent(out.relu() if self.code.rectified else out)
        mean, logvar = out.chunk(2, dim=-1)
        if self.linear is not None:
            mean = mean + self.linear.encode(x)
        return Latent(mean, logvar.clamp(*LOGVAR_RANGE))

    def _quantise(self, code: Tensor) -> Tensor:
        """Move numbers in -1 .. 1 to the nearest of `levels` values; gradients pass straight through."""
        steps = self.code.levels - 1
        rounded = ((code.clamp(-1, 1) + 1) / 2 * steps).round() / steps * 2 - 1
        return code + (rounded - code).detach()

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        """Return the likelihood's parameters ``(B, C, *S)``; a step-wise head sees `x`, the true values."""
        return self.head.params(self._features(z, cond), x).float()

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Return values ``(B, C, *S)``, picked by `choose`."""
        return self.head.decode(self._guided(z, cond), choose)

    def features(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return what `step` is given of codes ``(B, D)``: ``(B, 1, T, H)``."""
        return self._guided(z, cond).transpose(1, 2)[:, None]

    def initial_state(self, batch: int = 1) -> State:
        """Return the state before the first step of `batch` windows."""
        return self.head.initial_state(batch)

    def step(self, features: Tensor, previous: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the parameters ``(N, C)`` of a step, and the state."""
        return self.head.step(features, previous, state)

    def _guided(self, z: Tensor, cond: Tensor | None) -> Tensor:
        """Return the decoder's features ``(B, H, *S)``, with guidance by `cond`."""
        if self.code.levels:
            z = self._quantise(z)
        features = self._features(z, cond)
        if cond is not None and self.code.along and self.code.guidance:
            guided = torch.lerp(self._features(z, None), features, 1 + self.code.guidance)
            for channels in self.binary:  # Guidance says which values are 1, not how many.
                guided[:, channels] += _shift_to(guided[:, channels], features[:, channels])
            features = guided
        return features

    def _features(self, z: Tensor, cond: Tensor | None) -> Tensor:
        features = self._through(self.decoder, self._with_cond(z, cond), cond)
        return features if self.linear is None else features + self.linear.decode(z)

    def penalty(self, latent: Latent, rng: torch.Generator) -> Tensor | None:
        """Return the regularizer's term of the loss for a batch's codes, a scalar; None without one."""
        if self.regularizer is None:
            return None
        penalty: Tensor = self.regularizer(latent, rng)
        return penalty


def _shift_to(logits: Tensor, wanted: Tensor) -> Tensor:
    """Return what to add to logits ``(B, C, *S)``, so that as many ones are expected as of `wanted`.

    It is ``(B, 1 ..., 1)``.
    """
    rest = tuple(range(1, logits.ndim))
    goal = wanted.sigmoid().sum(rest, keepdim=True)
    low, high = torch.full_like(goal, -_MAX_SHIFT), torch.full_like(goal, _MAX_SHIFT)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        more = (logits + middle).sigmoid().sum(rest, keepdim=True) > goal
        low, high = torch.where(more, low, middle), torch.where(more, middle, high)
    return (low + high) / 2


def _condition(code: Code) -> ConditionSpec | None:
    """Return the condition of a model. Raise MusicaeError for one of both kinds."""
    if code.classes and code.along:
        raise MusicaeError("[model] a model has classes or a condition that runs along, not both; set one to 0")
    if code.along:
        return ConditionSpec(code.along, along=True, optional=True, dropout=code.along_dropout)
    return ConditionSpec(code.classes, classes=True) if code.classes else None


def _head(spec: Spec, features: int, steps: Steps) -> Head:
    if not steps.gru_width:
        return DirectHead()
    if len(spec.shape) != 1:
        raise MusicaeError(f"[model] gru_width needs sequences, not windows of shape {spec.shape}; set it to 0")
    return StepHead(features, spec.channels, steps.gru_width, steps.dropout)


def patch_model(
    spec: Spec, code: Code, shape: PatchShape, steps: Steps, *, linear: bool = False, balanced: bool = False
) -> CodeModel:
    """Return an autoencoder or VAE of patch Transformers; with `linear` a variational one adds to a `LinearPath`.

    Raise MusicaeError for settings that do not go together.
    """
    if linear and steps.gru_width:
        raise MusicaeError("[model] linear writes all steps at once, gru_width one by one; set one of them to 0")
    sizes = (shape.patch, shape.width, shape.depth, shape.heads, code.along)
    encoder = PatchEncoder(spec, *sizes, dropout=shape.dropout)
    features = steps.gru_width or spec.channels
    decoder = PatchDecoder(spec, code.size + code.classes, features, *sizes)
    if linear:  # It begins with what the linear maps say.
        nn.init.zeros_(decoder.out.weight)
        nn.init.zeros_(decoder.out.bias)
    path = LinearPath(spec, code.size, balanced) if linear else None
    groups = () if steps.gru_width else spec.groups
    binary = [spec.slices[group.name] for group in groups if group.likelihood == "bernoulli"]
    return CodeModel(encoder, encoder.features, decoder, _head(spec, features, steps), code, linear=path, binary=binary)


def conv_model(
    spec: Spec, code: Code, shape: ConvShape, steps: Steps | None = None, regularizer: nn.Module | None = None
) -> CodeModel:
    """Return an autoencoder or VAE of residual convolutions."""
    steps = steps or Steps()
    sizes = (shape.width, shape.depth, shape.blocks, shape.shuffle, shape.dense)
    encoder = ConvEncoder(spec, *sizes)
    features = steps.gru_width or spec.channels
    decoder = ConvDecoder(spec, code.size + code.classes, features, *sizes)
    return CodeModel(encoder, encoder.features, decoder, _head(spec, features, steps), code, regularizer)
