"""The network that detects voices."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up_sounds import voice

from musicae.ops.detect import _weights
from musicae.tensors.voice_activity import RATE, voice_activity


@pytest.fixture(scope="module")
def noise_then_voice():
    """Two seconds of noise, then a voice."""
    rng = np.random.default_rng(0)
    together = np.concatenate([0.05 * rng.standard_normal(2 * RATE), voice(RATE, rng)[: 4 * RATE]])
    return torch.from_numpy(together.astype(np.float32))


def test_each_moment_is_of_32_ms():
    for length, moments in ((512, 1), (513, 2), (RATE, 32)):
        assert voice_activity(torch.zeros(length), _weights()).shape == (moments,)


def test_a_voice_is_found_where_it_is(noise_then_voice):
    odds = voice_activity(noise_then_voice, _weights())
    assert odds[5:60].max() < 0
    assert (odds[70:] > 1).float().mean() > 0.5


def test_all_moments_together_give_what_its_authors_program_gives_one_by_one(noise_then_voice):
    # The package holds two sets of weights: the program has one in it, the file that is used here another.
    program = torch.jit.load(Path(find_spec("silero_vad").origin).parent / "data/silero_vad.jit")
    own = {name.removeprefix("_model."): value for name, value in program.state_dict().items()}
    names = {"stft_conv.weight": "stft.forward_basis_buffer"}
    names |= {
        f"conv{i}.{kind}": f"encoder.{i - 1}.reparam_conv.{kind}" for i in (1, 2, 3, 4) for kind in ("weight", "bias")
    }
    names |= {name: name.replace("lstm_cell", "decoder.rnn") for name in _weights() if name.startswith("lstm_cell")}
    names |= {f"final_conv.{kind}": f"decoder.decoder.2.{kind}" for kind in ("weight", "bias")}
    x = noise_then_voice[RATE : 3 * RATE]
    with torch.inference_mode():
        expected = program.audio_forward(x[None], RATE)[0]
    found = voice_activity(x, {ours: own[theirs] for ours, theirs in names.items()}).sigmoid()
    torch.testing.assert_close(found, expected[: len(found)], atol=1e-4, rtol=0)
