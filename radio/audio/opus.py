"""Opus in Ogg (RFC 6716; RFC 7845, sections 3 to 5), made by libopus; mutagen does the framing of Ogg (RFC 3533).

How samples and pages meet: a page holds five packets of 20 ms. Page ``k`` (from 0) decodes to the samples
``4800 k`` up to ``4800 (k + 1)``, of which a player drops the first 312 (the pre-skip) wherever it starts; so
sample ``s`` of what was encoded is the ``s``-th heard by who starts with page 0, and who starts with page
``k`` hears ``4800 k`` first. A page's granule position counts all samples up to its end, pre-skip included.
"""

from __future__ import annotations

from typing import Final

from mutagen.ogg import OggPage

from radio.audio.frame_codec import FrameCodec
from radio.audio.pcm import Pcm
from radio.units import Samples

OPUS_BITRATES_KBPS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256)

PACKETS_PER_PAGE: Final = 5
"""100 ms: a lost or broken page is short, and so is the way to the next one."""

_PACKET_SAMPLES: Final = 960
_FRAMING_BITS_PER_S: Final = 10 * (27 + 7) * 8  # head of a page, and lengths of its packets
_VENDOR: Final = b"nextup-radio"


class OpusEncoder:
    """Opus, 48 kHz stereo, constrained variable bit rate; every frame given out is a whole Ogg page.

    ``serial`` names the logical bitstream: it must be another one for each run of a stream, because a player
    that is sent new headers takes them for the next link of a chain. ``header`` is the two header pages.
    ``first_page`` is the number of the first page that comes out, for an encoder that goes on with another's
    stream. Samples beyond full scale are clipped. Raises ValueError for a bit rate that is not offered.
    """

    content_type: Final = "audio/ogg"
    frame_samples: Final = _PACKET_SAMPLES * PACKETS_PER_PAGE
    delay_samples: Final = Samples(0)

    def __init__(self, bitrate_kbps: int = 96, *, serial: int = 1, first_page: int = 0) -> None:
        if bitrate_kbps not in OPUS_BITRATES_KBPS:
            allowed = ", ".join(map(str, OPUS_BITRATES_KBPS))
            raise ValueError(f"no Opus bit rate {bitrate_kbps}; allowed: {allowed}")
        self._codec = FrameCodec(
            "libopus",
            sample_format="flt",
            frame_samples=_PACKET_SAMPLES,
            bit_rate=bitrate_kbps * 1000 - _FRAMING_BITS_PER_S,
            options={"vbr": "constrained", "compression_level": "5", "frame_duration": "20"},
        )
        self._serial = serial % (1 << 32)
        self._pages = 0
        self._packets: list[bytes] = []
        self._packets_out = 0
        self._frames_out = 0
        self.pre_skip = Samples(int.from_bytes(self._codec.extradata[10:12], "little"))
        self.header = self._head_page() + self._page(0, [_tags()])
        self._pages += first_page
        self._packets_before = self._packets_out = first_page * PACKETS_PER_PAGE

    @property
    def frames_out(self) -> int:
        """How many pages have come out, the header pages not counted."""
        return self._frames_out

    @property
    def samples_in(self) -> Samples:
        """How many samples have been put in."""
        return self._codec.samples_in

    def encode(self, block: Pcm) -> list[bytes]:
        """Take a block of any length; the pages that became ready."""
        return self._paged(self._codec.encode(block))

    def flush(self) -> list[bytes]:
        """The rest of the stream, its last page marked as such; its position ends with the last sample."""
        if not self.samples_in:
            return []
        needed = self._packets_before - -(self.samples_in + self.pre_skip) // _PACKET_SAMPLES
        packets = self._codec.flush(more=self.pre_skip)
        pages = self._paged(packets[: needed - self._packets_out - len(self._packets)])
        return [*pages, self._audio_page(last=True)]

    def _paged(self, packets: list[bytes]) -> list[bytes]:
        pages = []
        for packet in packets:
            # One packet stays back, so that the last page is never empty.
            if len(self._packets) == PACKETS_PER_PAGE:
                pages.append(self._audio_page())
            self._packets.append(packet)
        return pages

    def _audio_page(self, *, last: bool = False) -> bytes:
        packets, self._packets = self._packets, []
        self._packets_out += len(packets)
        self._frames_out += 1
        position = self._packets_out * _PACKET_SAMPLES
        if last:
            position = self._packets_before * _PACKET_SAMPLES + self.samples_in + self.pre_skip
        return self._page(position, packets, last=last)

    def _head_page(self) -> bytes:
        return self._page(0, [self._codec.extradata], first=True)

    def _page(self, position: int, packets: list[bytes], *, first: bool = False, last: bool = False) -> bytes:
        page = OggPage()  # type: ignore[no-untyped-call]
        page.serial, page.sequence, page.position = self._serial, self._pages, position
        page.first, page.last = first, last
        page.packets = packets
        self._pages += 1
        return bytes(page.write())  # type: ignore[no-untyped-call]


def _tags() -> bytes:
    return b"OpusTags" + len(_VENDOR).to_bytes(4, "little") + _VENDOR + bytes(4)
