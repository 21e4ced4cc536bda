"""Which processors calculate in bfloat16."""

import pytest
import torch

from musicae.tensors import precision


@pytest.fixture
def flags(monkeypatch, tmp_path):
    def say(text):
        (tmp_path / "cpuinfo").write_text(text)
        monkeypatch.setattr(precision, "_CPU_FLAGS", tmp_path / "cpuinfo")
        precision.has_bfloat16.cache_clear()

    yield say
    precision.has_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model name: X\nflags\t\t: fpu avx512f avx512_bf16\n", True),
        ("flags : fpu amx_bf16 amx_tile", True),
        ("flags : fpu avx2 avx512f", False),
        ("Features : fp asimd", False),
        ("", False),
    ],
)
def test_it_is_used_where_the_processor_has_it(flags, text, expected):
    flags(text)
    assert precision.has_bfloat16() is expected
    with precision.coarse(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == (torch.bfloat16 if expected else torch.float32)


def test_without_linux_it_is_not(flags, monkeypatch, tmp_path):
    flags("")
    monkeypatch.setattr(precision, "_CPU_FLAGS", tmp_path / "none")
    precision.has_bfloat16.cache_clear()
    assert not precision.has_bfloat16()


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("flags : avx512f amx_bf16", "bf16", "bf16"),
        ("flags : avx512f", "bf16", "no"),
        ("flags : avx512f", "fp16", "fp16"),
        ("flags : avx512f amx_bf16", "no", "no"),
    ],
)
def test_a_training_is_in_float32_where_bfloat16_would_be_emulated(flags, text, wanted, expected):
    flags(text)
    assert precision.training_precision(wanted, cpu=True) == expected


@pytest.mark.parametrize(("native", "expected"), [(True, "bf16"), (False, "no")])
def test_a_gpu_counts_rather_than_the_processor_beside_it(flags, monkeypatch, native, expected):
    flags("flags : avx512f")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert precision.training_precision("bf16") == expected
    assert precision.training_precision("bf16", cpu=True) == "no"
