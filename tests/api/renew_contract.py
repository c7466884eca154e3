"""Writes ``contract_lock.json`` anew from a service of this working tree: ``python -m tests.api.renew_contract``.

For additions. Where it finds that released shapes change, it says so and writes nothing unless ``--break`` is given.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))

from contract_lock import PLACE, breaks, contract_of, locked, written
from whole_service import configuration, fetch, load

from radio.app import on_air


async def _contract() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "wxyz").mkdir()
        async with on_air(load(configuration(Path(folder), "wxyz"))) as service:
            http = (await fetch(service.port, "/api/openapi.json"))[1]
            push = (await fetch(service.port, "/api/asyncapi.json"))[1]
    return contract_of(http, push)


def main() -> int:
    """Renew the lock; 1 where that would break what was released."""
    contract = asyncio.run(_contract())
    problems = breaks(locked(), contract) if PLACE.exists() else []
    if problems:
        sys.stderr.write("Released shapes change:\n  " + "\n  ".join(problems) + "\n")
        if "--break" not in sys.argv:
            sys.stderr.write("Nothing was written; --break writes it all the same.\n")
            return 1
    PLACE.write_text(written(contract), encoding="utf-8")
    sys.stdout.write(f"{PLACE.name}: {len(contract['operations'])} routes\n")  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main())
