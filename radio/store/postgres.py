"""PostgreSQL: how connections are set up."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event

# A dead or frozen server is noticed within about 15 s instead of the operating system's hours.
_CONNECT: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "nextup-radio",
}
_SETTINGS: Final = ("SET lock_timeout = '5s'", "SET statement_timeout = '60s'")


def engines(url: URL, *, readers: int) -> tuple[Engine, Engine]:
    """The engine of the one writing connection and that of ``readers`` connections that cannot write.

    Readers see one snapshot for as long as their transaction lasts, as they do on SQLite. A lock is waited
    for 5 s, a statement may take 60 s; parameters of the URL override the connection's defaults.
    """
    writer = _engine(url, 1)
    return writer, _engine(url, readers, isolation_level="REPEATABLE READ").execution_options(
        postgresql_readonly=True
    )


def _engine(url: URL, connections: int, **options: Any) -> Engine:
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={name: value for name, value in _CONNECT.items() if name not in url.query},
        **options,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.autocommit = True
        for setting in _SETTINGS:
            connection.execute(setting)
        connection.autocommit = False

    return engine
