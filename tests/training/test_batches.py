"""Batches: functions of their step alone, whoever makes them."""

import multiprocessing
import os
import shutil
import signal
from types import SimpleNamespace

import pytest
import torch

from musicae.adapters.audio import Audio
from musicae.core import Windows
from musicae.corruptions.mix_noise import MixNoise
from musicae.errors import MusicaeError
from musicae.training import batches

STEPS = range(3, 40)


@pytest.fixture
def made():
    windows = Windows(0.1 * torch.randn(10, 1, 768), torch.zeros(10, dtype=torch.int32), 1)
    adapter = Audio(sample_rate=8000, size=512, speed_change=0.1, min_level_db=-30.0, max_level_db=-20.0)
    return batches.Batches(adapter, windows, MixNoise(8000), batch=4, seed=0)


def test_batches_made_ahead_are_the_same(made):
    here, ahead = list(made.of(STEPS)), list(made.of(STEPS, workers=2))
    assert len(here) == len(ahead) == len(STEPS)
    assert all(
        torch.equal(a, b)
        for one, other in zip(here, ahead, strict=True)
        for a, b in zip(one, other, strict=True)
        if a is not None
    )
    assert not torch.equal(here[0].given, here[1].given)


def test_processes_share_out_the_whole_batch(made):
    halves = [batches.Batches(made.adapter, made.windows, None, 4, 0, rank, 2)[5].places for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), made[5].places)


# PyTorch may report it once more while the others end, where nothing can catch it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_process_that_is_killed_is_one_line(made):
    def go_on_without_one():
        with batches.explain_killed_workers():
            for i, _ in enumerate(made.of(range(10_000), workers=2)):
                if not i:
                    os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)

    with pytest.raises(MusicaeError, match="--workers"):
        go_on_without_one()


@pytest.mark.parametrize("error", [ConnectionError("of a report"), RuntimeError("of a model")])
def test_other_errors_stay_what_they_are(error):
    with pytest.raises(type(error), match="of a"), batches.explain_killed_workers():
        raise error


def test_there_are_no_more_processes_than_have_room_for_what_they_share(made, tmp_path, monkeypatch):
    one = 2 * 4 * 512 * 4
    monkeypatch.setattr(batches, "_SHARED_MEMORY", tmp_path)
    for free, fitting in ((0.9 * 2 * one, 0), (5 * 2 * one, 4), (100 * 2 * one, 6)):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: SimpleNamespace(free=free))
        assert made._workers_that_fit(6) == fitting


def test_a_graphics_card_gets_the_cores_and_several_share_them(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda who: set(range(12)), raising=False)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert [batches.default_workers(device) for device in ("cpu", "cuda")] == [0, 11]
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert batches.default_workers("cuda") == 2


def test_an_empty_training_split_is_one_line(made):
    nothing = made.windows.subset(torch.zeros(0, dtype=torch.long))
    with pytest.raises(MusicaeError, match="training split is empty"):
        batches.Batches(made.adapter, nothing, None, batch=4, seed=0)


def test_every_epoch_takes_every_window_once():
    taken = torch.cat([batches._indices(10, 4, step, 0) for step in range(5)])
    assert sorted(taken[:10].tolist()) == list(range(10))
    assert sorted(taken[10:].tolist()) == list(range(10))
    assert taken[:10].tolist() != taken[10:].tolist()
