"""What adapters of drums share."""

import torch

from musicae.adapters.shared.hits import hits, merged_remark


def test_hits_come_in_the_order_of_time():
    tensor = torch.zeros(9, 4)
    tensor[5, 0], tensor[2, 3], tensor[1, 3], tensor[0, 1] = 0.6, 1.0, 1.0, 0.5
    step, row = hits(tensor)
    assert step.tolist() == [0, 3, 3]
    assert row.tolist() == [5, 1, 2]


def test_hits_that_fell_together_are_counted():
    assert merged_remark(0) == []
    assert merged_remark(3) == ["3 hit(s) fell on the same step as another of their class; the louder one was kept"]
