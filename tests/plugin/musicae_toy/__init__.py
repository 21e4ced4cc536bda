"""What another package needs to add to musicae: entry points to an adapter, a model, a data set and a preset."""

from pathlib import Path

PRESET = Path(__file__).with_name("toy-beat.toml")
