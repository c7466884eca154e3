"""``radio schedule export`` and ``import``: schedules and logs in the words of other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

import typer

from radio.audio.encode import MIME_TYPES
from radio.cli.context import ConfigOption, JsonOption, chosen, with_store
from radio.cli.output import FAILED, WRONG_USE, note, out_json, table
from radio.cli.run import configuration
from radio.cli.schedule_inputs import first_moment, inputs_of, sponsors_of, whole_days
from radio.clock import SystemClock
from radio.config import Config, StationConfig
from radio.errors import InvalidRequest, NotWritten, ScheduleError
from radio.interchange import jsonld, rivendell, spi
from radio.interchange.calendars import feed_text, materialised_text
from radio.interchange.face import Face, faces
from radio.interchange.icalendar_read import Refusal, read_calendar
from radio.interchange.log_playlists import log_m3u, log_xspf
from radio.interchange.rivendell_day import date_in_name, plan_day
from radio.interchange.toml_programmes import Plan, plan_import
from radio.library.items import Item
from radio.log import LogRow
from radio.schedule import Inputs, ProgrammeAiring, Schedule, compile_log, read_schedule
from radio.schedule.airings import airings
from radio.schedule.files import schedule_of
from radio.schedule.schedule_source import write_source
from radio.sponsors.campaigns import SponsorBook
from radio.store import Store, as_run
from radio.store.as_run import HISTORY_LIMIT
from radio.toml_source import TomlDocument
from radio.units import UtcMs

OUT_FORMS: Final = ("ics", "m3u", "xspf", "spi", "si", "jsonld", "rivendell", "reconcile")
IN_FORMS: Final = {
    ".ics": "ics",
    ".ical": "ics",
    ".tfc": "rivendell",
    ".mus": "rivendell",
    ".txt": "rivendell",
}
MAX_FILE_BYTES: Final = 4_000_001
MOST_AIRED: Final = 200_000


class _Span(NamedTuple):
    station: StationConfig
    settings: Config
    from_ms: UtcMs
    to_ms: UtcMs
    is_open: bool
    log: Path | None

    @property
    def zone(self) -> ZoneInfo:
        return self.station.zone


def export(
    station: Annotated[str, typer.Option("--station", "-s", help="The station's id.")],
    form: Annotated[str, typer.Option("--format", help=", ".join(OUT_FORMS))] = "ics",
    from_: Annotated[
        str | None, typer.Option("--from", help="The first day, YYYY-MM-DD. Default: today.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="The last day, included. Default: the first.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file; else to standard output.")] = None,
    log: Annotated[
        Path | None, typer.Option(help="With reconcile: the Rivendell log whose ids are given back.")
    ] = None,
    config: ConfigOption = Path("config.toml"),
) -> None:
    """Write programmes (ics, spi, si, jsonld), the log (m3u, xspf, rivendell) or what aired (reconcile).

    ics without days is a feed with rules; with days it has each airing by itself.
    """
    if form not in _WRITERS:
        problem = f"There is no format {form[:20]!r}."
        raise InvalidRequest(problem, field="--format", allowed=", ".join(OUT_FORMS))
    settings = configuration(config)
    (chosen_station,) = chosen(settings, station)
    from_ms, to_ms = whole_days(from_, to, chosen_station.zone)
    is_open = from_ is None and to is None
    text = _WRITERS[form](_Span(chosen_station, settings, from_ms, to_ms, is_open, log))
    if output is None:
        sys.stdout.write(text)
        return
    _write(output, text, "--output")
    note(f"{output}: written.")


def import_(
    file: Annotated[Path, typer.Argument(help="An iCalendar file, or a Rivendell log of a day.")],
    station: Annotated[str, typer.Option("--station", "-s", help="The station's id.")],
    form: Annotated[
        str | None, typer.Option("--format", help="ics or rivendell; else by the file's ending.")
    ] = None,
    day: Annotated[
        str | None, typer.Option("--date", help="The day of a Rivendell log; else as its name says.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Change the schedule file.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Write although some of it is refused.")] = False,
    config: ConfigOption = Path("config.toml"),
    as_json: JsonOption = False,
) -> None:
    """Show what a file from elsewhere would change in the schedule; with --write, change it."""
    settings = configuration(config)
    (chosen_station,) = chosen(settings, station)
    form = _form_of(form, file)
    path = settings.schedule_of(chosen_station)
    text, sponsors = _text_of(path), sponsors_of(settings)
    schedule = read_schedule(path, sponsors=sponsors).schedule
    data = _read(file)
    if form == "ics":
        plan = _calendar(data, file, text, schedule, chosen_station, path)
    else:
        plan = _rivendell(data, file, text, settings, chosen_station, path, day)
    schedule_of(TomlDocument.parse(plan.text, path, error=ScheduleError), sponsors=sponsors)
    written = write and bool(plan.steps) and (partial or not plan.refused) and plan.text != text
    if written:
        _replace(path, plan.text)
    _tell(plan, file, path, written=written, as_json=as_json)
    if plan.refused and not partial:
        raise SystemExit(WRONG_USE)


def _calendar(
    data: bytes, file: Path, text: str, schedule: Schedule, station: StationConfig, path: Path
) -> Plan:
    zone, now_ms = station.zone, SystemClock().now_ms()
    found = read_calendar(data, zone, str(file), now_ms=now_ms)
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    plan = plan_import(text, schedule, found.series, today, str(path))
    return plan._replace(refused=(*found.refused, *plan.refused))


def _rivendell(
    data: bytes, file: Path, text: str, settings: Config, station: StationConfig, path: Path, day: str | None
) -> Plan:
    lines = rivendell.read_import(data, str(file))
    when: date | None = first_moment(day, station.zone, "--date").date() if day else date_in_name(file.name)
    if when is None:
        raise InvalidRequest("The log's day is not known.", field="--date", allowed="YYYY-MM-DD")
    inputs = inputs_of(settings, station)
    today = first_moment(None, station.zone).date()
    return plan_day(text, lines, rivendell.Carts(inputs.pool.items), when, today, str(path))


def _form_of(form: str | None, file: Path) -> str:
    found = form or IN_FORMS.get(file.suffix.lower(), "")
    if found not in IN_FORMS.values():
        problem = f"There is no format {form[:20]!r}." if form else f"{file.name} does not say what it is."
        raise InvalidRequest(problem, field="--format", allowed="ics, rivendell")
    return found


def _text_of(path: Path) -> str:
    return "" if TomlDocument.is_missing(path) else TomlDocument.read(path, error=ScheduleError).text


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            return opened.read(MAX_FILE_BYTES)
    except OSError as fault:
        raise InvalidRequest(f"{path} cannot be read: {fault.strerror or fault}.", field="FILE") from fault


def _tell(plan: Plan, file: Path, path: Path, *, written: bool, as_json: bool) -> None:
    if as_json:
        refused = [{"line": one.line, "text": one.text} for one in plan.refused]
        out_json({"file": str(path), "written": written, "programmes": plan.steps, "refused": refused})
        return
    rows = [
        (step.action, step.programme, step.title, "\n".join((*step.airs, *step.changes)))
        for step in plan.steps
    ]
    table(("what", "programme", "title", "airs"), rows)
    for one in plan.refused:
        note(_refusal(one, file))
    if written:
        note(f"{path}: written.")
    elif plan.refused:
        note("radio: Nothing was written. --partial leaves out what is refused.")
    else:
        note(f"radio: Nothing was written. --write changes {path}.")


def _refusal(one: Refusal, file: Path) -> str:
    return f"{file}:{one.line}: {one.text}"


def _replace(path: Path, text: str) -> None:
    try:
        write_source(path, text)
    except NotWritten as fault:
        note(f"radio: {fault}")
        raise SystemExit(FAILED) from fault


def _write(path: Path, text: str, field: str) -> None:
    try:
        path.write_bytes(text.encode())
    except OSError as fault:
        raise InvalidRequest(f"{path} cannot be written: {fault.strerror or fault}.", field=field) from fault


def _face(span: _Span) -> Face:
    base = span.settings.server.public_url or f"http://localhost:{span.settings.server.port}"
    shown = faces(span.settings, base, MIME_TYPES)
    if span.station.id not in shown:
        raise InvalidRequest(f"The station {span.station.id!r} is not enabled.", field="--station")
    return shown[span.station.id]


def _schedule(span: _Span) -> tuple[Schedule, SponsorBook]:
    sponsors = sponsors_of(span.settings)
    return read_schedule(span.settings.schedule_of(span.station), sponsors=sponsors).schedule, sponsors


def _airings(span: _Span) -> Sequence[ProgrammeAiring]:
    schedule, sponsors = _schedule(span)
    return airings(schedule, sponsors, span.station.id, span.zone, span.from_ms, span.to_ms)


def _ics(span: _Span) -> str:
    now_ms = SystemClock().now_ms()
    if span.is_open:
        return feed_text(_face(span), _schedule(span)[0], now_ms)
    return materialised_text(_face(span), _airings(span), now_ms)


def _spi(span: _Span) -> str:
    now_ms = SystemClock().now_ms()
    return spi.programme_information(_face(span), _airings(span), span.from_ms, span.to_ms, now_ms)


def _si(span: _Span) -> str:
    return spi.service_information([_face(span)], span.settings.network.name, SystemClock().now_ms())


def _jsonld(span: _Span) -> str:
    return jsonld.jsonld_text(jsonld.broadcasts(_face(span), _airings(span))) + "\n"


def _compiled(span: _Span) -> tuple[Inputs, list[LogRow]]:
    inputs = inputs_of(span.settings, span.station)
    rows = compile_log(inputs, span.from_ms, span.to_ms)
    return inputs, [row for row in rows if row.starts_at_ms < span.to_ms]


def _playlist(write: Callable[..., str]) -> Callable[[_Span], str]:
    def written(span: _Span) -> str:
        inputs, rows = _compiled(span)

        def place(row: LogRow) -> str | None:
            item = inputs.pool.by_id.get(row.item or "")
            return str(item.file) if item else None

        return write(rows, place, span.zone, span.station.name)

    return written


def _rivendell_log(span: _Span) -> str:
    inputs, rows = _compiled(span)
    return rivendell.written_import(rows, _cart_of(inputs.pool.by_id.get), span.zone)


def _reconcile(span: _Span) -> str:
    inputs = inputs_of(span.settings, span.station)
    imported = rivendell.read_import(_read(span.log), str(span.log)) if span.log else []
    given = rivendell.carts_of_lines(imported, rivendell.Carts(inputs.pool.items))
    own = _cart_of(inputs.pool.by_id.get)

    def cart_of(row: LogRow) -> int | None:
        return given.get(row.item or "") or own(row)

    played = with_store(span.settings, lambda store: _played(store, span))
    return rivendell.reconcile(played, cart_of, span.zone, imported)


def _cart_of(find: Callable[[str], Item | None]) -> Callable[[LogRow], int | None]:
    def cart_of(row: LogRow) -> int | None:
        item = find(row.item or "")
        return rivendell.cart_number(item) if item else None

    return cart_of


async def _played(store: Store, span: _Span) -> list[rivendell.AsPlayed]:
    """What aired in the span, oldest first."""
    found: list[rivendell.AsPlayed] = []
    before_ms = span.to_ms
    while len(found) < MOST_AIRED:
        page = await store.read(
            as_run.history, span.station.id, limit=HISTORY_LIMIT, before_ms=before_ms, started_only=True
        )
        for entry in page:
            started_ms = entry.started_at_ms
            if started_ms is not None and span.from_ms <= started_ms:
                found.append(
                    rivendell.AsPlayed(row=entry.row, started_ms=started_ms, played_ms=entry.played_ms)
                )
        if len(page) < HISTORY_LIMIT or page[-1].at_ms < span.from_ms:
            break
        before_ms = page[-1].at_ms
    return found[::-1]


_WRITERS: Final[dict[str, Callable[[_Span], str]]] = {
    "ics": _ics,
    "m3u": _playlist(log_m3u),
    "xspf": _playlist(log_xspf),
    "spi": _spi,
    "si": _si,
    "jsonld": _jsonld,
    "rivendell": _rivendell_log,
    "reconcile": _reconcile,
}
