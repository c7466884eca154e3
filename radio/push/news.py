"""What processes tell each other of the stations' states over the bus (pure).

========================  ==========================================================================
``nextup.state.STATION``  from the source: each update, and a snapshot now and then and when asked
``nextup.ask[.STATION]``  to the source: a snapshot is wanted, of one station or of all
``nextup.count.EDGE``     from an edge: how many listen there
========================  ==========================================================================

Messages are MessagePack; updates and states in them are JSON text as it is sent to subscribers, encoded once.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from radio.errors import InvalidRequest

STATE: Final = "nextup.state"
ASK: Final = "nextup.ask"
COUNT: Final = "nextup.count"

_Seq = Annotated[int, msgspec.Meta(ge=0)]
_Epoch = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class UpdateNews(msgspec.Struct, frozen=True, kw_only=True, tag="update"):
    """One change. ``update`` is the text of the update frame.

    ``term`` grows with each epoch of a station and each process that makes it go on: of two sources the one with the
    higher term is followed.
    """

    term: _Seq
    epoch: _Epoch
    seq: _Seq
    update: bytes


class SnapshotNews(msgspec.Struct, frozen=True, kw_only=True, tag="snapshot"):
    """The state as of ``seq``, as JSON, and the texts of the updates that led to it, the newest last."""

    term: _Seq
    epoch: _Epoch
    seq: _Seq
    state: bytes
    history: list[bytes]


class CountNews(msgspec.Struct, frozen=True, kw_only=True):
    """How many listen at an edge, by station."""

    listeners: Annotated[dict[str, _Seq], msgspec.Meta(max_length=200)]


StateNews = UpdateNews | SnapshotNews

_encoder = msgspec.msgpack.Encoder()
_state_decoder: msgspec.msgpack.Decoder[StateNews] = msgspec.msgpack.Decoder(StateNews)
_count_decoder = msgspec.msgpack.Decoder(CountNews)


def encode_news(news: StateNews | CountNews) -> bytes:
    """The payload of ``news``."""
    return _encoder.encode(news)


def decode_state(payload: bytes) -> StateNews:
    """Raises InvalidRequest for what is no news of a state."""
    try:
        return _state_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise InvalidRequest(f"This is no news of a station's state: {fault}.") from None


def decode_count(payload: bytes) -> CountNews:
    """Raises InvalidRequest for what is no news of listeners."""
    try:
        return _count_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise InvalidRequest(f"This is no news of listeners: {fault}.") from None


def station_of(subject: str) -> str:
    """The last word of a subject."""
    return subject.rpartition(".")[2]
