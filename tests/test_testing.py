from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from musicae_toy.adapter import Toy
from musicae_toy.model import Linear
from torch import Tensor, nn

from musicae import registry
from musicae.core import Latent, Sample, Spec
from musicae.errors import MusicaeError
from musicae.testing import check_adapter, check_model

SPECS = [Spec(7, (16,), "categorical"), Spec(3, (32,), "gaussian"), Spec(1, (16, 16), "bernoulli")]


@pytest.mark.parametrize("name", list(registry.BUILT_IN["adapters"]))
def test_our_adapters_keep_their_promises(name: str) -> None:
    lost = {"mel": 2.0}  # A phase that is found does not fit a spectrogram that no sound has.
    check_adapter(registry.build("adapters", name), tolerance=lost.get(name, 1e-4))


def test_an_adapter_is_checked_on_a_given_file(tmp_path: Path) -> None:
    path = tmp_path / "some.toy"
    path.write_text("10101\n")
    check_adapter(Toy(), path)
    assert path.read_text() == "10101\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("name", [name for name in registry.BUILT_IN["models"] if name != "stack"])  # test_stack.py
def test_our_models_keep_their_promises(name: str, spec: Spec) -> None:
    if name == "lm" and len(spec.shape) > 1:
        with pytest.raises(MusicaeError, match="'lm' takes sequences"):
            registry.build("models", name, spec)
        return
    if name in ("band-extension", "column-vae", "dual-path", "mdct-vae"):  # Proved in tests of their own.
        with pytest.raises(
            MusicaeError, match=r"takes one channel of samples|takes windows of two axes|must divide 16"
        ):
            registry.build("models", name, spec)
        return
    check_model(partial(registry.build, "models", name), spec)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_a_plugins_model_is_checked_built_or_not(spec: Spec) -> None:
    check_model(Linear, spec)
    built = Linear(spec).eval()
    check_model(built, spec)
    assert not built.training
    assert all(weight.grad is None for weight in built.parameters())


def changed(kind: type, **members: Any) -> Any:
    """Return a class like `kind` with some members replaced."""
    return type(f"Broken{kind.__name__}", (kind,), members)


def _write_carelessly(self: Any, sample: Sample, path: Path) -> None:
    path.write_text("".join(str(int(value)) for value in sample.tensor[0]))
    path.with_suffix(".bak").touch()


def _read_anything(self: Any, path: Path) -> Sample:
    text = path.read_text() if path.is_file() else ""
    return Sample(torch.tensor([[float(digit) for digit in text.strip() or "0"]]))


def _reading(change: Callable[[Sample], Any]) -> Callable[..., Any]:
    return lambda self, path: change(Toy().read(path))


def _in_place(batch: Tensor) -> Tensor:
    return batch.mul_(0)


BROKEN_ADAPTERS = [
    ({"mix": None}, "mix raised TypeError"),
    ({"suffixes": ()}, r"suffixes must be a tuple of file endings, not \(\)"),
    ({"suffixes": ("toy",)}, "the suffix 'toy' must be lower case and start with a dot"),
    ({"spec": None}, "spec must be a musicae.core.Spec, not None"),
    ({"spec": Spec(0, (16,), "bernoulli")}, "spec has 0 channels"),
    (
        {"spec": Spec(1, (), "bernoulli")},
        r"spec's shape must be a tuple of whole numbers over 0, not \(\)",
    ),
    (
        {"spec": Spec(1, (16,), "bernouli")},
        "spec names the likelihood 'bernouli'; choose from bernoulli, ",
    ),
    ({"read": _reading(lambda s: s.tensor)}, "read gives a Tensor, not a musicae.core.Sample"),
    ({"read": _reading(lambda s: Sample(s.tensor.double()))}, "read gives torch.float64, not torch.float32"),
    ({"read": _reading(lambda s: Sample(s.tensor[0]))}, r"read gives \(16,\); its spec says \(1, L\), L over 0"),
    ({"read": _reading(lambda s: Sample(s.tensor * 2))}, "what read gives has values outside 0 .. 1"),
    ({"read": _reading(lambda s: Sample(s.tensor / 0))}, "what read gives has values that are not finite"),
    ({"read": _reading(lambda s: Sample(s.tensor, hop=17))}, "read gives a hop of 17; it must be 1 .. 16 or None"),
    ({"read": _reading(lambda s: Sample(s.tensor, remarks=["a\nb"]))}, "remarks must be strings of one line each"),
    ({"read": _reading(lambda s: Sample(s.tensor, meta=None))}, "read gives a NoneType for meta, not a dict"),
    ({"read": _reading(lambda s: 1 / 0)}, "read of a .toy file raised ZeroDivisionError: division by zero"),
    ({"read": _reading(lambda s: Sample(s.tensor.flip(-1)))}, "what is written is not what is read back"),
    ({"read": _reading(lambda s: Sample(s.tensor[:, 1:]))}, r"written as \(1, 15\) is read back as \(1, 14\)"),
    ({"read": _read_anything}, "read of a missing file raised nothing; it must raise MusicaeError"),
    ({"write": lambda self, sample, path: None}, "write made no file made.toy"),
    ({"write": _write_carelessly}, "write left made.bak beside its file"),
    ({"blank": lambda self: []}, r"blank gives a list, not a dict"),
    ({"mix": lambda self, metas, weights: None}, "mix gives a NoneType, not a dict"),
    ({"mix": lambda self, metas: {}}, "mix raised TypeError"),
    ({"concat": lambda self, parts: parts[0]}, "concat does not put the tensors one after another"),
    ({"augment": lambda self, batch, rng: batch[:, :, 1:]}, r"augment turns \(1, 1, 16\) float32 into \(1, 1, 15\)"),
    ({"augment": lambda self, batch, rng: None}, "augment turns .* into a NoneType"),
    ({"augment": lambda self, batch, rng: _in_place(batch)}, "augment changes the batch it is given"),
    ({"augment": lambda self, batch, rng: torch.rand_like(batch)}, "augment draws from elsewhere than its generator"),
    ({"augment": lambda self, batch, rng: batch + 1}, "what augment gives has values outside 0 .. 1"),
    ({"canonical": lambda self, data: data[:0]}, r"canonical turns \(1, 1, 16\) into \(0, 1, 16\)"),
    ({"canonical": lambda self, data: data.roll(1, -1)}, "canonical changes what is canonical already"),
]


@pytest.mark.parametrize(
    ("members", "line"), BROKEN_ADAPTERS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_broken_adapter_is_told_in_one_line(members: dict[str, Any], line: str) -> None:
    with pytest.raises(MusicaeError, match=f"^BrokenToy: .*{line}") as error:
        check_adapter(changed(Toy, **members)())
    assert "\n" not in str(error.value)


def test_a_refusal_must_be_one_line_and_a_musicae_error(tmp_path: Path) -> None:
    class Chatty(Toy):
        def read(self, file: Any, **options: Any) -> Sample:
            if not file.is_file():
                raise MusicaeError("two\nlines")
            return super().read(file)

    class Bare(Toy):
        def read(self, file: Any, **options: Any) -> Sample:
            file.stat()
            return super().read(file)

    with pytest.raises(MusicaeError, match="Chatty: read of a missing file is refused in more than one line"):
        check_adapter(Chatty())
    with pytest.raises(MusicaeError, match="Bare: read of a missing file raised FileNotFoundError, not MusicaeError"):
        check_adapter(Bare())


def test_one_hot_values_are_checked() -> None:
    class Soft(Toy):
        spec = Spec(2, (16,), "categorical")

        def read(self, file: Any, **options: Any) -> Sample:
            return Sample(super().read(file).tensor.expand(2, -1) / 2)

    with pytest.raises(MusicaeError, match="Soft: what read gives is not one-hot over its 2 channels"):
        check_adapter(Soft())


class Hidden(Linear):
    """Keeps a random matrix out of its state."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.secret = torch.randn(self.latent_size)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        return Latent(super().encode(x).mean * self.secret)


class Unused(Linear):
    """Has a layer that nothing uses."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.spare = nn.Linear(2, 2)


class Codeless(Linear):
    """Has no code, and does not say so."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.latent_size = 0
        self.encoder, self.decoder = nn.Linear(1, 1), nn.Linear(1, 1)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        return Latent(x.new_zeros(len(x), 0))

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        return self.decoder(self.encoder(x.unsqueeze(-1))).squeeze(-1)


def _mean(self: Any, x: Tensor, change: Callable[[Tensor], Tensor]) -> Latent:
    return Latent(change(Linear.encode(self, x).mean))


def _out(self: Any, z: Tensor) -> Tensor:
    return self.decoder(z).unflatten(1, self.shape)


BROKEN_MODELS = [
    (lambda spec: 3, "must be a subclass of musicae.core.Model, not int"),
    (lambda spec: nn.Linear(1, 1), "must be a subclass of musicae.core.Model, not Linear"),
    (lambda spec: 1 / 0, "building it for Spec.* raised ZeroDivisionError"),
    (changed(Linear, encode=None), "forward raised TypeError"),
    (
        changed(Linear, latent_size=property(lambda self: -1, lambda self, _: None)),
        "latent_size must be a whole number",
    ),
    (changed(Linear, encode=lambda self, x, cond=None: x), "forward raised AttributeError"),
    (
        changed(Linear, encode=lambda self, x, cond=None: _mean(self, x, lambda m: m[:, 1:])),
        "forward raised RuntimeError",
    ),
    (
        changed(Linear, encode=lambda self, x, cond=None: Latent(Linear.encode(self, x).mean, x.new_zeros(4))),
        r"forward raised RuntimeError|the logvar of forward gives \(4,\), not \(4, 8\)",
    ),
    (changed(Linear, encode=lambda self, x, cond=None: _mean(self, x, Tensor.long)), "forward raised RuntimeError"),
    (changed(Linear, encode=lambda self, x, cond=None: _mean(self, x, lambda m: m / 0)), "values that are not finite"),
    (
        changed(Linear, encode=lambda self, x, cond=None: _mean(self, x, Tensor.detach)),
        "no gradient of the loss reaches the parameter 'encoder.weight'",
    ),
    (Unused, "no gradient of the loss reaches the parameter 'spare.weight'"),
    (
        changed(Linear, encode=lambda self, x, cond=None: _mean(self, x, lambda m: m + torch.rand_like(m))),
        "encode gives another code the second time, in eval mode",
    ),
    (
        changed(Linear, encode=lambda self, x, cond=None: _mean(self, x, lambda m: m - m.mean(0))),
        "the code of an example depends on the others of its batch",
    ),
    (
        changed(Linear, params=lambda self, z, x=None, cond=None: _out(self, z)[:, :, 1:]),
        r"forward gives \(4, 7, 15\), not \(4, 7, 16\)",
    ),
    (changed(Linear, params=lambda self, z: z), "forward raised TypeError"),
    (changed(Linear, decode=lambda self, z, choose, cond=None: _out(self, z)), "what decode gives is not one-hot"),
    (
        changed(Linear, decode=lambda self, z, choose, cond=None: choose(torch.rand_like(_out(self, z)))),
        "decode gives other values the second time, in eval mode",
    ),
    (
        changed(Linear, params=lambda self, z, x=None, cond=None: _out(self, z - z.mean(0))),
        "what params gives for an example depends on the others of its batch",
    ),
    (Hidden, "its state_dict is not all of its state"),
    (Codeless, "encode of a model without a code raised nothing; it must raise MusicaeError"),
]


@pytest.mark.parametrize(("factory", "line"), BROKEN_MODELS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_broken_model_is_told_in_one_line(factory: Any, line: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(MusicaeError, match=line) as error:
        check_model(factory, SPECS[0])
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{factory.__name__}: ")


def test_a_model_with_nothing_to_train_is_told() -> None:
    built = Linear(SPECS[1]).requires_grad_(False)
    with pytest.raises(MusicaeError, match="Linear: the gradient of its loss raised RuntimeError"):
        check_model(built, SPECS[1])


def test_a_wrong_spec_is_told() -> None:
    with pytest.raises(MusicaeError, match="Linear: spec must be a musicae\\.core\\.Spec, not None"):
        check_model(Linear, None)  # type: ignore[arg-type]
