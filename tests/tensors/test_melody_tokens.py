"""The tokens of a melody."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.tensors import melody_tokens as tokens_

CHANNELS = 20
ANY = settings(max_examples=100, deadline=None, derandomize=True, database=None)
LINES = st.lists(st.integers(0, CHANNELS - 1), min_size=1, max_size=40).map(torch.tensor)


def clean(line):
    """Return a line in which a hold with no note before it is a rest."""
    found = []
    for token in line.tolist():
        found.append(0 if token == 1 and (not found or found[-1] == 0) else token)
    return torch.tensor(found)


@ANY
@given(LINES)
def test_one_hot_and_back(line):
    x = tokens_.one_hot(line, CHANNELS)
    assert (x.shape, x.dtype) == ((CHANNELS, len(line)), torch.float32)
    assert torch.equal(x.sum(0), torch.ones(len(line)))
    assert torch.equal(tokens_.tokens(x).long(), line)
    assert torch.equal(tokens_.tokens(x * 3 - 7)[None], tokens_.tokens(x[None]))
    assert tokens_.tokens(x).dtype == torch.uint8


@ANY
@given(LINES)
def test_notes_and_back(line):
    start, end, pitch = tokens_.notes(line)
    made = tokens_.from_notes(start.numpy(), end.numpy(), pitch.numpy(), len(line))
    assert made.tolist() == clean(line).tolist()
    assert torch.equal(start, (line >= 2).nonzero().squeeze(1))
    assert bool((end > start).all())
    assert bool((end[:-1] <= start[1:]).all())


def test_a_note_ends_at_the_next_step_that_is_no_hold():
    start, end, pitch = tokens_.notes(torch.tensor([1, 2, 1, 1, 0, 1, 5, 7, 1], dtype=torch.uint8))
    assert (start.tolist(), end.tolist(), pitch.tolist()) == ([1, 6, 7], [4, 7, 9], [0, 3, 5])
    assert [one.tolist() for one in tokens_.notes(torch.tensor([0, 1, 0]))] == [[], [], []]


@ANY
@given(LINES)
def test_onsets_and_sounding_steps(line):
    x = tokens_.one_hot(line, CHANNELS)[None]
    assert tokens_.onsets(x).shape == (1, CHANNELS - 2, len(line))
    assert torch.equal(tokens_.onsets(x).any(1)[0], line >= 2)
    assert torch.equal(tokens_.sounding(x)[0], line != 0)


@ANY
@given(LINES, st.integers(-30, 30))
def test_a_transposed_line_stays_in_range_and_keeps_its_shape(line, semitones):
    moved = tokens_.transpose(line[None], torch.tensor([[semitones]]), CHANNELS)[0]
    onset = line >= 2
    assert torch.equal(moved[~onset], line[~onset])
    if onset.any():
        shift = (moved - line)[onset].unique()
        low, high = int(line[onset].min()), int(line[onset].max())
        assert shift.tolist() == [min(max(semitones, 2 - low), CHANNELS - 1 - high)]


@ANY
@given(LINES, LINES, st.integers(-30, 30))
def test_lines_are_canonically_equal_if_one_is_the_other_transposed(line, other, semitones):
    moved = tokens_.transpose(line[None], torch.tensor([[semitones]]), CHANNELS)
    assert torch.equal(tokens_.canonical(line[None]), tokens_.canonical(moved))
    if len(line) == len(other):
        onset = line >= 2
        shifts = (other - line)[onset].unique()
        same = torch.equal(onset, other >= 2) and torch.equal(line[~onset], other[~onset]) and len(shifts) <= 1
        assert torch.equal(tokens_.canonical(line[None]), tokens_.canonical(other[None])) is same


def test_canonical_holds_the_widest_line():
    line = torch.tensor([[129, 1, 0, 2], [1, 1, 0, 0]], dtype=torch.uint8)
    assert tokens_.canonical(line).tolist() == [[130, 1, 0, 3], [1, 1, 0, 0]]
