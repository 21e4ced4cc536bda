"""Training by several processes: the result of one, and a clean end whatever happens."""

import json
import multiprocessing
import os
import signal
import sys

import pytest
import tiny
import torch

from musicae import checkpoint, codec
from musicae.errors import MusicaeError
from musicae.preset import Preset
from musicae.training import parallel
from musicae.training.batches import Batch
from musicae.training.loop import train
from musicae.training.options import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")

TRAINING = {
    "steps": 6, "prior_steps": 3, "batch": 8, "log_every": 2, "checkpoint_every": 3, "warmup": 2, "precision": "no",
    "ema": 0.9,
}  # fmt: skip


def recipe(**training):
    return tiny.recipe(**{**TRAINING, **training})


@pytest.fixture
def tunes(folder):
    return {"": folder}


def state(out):
    return checkpoint.read(out / "state.safetensors")[1]


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_two_processes_come_to_the_result_of_one(tunes, tmp_path, optimizer):
    for count in (1, 2):
        train(recipe(optimizer=optimizer), tmp_path / str(count), tunes, cpu=True, processes=count)
    one, two = (state(tmp_path / out) for out in "12")
    assert one.keys() == two.keys()
    torch.manual_seed(0)
    start = codec.build(recipe()).networks().state_dict()
    for kind in ("networks", "ema"):
        moved = sum((one[f"{kind}.{name}"] - tensor).square().sum() for name, tensor in start.items())
        apart = sum((one[f"{kind}.{name}"] - two[f"{kind}.{name}"]).square().sum() for name in start)
        # Sums in another order make 1e-4, of which Muon's steps in bfloat16 make 0.03; other noise would make 0.8.
        assert (apart / moved).sqrt() < (0.1 if optimizer == "muon" else 1e-3)
    logs = [[json.loads(line) for line in (tmp_path / out / "metrics.jsonl").read_text().splitlines()] for out in "12"]
    assert [line["step"] for line in logs[0]] == [line["step"] for line in logs[1]]
    for mine, theirs in zip(*logs, strict=True):
        for name in mine.keys() - {"examples_per_second"}:
            assert theirs[name] == pytest.approx(mine[name], rel=1e-3), name


def test_they_resume_to_the_bit_with_the_number_of_before(tunes, tmp_path):
    train(recipe(), tmp_path / "whole", tunes, cpu=True, processes=2)
    asked = iter([False] * 3 + [True])
    with pytest.raises(KeyboardInterrupt):
        train(recipe(), tmp_path / "part", tunes, cpu=True, processes=2, stop=lambda: next(asked))
    assert not multiprocessing.active_children()
    header = checkpoint.read_header(tmp_path / "part" / "state.safetensors")
    assert (header["step"], header["processes"]) == (4, 2)
    train(recipe(), tmp_path / "part", tunes, cpu=True, resume=True, processes=None)
    assert same(state(tmp_path / "whole"), state(tmp_path / "part"))
    assert checkpoint.read_header(tmp_path / "part" / "state.safetensors")["processes"] == 2


def test_one_that_is_killed_is_one_line_and_none_is_left(tunes, tmp_path):
    def kill(values):
        (other,) = multiprocessing.active_children()
        os.kill(other.pid, signal.SIGKILL)

    threads = torch.get_num_threads()
    with pytest.raises(MusicaeError, match=r"was killed.*--resume"):
        train(recipe(), tmp_path / "run", tunes, cpu=True, processes=2, report=kill)
    assert not multiprocessing.active_children()
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("error", "said"), [(MusicaeError("no more notes"), "^no more notes$"), (ValueError, "ValueE")]
)
def test_one_that_fails_says_why(error, said):
    def work(team):
        raise error

    with pytest.raises((MusicaeError, RuntimeError), match=said), parallel.together(2, 1, work) as team:
        team.wait()
    assert not multiprocessing.active_children()


def test_one_that_is_killed_before_it_joins_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(parallel.logging, "disable", lambda: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(MusicaeError, match="was killed"), parallel.together(2, 1, lambda team: None):
        pass
    assert not multiprocessing.active_children()


def test_an_error_of_the_first_ends_the_others():
    with pytest.raises(ZeroDivisionError), parallel.together(3, 1, lambda team: team.wait()):
        _ = 1 // 0
    assert not multiprocessing.active_children()


def test_there_may_be_more_processes_than_parameters_to_train(tunes, tmp_path):
    train(recipe(steps=0, prior_steps=2), tmp_path / "run", tunes, cpu=True, processes=8)
    assert codec.load(str(tmp_path / "run" / "model.safetensors")).step == 2


def test_each_parameter_has_one_owner_and_the_load_is_even():
    owners = parallel._owners({"a": 6, "b": 3, "c": 2, "d": 1}, 2)
    assert owners == {"a": 0, "b": 1, "c": 1, "d": 1}
    assert set(parallel._owners({"a": 1}, 3).values()) == {0}


def test_memory_keeps_a_tensors_layout():
    memory = parallel._Memory(4096)
    picture = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    placed = [memory.place(picture), memory.place(torch.arange(5)), memory.place(torch.zeros(3, 2).T)]
    assert torch.equal(placed[0], picture)
    assert placed[0].stride() == picture.stride()
    assert placed[1].tolist() == [0, 1, 2, 3, 4]
    assert placed[2].stride() == (1, 2)


def counted(processes=None, batch=256, able=True, before=None, operations=50e9):
    return parallel.count_processes(Run(processes=processes), batch, able, before, lambda: operations)


def test_there_is_a_process_for_each_core_where_the_work_is_enough(monkeypatch):
    for cores, batch, count in ((1, 256, 1), (2, 256, 2), (3, 256, 2), (6, 96, 6), (2, 1, 1), (64, 2, 2)):
        monkeypatch.setattr(parallel, "spare_cores", lambda cores=cores: cores)
        assert counted(batch=batch) == count
    assert [counted(operations=operations) for operations in (1e6, 3e9, 9e9)] == [1, 1, 4]
    assert counted(able=False) == counted(able=False, before=2) == 1
    monkeypatch.setattr(sys, "platform", "darwin")
    assert counted() == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"processes": 3}, "--processes 3 cannot share a batch of 256 equally; 2 can"),
        ({"processes": 0}, "--processes 0"),
        ({"processes": 2, "able": False}, "add --cpu"),
    ],
)
def test_a_number_that_is_not_possible_is_one_line(settings, said):
    with pytest.raises(MusicaeError, match=said):
        counted(**settings)


@pytest.mark.parametrize(("before", "count"), [(1, 1), (4, 4), (3, 1), ("2", 1), (-1, 1), (10**12, 1)])
def test_a_training_goes_on_with_as_many_as_it_had(before, count):
    assert counted(before=before) == count


def test_where_autograd_refuses_a_fork_one_process_trains(monkeypatch):
    def refuse(*_):
        raise RuntimeError("Unable to handle autograd's threading in combination with fork-based multiprocessing")

    monkeypatch.setattr(parallel, "spare_cores", lambda: 2)
    assert counted() == 2
    monkeypatch.setattr(torch.autograd, "backward", refuse)
    assert counted() == 1
    with pytest.raises(MusicaeError, match="start Python anew, or train in one process"):
        counted(processes=2)


def test_the_operations_of_a_step_are_those_of_its_matrices():
    made = codec.build(Preset("x", {"adapter": {"name": "image"}, "model": {"name": "ae", "latent": 4, "width": 4}}))
    made.model.reconstruction = lambda given, target, cond, rng, likelihood: given.flatten(1) @ torch.ones(784, 10)
    picture = torch.zeros(1, 1, 28, 28)
    batch = Batch(picture, picture, torch.zeros(1), None, torch.zeros(()), torch.zeros(1))
    assert parallel.operations(made.model, made.likelihood, batch) == 3 * 2 * 784 * 10
