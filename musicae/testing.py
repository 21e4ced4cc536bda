"""Proof, in one line, that an adapter or a model keeps the promises of `musicae.core`.

For the tests of those who write plugins::

    check_adapter(MyAdapter(), Path("tests/data/example.ext"))
    check_model(my_model, MyAdapter().spec)

Both return nothing, or raise MusicaeError with one line that names the promise that is broken.
What a part raises by itself is reported in the same way, its traceback kept as the cause.
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
from musicae.core import Adapter, Latent, Likelihood, Model, Sample, Spec
from musicae.errors import MusicaeError
from musicae.tensors import windows

__all__ = ["check_adapter", "check_model"]

_BATCH = 4


def check_adapter(adapter: Adapter, path: Path | None = None, tolerance: float = 1e-4) -> None:
    """Prove that `adapter` keeps the promises of `musicae.core.Adapter`.

    Parameters
    ----------
    adapter : the adapter, built.
    path : a file it reads; without one, a file of random values is written and read.
        What is read from a file must survive being written (with the same suffix) and read again.
    tolerance : the largest difference of a value that comes back from a file.

    Raises
    ------
    MusicaeError : the first promise that is broken, in one line.
    """
    who = type(adapter).__name__
    _need(isinstance(adapter, Adapter), who, "must be a subclass of musicae.core.Adapter")
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


def check_model(model: Model | Callable[..., Model], spec: Spec) -> None:
    """Prove that a model keeps the promises of `musicae.core.Model` for windows like `spec`.

    Parameters
    ----------
    model : a built model, or better its factory, called as ``model(spec)``: only then can its
        saved state be proved to be all of it. Settings go in with `functools.partial`.
    spec : the windows to try, batches of which are made up.

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
    _need(isinstance(size, int) and size >= 0, who, f"latent_size must be a whole number of 0 or more, not {size!r}")
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


def _need(kept: object, who: str, what: str) -> None:
    if not kept:
        raise MusicaeError(f"{who}: {what}")


@contextmanager
def _doing(who: str, what: str) -> Iterator[None]:
    """Turn whatever a part raises into one line."""
    try:
        yield
    except Exception as error:
        text = " ".join(str(error).split())
        raise MusicaeError(f"{who}: {what} raised {type(error).__name__}: {text}") from error


def _name_of(factory: Any) -> str:
    """Return what a factory is called: the function or class itself, or the one that is bound with settings."""
    bare = factory.func if isinstance(factory, partial) else factory
    return bare.__name__ if inspect.isroutine(bare) or inspect.isclass(bare) else type(bare).__name__


def _shape(tensor: Any) -> str:
    return str(tuple(tensor.shape)) if isinstance(tensor, Tensor) else f"a {type(tensor).__name__}"


def _check_sniff(who: str, adapter: Adapter, source: Path, folder: Path) -> None:
    other = folder / "other.none"
    other.write_bytes(b"")
    for path in (source, other):
        with _doing(who, "sniff"):
            score = adapter.sniff(path.read_bytes()[:65_536], path)
        good = isinstance(score, float | int) and 0 <= score <= 1
        _need(good, who, f"sniff must give a number from 0 to 1, not {score!r}")
        _need(score > 0 or path is other, who, f"sniff gives 0 for {path.name}, which it reads")


def _check_suffixes(who: str, adapter: Adapter) -> None:
    suffixes: Any = adapter.suffixes
    good = isinstance(suffixes, tuple) and suffixes and all(isinstance(s, str) for s in suffixes)
    _need(good, who, f"suffixes must be a tuple of file endings, not {suffixes!r}")
    for suffix in suffixes:
        _need(
            suffix.startswith(".") and suffix == suffix.lower(),
            who,
            f"the suffix {suffix!r} must be lower case and start with a dot",
        )


def _check_spec(who: str, spec: Any) -> None:
    _need(isinstance(spec, Spec), who, f"spec must be a musicae.core.Spec, not {spec!r}")
    _need(isinstance(spec.channels, int) and spec.channels > 0, who, f"spec has {spec.channels!r} channels")
    good = isinstance(spec.shape, tuple) and spec.shape and all(isinstance(n, int) and n > 0 for n in spec.shape)
    _need(good, who, f"spec's shape must be a tuple of whole numbers over 0, not {spec.shape!r}")
    known = registry.names("likelihoods")
    _need(spec.likelihood in known, who, f"spec names the likelihood {spec.likelihood!r}; there is {', '.join(known)}")


def _likelihood(spec: Spec) -> Likelihood:
    made: Likelihood = registry.build("likelihoods", spec.likelihood)
    return made.bind(spec)


def _random(spec: Spec, n: int) -> Tensor:
    """Return `n` windows ``(n, C, *S)`` such as the likelihood of `spec` could draw, the same every time."""
    rng = torch.Generator().manual_seed(n)
    likelihood, params = _likelihood(spec), torch.zeros(n, *spec.full_shape)
    if not likelihood.discrete:
        params = torch.randn(params.shape, generator=rng)
    return likelihood.sample(params, 1.0, rng)


def _check_values(who: str, what: str, values: Tensor, spec: Spec, axis: int) -> None:
    """Check that `values`, with their channels at `axis`, are such as the likelihood of `spec` knows."""
    _need(bool(values.isfinite().all()), who, f"{what} has values that are not finite")
    flaw = _likelihood(spec).flaw(values, axis)
    _need(not flaw, who, f"{what} {flaw}")


def _make_file(who: str, adapter: Adapter, folder: Path) -> Path:
    path = folder / f"made{adapter.suffixes[0]}"
    with _doing(who, "blank"):
        meta = adapter.blank()
    _write(who, adapter, Sample(_random(adapter.spec, 1)[0], meta), path)
    return path


def _read(who: str, adapter: Adapter, path: Path) -> Sample:
    with _doing(who, f"read of a {path.suffix} file"):
        return adapter.read(path)


def _write(who: str, adapter: Adapter, sample: Sample, path: Path) -> None:
    before = set(path.parent.iterdir())
    with _doing(who, f"write of a {path.suffix} file"):
        adapter.write(sample, path)
    _need(path.is_file(), who, f"write made no file {path.name}")
    stray = sorted(found.name for found in set(path.parent.iterdir()) - before - {path})
    _need(not stray, who, f"write left {', '.join(stray)} beside its file")


def _check_sample(who: str, spec: Spec, sample: Any) -> None:
    _need(isinstance(sample, Sample), who, f"read gives a {type(sample).__name__}, not a musicae.core.Sample")
    tensor = sample.tensor
    _need(isinstance(tensor, Tensor), who, f"read gives a {type(tensor).__name__} for a tensor")
    _need(tensor.dtype == torch.float32, who, f"read gives {tensor.dtype}, not torch.float32")
    wanted = (*spec.full_shape[:-1], "L")
    fits = tensor.ndim == len(wanted) and tuple(tensor.shape[:-1]) == wanted[:-1] and tensor.shape[-1] > 0
    _need(fits, who, f"read gives {_shape(tensor)}; its spec says ({', '.join(map(str, wanted))}), L over 0")
    _check_values(who, "what read gives", tensor, spec, 0)
    _need(isinstance(sample.meta, dict), who, f"read gives a {type(sample.meta).__name__} for meta, not a dict")
    hop, size = sample.hop, spec.shape[-1]
    _need(hop is None or 0 < hop <= size, who, f"read gives a hop of {hop}; it must be 1 .. {size} or None")
    good = all(isinstance(line, str) and "\n" not in line for line in sample.remarks)
    _need(good, who, "remarks must be strings of one line each")


def _check_round_trip(who: str, adapter: Adapter, sample: Sample, folder: Path, suffix: str, tolerance: float) -> None:
    kept = sample.tensor.clone()
    path = folder / f"again{suffix}"
    _write(who, adapter, sample, path)
    _need(torch.equal(kept, sample.tensor), who, "write changes the tensor it is given")
    again = _read(who, adapter, path)
    _check_sample(who, adapter.spec, again)
    same = again.tensor.shape == kept.shape
    _need(same, who, f"what is written as {_shape(kept)} is read back as {_shape(again.tensor)}")
    worst = (again.tensor - kept).abs().max().item()
    _need(worst <= tolerance, who, f"what is written is not what is read back: a value differs by {worst:.3g}")


def _check_parts(who: str, adapter: Adapter, sample: Sample, folder: Path, suffix: str) -> None:
    """Check `blank`, `mix` and `concat`: their results can be written, and nothing given is changed."""
    with _doing(who, "blank"):
        blank = adapter.blank()
    with _doing(who, "mix"):
        mixed = adapter.mix([sample.meta, blank], [0.25, 0.75])
    for what, meta in (("blank", blank), ("mix", mixed)):
        _need(isinstance(meta, dict), who, f"{what} gives a {type(meta).__name__}, not a dict")
        with _doing(who, f"with the meta of {what}, write"):
            adapter.write(Sample(sample.tensor, meta), folder / f"{what}{suffix}")
    length = sample.tensor.shape[-1]
    with _doing(who, "concat"):
        joined = adapter.concat([sample, sample])
    _check_sample(who, adapter.spec, joined)
    _need(sample.tensor.shape[-1] == length, who, "concat changes the samples it is given")
    wanted = torch.cat([sample.tensor, sample.tensor], dim=-1)
    _need(torch.equal(joined.tensor, wanted), who, "concat does not put the tensors one after another")
    with _doing(who, "with the sample of concat, write"):
        adapter.write(joined, folder / f"concat{suffix}")


def _check_refusals(who: str, adapter: Adapter, sample: Sample, folder: Path, suffix: str) -> None:
    """Check that what cannot be read or written is refused in one line."""
    empty, file = folder / f"empty{suffix}", folder / "file"
    empty.touch()
    file.touch()
    _check_refusal(who, "read of a missing file", lambda: adapter.read(folder / f"missing{suffix}"))
    _check_refusal(who, "read of an empty file", lambda: adapter.read(empty))
    _check_refusal(who, "write into a folder that is none", lambda: adapter.write(sample, file / f"x{suffix}"))


def _check_refusal(who: str, what: str, attempt: Callable[[], Any]) -> None:
    try:
        attempt()
    except MusicaeError as error:
        _need("\n" not in str(error), who, f"{what} is refused in more than one line")
        return
    except Exception as error:
        raise MusicaeError(f"{who}: {what} raised {type(error).__name__}, not MusicaeError") from error
    raise MusicaeError(f"{who}: {what} raised nothing; it must raise MusicaeError")


def _check_windows(who: str, adapter: Adapter, sample: Sample) -> None:
    """Check `augment` and `canonical` on the windows of `sample`."""
    spec = adapter.spec
    whole = sample.tensor.shape[-1] // spec.shape[-1] * spec.shape[-1]
    batch = windows.split(sample.tensor[..., :whole], spec.shape[-1]) if whole else _random(spec, _BATCH)
    kept = batch.clone()
    with _doing(who, "augment"):
        one = adapter.augment(batch, torch.Generator().manual_seed(1))
        two = adapter.augment(batch, torch.Generator().manual_seed(1))
    good = isinstance(one, Tensor) and one.shape == kept.shape and one.dtype == kept.dtype
    _need(good, who, f"augment turns {_shape(kept)} float32 into {_shape(one)}")
    _need(torch.equal(batch, kept), who, "augment changes the batch it is given")
    _need(torch.equal(one, two), who, "augment draws from elsewhere than its generator")
    _check_values(who, "what augment gives", one, spec, 1)
    data = _likelihood(spec).pack(kept)
    with _doing(who, "canonical"):
        plain = adapter.canonical(data)
    good = isinstance(plain, Tensor) and plain.shape == data.shape
    _need(good, who, f"canonical turns {_shape(data)} into {_shape(plain)}")
    with _doing(who, "canonical"):
        twice = adapter.canonical(plain)
    _need(torch.equal(plain, twice), who, "canonical changes what is canonical already")


def _build(who: str, factory: Any, spec: Spec) -> Any:
    with _doing(who, f"building it for {spec}"):
        return factory(spec)


def _check_tensor(who: str, what: str, tensor: Any, shape: tuple[int, ...]) -> None:
    _need(isinstance(tensor, Tensor), who, f"{what} gives a {type(tensor).__name__}, not a tensor")
    _need(tuple(tensor.shape) == shape, who, f"{what} gives {_shape(tensor)}, not {shape}")
    _need(tensor.is_floating_point(), who, f"{what} gives {tensor.dtype}, not a floating-point type")
    _need(bool(tensor.isfinite().all()), who, f"{what} gives values that are not finite")


def _condition(model: Model, spec: Spec, n: int) -> Tensor | None:
    """Return a condition for `n` windows, the same every time, of a model that takes one."""
    told = model.condition
    if told is None:
        return None
    if told.classes:
        return nn.functional.one_hot(torch.arange(n) % told.channels, told.channels).float()
    shape = (n, told.channels, spec.shape[-1]) if told.along else (n, told.channels)
    return torch.rand(shape, generator=torch.Generator().manual_seed(n))


def _check_gradients(who: str, model: Model, spec: Spec, x: Tensor) -> None:
    """Check that a training step's loss reaches every parameter."""
    model.train()
    model.zero_grad()
    rng = torch.Generator().manual_seed(0)
    with _doing(who, "forward"):
        params, latent = model(x, x, _condition(model, spec, len(x)), rng)
    _check_latent(who, "forward", model, latent, len(x))
    _check_tensor(who, "forward", params, (len(x), *spec.full_shape))
    loss = _likelihood(spec).nll(params, x).sum() + latent.kl().sum()
    with _doing(who, "penalty"):
        penalty = model.penalty(latent, rng)
    loss = loss if penalty is None else loss + penalty
    with _doing(who, "the gradient of its loss"):
        loss.backward()
    weights = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    _need(weights, who, "has no parameter to train")
    for name, weight in weights:
        if weight.grad is None:
            raise MusicaeError(f"{who}: no gradient of the loss reaches the parameter '{name}'")
        _need(math.isfinite(float(weight.grad.norm())), who, f"the gradient of '{name}' is not finite")
    model.zero_grad()


def _check_code(who: str, model: Model, spec: Spec, x: Tensor) -> Tensor:
    """Return the code of `x`, or an empty one where the model has none and says so."""
    cond = _condition(model, spec, len(x))
    if not model.latent_size:
        _check_refusal(who, "encode of a model without a code", lambda: model.encode(x, cond))
        return x.new_zeros(len(x), 0)
    first = None if cond is None else cond[:1]
    mean, again, alone = (_encode(who, model, *part).mean for part in ((x, cond), (x, cond), (x[:1], first)))
    _need(torch.equal(mean, again), who, "encode gives another code the second time, in eval mode")
    _need(_near(alone, mean[:1]), who, "the code of an example depends on the others of its batch, in eval mode")
    return mean


def _check_outputs(who: str, model: Model, spec: Spec, z: Tensor, x: Tensor) -> None:
    """Check what the model gives: its shape, that it repeats, and that examples stand alone."""
    likelihood, cond = _likelihood(spec), _condition(model, spec, len(x))

    def told(n: int) -> Tensor | None:
        return None if cond is None else cond[:n]

    calls: list[tuple[str, Callable[[int], Any]]]
    if model.restores:
        calls = [
            ("restore", lambda n: model.restore(x[:n], told(n))),
            ("the mode of restore", lambda n: likelihood.mode(model.restore(x[:n], told(n)))),
        ]
    else:
        calls = [
            ("params", lambda n: model.params(z[:n], x[:n], told(n))),
            ("decode", lambda n: model.decode(z[:n], likelihood.mode, told(n))),
        ]
    for what, call in calls:
        with _doing(who, what):
            out, again, alone = call(len(x)), call(len(x)), call(1)
        _check_tensor(who, what, out, (len(x), *spec.full_shape))
        _check_tensor(who, f"{what} of one example", alone, (1, *spec.full_shape))
        _need(torch.equal(out, again), who, f"{what} gives other values the second time, in eval mode")
        _need(_near(alone, out[:1]), who, f"what {what} gives for an example depends on the others of its batch")
    _check_values(who, "what decode gives", out, spec, 1)
    if model.streams:
        _check_stream(who, model, spec)


def _check_stream(who: str, model: Model, spec: Spec) -> None:
    """Check that blocks give what all of them together give, and that the state is tensors."""
    grain = model.multiple
    x = torch.randn(1, spec.channels, 3 * grain, generator=torch.Generator().manual_seed(0))
    state = model.initial_state(1)
    tensors = isinstance(state, tuple) and all(isinstance(one, Tensor) for one in state)
    _need(tensors, who, "initial_state must give a tuple of tensors")
    with _doing(who, "stream"):
        whole, _ = model.stream(x, state)
        parts = []
        for block in torch.split(x, grain, dim=-1):
            part, state = model.stream(block, state)
            parts.append(part)
    _check_tensor(who, "stream", whole, tuple(x.shape))
    _need(_near(torch.cat(parts, -1), whole), who, "stream gives other values block by block than at once")


def _encode(who: str, model: Model, x: Tensor, cond: Tensor | None) -> Latent:
    with _doing(who, "encode"):
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


def _near(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-3, atol=1e-4)


def _check_state(who: str, model: Model, other: Model, spec: Spec, x: Tensor) -> None:
    """Check that `other`, loaded with the state of `model`, is the same model."""
    with _doing(who, "loading its saved state into another"):
        other.load_state_dict({name: tensor.clone() for name, tensor in model.state_dict().items()})
    other.eval()
    cond = _condition(model, spec, len(x))
    (one, code), (again, its) = (each(x, x, cond, torch.Generator().manual_seed(0)) for each in (model, other))
    same = torch.equal(one, again) and torch.equal(code.mean, its.mean)
    _need(same, who, "its state_dict is not all of its state: a copy loaded from it gives other values")
