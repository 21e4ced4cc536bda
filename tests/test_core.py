"""The contract's own behaviour: values, and what a part does that overrides nothing."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from musicae import core
from musicae.core import Adapter, Candidate, Corruption, Latent, Likelihood, Model, Sample, Spec, Windows
from musicae.errors import MusicaeError


class Plain(Adapter):
    """As little as an adapter can be."""

    suffixes = (".plain",)
    spec = Spec(1, (4,), "gaussian")

    def read(self, file: core.File, **options: Any) -> Sample:
        return Sample(torch.zeros(1, 4))

    def write(self, sample: Sample, file: core.File) -> None:
        pass

    def blank(self) -> dict[str, Any]:
        return {}

    def mix(self, metas: Any, weights: Any) -> dict[str, Any]:
        return {}

    def concat(self, parts: Any) -> Sample:
        return parts[0]


def test_an_adapters_defaults(tmp_path: Path) -> None:
    adapter, x = Plain(), torch.tensor([[[0.0, 1, 0, 1]]])
    assert Plain.sniff(b"", Path("a.PLAIN")) == 0.5
    assert Plain.sniff(b"", Path("a.other")) == 0
    candidates = [Candidate(name, {}, "", lambda samples, rate: samples) for name in "ab"]
    assert Plain.select(Path("a.plain"), candidates).name == "a"
    assert torch.equal(adapter.augment(x, torch.Generator()), x)
    assert torch.equal(adapter.canonical(x), x)
    assert torch.equal(adapter.onsets(x), x)
    assert adapter.sounding(x).tolist() == [[False, True, False, True]]
    assert adapter.rolls(Sample(x[0])) == []
    assert adapter.picture(x[0]) is None
    assert torch.equal(adapter.round_trip(x), x)
    assert (adapter.sample_rate, adapter.steps_per_second, adapter.default_align, adapter.any_size) == (
        0, 0, "loop", False,
    )  # fmt: skip
    assert adapter.free_settings == ()
    with pytest.raises(MusicaeError, match="has no sound"):
        adapter.render(Sample(x[0]), tmp_path / "a.wav")
    with pytest.raises(MusicaeError, match="use it with the adapter 'audio'"):
        adapter.blocks(tmp_path / "a.plain")


def test_a_model_says_what_it_cannot() -> None:
    class Bare(Model):
        why_no_code = "a bare model has no code; use another"

    model, x = Bare(), torch.zeros(2, 1, 4)
    for call in (lambda: model.encode(x), lambda: model.params(x), lambda: model.decode(x, lambda p: p)):
        with pytest.raises(MusicaeError, match="a bare model has no code; use another"):
            call()
    with pytest.raises(MusicaeError, match="this model cannot restore"):
        model.restore(x)
    with pytest.raises(MusicaeError, match="cannot work on streams"):
        model.stream(x, model.initial_state())
    assert model.penalty(Latent.none(x), torch.Generator()) is None
    assert (model.condition, model.init_samples, model.restores, model.streams, model.multiple) == (
        None, 0, False, False, 1,
    )  # fmt: skip


def test_one_forward_draws_a_code_and_gives_the_parameters() -> None:
    class Gauss(Model):
        latent_size = 4

        def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
            return Latent(x.flatten(1), torch.zeros(len(x), 4))

        def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
            return z[:, None]

    model, x = Gauss(), torch.ones(2, 1, 4)
    params, latent = model(x, x, None, torch.Generator().manual_seed(0))
    again, _ = model(x, x, None, torch.Generator().manual_seed(0))
    assert torch.equal(params, again)
    assert not torch.equal(params, x)
    assert torch.equal(latent.mean, x.flatten(1))
    assert torch.equal(model.decode(latent.mean, lambda p: p + 1), x + 1)


def test_a_corruption_that_only_corrupts() -> None:
    class Zero(Corruption):
        def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
            return 0 * batch

    zero, x = Zero(), torch.ones(1, 1, 4)
    assert zero.factor == 1
    zero.feed(Windows(x, torch.zeros(1), 1), None)
    for call in (zero.reduce, zero.enlarge):
        with pytest.raises(MusicaeError, match="does not reduce"):
            call(x)


def test_distances_of_discrete_and_of_real_values() -> None:
    class Real(Likelihood):
        def nll(self, params: Tensor, target: Tensor) -> Tensor:
            return torch.zeros(len(params))

        def mode(self, params: Tensor) -> Tensor:
            return params

        def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
            return params

    class Discrete(Real):
        discrete = True

    hits = torch.tensor([[[1.0, 0, 0, 0], [1, 0, 0, 1]]])
    assert Discrete().distance(hits, torch.zeros(1, 2, 4)).tolist() == [0.5]
    assert Real().distance(torch.full((2, 1, 3), 3.0), torch.zeros(2, 1, 3)).tolist() == [3, 3]
    assert Discrete().pack(hits).dtype == torch.bool
    assert Real().pack(hits) is hits
    assert Real().bind(Spec(2, (4,), "gaussian")).free_values(2) == 2
    assert Real().blank(3).tolist() == [0, 0, 0]
    assert Real().flaw(hits, 1) == ""
    assert Real().nll_parts(hits, hits) == {}


def test_every_public_member_of_the_contract_says_what_it_is() -> None:
    for name in ("Adapter", "Model", "Prior", "Likelihood", "Corruption"):
        part = vars(core)[name]
        for member, value in vars(part).items():
            if not member.startswith("_") and inspect.isroutine(value):
                assert inspect.getdoc(value), f"{name}.{member}"
