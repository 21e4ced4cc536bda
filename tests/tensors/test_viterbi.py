"""The best path through states."""

import itertools

import numpy as np
import pytest

from musicae.tensors.viterbi import best_path


def worth(fit, cost, states, entered):
    total = sum(fit[n, s] for n, s in enumerate(states))
    return total - sum(cost[n, states[n]] for n in range(1, len(states)) if entered[n])


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    fit, cost = rng.standard_normal((6, 3)), rng.uniform(0, 2, (6, 3))
    path = best_path(fit, cost)
    every = list(itertools.product(range(3), repeat=6))
    moved = [[n == 0 or states[n] != states[n - 1] for n in range(6)] for states in every]
    best = max(worth(fit, cost, states, entered) for states, entered in zip(every, moved, strict=True))
    assert path.worth == pytest.approx(best)
    assert worth(fit, cost, path.states, path.entered) == pytest.approx(best)


def test_one_cost_for_all_states_and_one_for_each():
    rng = np.random.default_rng(0)
    fit, cost = rng.standard_normal((50, 5)), rng.uniform(0, 3, 50)
    one, other = best_path(fit, cost), best_path(fit, np.repeat(cost[:, None], 5, 1))
    assert one.states.tolist() == other.states.tolist()
    assert one.worth == other.worth


def test_a_state_is_entered_again_where_that_costs_less_than_nothing():
    fit, cost = np.array([[0.0, -9.0]] * 6), np.full((6, 2), 5.0)
    cost[3, 0] = -1.0
    path = best_path(fit, cost)
    assert path.states.tolist() == [0] * 6
    assert path.entered.tolist() == [True, False, False, True, False, False]
    assert path.worth == 1.0


def test_a_single_place():
    path = best_path(np.array([[1.0, 2.0]]), np.zeros(1))
    assert (path.states.tolist(), path.entered.tolist(), path.worth) == ([1], [True], 2.0)
