"""``radio run`` with well-formed options, without the library that reads all other command lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

_OPTIONS: Final = frozenset({"--config", "--host", "--port", "--data-dir"})
_TAKEOVER: Final = "--takeover"
_SHORT: Final = {"-c": "--config"}


def options_of(arguments: Sequence[str]) -> dict[str, str] | None:
    """The options of ``radio run``, each with its value; None for any other command and whatever is not plain."""
    if not arguments or arguments[0] != "run":
        return None
    options: dict[str, str] = {}
    rest = iter(arguments[1:])
    for argument in rest:
        if argument == _TAKEOVER and argument not in options:
            options[argument] = "yes"
            continue
        name, is_joined, value = argument.partition("=")
        value = value if is_joined else next(rest, "")
        name = _SHORT.get(argument, name)
        if name not in _OPTIONS or name in options or not value or value.startswith("-"):
            return None
        options[name] = value
    return options if options.get("--port", "0").isdecimal() else None


def run(options: dict[str, str]) -> None:
    """Put the stations on the air until stopped; ends the process where that fails."""
    from radio.cli.commands_end import ending
    from radio.cli.run import configuration, run_service

    overrides: dict[tuple[str, ...], Any] = {}
    if "--host" in options:
        overrides["server", "host"] = options["--host"]
    if "--port" in options:
        overrides["server", "port"] = int(options["--port"])
    if "--data-dir" in options:
        overrides["server", "data_dir"] = str(Path(options["--data-dir"]).absolute())
    with ending():
        config = configuration(Path(options.get("--config", "config.toml")), overrides)
        run_service(config, takeover=_TAKEOVER in options)
