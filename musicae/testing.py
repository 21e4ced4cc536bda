"""Proof, in one line, that an adapter or a model keeps the promises of `musicae.core`.

For the tests of those who write plugins::

    check_adapter(MyAdapter(), Path("tests/data/example.ext"))
    check_model(my_model, MyAdapter().spec)

Both return nothing, or raise MusicaeError with one line that names the promise that is broken.
What a part raises by itself is reported in the same way, its traceback kept as the cause.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import registry, windows
from .core import Adapter, Autoencoder, Latent, Restorer, Sample, Spec
from .errors import MusicaeError

__all__ = ["check_adapter", "check_model"]

_METHODS = ("read", "write", "blank", "mix", "concat", "augment", "canonical")
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
    for name in _METHODS:
        _need(callable(getattr(adapter, name, None)), who, f"has no method '{name}'")
    _check_suffixes(who, getattr(adapter, "suffixes", None))
    _check_spec(who, getattr(adapter, "spec", None))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = path or _make_file(who, adapter, folder)
        sample = _read(who, adapter, source)
        _check_sample(who, adapter.spec, sample)
        _check_round_trip(who, adapter, sample, folder, source.suffix, tolerance)
        _check_parts(who, adapter, sample, folder, source.suffix)
        _check_refusals(who, adapter, sample, folder, source.suffix)
    _check_windows(who, adapter, sample)


def check_model(model: Autoencoder | Callable[..., Any], spec: Spec) -> None:
    """Prove that a model keeps the promises of `musicae.core.Autoencoder` for windows like `spec`.

    Parameters
    ----------
    model : a built model, or better its factory, called as ``model(spec)``: only then can its
        saved state be proved to be all of it. Settings go in with `functools.partial`.
    spec : the windows to try, batches of which are made up.

    Raises
    ------
    MusicaeError : the first promise that is broken, in one line.
    """
    who = model.__class__.__name__ if isinstance(model, nn.Module) else _name_of(model)
    _check_spec(who, spec)
    built = model if isinstance(model, nn.Module) else _build(who, model, spec)
    _need(isinstance(built, nn.Module), who, f"makes a {type(built).__name__}, not a torch.nn.Module")
    for name in ("encode", "params", "decode"):
        _need(callable(getattr(built, name, None)), who, f"has no method '{name}'")
    size = getattr(built, "latent_size", None)
    _need(isinstance(size, int) and size >= 0, who, f"latent_size must be a whole number of 0 or more, not {size!r}")
    x = _random(spec, _BATCH)
    was_training = built.training
    _check_gradients(who, built, spec, x)
    built.eval()
    with torch.no_grad():
        z = _check_code(who, built, x)
        _check_outputs(who, built, spec, z, x)
        if built is not model:
            _check_state(who, built, _build(who, model, spec), z, x)
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
    return str(getattr(getattr(factory, "func", factory), "__name__", type(factory).__name__))


def _shape(tensor: Any) -> str:
    return str(tuple(tensor.shape)) if isinstance(tensor, Tensor) else f"a {type(tensor).__name__}"


def _check_suffixes(who: str, suffixes: Any) -> None:
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


def _random(spec: Spec, n: int) -> Tensor:
    """Return `n` windows ``(n, C, *S)`` such as the likelihood of `spec` could draw, the same every time."""
    rng = torch.Generator().manual_seed(n)
    if spec.likelihood == "categorical":
        classes = torch.randint(spec.channels, (n, *spec.shape), generator=rng)
        return nn.functional.one_hot(classes, spec.channels).movedim(-1, 1).float()
    values = torch.randn(n, *spec.full_shape, generator=rng)
    return (values > 0).float() if spec.likelihood == "bernoulli" else values


def _check_values(who: str, what: str, values: Tensor, spec: Spec, axis: int) -> None:
    """Check that `values`, with their channels at `axis`, are such as the likelihood of `spec` knows."""
    _need(bool(values.isfinite().all()), who, f"{what} has values that are not finite")
    if spec.likelihood == "categorical":
        one_hot = bool(((values == 0) | (values == 1)).all()) and bool((values.sum(axis) == 1).all())
        _need(one_hot, who, f"{what} is not one-hot over its {spec.channels} channels, as 'categorical' needs")
    if spec.likelihood == "bernoulli":
        _need(bool(((values >= 0) & (values <= 1)).all()), who, f"{what} has values outside 0 .. 1")


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
    _need(good, who, f"augment turns {_shape(kept)} float32 into {_shape(one)} {getattr(one, 'dtype', '')}".rstrip())
    _need(torch.equal(batch, kept), who, "augment changes the batch it is given")
    _need(torch.equal(one, two), who, "augment draws from elsewhere than its generator")
    _check_values(who, "what augment gives", one, spec, 1)
    data = kept.argmax(1) if spec.likelihood == "categorical" else kept
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


def _encode(who: str, model: Any, x: Tensor) -> Latent:
    with _doing(who, "encode"):
        latent = model.encode(x)
    if not isinstance(latent, Latent):
        raise MusicaeError(f"{who}: encode gives a {type(latent).__name__}, not a musicae.core.Latent")
    shape = (len(x), model.latent_size)
    _check_tensor(who, "the mean of encode", latent.mean, shape)
    if latent.logvar is not None:
        _check_tensor(who, "the logvar of encode", latent.logvar, shape)
    return latent


def _check_gradients(who: str, model: Any, spec: Spec, x: Tensor) -> None:
    """Check that a training step's loss reaches every parameter."""
    model.train()
    model.zero_grad()
    loss = torch.zeros(())
    z = x.new_zeros(len(x), 0)
    if model.latent_size:
        latent = _encode(who, model, x)
        z = latent.sample(torch.Generator().manual_seed(0))
        loss = loss + latent.kl().sum()
        if (penalty := getattr(model, "penalty", None)) is not None:
            with _doing(who, "penalty"):
                loss = loss + penalty(latent, torch.Generator().manual_seed(0))
    what = _what_gives_params(model)
    with _doing(who, what):
        params = _params(model, z, x)
    _check_tensor(who, what, params, (len(x), *spec.full_shape))
    nll = registry.build("likelihoods", spec.likelihood).nll(params, x)
    loss = loss + nll.sum()
    with _doing(who, "the gradient of its loss"):
        loss.backward()
    weights = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    _need(weights, who, "has no parameter to train")
    for name, weight in weights:
        _need(weight.grad is not None, who, f"no gradient of the loss reaches the parameter '{name}'")
        _need(math.isfinite(float(weight.grad.norm())), who, f"the gradient of '{name}' is not finite")
    model.zero_grad()


def _check_code(who: str, model: Any, x: Tensor) -> Tensor:
    """Return the code of `x`, or an empty one where the model has none and says so."""
    if not model.latent_size:
        _check_refusal(who, "encode of a model without a code", lambda: model.encode(x))
        return x.new_zeros(len(x), 0)
    mean, again, alone = (_encode(who, model, part).mean for part in (x, x, x[:1]))
    _need(torch.equal(mean, again), who, "encode gives another code the second time, in eval mode")
    _need(_near(alone, mean[:1]), who, "the code of an example depends on the others of its batch, in eval mode")
    return mean


def _check_outputs(who: str, model: Any, spec: Spec, z: Tensor, x: Tensor) -> None:
    """Check `params` and `decode`: their shapes, that they repeat, and that examples stand alone."""
    likelihood = registry.build("likelihoods", spec.likelihood)
    calls: list[tuple[str, Callable[[int], Any]]] = [
        (_what_gives_params(model), lambda n: _params(model, z[:n], x[:n])),
        ("decode", lambda n: model.decode(z[:n], likelihood.mode)),
    ]
    if isinstance(model, Restorer):
        calls[1] = ("the mode of restore", lambda n: likelihood.mode(model.restore(x[:n])))
    for what, call in calls:
        with _doing(who, what):
            out, again, alone = call(len(x)), call(len(x)), call(1)
        _check_tensor(who, what, out, (len(x), *spec.full_shape))
        _check_tensor(who, f"{what} of one example", alone, (1, *spec.full_shape))
        _need(torch.equal(out, again), who, f"{what} gives other values the second time, in eval mode")
        _need(_near(alone, out[:1]), who, f"what {what} gives for an example depends on the others of its batch")
    _check_values(who, "what decode gives", out, spec, 1)


def _what_gives_params(model: Any) -> str:
    return "restore" if isinstance(model, Restorer) else "params"


def _params(model: Any, z: Tensor, x: Tensor) -> Any:
    return model.restore(x) if isinstance(model, Restorer) else model.params(z, x)


def _near(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-3, atol=1e-4)


def _check_state(who: str, model: Any, other: Any, z: Tensor, x: Tensor) -> None:
    """Check that `other`, loaded with the state of `model`, is the same model."""
    with _doing(who, "loading its saved state into another"):
        other.load_state_dict({name: tensor.clone() for name, tensor in model.state_dict().items()})
    other.eval()
    same = torch.equal(_params(model, z, x), _params(other, z, x))
    if model.latent_size:
        same = same and torch.equal(model.encode(x).mean, other.encode(x).mean)
    _need(same, who, "its state_dict is not all of its state: a copy loaded from it gives other values")
