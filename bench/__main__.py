"""``python -m bench [name ...] [--option ...]``: run the named benchmarks, or all of them, with their options."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from pathlib import Path


def names() -> list[str]:
    """Every benchmark of this folder."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in found if not module.name.startswith("_"))


def main() -> int:
    """Run them one after the other; 2 for a name that does not exist."""
    first_option = next((at for at, word in enumerate(sys.argv) if word.startswith("--")), len(sys.argv))
    wanted = sys.argv[1:first_option] or names()
    del sys.argv[1:first_option]
    if unknown := [name for name in wanted if name not in names()]:
        print(f"There is no benchmark {unknown[0]!r}. Allowed: {', '.join(names())}.", file=sys.stderr)
        return 2
    for name in wanted:
        print(f"\n== {name}")
        import_module(f"bench.{name}").main()
    return 0


sys.exit(main())
