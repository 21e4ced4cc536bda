"""Several groups of channels, each by its own likelihood."""

import math

import pytest
import torch

from musicae import registry
from musicae.core import Group, Spec
from musicae.errors import MusicaeError
from musicae.tensors.likelihoods.bernoulli import Bernoulli
from musicae.tensors.likelihoods.categorical import Categorical
from musicae.tensors.likelihoods.gaussian import Gaussian
from musicae.tensors.likelihoods.joint import Joint

MELODY, DRUMS, VELOCITY = (
    Group("melody", 5, "categorical"),
    Group("drums", 3, "bernoulli"),
    Group("velocity", 1, "gaussian"),
)
BAND = Spec.joint((8,), [MELODY, DRUMS, VELOCITY])
COUNTED = {"velocity": {"scale": 0.5, "where": "melody", "first": 2}}


def line(*tokens):
    """A band that plays these tokens and nothing else."""
    x = torch.zeros(1, 9, len(tokens))
    x[0, list(tokens), torch.arange(len(tokens))] = 1
    return x


def test_its_nll_is_the_sum_of_its_groups_by_their_names():
    params, target = torch.randn(4, 9, 8), Joint().bind(BAND).sample(torch.randn(4, 9, 8), 1.0)
    joint = Joint({"drums": {"weight": 2.0}, "velocity": {"scale": 0.5}}).bind(BAND)
    parts = joint.nll_parts(params, target)
    assert list(parts) == ["melody", "drums", "velocity"]
    torch.testing.assert_close(parts["melody"], Categorical().nll(params[:, :5], target[:, :5]))
    torch.testing.assert_close(parts["drums"], 2 * Bernoulli().nll(params[:, 5:8], target[:, 5:8]))
    torch.testing.assert_close(parts["velocity"], Gaussian(0.5).nll(params[:, 8:], target[:, 8:]))
    torch.testing.assert_close(joint.nll(params, target), sum(parts.values()))


def test_a_group_may_count_only_where_another_has_an_onset():
    joint = Joint(COUNTED).bind(BAND)
    target = line(0, 2, 1, 1, 4, 0, 0, 3)  # A rest, a note, two holds, a note, two rests, a note.
    params = torch.randn(1, 9, 8)
    onsets = [1, 4, 7]
    expected = Gaussian(0.5).nll(params[:, 8:, onsets], target[:, 8:, onsets])
    torch.testing.assert_close(joint.nll_parts(params, target)["velocity"], expected)
    changed = params.clone()
    changed[:, 8, [0, 2, 3, 5, 6]] += 100
    torch.testing.assert_close(joint.nll(changed, target), joint.nll(params, target))
    holds_too = Joint({"velocity": {"scale": 0.5, "where": "melody", "first": 1}}).bind(BAND)
    more = Gaussian(0.5).nll(params[:, 8:, [1, 2, 3, 4, 7]], target[:, 8:, [1, 2, 3, 4, 7]])
    torch.testing.assert_close(holds_too.nll_parts(params, target)["velocity"], more)


def test_no_gradient_comes_from_where_a_group_does_not_count():
    params = torch.randn(1, 9, 8, requires_grad=True)
    Joint(COUNTED).bind(BAND).nll(params, line(0, 2, 1, 1, 4, 0, 0, 3)).sum().backward()
    assert (params.grad[0, 8] != 0).nonzero().flatten().tolist() == [1, 4, 7]


def test_what_does_not_count_is_blank():
    joint, params = Joint(COUNTED).bind(BAND), torch.randn(3, 9, 200)
    for values in (joint.mode(params), joint.sample(params, 1.0, torch.Generator().manual_seed(0))):
        onset = values[:, 2:5].any(1)
        assert 0 < onset.float().mean() < 1
        assert (values[:, 8][~onset] == 0).all()
        assert (values[:, 8][onset] != 0).all()
    step = params[..., :1]  # As a step head asks for it.
    torch.testing.assert_close(joint.mode(step), joint.mode(params)[..., :1])


def test_pictures_have_groups_as_well():
    spec = Spec.joint((4, 6), [Group("shape", 1, "bernoulli"), Group("colour", 3, "gaussian")])
    joint = Joint({"colour": {"where": "shape"}}).bind(spec)
    params = torch.randn(2, 4, 4, 6)
    values = joint.mode(params)
    inside = values[:, 0].bool()
    expected = Gaussian().nll(params[:, 1:].movedim(1, -1)[inside].view(1, -1), torch.zeros(1, int(inside.sum()) * 3))
    values[:, 1:] = 0
    torch.testing.assert_close(joint.nll_parts(params, values)["colour"].sum(), expected.sum())


def test_it_is_discrete_only_if_all_are():
    assert Joint().bind(Spec.joint((8,), [MELODY, DRUMS])).discrete
    assert not Joint().bind(BAND).discrete
    assert not Joint({"drums": {"grey": True}}).bind(Spec.joint((8,), [MELODY, DRUMS])).discrete


def test_blank_steps_free_values_and_what_is_kept():
    joint = Joint().bind(BAND)
    assert joint.blank(9).tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert joint.free_values(9) == 1 + 3 + 1
    assert joint.compact(line(0, 2, 1)).shape == (1, 1 + 1 + 1, 3)
    two = Joint().bind(Spec.joint((8,), [MELODY, DRUMS]))
    assert two.pack(line(0, 2)[:, :8]).dtype == torch.bool
    assert joint.pack(line(0, 2)).dtype == torch.float32


def test_its_distance_is_the_mean_of_the_discrete_groups():
    x, y = line(0, 2, 1, 1), line(0, 3, 1, 1)
    y[:, 6, 0], y[:, 8] = 1, 3.0
    expected = (1 / 4 + 1 / 4) / 2
    joint = Joint().bind(BAND)
    assert joint.distance(x, y).item() == pytest.approx(expected)
    assert joint.distance(x, y.expand(3, -1, -1)).shape == (3,)
    assert joint.distance(joint.compact(x), joint.compact(y)).item() == pytest.approx(expected)


def test_its_likeness_is_the_mean_of_the_groups():
    x, y, other = line(0, 2, 1, 1), line(0, 3, 1, 1), line(0, 3, 3, 3)
    y[:, 8], other[:, 8] = 1.0, 4.0
    # Of four tokens one is another, no drum is, and the real values have gone a quarter of the way.
    assert Joint().bind(BAND).likeness(x, y, other).item() == pytest.approx((3 / 4 + 1 + 3 / 4) / 3)


def test_its_accuracy_is_the_mean_of_the_discrete_groups():
    joint, x = Joint().bind(BAND), line(0, 2, 1, 1, 4, 0, 0, 3)
    y = x.clone()
    y[:, :5, 4] = torch.eye(5)[2]  # One of eight steps of the melody,
    y[:, 6, :2] = 1  # and two of the drums are wrong;
    y[:, 8] = 100  # how loud it is does not count.
    assert joint.accuracy(x, y).tolist() == pytest.approx([1 - (1 / 8 + 2 / 8) / 2])
    real = Joint().bind(Spec.joint((8,), [VELOCITY, Group("bend", 1, "gaussian")]))
    x = torch.randn(2, 2, 8)
    assert real.accuracy(x, x).tolist() == [1, 1]
    assert real.accuracy(x, x.mean(2, keepdim=True).expand_as(x)).tolist() == pytest.approx([0, 0], abs=1e-5)


def test_flaws_name_the_group():
    joint = Joint().bind(BAND)
    assert joint.flaw(line(0, 2), 1) == ""
    wrong = line(0, 2)
    wrong[:, 6] = 2.0
    assert joint.flaw(wrong, 1) == "has values outside 0 .. 1 (in the group 'drums')"
    assert joint.flaw(wrong.mT, 2) == "has values outside 0 .. 1 (in the group 'drums')"
    assert "one-hot over its 5 channels" in joint.flaw(0 * wrong, 1)


def test_a_preset_s_settings_make_it():
    made = registry.build("likelihoods", "joint", groups={"velocity": {"scale": 2.0}}).bind(BAND)
    x = torch.zeros(1, 9, 1)
    x[:, 0] = 1
    expected = math.log(2.0) + 0.5 * math.log(2 * math.pi)
    assert made.nll_parts(x, x)["velocity"].item() == pytest.approx(expected)


def test_without_groups_it_is_one_line():
    for spec in (Spec(3, (8,), "gaussian"), Spec(3, (8,), "joint")):
        with pytest.raises(MusicaeError, match="'joint' needs a tensor with named groups"):
            Joint().bind(spec)
    with pytest.raises(MusicaeError, match="must be bound"):
        Joint().nll(torch.zeros(1, 3, 8), torch.zeros(1, 3, 8))


@pytest.mark.parametrize(
    ("groups", "match"),
    [
        ({"drum": {}}, "the tensor has no group 'drum'; did you mean 'drums'?"),
        ({"drums": 3}, "groups must hold a table for each name, not drums = 3"),
        ({"drums": {"weight": -1}}, "in the group 'drums' weight must be a number of 0 or more"),
        ({"drums": {"weight": "high"}}, "in the group 'drums' weight must be a number of 0 or more"),
        ({"drums": {"where": "drums"}}, "where must name another group"),
        ({"drums": {"where": "bass"}}, "where must name another group"),
        ({"drums": {"where": "melody"}, "velocity": {"where": "drums"}}, "one that counts everywhere, not 'drums'"),
        ({"velocity": {"where": "melody", "first": 5}}, "first must be a channel of the group in where, 0 to 4"),
        ({"velocity": {"first": 1}}, "first must be"),
        ({"velocity": {"scales": 1.0}}, "no setting 'scales'"),
    ],
)
def test_settings_that_do_not_fit_are_one_line(groups, match):
    with pytest.raises(MusicaeError) as error:
        Joint(groups).bind(BAND)
    assert match in str(error.value)
    assert "\n" not in str(error.value)


def test_a_group_with_a_channel_for_each_of_anothers_counts_channel_by_channel():
    spec = Spec.joint((4,), [DRUMS, Group("velocity", 3, "gaussian")])
    joint = Joint({"velocity": {"scale": 0.5, "where": "drums"}}).bind(spec)
    target = torch.zeros(1, 6, 4)
    target[0, 0, 1] = target[0, 2, 3] = 1
    target[0, 3, 1], target[0, 5, 3] = 0.7, 0.2
    params = torch.randn(1, 6, 4)
    hits = torch.stack([params[0, 3, 1], params[0, 5, 3]]).view(1, 1, 2)
    expected = Gaussian(0.5).nll(hits, torch.tensor([[[0.7, 0.2]]]))
    torch.testing.assert_close(joint.nll_parts(params, target)["velocity"], expected)
    made = joint.mode(params)
    assert (made[:, 3:][made[:, :3] == 0] == 0).all()
    assert torch.equal(made[:, 3:][made[:, :3] > 0], params[:, 3:][made[:, :3] > 0])
    assert joint.averaged(6).tolist() == [False] * 3 + [True] * 3
