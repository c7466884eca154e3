from __future__ import annotations

import asyncio
import os
import struct
import sys
import zlib
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from library_sounds import _png_chunk, png

from radio.errors import LimitReached, UnknownItem
from radio.library import catalog
from radio.library.artwork import Artwork, dimensions
from radio.library.shrinker import MAX_WAITING, Shrinker
from radio.library.thumbnails import JPEG, SIZES, WEBP, shrunk
from radio.store import Store


def encoded(codec: str, form: str, pixels: str, *shades: int, size: int = 64) -> bytes:
    """Frames of one grey each."""
    target = BytesIO()
    with av.open(target, "w", format=form) as container:
        stream = container.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = size, size, pixels
        for index, shade in enumerate(shades):
            frame = av.VideoFrame.from_ndarray(np.full((size, size, 3), shade, np.uint8), format="rgb24")
            frame = frame.reformat(format=pixels)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def mean(picture: bytes) -> float:
    claimed = dimensions(picture)
    assert claimed is not None
    codec = av.CodecContext.create(claimed[0].removeprefix("image/").replace("jpeg", "mjpeg"), "r")
    frames = [*codec.decode(av.Packet(picture)), *codec.decode(None)]
    return float(frames[0].to_ndarray(format="rgb24").mean())


@pytest.mark.parametrize("mime", [WEBP, JPEG])
@pytest.mark.parametrize("size", SIZES)
def test_pictures_are_made_small_in_proportion(mime: str, size: int) -> None:
    assert dimensions(shrunk(png(1200, 800, shade=90), size, mime)) == (mime, size, round(size * 2 / 3))


@pytest.mark.parametrize(
    "source",
    [
        png(64, 64, shade=90),
        encoded("mjpeg", "image2pipe", "yuvj420p", 90),
        encoded("mjpeg", "image2pipe", "yuvj444p", 90),
        encoded("libwebp", "webp", "yuv420p", 90),
        encoded("libwebp", "webp", "bgra", 90),
    ],
)
def test_every_format_keeps_its_shades_and_is_never_enlarged(source: bytes) -> None:
    for mime in (WEBP, JPEG):
        small = shrunk(source, 300, mime)
        assert dimensions(small) == (mime, 64, 64)
        assert mean(small) == pytest.approx(90, abs=4)


def test_what_is_clear_becomes_white() -> None:
    rows = (b"\0" + bytes([10, 10, 10, 0]) * 8) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    clear = b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)
    assert mean(shrunk(clear, 96, JPEG)) > 250


def test_texts_and_movement_are_gone() -> None:
    whole = png(64, 64)
    text = _png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"secret" * 2_000_000))
    bomb = whole[:33] + text + whole[33:]
    assert b"secret" not in shrunk(bomb, 96, WEBP)
    moving = encoded("libwebp_anim", "webp", "yuv420p", 20, 200, 90)
    try:
        still = shrunk(moving, 96, WEBP)
    except (ValueError, av.FFmpegError):
        return  # builds whose decoder knows no moving pictures refuse them
    assert b"ANIM" not in still
    assert len(av.open(BytesIO(still)).streams) == 1


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        png(8, 8, claimed=(30_000, 30_000)),
        png(8, 8, claimed=(4_999, 4_999)),
        png(500, 500)[:200],
        encoded("mjpeg", "image2pipe", "yuvj420p", 90)[:100],
        b"\xff\xd8\xff" + bytes(500),
        b"RIFF\x10\0\0\0WEBPVP8X" + bytes(40),
        png(64, 64) + bytes(2_000_000),
    ],
)
def test_hostile_pictures_are_refused(hostile: bytes) -> None:
    with pytest.raises((ValueError, av.FFmpegError)):
        shrunk(hostile, 300, WEBP)


def art(name: str, data: bytes) -> Artwork:
    return Artwork(id=name, mime="image/png", width=1, height=1, data=data)


async def test_pictures_are_made_once_in_a_process_of_their_own(store: Store) -> None:
    await store.write(catalog.put_artwork, art("a", png(640, 640)))
    await store.write(catalog.put_artwork, art("b", png(8, 8, claimed=(4_999, 4_999))))
    async with Shrinker(store) as pictures:
        first, second = await asyncio.gather(pictures.picture("a", 96, WEBP), pictures.picture("a", 96, WEBP))
        assert first is second
        assert dimensions(first) == (WEBP, 96, 96)
        for missing in ("b", "c", "b"):
            with pytest.raises(UnknownItem):
                await pictures.picture(missing, 96, WEBP)
        assert dimensions(await pictures.picture("a", 300, JPEG)) == (JPEG, 300, 300)
        pid = pictures._prober.pid
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_picture_that_hangs_its_process_is_no_picture(store: Store, tmp_path: Path) -> None:
    script = tmp_path / "hang.py"
    script.write_text(
        "import sys, time\nfrom radio.library import worker\n"
        "worker.shrink = lambda job: time.sleep(60)\nworker.run(worker.probe_job)\n"
    )
    await store.write(catalog.put_artwork, art("a", png()))
    async with Shrinker(store, (sys.executable, "-P", str(script)), limit_s=0.5) as pictures:
        with pytest.raises(UnknownItem):
            await pictures.picture("a", 96, WEBP)


async def test_more_than_a_few_are_not_waited_for(store: Store) -> None:
    async with Shrinker(store) as pictures:
        waits = [
            asyncio.create_task(pictures.picture(f"{number:x}", 96, WEBP)) for number in range(MAX_WAITING)
        ]
        await asyncio.sleep(0)
        with pytest.raises(LimitReached):
            await pictures.picture("one more", 96, WEBP)
        done = await asyncio.gather(*waits, return_exceptions=True)
    assert {type(fault) for fault in done} == {UnknownItem}
