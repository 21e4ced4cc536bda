"""The autoencoder that starts as principal components of columns."""

import pytest
import torch

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.column_vae import column_vae
from musicae.testing import check_model

SMALL = Spec(1, (8, 16), "gaussian")


def model(latent=12, **settings):
    torch.manual_seed(0)
    return column_vae(SMALL, latent, **{"columns": 4, "components": 6, "width": 8, "blocks": 1, **settings})


def hills(n=200, seed=0):
    """Windows of few shapes that grow fainter from left to right."""
    rng = torch.Generator().manual_seed(seed)
    height, width = torch.arange(8)[:, None], torch.arange(16)
    shapes = torch.stack([torch.sin((k + 1) * height / 3 + width / (k + 2)) for k in range(3)])
    fall = torch.exp(-width / 4)
    return (torch.randn(n, 3, 1, 1, generator=rng) * shapes).sum(1, keepdim=True) * fall + 0.5


@pytest.mark.parametrize("variational", [True, False])
def test_it_keeps_its_promises(variational):
    check_model(
        lambda spec: column_vae(spec, 12, 4, 6, width=8, blocks=1, variational=variational),
        Spec(2, (8, 16), "gaussian"),
    )


def test_it_says_how_many_windows_it_starts_from():
    assert model().init_samples == 6000


def test_before_training_it_is_principal_components_where_they_vary():
    made = model(latent=9)
    made.init_from_data(hills())
    x = hills(20, seed=1)
    with torch.no_grad():
        latent = made.encode(x)
        out = made.params(latent.mean, x)
    assert (out - x).square().mean() < 0.02 * (x - 0.5).square().mean()
    powers = made.encode(hills()).mean.square().mean(0)
    assert powers.mean().item() == pytest.approx(1, abs=1e-3)
    assert (powers.diff() <= 1e-4).all()  # The first numbers say most.
    assert int(made.selected.sum()) == 9
    assert made.selected.view(4, 6).sum(1)[0] >= made.selected.view(4, 6).sum(1)[-1]


def test_with_all_components_nothing_is_lost():
    made = model(latent=4 * 32, components=32)
    made.init_from_data(hills())
    x = torch.randn(3, 1, 8, 16)
    with torch.no_grad():
        torch.testing.assert_close(made.params(made.encode(x).mean, x), x, atol=1e-4, rtol=0)


def test_it_learns_to_refine():
    made = model(latent=2)
    made.init_from_data(hills())
    optimizer = torch.optim.Adam(made.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        x = hills()
        loss = (made.params(made.encode(x).mean, x) - x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_wrong_settings_are_one_line():
    with pytest.raises(MusicaeError, match="windows of two axes"):
        column_vae(Spec(1, (16,), "gaussian"))
    with pytest.raises(MusicaeError, match="columns must divide 16"):
        model(columns=5)
    with pytest.raises(MusicaeError, match="latent be at most"):
        model(latent=25)
    with pytest.raises(MusicaeError, match="shuffle 3 must divide"):
        model(shuffle=3)
    for name in ("columns", "shuffle", "width"):
        with pytest.raises(MusicaeError, match="must be 1 or more"):
            model(**{name: 0})
