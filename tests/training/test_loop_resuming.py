"""A training that was stopped, killed, or begun twice: it resumes to the bit."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from tiny import recipe, same, tensors

from musicae import checkpoint, codec
from musicae.errors import MusicaeError
from musicae.formats.temporary import locked
from musicae.training.loop import train


def test_a_stopped_training_resumes_to_the_bit(folder, tmp_path):
    train(recipe(), tmp_path / "whole", {"": folder}, cpu=True)

    class Stop(Exception):
        pass

    def stop(values):
        if values["step"] == 8:
            raise Stop

    with pytest.raises(Stop):
        train(recipe(), tmp_path / "part", {"": folder}, report=stop, cpu=True)
    # Stopped while step 8 was reported, before its checkpoint: it goes on from step 4.
    assert checkpoint.read_header(tmp_path / "part" / "state.safetensors")["step"] == 4
    train(recipe(), tmp_path / "part", {"": folder}, resume=True, cpu=True)
    for name in ("state.safetensors", "model.safetensors"):
        assert same(tensors(tmp_path / "whole" / name), tensors(tmp_path / "part" / name))
    logs = [(tmp_path / run / "metrics.jsonl").read_text().splitlines() for run in ("whole", "part")]
    steps = [[json.loads(text)["step"] for text in log] for log in logs]
    assert steps[0] == steps[1]


def test_metrics_that_were_cut_short_do_not_keep_a_training_from_going_on(folder, tmp_path):
    asked = iter([False] * 5 + [True])
    with pytest.raises(KeyboardInterrupt):
        train(recipe(), tmp_path / "run", {"": folder}, cpu=True, stop=lambda: next(asked))
    log = tmp_path / "run" / "metrics.jsonl"
    before = log.read_text()
    log.write_text(before + '{"step": 5, "lo')
    train(recipe(), tmp_path / "run", {"": folder}, cpu=True, resume=True)
    assert log.read_text().startswith(before)
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()][-1] == 12


def test_a_training_goes_on_if_there_is_one(folder, tmp_path):
    train(recipe(), tmp_path / "whole", {"": folder}, cpu=True)
    asked = iter([False, True])
    with pytest.raises(KeyboardInterrupt):
        train(recipe(), tmp_path / "part", {"": folder}, cpu=True, stop=lambda: next(asked), resume=None)
    train(recipe(), tmp_path / "part", {"": folder}, cpu=True, resume=None)
    assert same(*(tensors(tmp_path / run / "state.safetensors") for run in ("whole", "part")))


def test_being_asked_to_stop_keeps_the_last_step(folder, tmp_path):
    train(recipe(), tmp_path / "whole", {"": folder}, cpu=True)
    asked = iter([False, False, True])
    with pytest.raises(KeyboardInterrupt):
        train(recipe(), tmp_path / "part", {"": folder}, cpu=True, stop=lambda: next(asked))
    assert checkpoint.read_header(tmp_path / "part" / "state.safetensors")["step"] == 3
    train(recipe(), tmp_path / "part", {"": folder}, resume=True, cpu=True, stop=lambda: False)
    for name in ("state.safetensors", "model.safetensors"):
        assert same(tensors(tmp_path / "whole" / name), tensors(tmp_path / "part" / name))


def test_a_stack_is_resumed_over_the_same_weights_only(folder, tmp_path):
    below, data = tmp_path / "below.safetensors", {"": folder}
    lower = recipe()
    lower.sections["adapter"]["bars"] = 1
    codec.build(lower).save(below)
    stack = recipe(steps=3)
    stack.sections["lower"] = {"name": str(below)}
    stack.sections["model"] = {"name": "stack", "latent": 4, "width": 12, "depth": 1, "heads": 2, "decoded": 1}
    whole = train(stack, tmp_path / "whole", data, cpu=True)
    with pytest.raises(KeyboardInterrupt):
        train(stack, tmp_path / "part", data, cpu=True, stop=lambda: True)
    kept = below.read_bytes()
    codec.build(lower).save(below)
    with pytest.raises(MusicaeError, match=r"was trained over other weights of .*below\.safetensors'; train it again"):
        train(stack, tmp_path / "part", data, cpu=True, resume=True)
    below.write_bytes(kept)
    assert train(stack, tmp_path / "part", data, cpu=True, resume=True).read_bytes() == whole.read_bytes()


SCRIPT = """
import sys
from pathlib import Path
import musicae
from musicae.preset import Preset
if __name__ == "__main__":
    recipe = Preset.from_dict({recipe!r})
    musicae.train(recipe, Path(sys.argv[1]), {{"": Path(sys.argv[2])}}, resume="--resume" in sys.argv, cpu=True)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "train_it.py"
    path.write_text(SCRIPT.format(recipe=recipe(steps=52, prior_steps=8, checkpoint_every=2).as_dict()))
    return path


def _environment():
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def test_sigkill_loses_nothing_that_was_kept(folder, tmp_path, script):
    def run(*args, **kwargs):
        return subprocess.Popen([sys.executable, str(script), *map(str, args)], env=_environment(), **kwargs)

    assert run(tmp_path / "whole", folder).wait(120) == 0
    killed = run(tmp_path / "part", folder)
    state = tmp_path / "part" / "state.safetensors"
    deadline = time.monotonic() + 120
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait(30) == -signal.SIGKILL
    assert checkpoint.read_header(state)["step"] < 60
    assert run(tmp_path / "part", folder, "--resume").wait(120) == 0
    for name in ("state.safetensors", "model.safetensors"):
        assert same(tensors(tmp_path / "whole" / name), tensors(tmp_path / "part" / name))


@pytest.mark.parametrize("left", ["nothing", "an older one", "a damaged one"])
def test_a_training_killed_between_its_state_and_its_model_is_completed(left, folder, tmp_path):
    out = tmp_path / "run"
    whole = train(recipe(), out, {"": folder}, cpu=True).read_bytes()
    if left == "nothing":
        (out / "model.safetensors").unlink()
    elif left == "a damaged one":
        (out / "model.safetensors").write_bytes(whole[:100])
    else:
        older = train(recipe(steps=2, prior_steps=0), tmp_path / "older", {"": folder}, cpu=True)
        (out / "model.safetensors").write_bytes(older.read_bytes())
    assert train(recipe(), out, {"": folder}, resume=True, cpu=True).read_bytes() == whole


def test_one_folder_holds_one_training_at_a_time(folder, tmp_path):
    with locked(tmp_path, "a training"), pytest.raises(MusicaeError, match="a training is running in"):
        train(recipe(), tmp_path, {"": folder}, cpu=True)
    train(recipe(steps=1, prior_steps=0), tmp_path, {"": folder}, cpu=True)


KILLED = """
import os, signal, sys
from pathlib import Path
import musicae
from musicae.preset import Preset
if __name__ == "__main__":
    out = Path(sys.argv[1])
    def die(values):
        assert os.environ["RANK"] == "0"  # Though no GPU is found, they train together.
        if values["step"] == 30 and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
            os.kill(os.getpid(), signal.SIGKILL)
    recipe = Preset.from_dict({recipe!r})
    musicae.train(recipe, out, {{"": Path(sys.argv[2])}}, resume=None, report=die)
"""


def test_two_processes_train_one_preset_and_torchrun_restarts_them(folder, tmp_path):
    script = tmp_path / "train_it.py"
    script.write_text(KILLED.format(recipe=recipe(steps=52, prior_steps=8, checkpoint_every=2).as_dict()))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=1"]
    done = subprocess.run(
        [*command, str(script), str(tmp_path / "run"), str(folder)],
        env={**_environment(), "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"},  # Else a restart may find old addresses.
        timeout=240, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert codec.load(str(tmp_path / "run" / "model.safetensors")).step == 60
    steps = [json.loads(text)["step"] for text in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)  # Those after the state that it went on from were written once.
    assert steps.count(60) == 2
