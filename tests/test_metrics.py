import pytest
import torch

from musicae import metrics

LINE = [0, 5, 1, 1, 7, 1, 0, 9]


def tokens(*lines):
    return torch.nn.functional.one_hot(torch.tensor(lines), 12).mT.float()


def test_figures_of_a_line_with_one_wrong_onset():
    target, output = tokens(LINE), tokens([0, 5, 1, 1, 8, 1, 0, 9])
    assert metrics.hamming(target, output).item() == 1
    assert metrics.token_accuracy(target, output).item() == 7 / 8
    assert metrics.exact(target, output).item() == 0
    assert metrics.onset_f1(target, output).item() == pytest.approx(2 / 3)


def test_a_wrong_hold_costs_no_onset():
    target, output = tokens(LINE), tokens([0, 5, 1, 0, 7, 1, 0, 9])
    assert metrics.onset_f1(target, output).item() == 1
    assert metrics.token_accuracy(target, output).item() == 7 / 8


def test_nothing_rightly_found_is_perfect():
    assert metrics.onset_f1(tokens([0, 0]), tokens([0, 1])).item() == 1
    assert metrics.onset_f1(tokens([0, 3]), tokens([0, 0])).item() == 0


def test_drums_count_a_step_right_only_if_every_drum_is():
    target = torch.tensor([[[1.0, 0], [1, 0]]])
    output = torch.tensor([[[1.0, 0], [0, 0]]])
    assert metrics.token_accuracy(target, output).item() == 0.5
    assert metrics.onset_f1(target, output, one_hot=False).item() == pytest.approx(2 / 3)


def test_psnr_of_a_tenth():
    target = torch.zeros(1, 1, 4, 4)
    assert metrics.psnr(target, target + 0.1).item() == pytest.approx(20, abs=1e-4)
    assert metrics.psnr(target, target).isinf().all()
