"""The user's folders: for data sets, and for what musicae keeps so that it need not be made or fetched again."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "data_folder"]


def data_folder() -> Path:
    """Return the user's folder for data sets: ``$MUSICAE_DATA``, or the platform's own."""
    import platformdirs

    named = os.environ.get("MUSICAE_DATA")
    return Path(named) if named else Path(platformdirs.user_data_dir("musicae", appauthor=False))


def cache_folder() -> Path:
    """Return the user's folder for caches: ``$MUSICAE_CACHE``, or the platform's own."""
    import platformdirs

    named = os.environ.get("MUSICAE_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("musicae", appauthor=False))
