"""A stack: an autoencoder over the codes of another, for windows of several of its windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn

from musicae.core import Choose, Latent, Likelihood, Lower, Model, Spec, State
from musicae.errors import MusicaeError
from musicae.models.layers.code_model import LOGVAR_RANGE
from musicae.models.layers.transformer import Block
from musicae.ranges import CountOrNone, Depth, Size, Weight
from musicae.shared_batch import uniform_like

__all__ = ["Stack"]

_MIN_SPREAD = 1e-3  # Of a number in the lower codes.
_MIN_INIT_SAMPLES, _INIT_SAMPLES = 2048, 2  # At least, and for each number of the lower codes.
_INIT_BATCH = 64  # Windows at a time.
_MIN_VARIANCE = 0.1  # Of a principal component, in units of the lower posterior: none is scaled up by more.
_EVEN = 20.0  # Makes the weights of both linear maps about as large as those of other layers.


class Stack(Model):
    """A VAE over the codes of a trained model: each of its windows is a token (cf. Roberts et al. 2018, a conductor).

    The lower model stays as it is; its weights are not among those of the stack. Training compares codes: the squared
    error of each number is divided by the variance that the lower model's own posterior allows it, which is, up to a
    constant, the KL between the two Gaussians. `decoded` windows of each example, drawn at random, are compared as
    values as well, through the lower decoder.

    It starts as the principal components of the lower codes, each number in units of the lower posterior's standard
    deviation; the Transformers start at zero, and add to that linear map, which is trained with them.

    Parameters
    ----------
    spec : the windows, whose last axis holds several of the lower model's.
    lower : the lower model, and what its windows look like.
    latent : size of the code.
    width, depth, heads : of the Transformers.
    decoded : how many windows of each example training decodes; 0 compares codes only.
    codes_weight : weight of the comparison of codes.
    refine_steps : steps of gradient descent by which a codec may improve the code of a window.
    scaled : take the scale of each component out of the linear maps. Their weights are then all of like size, and learn
        as fast as others; otherwise the optimizer's steps are larger than most of them.
    """

    centre: Tensor
    spread: Tensor
    scale_in: Tensor
    scale_out: Tensor

    def __init__(
        self,
        spec: Spec,
        lower: Lower,
        latent: Size = 512,
        width: Size = 256,
        depth: Depth = 3,
        heads: Size = 8,
        decoded: CountOrNone = 0,
        codes_weight: Weight = 1.0,
        scaled: bool = False,
        refine_steps: CountOrNone = 20,
    ) -> None:
        super().__init__()
        size, below = lower.model.latent_size, lower.spec.shape[-1]
        if not size:
            raise MusicaeError("[lower] must name a preset with a code, such as melody-2bar")
        if spec.shape[-1] % below or spec.shape[:-1] != lower.spec.shape[:-1]:
            raise MusicaeError(
                f"[adapter] windows of {spec.shape} do not consist of windows of {lower.spec.shape}, [lower]'s"
            )
        if width % heads:
            raise MusicaeError(f"[model] heads {heads} does not divide width {width}")
        self.count = spec.shape[-1] // below
        if decoded > self.count:
            raise MusicaeError(f"[model] decoded must be 0 to {self.count}, not {decoded}")
        self.lower, self.latent_size, self.decoded, self.codes_weight = lower, latent, decoded, codes_weight
        self.refine_steps = refine_steps
        self.init_samples = max(_MIN_INIT_SAMPLES, _INIT_SAMPLES * self.count * size)
        self.condition, self.channels_last = lower.model.condition, lower.model.channels_last
        self.stepwise = lower.model.stepwise
        lower.model.eval().requires_grad_(False)
        _pass_gradients(lower.model)
        self.register_buffer("centre", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))
        self.embed, self.project_out = nn.Linear(size, width), nn.Linear(width, size)
        self.position_in = nn.Parameter(torch.randn(self.count, width) * 0.02)
        self.position_out = nn.Parameter(torch.randn(self.count, width) * 0.02)
        self.encoder = nn.Sequential(*(Block(width, heads) for _ in range(depth)), nn.LayerNorm(width))
        self.decoder = nn.Sequential(*(Block(width, heads) for _ in range(depth)), nn.LayerNorm(width))
        self.to_code = nn.Linear(self.count * width, 2 * latent)
        self.from_code = nn.Linear(latent, self.count * width)
        self.linear_in, self.linear_out = nn.Linear(self.count * size, latent), nn.Linear(latent, self.count * size)
        self.scaled = scaled
        for name in ("scale_in", "scale_out"):
            self.register_buffer(name, torch.ones(latent), persistent=scaled)

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        """Let the lower model, which is no part of this one, come along to a device."""
        self.lower.model._apply(fn, recurse)  # type: ignore[no-untyped-call]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    @torch.no_grad()
    def init_from_data(self, x: Tensor) -> None:
        """Start as the principal components of the lower codes of windows ``(N, C, *S)``; the rest starts at zero.

        Each number is measured in units of the lower posterior's standard deviation. A component of variance v gets
        a posterior of variance 1 / (1 + v), that of a linear model (Tipping and Bishop 1999).
        """
        parts = [self._below(part, None) for part in torch.split(x.to(self.centre), _INIT_BATCH)]
        mean = torch.cat([part.mean for part in parts])
        self.centre.copy_(mean.flatten(0, 1).mean(0))
        self.spread.copy_(mean.flatten(0, 1).std(0).clamp_min(_MIN_SPREAD))
        noise = self.spread
        if parts[0].logvar is not None:
            noise = torch.cat([part.logvar for part in parts if part.logvar is not None]).exp().mean((0, 1)).sqrt()
        rows = ((mean - self.centre) / noise).flatten(1)
        values, vectors = torch.linalg.eigh((rows.T @ rows / len(rows)).double())
        kept = min(self.latent_size, len(values))
        values = values.flip(0)[:kept].float().clamp_min(_MIN_VARIANCE)
        vectors = vectors.flip(1)[:, :kept].float()
        units = self.spread.repeat(self.count)[:, None], noise.repeat(self.count)[:, None]
        for parameter in (*self.to_code.parameters(), *self.project_out.parameters(),
                          *self.linear_in.parameters(), *self.linear_out.parameters()):  # fmt: skip
            parameter.zero_()
        if self.scaled:
            self.scale_in[:kept], self.scale_out[:kept] = 1 / values.sqrt(), values.sqrt() / _EVEN
        self.linear_in.weight[:kept] = (units[0] / units[1] * vectors / values.sqrt()).T / self.scale_in[:kept, None]
        self.linear_out.weight[:, :kept] = units[1] / units[0] * vectors * values.sqrt() / self.scale_out[:kept]
        self.to_code.bias[self.latent_size :][:kept] = -values.log1p()

    def reconstruction(
        self, given: Tensor, target: Tensor, cond: Tensor | None, rng: torch.Generator | None, likelihood: Likelihood
    ) -> tuple[Tensor, dict[str, Tensor], Latent]:
        """Return the cost of the lower codes in nats ``(B,)``, with that of `decoded` windows, and the code."""
        true = self._below(target, cond)
        latent = self._encode(true.mean if given is target else self._below(given, cond).mean)
        made = self._codes(latent.sample(rng))
        precision = 1.0 if true.logvar is None else (-true.logvar).exp()
        parts = {"codes": 0.5 * self.codes_weight * ((made - true.mean).square() * precision).flatten(1).sum(1)}
        if self.decoded:
            parts["decoded"] = self._decoded(made, target, cond, likelihood)
        return torch.stack(list(parts.values())).sum(0), parts, latent

    def _decoded(self, codes: Tensor, target: Tensor, cond: Tensor | None, likelihood: Likelihood) -> Tensor:
        """Return the cost of some windows drawn for each example, as much as that of all would be, ``(B,)``."""
        chosen = uniform_like(codes[:, :, 0]).topk(self.decoded, dim=1).indices
        rows = (torch.arange(len(codes), device=chosen.device).unsqueeze(1) * self.count + chosen).flatten()
        x = self._cut(target)[rows]
        given = None if cond is None else self._cut_cond(cond)[rows]
        params = self.lower.model.params(codes.flatten(0, 1)[rows], x, given)
        return likelihood.nll(params, x).view(len(codes), -1).mean(1) * self.count

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Return the code of `x` ``(B, C, *S)``."""
        return self._encode(self._below(x, cond).mean)

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        """Return the lower model's parameters ``(B, C, *S)``, window after window."""
        codes = self._codes(z).flatten(0, 1)
        cut = None if x is None else self._cut(x)
        given = None if cond is None else self._cut_cond(cond)
        return self._joined(self.lower.model.params(codes, cut, given))

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Return values ``(B, C, *S)`` from codes ``(B, D)``."""
        given = None if cond is None else self._cut_cond(cond)
        return self._joined(self.lower.model.decode(self._codes(z).flatten(0, 1), choose, given))

    def features(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return what `step` is given of codes ``(B, D)``: ``(B, W, T, H)``, the lower model's windows side by side."""
        given = None if cond is None else self._cut_cond(cond)
        below = self.lower.model.features(self._codes(z).flatten(0, 1), given)
        return below.view(z.shape[0], -1, *below.shape[2:])

    def initial_state(self, batch: int = 1) -> State:
        """Return the state before the first step of `batch` of the lower model's windows."""
        return self.lower.model.initial_state(batch)

    def step(self, features: Tensor, previous: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the lower model's parameters ``(N, C)`` of a step, and the state."""
        return self.lower.model.step(features, previous, state)

    def _encode(self, codes: Tensor) -> Latent:
        codes = (codes - self.centre) / self.spread
        out = self.to_code(self.encoder(self.embed(codes) + self.position_in).flatten(1)).float()
        mean, logvar = out.chunk(2, dim=-1)
        mean = mean + self.scale_in * self.linear_in(codes.flatten(1)).float()
        return Latent(mean, logvar.clamp(*LOGVAR_RANGE))

    def _codes(self, z: Tensor) -> Tensor:
        """Return the lower codes ``(B, N, d)`` of codes ``(B, D)``."""
        tokens = self.from_code(z).view(z.shape[0], self.count, -1) + self.position_out
        linear = self.linear_out(self.scale_out * z).view(z.shape[0], self.count, -1)
        codes: Tensor = linear + self.project_out(self.decoder(tokens))
        return codes.float() * self.spread + self.centre

    @torch.no_grad()
    def _below(self, x: Tensor, cond: Tensor | None) -> Latent:
        """Return the lower codes of windows ``(B, C, *S)``: mean and logvar are ``(B, N, d)``."""
        given = None if cond is None else self._cut_cond(cond)
        found = self.lower.model.encode(self._cut(x), given)
        shape = (x.shape[0], self.count, -1)
        return Latent(found.mean.view(shape), None if found.logvar is None else found.logvar.view(shape))

    def _cut(self, x: Tensor) -> Tensor:
        """Cut ``(B, C, *S)`` along the last axis into the lower model's windows ``(B * N, C, *s)``."""
        size = x.shape[-1] // self.count
        return x.view(*x.shape[:-1], self.count, size).movedim(-2, 1).flatten(0, 1)

    def _cut_cond(self, cond: Tensor) -> Tensor:
        """Return a condition ``(B, K)`` or ``(B, K, T)`` for each of the lower model's windows."""
        return self._cut(cond) if cond.ndim == 3 else cond.repeat_interleave(self.count, 0)

    def _joined(self, parts: Tensor) -> Tensor:
        """Undo `_cut`."""
        return parts.view(-1, self.count, *parts.shape[1:]).movedim(1, -2).flatten(-2)


def _pass_gradients(model: nn.Module) -> None:
    """Let gradients through a model in `eval` mode: cuDNN computes those of recurrent layers in training mode only.

    That mode changes nothing but the dropout between such layers, which is none from now on, as it is in `eval` mode.
    """
    for layer in model.modules():
        if isinstance(layer, nn.RNNBase):
            layer.train().dropout = 0.0
