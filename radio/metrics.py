"""Every metric that the service exposes, declared in one place (Prometheus text format at ``/metrics``)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The service's metrics, on a registry of their own so that two services can live in one process."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        station = ["station"]
        self.listeners = Gauge(
            "nextup_listeners", "Listeners connected now", ["station", "mount"], registry=registry
        )
        self.stream_bytes = Counter(
            "nextup_stream_bytes", "Encoded bytes made by playout", ["station", "mount"], registry=registry
        )
        self.listeners_dropped = Gauge(
            "nextup_listeners_dropped",
            "Listeners dropped because they fell behind",
            ["station", "mount"],
            registry=registry,
        )
        self.output_level_db = Gauge(
            "nextup_output_level_db", "RMS level of the newest chunk, dBFS", station, registry=registry
        )
        self.lead_s = Gauge(
            "nextup_lead_seconds", "How far the stream is ahead of the clock", station, registry=registry
        )
        self.rows_ended = Counter(
            "nextup_rows_ended",
            "Log rows that left the air, by outcome",
            ["station", "outcome"],
            registry=registry,
        )
        self.fallbacks = Counter(
            "nextup_fallbacks", "Times the bed had to sound in place of an item", station, registry=registry
        )
        self.available = Gauge(
            "nextup_available", "1 while the station is on the air, else 0", station, registry=registry
        )
        self.subscribers = Gauge(
            "nextup_subscribers",
            "Connections that subscribe to updates, by the push protocol that they speak",
            ["dialect"],
            registry=registry,
        )
        self.bus_connected = Gauge(
            "nextup_bus_connected", "1 while the bus reaches its server, else 0", registry=registry
        )
        self.bus_lost = Gauge(
            "nextup_bus_lost",
            "Messages to other processes that were lost here since the start",
            registry=registry,
        )
        self.bus_edges = Gauge("nextup_bus_edges", "Edges that tell how many listen there", registry=registry)
        self.log_ahead_s = Gauge(
            "nextup_log_ahead_seconds", "How far the log is compiled ahead", station, registry=registry
        )
        self.as_run_waiting = Gauge(
            "nextup_as_run_waiting", "As-run events that wait for the database", registry=registry
        )
        self.as_run_held = Gauge(
            "nextup_as_run_held", "As-run events that are not in their file yet", registry=registry
        )
        self.as_run_lost = Gauge(
            "nextup_as_run_lost",
            "As-run events that the database (until the next start) or the file will not get",
            ["where"],
            registry=registry,
        )
        self.alarms = Gauge(
            "nextup_alarm",
            "1 while an alarm is up; it is told at /readyz",
            ["code", "station"],
            registry=registry,
        )
        self.door_undecided = Gauge(
            "nextup_door_undecided", "Connections that have not said yet what they want", registry=registry
        )
        self.door_turned_away = Gauge(
            "nextup_door_turned_away",
            "Connections closed since the start because they said or took nothing",
            registry=registry,
        )
        self.library_items = Gauge("nextup_library_items", "Playable items in the library", registry=registry)
        self.library_rejected = Gauge(
            "nextup_library_rejected", "Files that cannot be played", registry=registry
        )
        self.loop_late_ms = Histogram(
            "nextup_loop_late_ms",
            "How late the event loop runs its timers",
            buckets=(1, 2, 5, 10, 20, 50, 100, 500),
            registry=registry,
        )
