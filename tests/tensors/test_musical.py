import pytest
import torch

from musicae.tensors.musical import key_clarity, key_of, repeated_bars

C_MAJOR_SCALE = torch.tensor([[1.0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1]])


def lines(*rows):
    return torch.nn.functional.one_hot(torch.tensor(rows), 12).mT


def repeated(*rows, bar=10):
    x = lines(*rows)
    return repeated_bars([x], x.argmax(1, keepdim=True) > 0, bar).tolist()


def test_a_bar_comes_back_if_a_tenth_of_its_steps_differs_and_not_if_more():
    bar = [2, 1, 4, 1, 5, 1, 7, 1, 9, 1]
    near, far = [3, *bar[1:]], [3, 3, *bar[2:]]
    other = [11, 1, 1, 1, 1, 1, 8, 1, 1, 1]
    assert repeated(bar + other + near) == [pytest.approx(2 / 3)]
    assert repeated(bar + other + far) == [0]
    assert repeated(bar + bar, bar + other) == [1, 0]


def test_silent_bars_do_not_count_as_coming_back():
    bar, rest = [2, 1, 4, 1, 5, 1, 7, 1, 9, 1], [0] * 10
    assert repeated(rest + bar + rest + rest) == [0]
    assert repeated(bar + rest + rest + bar) == [1]
    assert torch.tensor(repeated(rest + rest)).isnan().all()


def test_the_steps_of_all_parts_that_play_count():
    bar, other, rest = [2, 1, 4, 1, 5, 1, 7, 1, 9, 1], [3, 3, *[1] * 8], [0] * 10
    same, near = lines(bar + bar), lines([*bar, 3, 3, *bar[2:]])
    everywhere, nowhere = torch.ones(1, 1, 20, dtype=torch.bool), torch.zeros(1, 1, 20, dtype=torch.bool)
    assert repeated_bars([same, near], torch.cat([everywhere, everywhere], 1), 10).item() == 1  # 2 of 20 steps.
    assert repeated_bars([same * 0, near], torch.cat([nowhere, everywhere], 1), 10).item() == 0  # 2 of 10.
    once = lines(other + rest)  # It plays in one of the bars only.
    assert repeated_bars([same, once], torch.cat([everywhere, once.argmax(1, keepdim=True) > 0], 1), 10).item() == 0


def test_a_bar_that_is_not_whole_is_left_out():
    bar = [2, 1, 4, 1, 5, 1, 7, 1, 9, 1]
    assert repeated(bar + bar + [3, 4]) == [1]
    assert repeated([2, 1, 4]) == [pytest.approx(float("nan"), nan_ok=True)]


def test_a_scale_has_a_clearer_key_than_neighbouring_notes_and_the_same_in_every_key():
    clear = key_clarity(C_MAJOR_SCALE)
    assert clear > 0.7
    for semitones in range(12):
        assert torch.allclose(key_clarity(C_MAJOR_SCALE.roll(semitones, 1)), clear)
        assert torch.allclose(key_clarity(3 * C_MAJOR_SCALE.roll(semitones, 1)), clear)
    assert key_clarity((torch.arange(12)[None] < 7).float()) < clear - 0.1  # As many notes, side by side.
    assert key_clarity(torch.zeros(1, 12)).isnan().all()
    assert key_clarity(torch.ones(1, 12)).isnan().all()


def test_the_profile_of_a_key_fits_it_exactly():
    a_minor = torch.tensor([[6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]]).roll(9, 1)
    assert key_clarity(a_minor).item() == pytest.approx(1)


def test_the_key_of_a_scale_is_that_of_its_tonic():
    minor = torch.tensor([4.0, 0, 1, 2, 0, 2, 0, 3, 2, 0, 1, 1])
    for semitones in range(12):
        assert key_of(C_MAJOR_SCALE[0].roll(semitones)) == (semitones, False)
        assert key_of(minor.roll(semitones)) == (semitones, True)
    assert key_of(torch.zeros(12)) is None
    assert key_of(torch.ones(12)) is None
