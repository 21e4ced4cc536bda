"""``python -m musicae`` is the command ``musicae``."""

from musicae.cli import run

if __name__ == "__main__":
    run()
