"""The card of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicae import codec
from musicae.errors import MusicaeError
from musicae.ops.model_card import CardOptions, card

FIGURES = {"accuracy": 0.98765, "spread_accuracy": 0.001, "floor_accuracy": 0.5, "floor_pca": 0.25,
           "windows": 300.0, "pieces": 20.0, "seconds": 3.5}  # fmt: skip


def of(path: Path, files: tuple[str, ...] = (), options: CardOptions = CardOptions(), **changes: str) -> str:  # noqa: B008
    made = codec.load(str(path))
    vars(made.preset).update(changes)
    return card(made, "me/tunes", files, "https://hub/me/tunes/resolve/main", options)


def test_a_card_has_figures_with_spread_and_floor(tiny_digits: Path) -> None:
    text = of(tiny_digits, options=CardOptions(FIGURES, "cc-by-4.0"))
    assert text.startswith(
        '---\nlibrary_name: musicae\nlicense: cc-by-4.0\ntags:\n- "musicae"\n- "image"\n- "vae"\n---\n'
    )
    assert "| `accuracy` | 0.9877 | 0.001 | 0.5 |" in text
    assert "| `floor_pca` | 0.25 |  |  |" in text
    assert "on 300 windows of 20 pieces that it was not trained on" in text
    assert "seconds" not in text
    assert "The weights are under the licence cc-by-4.0." in text


def test_it_says_what_it_was_trained_on_and_how_it_is_used(tiny_digits: Path, tiny_denoise: Path) -> None:
    text = of(tiny_digits)
    assert "It was trained for 7 steps on:" in text
    assert "| `mnist` | 70,000 handwritten digits | usually given as CC BY-SA 3.0 |" in text
    assert "musicae interpolate a.png b.png --preset hf:me/tunes" in text
    assert "musicae denoise a.png --preset hf:me/tunes" in of(tiny_denoise)
    assert "Its figures were not measured." in text
    assert "No licence is given for the weights." in text


def test_an_upscaler_and_a_model_without_data(tiny_upscale: Path, tiny_melody: Path) -> None:
    text = of(tiny_upscale)
    assert "musicae upscale a.png --preset hf:me/tunes" in text
    assert "It names no data set." in of(tiny_melody)


def test_pictures_sound_and_files_are_named_if_they_are_there(tiny_melody: Path) -> None:
    files = ("example.png", "example.wav", "model.attributes.safetensors")
    text = of(tiny_melody, files)
    assert "(example.png)" in text
    assert 'src="https://hub/me/tunes/resolve/main/example.wav"' in text
    assert "`musicae shift`" in text
    assert not any(name in of(tiny_melody) for name in files)


def test_a_description_is_text_only(tiny_melody: Path) -> None:
    text = of(tiny_melody, description="<script>x</script>\n# [a](javascript:b) `c`")
    assert "<script" not in text.replace("\\<script", "")
    assert "\n\\<script\\>x\\</script\\> \\# \\[a\\](javascript:b) \\`c\\`\n" in text


@pytest.mark.parametrize("licence", ["CC BY", "x\ny: z", "-a", "a" * 50])
def test_a_licence_is_a_name(licence: str) -> None:
    with pytest.raises(MusicaeError, match=r"--license takes a name as the hub has it, such as cc-by-4.0"):
        CardOptions(licence=licence)
