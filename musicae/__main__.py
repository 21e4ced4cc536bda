"""``python -m musicae`` is the command ``musicae``."""

from .cli import run

if __name__ == "__main__":
    run()
