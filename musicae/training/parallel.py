"""Training by several processes of one machine, each on its part of every batch.

They are forked when the data are loaded, so they share them, and take one thread each. All take the same steps: batches
and noises are those of a single process, gradients are averaged, and only their sum is in another order. The first one
is the caller's own; it alone speaks and writes.
"""

from __future__ import annotations

import gc
import logging
import mmap
import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from multiprocessing import connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from torch import Tensor

from musicae.core import Likelihood, Model
from musicae.errors import MusicaeError
from musicae.formats.temporary import temporary_folder
from musicae.processes import end_with_parent, ignore_sigint, ignoring_sigint
from musicae.shared_batch import Share
from musicae.threads import spare_cores
from musicae.training.batches import Batch
from musicae.training.options import Run
from musicae.training.products import Products
from musicae.training.state import TrainingState

__all__ = ["Team", "count_processes", "operations", "together"]

_MIN_WORK = 2e9  # Operations of each process in a step below which another is no gain: some 10 ms of one core.

_MOST = 256  # Processes.
_EPS = 1e-6  # As in torch.nn.utils.clip_grad_norm_.
_ALIGNMENT = 64  # Bytes, a line of the cache.
_COPIES = 5  # Of the weights, besides a gradient for each process: themselves, averages, two moments, and to spare.
_ROOM = 2**22  # Bytes that alignment takes, at most.
_PATIENCE = timedelta(days=7)  # The first process may validate, or be suspended; one that dies is noticed at once.
_LAST_WORDS = 2.0  # Seconds to wait for what a process that failed has to say.
_KILLED = (
    "a process of the training was killed, perhaps for lack of memory; "
    "the same command with --resume goes on, and --processes 1 needs less memory"
)


Clip = Callable[[Iterable[Tensor], float], object]
"""Clips the gradients of parameters to a norm."""


class Team:
    """The processes that train together, as one of them sees it; this is a process alone, see `_Member`."""

    rank = 0
    count = 1
    share = Share()
    others: Collection[str] = ()
    """The names of the parameters that other processes update."""

    def start(self, state: TrainingState, clip: Clip) -> None:
        """Take part in a training, before its first step; a process alone clips its gradients with `clip`."""
        self.parameters, self._clip = state.parameters, clip

    def reduce(self, losses: dict[str, Tensor], clip: float) -> dict[str, Tensor]:
        """Return the means of the losses over the processes, and let each parameter have the mean of its gradients.

        Gradients are clipped to the norm `clip`. Only a process that is to update a parameter has its gradient then.
        """
        self._clip(self.parameters.values(), clip)
        return losses

    def wait(self) -> None:
        """Wait until all processes have come to this point."""


class _Member(Team):
    """One of several processes.

    Parameters, their averages and the optimizers' moments lie in memory that all share. Each process writes its
    gradients there, sums the gradients of some parameters, and updates these (Rajbhandari et al. 2020, ZeRO, stage 1).
    """

    def __init__(self, rank: int, count: int, group: Any, memory: _Memory) -> None:
        self.rank, self.count, self._group, self._memory = rank, count, group, memory
        self.share = Share(rank, count, self._gather)

    def start(self, state: TrainingState, clip: Clip) -> None:
        self.parameters = state.parameters
        state.move(self._memory.place)
        self._gradients = [
            {name: self._memory.place(weight.data) for name, weight in self.parameters.items()}
            for _ in range(self.count)
        ]
        owners = _owners({name: weight.numel() for name, weight in self.parameters.items()}, self.count)
        self._own = [name for name, owner in owners.items() if owner == self.rank]
        self.others = {name for name, owner in owners.items() if owner != self.rank}
        self.wait()

    @torch.no_grad()
    def reduce(self, losses: dict[str, Tensor], clip: float) -> dict[str, Tensor]:
        found = {name: weight.grad for name, weight in self.parameters.items() if weight.grad is not None}
        torch._foreach_copy_([self._gradients[self.rank][name] for name in found], list(found.values()))
        means = self._sum(torch.stack([value.detach().float() for value in losses.values()])) / self.count
        for name in self.others & found.keys():
            self.parameters[name].grad = None
        own = [name for name in self._own if name in found]
        total = self._mean_gradients(own) if own else []
        square = torch.stack(torch._foreach_norm(total)).square().sum() if own else torch.zeros(())
        norm = self._sum(square).sqrt().item()
        if own and not norm <= clip:  # So that one that is not a number is seen in all weights.
            torch._foreach_mul_(total, clip / (norm + _EPS))
        for name, gradient in zip(own, total, strict=True):
            self.parameters[name].grad = gradient
        return dict(zip(losses, means.unbind(), strict=True))

    def _mean_gradients(self, names: list[str]) -> list[Tensor]:
        parts = [[gradients[name] for name in names] for gradients in self._gradients]
        total = list(torch._foreach_mul(parts[0], 1 / self.count))
        for part in parts[1:]:
            torch._foreach_add_(total, part, alpha=1 / self.count)
        return total

    def wait(self) -> None:
        self._sum(torch.zeros(1))

    def close(self) -> None:
        """End the group and its threads here: a process forked later must not find them in its garbage."""
        self._group = None

    def _sum(self, x: Tensor) -> Tensor:
        self._group.allreduce([x]).wait()
        return x

    def _gather(self, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(self.count)]
        self._group.allgather([parts], [x.contiguous()]).wait()
        return torch.cat(parts)


class _Memory:
    """Memory for tensors that a process shares with those it forks; each takes the same places in the same order."""

    def __init__(self, size: int) -> None:
        memory = mmap.mmap(-1, size)
        with suppress(AttributeError, OSError):  # Not every system has pages of more than 4 KB to give.
            memory.madvise(mmap.MADV_HUGEPAGE)
        self._bytes = torch.frombuffer(memory, dtype=torch.uint8)
        self._used = 0

    def place(self, tensor: Tensor) -> Tensor:
        """Copy a tensor to the next place, and return it there."""
        size = tensor.numel() * tensor.element_size()
        flat = self._bytes[self._used : self._used + size].view(tensor.dtype)
        self._used += -(-size // _ALIGNMENT) * _ALIGNMENT
        # A dense tensor in any layout; another one becomes contiguous.
        stride = torch.empty_like(tensor, device="meta").stride()
        return flat.as_strided(tensor.shape, stride).copy_(tensor)


def _owners(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """Return which of `count` processes updates each parameter, so that all have about as much to do."""
    load, owners = [0] * count, {}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        owners[name] = load.index(min(load))
        load[owners[name]] += sizes[name]
    return owners


def count_processes(run: Run, batch: int, able: bool, before: int | None, work: Callable[[], float]) -> int:
    """Return how many processes of this machine share the batches: those asked for, or else those that suit it.

    `able` says that this training may have several. One that is resumed keeps the number of `before`. On a new one it
    depends on the machine and on `work`, the operations of a step, and not on how busy the machine is, so that the same
    command gives the same result. Raise MusicaeError for a number that is not possible.
    """
    able = able and sys.platform == "linux"  # Elsewhere forked processes are not safe.
    count = _count(run, batch, able, before, work)
    if count == 1 or _differentiates_when_forked():
        return count
    if run.processes is None:
        return 1
    raise MusicaeError(
        "PyTorch cannot train in several processes after what this one did before, such as an export; "
        "start Python anew, or train in one process"
    )


def _count(run: Run, batch: int, able: bool, before: int | None, work: Callable[[], float]) -> int:
    """Return how many processes are asked for, or else suit the training."""
    if run.processes is None:
        if not able:
            return 1
        if before is not None:
            return int(before) if before in _divisors(batch, _MOST) else 1
        cores = spare_cores()
        return max(_divisors(batch, min(cores, int(work() / _MIN_WORK)))) if cores > 1 else 1
    if run.processes > 1 and not able:
        raise MusicaeError(
            "--processes is for the CPU of a Linux machine; add --cpu, or start the training with torchrun"
        )
    if run.processes not in _divisors(batch, _MOST):
        near = max(_divisors(batch, min(_MOST, run.processes)))
        raise MusicaeError(f"--processes {run.processes} cannot share a batch of {batch} equally; {near} can")
    return run.processes


def _differentiates_when_forked() -> bool:
    """Say whether autograd works in a forked process: PyTorch refuses it once autograd has had threads of its own.

    Its ONNX exporter starts them; nothing in PyTorch says so, but for trying.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Of threads, which sleep.
        child = os.fork()
    if child == 0:
        status = 1
        try:
            torch.autograd.backward(torch.zeros(1, requires_grad=True).sum())
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def operations(model: Model, likelihood: Likelihood, batch: Batch) -> float:
    """Return about how many operations a step on a batch takes: three times those of computing its loss."""
    with torch.no_grad(), Products() as products:
        model.reconstruction(batch.given, batch.clean, batch.cond, torch.Generator(), likelihood)
    return 3.0 * int(products.total)


def _divisors(batch: int, most: int) -> list[int]:
    return [count for count in range(1, max(1, min(most, batch)) + 1) if batch % count == 0]


@contextmanager
def together(count: int, weights: int, work: Callable[[Team], object]) -> Iterator[Team]:
    """Run `work` in ``count - 1`` new processes, and give the caller's team, with which to do the same work here.

    `weights` is how many the networks have. The processes end with the block, whatever ends it. Raise MusicaeError, one
    line, if one of them fails or is killed.
    """
    if count == 1:
        yield Team()
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # Before the fork: what OpenMP has started does not survive it.
    with temporary_folder() as meeting:
        store, memory = meeting / "store", _Memory((_COPIES + count) * (8 * weights + _ROOM))
        others = _Others(count, lambda rank: work(_Member(rank, count, _group(store, rank, count), memory)))
        member = None
        try:
            others.meet()
            member = _Member(0, count, _group(store, 0, count), memory)
            yield member
        except RuntimeError as error:
            others.explain(error)
            raise
        finally:
            others.end()
            if member is not None:
                member.close()
            torch.set_num_threads(threads)


class _Others:
    """The processes beside the first one."""

    def __init__(self, count: int, work: Callable[[int], object]) -> None:
        context = multiprocessing.get_context("fork")
        self.processes, self.ears = [], []
        with ignoring_sigint(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Of threads, which sleep or are not used there.
            for rank in range(1, count):
                ear, mouth = context.Pipe(duplex=False)
                process = context.Process(target=_run, args=(rank, work, mouth), name=f"training-{rank}")
                process.start()
                mouth.close()
                self.processes.append(process)
                self.ears.append(ear)

    def meet(self) -> None:
        """Wait until all are about to join the group, which would wait for one that is gone."""
        try:
            for ear in self.ears:
                ear.recv()
        except EOFError:
            raise MusicaeError(_KILLED) from None

    def explain(self, error: RuntimeError) -> None:
        """Raise what a process that has failed says, or that it was killed, if that is why `error` came about."""
        ended = connection.wait([process.sentinel for process in self.processes], _LAST_WORDS)
        for process in self.processes:
            if process.sentinel in ended:
                process.join(_LAST_WORDS)  # Its files are closed a moment before its exit code is there.
        for ear in self.ears:
            with suppress(EOFError, OSError):
                if ear.poll():
                    raise ear.recv() from error
        if any(process.exitcode not in (None, 0) for process in self.processes):
            raise MusicaeError(_KILLED) from error

    def end(self) -> None:
        """End them, and wait until they have ended."""
        for process, ear in zip(self.processes, self.ears, strict=True):
            process.kill()
            process.join()
            process.close()
            ear.close()


def _run(rank: int, work: Callable[[int], object], mouth: connection.Connection) -> None:
    """Do the work of one of the other processes, in silence."""
    gc.freeze()  # What belongs to threads of the first process cannot be collected here.
    ignore_sigint()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()
    logging.disable()
    with open(os.devnull, "w") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    mouth.send("here")
    try:
        work(rank)
        os._exit(0)
    except MusicaeError as error:
        mouth.send(MusicaeError(str(error)))
        os._exit(1)
    except BaseException:
        mouth.send(RuntimeError(f"a process of the training failed:\n{traceback.format_exc()}"))
        os._exit(1)


def _group(store: Path, rank: int, count: int) -> Any:
    """Return the group of the processes that meet at `store`: gloo on this machine's own network."""
    distributed: Any = torch.distributed  # Its types are incomplete.
    options = distributed.ProcessGroupGloo._Options()
    options._devices = [distributed.ProcessGroupGloo.create_device(hostname="127.0.0.1", lazy_init=False)]
    options._timeout = _PATIENCE
    return distributed.ProcessGroupGloo(distributed.FileStore(str(store), count), rank, count, options)
