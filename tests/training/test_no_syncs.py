"""On a GPU no step may wait for a number: the host would stand still until the device has done all before it.

Tensors on the meta device have shapes but no numbers: whoever asks for one, as by ``.item()``, gets an error.
"""

from contextlib import nullcontext

import pytest
import torch

from musicae import codec as codecs
from musicae import preset as presets
from musicae.training.log import Means
from musicae.training.objective import Objective
from musicae.training.optimizers import make_optimizers, set_learning_rate
from musicae.training.options import TrainingOptions
from musicae.training.state import TrainingState

META = torch.device("meta")


FRAMES = 8  # Of a sound: a recurrent network takes them one by one.


def one_for_each_model() -> list[str]:
    chosen: dict[str, str] = {}
    for name in presets.listed():
        chosen.setdefault(presets.load(name).sections["model"]["name"], name)
    return sorted(chosen.values())


@pytest.mark.parametrize("name", one_for_each_model())
def test_a_step_asks_for_no_number(name, monkeypatch):
    monkeypatch.setattr(torch, "autocast", lambda *args, **settings: nullcontext())  # It does not know the meta device.
    hop = presets.load(name).sections["model"].get("hop_length")
    recipe = presets.load(name, [f"adapter.size={FRAMES * hop}"] if hop else [])
    codec = codecs.build(presets.resolve(recipe, TrainingOptions))
    options = TrainingOptions()
    objective = Objective(codec).train().to(META)
    parameters = dict(objective.networks.named_parameters())
    optimizers = make_optimizers(options, parameters)
    state = TrainingState(objective.networks, parameters, optimizers)
    clean = torch.zeros(2, *codec.spec.full_shape, device=META)
    wanted = codec.model.condition
    cond = torch.zeros(2, *wanted.shape(codec.spec.shape[-1]), device=META) if wanted else None
    means, rng = Means(), torch.Generator()
    for _ in range(2):
        losses = objective(clean, clean, cond, rng, 1.0, 0.5)
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), options.clip)
        set_learning_rate(optimizers, 1e-3)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        state.average(0.9)
        means.add(losses)
    with pytest.raises(RuntimeError, match="meta"):  # The log asks, once in many steps.
        means.take()
