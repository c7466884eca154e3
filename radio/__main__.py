"""``python -m radio``."""

from radio.cli import main

main()
