from __future__ import annotations

from typing import Any

from radio.api.web_guard import WebGuard


class Wire:
    """A transport with so many bytes unsent, that remembers whether it was cut."""

    def __init__(self, address: str, unsent: int) -> None:
        self.address = address
        self.unsent = unsent
        self.cut = False

    def get_extra_info(self, name: str) -> Any:
        return (self.address, 5_000) if name == "peername" else None

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.cut = True


class Visit:
    """A connection of the application."""

    def __init__(self, address: str = "192.0.2.1", unsent: int = 0) -> None:
        self.wire = Wire(address, unsent)

    @property
    def transport(self) -> Wire | None:
        return None if self.wire.cut else self.wire


def test_an_answer_that_nobody_takes_ends_after_its_time() -> None:
    still, moving, idle = Visit(unsent=9_000), Visit(unsent=9_000), Visit()
    guard = WebGuard(lambda: [still, moving, idle], stalled_s=20)
    for second in range(0, 22, 2):
        moving.wire.unsent -= 100
        guard.look(float(second))
    assert (still.wire.cut, moving.wire.cut, idle.wire.cut) == (True, False, False)
    assert (guard.closed, guard.open) == (1, 3)


def test_of_too_many_from_one_address_the_oldest_go() -> None:
    crowd, other = [Visit() for _ in range(5)], Visit("198.51.100.7")
    guard = WebGuard(lambda: [*crowd, other], per_address=3)
    guard.look(0.0)
    assert [visit.wire.cut for visit in crowd] == [True, True, False, False, False]
    assert not other.wire.cut
