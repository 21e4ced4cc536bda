"""The figures of a training on disk."""

import json

import pytest
import torch

from musicae.errors import MusicaeError
from musicae.training.log import METRICS, Log, Means, _step_of


def lines(out):
    return (out / METRICS).read_text().splitlines()


def test_means_are_of_the_steps_since_the_last_ones():
    means = Means()
    assert means.take() == {}
    for value in (1.0, 2.0, 6.0):
        means.add({"loss": torch.tensor(value, requires_grad=True), "kl": torch.tensor(-value)})
    assert means.take() == {"loss": 3.0, "kl": -3.0}
    means.add({"prior": torch.tensor(0.5)})
    assert means.take() == {"prior": 0.5}


def test_what_is_logged_is_written_at_once_and_reported(tmp_path):
    seen = []
    with Log(tmp_path / "run", report=seen.append) as log:
        log({"step": 1, "loss": 2.5})
        assert [json.loads(line) for line in lines(tmp_path / "run")] == seen == [{"step": 1, "loss": 2.5}]
        log({"step": 2, "loss": 1.5})
    assert len(lines(tmp_path / "run")) == len(seen) == 2


def test_a_training_that_goes_on_keeps_the_lines_up_to_its_step(tmp_path):
    with Log(tmp_path) as log:
        for step in (1, 2, 3):
            log({"step": step})
    with (tmp_path / METRICS).open("a") as file:
        file.write('[]\n{"step": "many"}\n{"step": 2, "lo')  # The power failed.
    with Log(tmp_path, first=2) as log:
        log({"step": 3, "again": 1.0})
    assert [json.loads(line) for line in lines(tmp_path)] == [{"step": 1}, {"step": 2}, {"step": 3, "again": 1.0}]
    with Log(tmp_path):
        assert lines(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(MusicaeError, match="cannot write in"):
        Log(tmp_path / "file" / "run")


@pytest.mark.parametrize("line", ["", "{", "[" * 2000, '{"step": 1' + "0" * 400 + "}", '{"step": []}', "9" * 5000])
def test_a_damaged_line_has_no_step(line):
    assert _step_of(line) == float("inf")
