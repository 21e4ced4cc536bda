"""Splits by piece."""

import pytest

from musicae.datasets.shared.split import SPLITS, check, split_of
from musicae.errors import MusicaeError


def test_a_split_is_a_hash_of_the_name():
    names = [f"tune {i}" for i in range(4000)]
    shares = {split: sum(split_of(name, 0, 0.1, 0.2) == split for name in names) / 4000 for split in SPLITS}
    assert shares == {
        "train": pytest.approx(0.7, abs=0.03),
        "validation": pytest.approx(0.2, abs=0.03),
        "test": pytest.approx(0.1, abs=0.02),
    }
    assert any(split_of(name, 0) != split_of(name, 1) for name in names)


def test_the_split_of_a_name_never_changes():
    """What is a test piece today must be one for every model that was trained before."""
    expected = ["test", "test", "test", "test", "train", "validation"]
    assert [split_of(f"tune {i}", 0, 0.3, 0.3) for i in range(6)] == expected
    assert split_of("caf\udce9.mid") in SPLITS  # A file name that is no UTF-8.


def test_another_split_is_refused():
    for split in SPLITS:
        check(split)
    with pytest.raises(MusicaeError, match="no split named 'trian'; did you mean 'train'"):
        check("trian")
