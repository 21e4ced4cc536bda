"""The state that a training resumes from: networks, their moving average, and the optimizers' moments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from musicae import checkpoint
from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.preset import Preset
from musicae.training.optimizers import moment_keys

__all__ = ["MODEL", "STATE", "TrainingState", "over_the_same"]

MODEL, STATE = "model.safetensors", "state.safetensors"
"""The files in a training's folder: the model to use, and the state to resume from."""


def over_the_same(recipe: Preset, out: Path) -> Preset:
    """Return the preset of a training that goes on in `out`; a stack can then be built over the same weights only."""
    written = checkpoint.read_header(out / STATE).get("preset", {})
    if recipe.part("lower") is None or (before := Preset.from_dict(written).part("lower")) is None:
        return recipe
    lower = {**recipe.sections["lower"], "digest": before[1].get("digest", "")}
    return replace(recipe, sections={**recipe.sections, "lower": lower})


class TrainingState:
    """The networks of a training, the average of their weights over the steps, and the optimizers.

    `parameters` are the networks' trainable ones, by name; `processes` is how many share the batches.
    """

    def __init__(
        self,
        networks: nn.ModuleDict,
        parameters: Mapping[str, nn.Parameter],
        optimizers: Sequence[Optimizer],
        processes: int = 1,
    ) -> None:
        self.networks, self.parameters, self.optimizers, self.processes = networks, parameters, optimizers, processes
        self.averaged = {name: tensor.detach().clone() for name, tensor in networks.state_dict().items()}

    @torch.no_grad()
    def average(self, decay: float, leave_out: Collection[str] = ()) -> None:
        """Move the averaged weights towards the current ones, by ``1 - decay`` of the way; some are left to others."""
        current = self.networks.state_dict()
        real = [name for name, tensor in self.averaged.items() if tensor.is_floating_point() and name not in leave_out]
        torch._foreach_lerp_([self.averaged[name] for name in real], [current[name] for name in real], 1 - decay)
        for name, tensor in self.averaged.items():
            if not tensor.is_floating_point():  # Counters, such as the batches that a norm has seen.
                tensor.copy_(current[name])

    def move(self, place: Callable[[Tensor], Tensor]) -> None:
        """Keep parameters, their averages and moments from now on in the memory that `place` copies a tensor to."""
        for name, parameter in self.parameters.items():
            parameter.data = place(parameter.data)
            self.averaged[name] = place(self.averaged[name])
        for keys, moments, parameters in self._moments():
            for parameter in parameters.values():
                before = moments.get(parameter) or {
                    "step": torch.zeros(()), **{key: torch.zeros_like(parameter.data) for key in keys}
                }  # fmt: skip
                moments[parameter] = {"step": before["step"], **{key: place(before[key]) for key in keys}}

    def use_average(self) -> None:
        """Give the networks the averaged weights."""
        self.networks.load_state_dict(self.averaged)

    def write(self, out: Path, codec: Codec) -> None:
        """Write to the folder `out` the state to resume from, then the averaged weights to use."""
        header = {"preset": codec.preset.as_dict(), "step": codec.step, "processes": self.processes}
        state = {f"networks.{name}": tensor for name, tensor in self.networks.state_dict().items()}
        state |= {f"ema.{name}": tensor for name, tensor in self.averaged.items()}
        for keys, moments, parameters in self._moments():
            by_name = {name: moments[parameter] for name, parameter in parameters.items() if parameter in moments}
            state |= {f"{key}.{name}": moment[key] for name, moment in by_name.items() for key in keys}
        checkpoint.write(out / STATE, state, header)
        codec.save(out / MODEL, tensors=self.averaged)

    def complete(self, out: Path, codec: Codec) -> None:
        """Write the averaged weights again if those in `out` are not of the state: `write` was killed in between."""
        try:
            written = int(checkpoint.read_header(out / MODEL)["step"])
        except (MusicaeError, KeyError, TypeError, ValueError):
            written = -1
        if written != codec.step:
            codec.save(out / MODEL, tensors=self.averaged)

    def read(self, out: Path) -> int:
        """Restore exactly the state that `write` saved in `out`; return its step.

        Raise MusicaeError if it belongs to another preset.
        """
        path = out / STATE
        header, state = checkpoint.read(path)
        step = int(header["step"])
        unused = {name for name in state if not name.startswith(("networks.", "ema."))}
        try:
            self.networks.load_state_dict({name: state[f"networks.{name}"] for name in self.networks.state_dict()})
            for name, tensor in self.averaged.items():
                tensor.copy_(state[f"ema.{name}"])
            for keys, moments, parameters in self._moments():
                for name, parameter in parameters.items():
                    if f"{keys[0]}.{name}" not in state:
                        continue  # It has never had a gradient.
                    unused -= {f"{key}.{name}" for key in keys}
                    moments[parameter] = {
                        "step": torch.tensor(float(step), device=parameter.device),
                        # In the parameter's memory layout, which the fused kernel needs.
                        **{key: torch.empty_like(parameter).detach().copy_(state[f"{key}.{name}"]) for key in keys},
                    }
            if unused:
                raise KeyError(min(unused))
        except (KeyError, RuntimeError) as error:
            raise MusicaeError(
                f"{path} belongs to another preset than the one to train; name another folder with -o"
            ) from error
        return step

    def _moments(self) -> Iterator[tuple[tuple[str, ...], Any, dict[str, nn.Parameter]]]:
        """Go through the optimizers: the names of each one's moments, its state, and its parameters by name."""
        for optimizer in self.optimizers:
            own = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
            parameters = {name: parameter for name, parameter in self.parameters.items() if id(parameter) in own}
            yield moment_keys(optimizer), optimizer.state, parameters
