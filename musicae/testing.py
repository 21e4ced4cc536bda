"""Check, in one line, that an adapter or a model fulfils the contract of `musicae.core`.

For the tests of those who write plugins::

    check_adapter(MyAdapter(), Path("tests/data/example.ext"))
    check_model(my_model, MyAdapter().spec)

Both return nothing, or raise MusicaeError with one line that says what is wrong.
An error inside the part is reported in the same way, with its traceback as the cause.
"""

from __future__ import annotations

import inspect
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from musicae import registry
from musicae.core import Adapter, Latent, Likelihood, Model, Packed, Sample, Spec
from musicae.errors import MusicaeError
from musicae.tensors import windows

__all__ = ["check_adapter", "check_model"]

_BATCH = 4


def check_adapter(adapter: Adapter, path: Path | None = None, tolerance: float = 1e-4) -> None:
    """Check that `adapter` fulfils the contract of `musicae.core.Adapter`.

    Parameters
    ----------
    adapter : the adapter, built.
    path : a file it reads; without one, a file of random values is written and read.
        What is read from a file must survive being written (with the same suffix) and read again.
    tolerance : the largest allowed difference of a value read back from a file.

    Raises
    ------
    MusicaeError : the first promise that is broken, in one line.
    """
    who = type(adapter).__name__
    _require(isinstance(adapter, Adapter), who, "must be a subclass of musicae.core.Adapter")
    _check_suffixes(who, adapter)
    _check_spec(who, adapter.spec)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = path or _make_file(who, adapter, folder)
        _check_sniff(who, adapter, source, folder)
        sample = _read(who, adapter, source)
        _check_sample(who, adapter.spec, sample)
        _check_round_trip(who, adapter, sample, folder, source.suffix, tolerance)
        _check_parts(who, adapter, sample, folder, source.suffix)
        _check_refusals(who, adapter, sample, folder, source.suffix)
        _check_windows(who, adapter, sample)
        _check_canonical(who, adapter, source)


def check_model(model: Model | Callable[..., Model], spec: Spec) -> None:
    """Check that a model fulfils the contract of `musicae.core.Model` for windows like `spec`.

    Parameters
    ----------
    model : a built model, or better its factory, called as ``model(spec)``: only then can the
        check see whether its saved state is complete. Bind settings with `functools.partial`.
    spec : the windows to try; batches of them are drawn at random.

    Raises
    ------
    MusicaeError : the first promise that is broken, in one line.
    """
    given = model if isinstance(model, nn.Module) else None
    who = type(given).__name__ if given is not None else _name_of(model)
    _check_spec(who, spec)
    built = given if given is not None else _build(who, model, spec)
    if not isinstance(built, Model):
        raise MusicaeError(f"{who}: must be a subclass of musicae.core.Model, not {type(built).__name__}")
    size = built.latent_size
    _require(isinstance(size, int) and size >= 0, who, f"latent_size must be a whole number of 0 or more, not {size!r}")
    x = _random(spec, _BATCH)
    was_training = built.training
    _check_gradients(who, built, spec, x)
    built.eval()
    with torch.no_grad():
        z = _check_code(who, built, spec, x)
        _check_outputs(who, built, spec, z, x)
        if given is None:
            _check_state(who, built, _build(who, model, spec), spec, x)
    built.train(was_training)


def _require(kept: object, who: str, what: str) -> None:
    if not kept:
        raise MusicaeError(f"{who}: {what}")


@contextmanager
def _reported(who: str, what: str) -> Iterator[None]:
    """Turn whatever a part raises into one line."""
    try:
        yield
    except Exception as error:
        text = " ".join(str(error).split())
        raise MusicaeError(f"{who}: {what} raised {type(error).__name__}: {text}") from error


def _name_of(factory: Any) -> str:
    """Return the name of a factory: a function or class, or the one that a `partial` binds settings to."""
    bare = factory.func if isinstance(factory, partial) else factory
    return bare.__name__ if inspect.isroutine(bare) or inspect.isclass(bare) else type(bare).__name__


def _shape(tensor: Any) -> str:
    return str(tuple(tensor.shape)) if isinstance(tensor, Tensor) else f"a {type(tensor).__name__}"


def _check_sniff(who: str, adapter: Adapter, source: Path, folder: Path) -> None:
    other = folder / "other.none"
    other.write_bytes(b"")
    for path in (source, other):
        with _reported(who, "sniff"):
            score = adapter.sniff(path.read_bytes()[:65_536], path)
        good = isinstance(score, float | int) and 0 <= score <= 1
        _require(good, who, f"sniff must give a number from 0 to 1, not {score!r}")
        _require(score > 0 or path is other, who, f"sniff gives 0 for {path.name}, which it reads")


def _check_suffixes(who: str, adapter: Adapter) -> None:
    suffixes: Any = adapter.suffixes
    good = isinstance(suffixes, tuple) and suffixes and all(isinstance(s, str) for s in suffixes)
    _require(good, who, f"suffixes must be a tuple of file endings, not {suffixes!r}")
    for suffix in suffixes:
        _require(
            suffix.startswith(".") and suffix == suffix.lower(),
            who,
            f"the suffix {suffix!r} must be lower case and start with a dot",
        )


def _check_spec(who: str, spec: Any) -> None:
    _require(isinstance(spec, Spec), who, f"spec must be a musicae.core.Spec, not {spec!r}")
    _require(isinstance(spec.channels, int) and spec.channels > 0, who, f"spec has {spec.channels!r} channels")
    good = isinstance(spec.shape, tuple) and spec.shape and all(isinstance(n, int) and n > 0 for n in spec.shape)
    _require(good, who, f"spec's shape must be a tuple of whole numbers over 0, not {spec.shape!r}")
    known = registry.names("likelihoods")
    choice = f"choose from {', '.join(known)}"
    _require(spec.likelihood in known, who, f"spec names the likelihood {spec.likelihood!r}; {choice}")


def _likelihood(spec: Spec) -> Likelihood:
    likelihood: Likelihood = registry.build("likelihoods", spec.likelihood)
    return likelihood.bind(spec)


def _random(spec: Spec, n: int) -> Tensor:
    """Return `n` windows ``(n, C, *S)`` that the likelihood of `spec` could draw, the same every time."""
    rng = torch.Generator().manual_seed(n)
    likelihood, params = _likelihood(spec), torch.zeros(n, *spec.full_shape)
    if not likelihood.discrete:
        params = torch.randn(params.shape, generator=rng)
    return likelihood.sample(params, 1.0, rng)


def _check_values(who: str, what: str, values: Tensor, spec: Spec, axis: int) -> None:
    """Check that `values`, with their channels at `axis`, are possible under the likelihood of `spec`."""
    _require(bool(values.isfinite().all()), who, f"{what} has values that are not finite")
    flaw = _likelihood(spec).flaw(values, axis)
    _require(not flaw, who, f"{what} {flaw}")


def _make_file(who: str, adapter: Adapter, folder: Path) -> Path:
    path = folder / f"made{adapter.suffixes[0]}"
    with _reported(who, "blank"):
        meta = adapter.blank()
    _write(who, adapter, Sample(_random(adapter.spec, 1)[0], meta), path)
    return path


def _read(who: str, adapter: Adapter, path: Path) -> Sample:
    with _reported(who, f"read of a {path.suffix} file"):
        return adapter.read(path)


def _write(who: str, adapter: Adapter, sample: Sample, path: Path) -> None:
    before = set(path.parent.iterdir())
    with _reported(who, f"write of a {path.suffix} file"):
        adapter.write(sample, path)
    _require(path.is_file(), who, f"write made no file {path.name}")
    stray = sorted(found.name for found in set(path.parent.iterdir()) - before - {path})
    _require(not stray, who, f"write left {', '.join(stray)} beside its file")


def _check_sample(who: str, spec: Spec, sample: Any) -> None:
    _require(isinstance(sample, Sample), who, f"read gives a {type(sample).__name__}, not a musicae.core.Sample")
    tensor = sample.tensor
    _require(isinstance(tensor, Tensor), who, f"read gives a {type(tensor).__name__} for a tensor")
    _require(tensor.dtype == torch.float32, who, f"read gives {tensor.dtype}, not torch.float32")
    wanted = (*spec.full_shape[:-1], "L")
    fits = tensor.ndim == len(wanted) and tuple(tensor.shape[:-1]) == wanted[:-1] and tensor.shape[-1] > 0
    _require(fits, who, f"read gives {_shape(tensor)}; its spec says ({', '.join(map(str, wanted))}), L over 0")
    _check_values(who, "what read gives", tensor, spec, 0)
    _require(isinstance(sample.meta, dict), who, f"read gives a {type(sample.meta).__name__} for meta, not a dict")
    hop, size = sample.hop, spec.shape[-1]
    _require(hop is None or 0 < hop <= size, who, f"read gives a hop of {hop}; it must be 1 .. {size} or None")
    good = all(isinstance(line, str) and "\n" not in line for line in sample.remarks)
    _require(good, who, "remarks must be strings of one line each")


def _check_round_trip(who: str, adapter: Adapter, sample: Sample, folder: Path, suffix: str, tolerance: float) -> None:
    kept = sample.tensor.clone()
    path = folder / f"again{suffix}"
    _write(who, adapter, sample, path)
    _require(torch.equal(kept, sample.tensor), who, "write changes the tensor it is given")
    again = _read(who, adapter, path)
    _check_sample(who, adapter.spec, again)
    same = again.tensor.shape == kept.shape
    _require(same, who, f"what is written as {_shape(kept)} is read back as {_shape(again.tensor)}")
    worst = (again.tensor - kept).abs().max().item()
    _require(worst <= tolerance, who, f"what is written is not what is read back: a value differs by {worst:.3g}")


def _check_parts(who: str, adapter: Adapter, sample: Sample, folder: Path, suffix: str) -> None:
    """Check `blank`, `mix` and `concat`: their results can be written, and nothing given is changed."""
    with _reported(who, "blank"):
        blank = adapter.blank()
    with _reported(who, "mix"):
        mixed = adapter.mix([sample.meta, blank], [0.25, 0.75])
    for what, meta in (("blank", blank), ("mix", mixed)):
        _require(isinstance(meta, dict), who, f"{what} gives a {type(meta).__name__}, not a dict")
        with _reported(who, f"with the meta of {what}, check_meta"):
            adapter.check_meta(meta)
        with _reported(who, f"with the meta of {what}, write"):
            adapter.write(Sample(sample.tensor, meta), folder / f"{what}{suffix}")
    length = sample.tensor.shape[-1]
    with _reported(who, "concat"):
        joined = adapter.concat([sample, sample])
    _check_sample(who, adapter.spec, joined)
    _require(sample.tensor.shape[-1] == length, who, "concat changes the samples it is given")
    wanted = torch.cat([sample.tensor, sample.tensor], dim=-1)
    _require(torch.equal(joined.tensor, wanted), who, "concat does not put the tensors one after another")
    with _reported(who, "with the sample of concat, write"):
        adapter.write(joined, folder / f"concat{suffix}")


def _check_refusals(who: str, adapter: Adapter, sample: Sample, folder: Path, suffix: str) -> None:
    """Check that what cannot be read or written is refused in one line."""
    empty, file = folder / f"empty{suffix}", folder / "file"
    empty.touch()
    file.touch()
    _check_refusal(who, "read of a missing file", lambda: adapter.read(folder / f"missing{suffix}"))
    _check_refusal(who, "read of an empty file", lambda: adapter.read(empty))
    _check_refusal(who, "write into what is not a folder", lambda: adapter.write(sample, file / f"x{suffix}"))


def _check_refusal(who: str, what: str, attempt: Callable[[], Any]) -> None:
    try:
        attempt()
    except MusicaeError as error:
        _require("\n" not in str(error), who, f"{what} is refused in more than one line")
        return
    except Exception as error:
        raise MusicaeError(f"{who}: {what} raised {type(error).__name__}, not MusicaeError") from error
    raise MusicaeError(f"{who}: {what} raised nothing; it must raise MusicaeError")


def _check_windows(who: str, adapter: Adapter, sample: Sample) -> None:
    """Check `augment` and `canonical` on the windows of `sample`."""
    spec = adapter.spec
    length = sample.tensor.shape[-1] // spec.shape[-1] * spec.shape[-1]
    batch = windows.split(sample.tensor[..., :length], spec.shape[-1]) if length else _random(spec, _BATCH)
    kept = batch.clone()
    with _reported(who, "augment"):
        first = adapter.augment(batch, torch.Generator().manual_seed(1))
        second = adapter.augment(batch, torch.Generator().manual_seed(1))
    good = isinstance(first, Tensor) and first.shape == kept.shape and first.dtype == kept.dtype
    _require(good, who, f"augment turns {_shape(kept)} float32 into {_shape(first)}")
    _require(torch.equal(batch, kept), who, "augment changes the batch it is given")
    _require(torch.equal(first, second), who, "augment draws from elsewhere than its generator")
    _check_values(who, "what augment gives", first, spec, 1)


def _check_canonical(who: str, adapter: Adapter, source: Path) -> None:
    """Check `canonical` on the windows of a file, as data sets keep them."""
    with _reported(who, "read_packed"):
        packed = adapter.read_packed(source)
    tensor = torch.from_numpy(packed.data) if isinstance(packed, Packed) else packed.tensor
    size = adapter.spec.shape[-1]
    length = tensor.shape[-1] // size * size
    data = _random(adapter.spec, _BATCH) if not length else windows.split(tensor[..., :length], size)
    if not isinstance(packed, Packed) or not length:
        data = _likelihood(adapter.spec).pack(data)
    with _reported(who, "canonical"):
        plain = adapter.canonical(data)
    _require(
        isinstance(plain, Tensor) and len(plain) == len(data),
        who,
        f"canonical turns {_shape(data)} into {_shape(plain)}",
    )
    if plain.shape == data.shape:
        with _reported(who, "canonical"):
            twice = adapter.canonical(plain)
        _require(torch.equal(plain, twice), who, "canonical changes what is canonical already")


def _build(who: str, factory: Any, spec: Spec) -> Any:
    with _reported(who, f"building it for {spec}"):
        return factory(spec)


def _check_tensor(who: str, what: str, tensor: Any, shape: tuple[int, ...]) -> None:
    _require(isinstance(tensor, Tensor), who, f"{what} gives a {type(tensor).__name__}, not a tensor")
    _require(tuple(tensor.shape) == shape, who, f"{what} gives {_shape(tensor)}, not {shape}")
    _require(tensor.is_floating_point(), who, f"{what} gives {tensor.dtype}, not a floating-point type")
    _require(bool(tensor.isfinite().all()), who, f"{what} gives values that are not finite")


def _condition(model: Model, spec: Spec, n: int) -> Tensor | None:
    """Return a condition for `n` windows, the same every time, of a model that takes one."""
    condition = model.condition
    if condition is None:
        return None
    if condition.classes:
        return nn.functional.one_hot(torch.arange(n) % condition.channels, condition.channels).float()
    shape = (n, condition.channels, spec.shape[-1]) if condition.along else (n, condition.channels)
    return torch.rand(shape, generator=torch.Generator().manual_seed(n))


def _check_gradients(who: str, model: Model, spec: Spec, x: Tensor) -> None:
    """Check that a training step's loss reaches every parameter."""
    model.train()
    model.zero_grad()
    rng = torch.Generator().manual_seed(0)
    with _reported(who, "forward"):
        params, latent = model(x, x, _condition(model, spec, len(x)), rng)
    _check_latent(who, "forward", model, latent, len(x))
    _check_tensor(who, "forward", params, (len(x), *spec.full_shape))
    loss = _likelihood(spec).nll(params, x).sum() + latent.kl().sum()
    with _reported(who, "penalty"):
        penalty = model.penalty(latent, rng)
    loss = loss if penalty is None else loss + penalty
    with _reported(who, "the gradient of its loss"):
        loss.backward()
    weights = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    _require(weights, who, "has no parameter to train")
    for name, weight in weights:
        if weight.grad is None:
            raise MusicaeError(f"{who}: no gradient of the loss reaches the parameter '{name}'")
        _require(math.isfinite(float(weight.grad.norm())), who, f"the gradient of '{name}' is not finite")
    model.zero_grad()


def _check_code(who: str, model: Model, spec: Spec, x: Tensor) -> Tensor:
    """Return the code of `x`, or an empty one where the model has none and says so."""
    cond = _condition(model, spec, len(x))
    if not model.latent_size:
        _check_refusal(who, "encode of a model without a code", lambda: model.encode(x, cond))
        return x.new_zeros(len(x), 0)
    first = None if cond is None else cond[:1]
    mean, again, alone = (_encode(who, model, *part).mean for part in ((x, cond), (x, cond), (x[:1], first)))
    _require(torch.equal(mean, again), who, "encode gives another code the second time, in eval mode")
    _require(_close(alone, mean[:1]), who, "the code of an example depends on the others of its batch, in eval mode")
    return mean


def _check_outputs(who: str, model: Model, spec: Spec, z: Tensor, x: Tensor) -> None:
    """Check the model's output: its shape, that it repeats, and that examples are independent."""
    likelihood, cond = _likelihood(spec), _condition(model, spec, len(x))

    def first(n: int) -> Tensor | None:
        return None if cond is None else cond[:n]

    calls: list[tuple[str, Callable[[int], Any]]]
    if model.restores:
        calls = [
            ("restore", lambda n: model.restore(x[:n], first(n))),
            ("the mode of restore", lambda n: likelihood.mode(model.restore(x[:n], first(n)))),
        ]
    else:
        calls = [
            ("params", lambda n: model.params(z[:n], x[:n], first(n))),
            ("decode", lambda n: model.decode(z[:n], likelihood.mode, first(n))),
        ]
    for what, call in calls:
        with _reported(who, what):
            out, again, alone = call(len(x)), call(len(x)), call(1)
        _check_tensor(who, what, out, (len(x), *spec.full_shape))
        _check_tensor(who, f"{what} of one example", alone, (1, *spec.full_shape))
        _require(torch.equal(out, again), who, f"{what} gives other values the second time, in eval mode")
        _require(_close(alone, out[:1]), who, f"what {what} gives for an example depends on the others of its batch")
    _check_values(who, "what decode gives", out, spec, 1)
    if model.streams:
        _check_stream(who, model, spec)


def _check_stream(who: str, model: Model, spec: Spec) -> None:
    """Check that block by block gives the same as all at once, and that the state is tensors."""
    grain = model.multiple
    x = torch.randn(1, spec.channels, 3 * grain, generator=torch.Generator().manual_seed(0))
    state = model.initial_state(1)
    tensors = isinstance(state, tuple) and all(isinstance(part, Tensor) for part in state)
    _require(tensors, who, "initial_state must give a tuple of tensors")
    with _reported(who, "stream"):
        at_once, _ = model.stream(x, state)
        parts = []
        for block in torch.split(x, grain, dim=-1):
            part, state = model.stream(block, state)
            parts.append(part)
    _check_tensor(who, "stream", at_once, tuple(x.shape))
    _require(_close(torch.cat(parts, -1), at_once), who, "stream gives other values block by block than at once")


def _encode(who: str, model: Model, x: Tensor, cond: Tensor | None) -> Latent:
    with _reported(who, "encode"):
        latent = model.encode(x, cond)
    _check_latent(who, "encode", model, latent, len(x))
    return latent


def _check_latent(who: str, what: str, model: Model, latent: Any, n: int) -> None:
    if not isinstance(latent, Latent):
        raise MusicaeError(f"{who}: {what} gives a {type(latent).__name__}, not a musicae.core.Latent")
    shape = (n, model.latent_size)
    _check_tensor(who, f"the mean of {what}", latent.mean, shape)
    if latent.logvar is not None:
        _check_tensor(who, f"the logvar of {what}", latent.logvar, shape)


def _close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-3, atol=1e-4)


def _check_state(who: str, model: Model, other: Model, spec: Spec, x: Tensor) -> None:
    """Check that `other`, loaded with the state of `model`, is the same model."""
    with _reported(who, "loading its saved state into another"):
        other.load_state_dict({name: tensor.clone() for name, tensor in model.state_dict().items()})
    other.eval()
    cond = _condition(model, spec, len(x))
    (a, code_a), (b, code_b) = (net(x, x, cond, torch.Generator().manual_seed(0)) for net in (model, other))
    same = torch.equal(a, b) and torch.equal(code_a.mean, code_b.mean)
    _require(same, who, "its state_dict is not all of its state: a copy loaded from it gives other values")
