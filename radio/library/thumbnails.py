"""Pictures made small and made anew, so that nothing of a stranger's file reaches a browser.

Runs in the worker process, under its limits of memory and time. Only JPEG, PNG and WebP are decoded, only
where the header claims at most 25 megapixels and the decoder agrees with the header, and only the first frame.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from radio.library.artwork import MAX_BYTES, MAX_PIXELS, dimensions

SIZES: Final = (96, 300, 600)
"""The longer side of a served picture in pixels; a smaller picture keeps its size."""

WEBP: Final = "image/webp"
JPEG: Final = "image/jpeg"

_DECODERS: Final = {"image/jpeg": "mjpeg", "image/png": "png", "image/webp": "webp"}
_WHITE: Final = 255


def shrunk(data: bytes, size: int, mime: str) -> bytes:
    """The picture in ``data`` as WebP or JPEG (``mime``), at most ``size`` pixels wide and high.

    Transparency becomes white; colour profiles, texts and movement are gone. Raises ValueError for what is
    refused, and whatever the decoder raises for what is broken.
    """
    claimed = dimensions(data)
    if claimed is None or len(data) > MAX_BYTES or not 0 < claimed[1] * claimed[2] <= MAX_PIXELS:
        raise ValueError("not a picture that is decoded")
    frame = _decoded(data, claimed)
    width, height = _fitted(frame.width, frame.height, size)
    small = _opaque(frame).reformat(width=width, height=height, format="rgb24", interpolation="AREA")
    return _encoded(small, mime)


def _decoded(data: bytes, claimed: tuple[str, int, int]) -> VideoFrame:
    codec: Any = av.CodecContext.create(_DECODERS[claimed[0]], "r")
    codec.options = {"max_pixels": str(MAX_PIXELS), "err_detect": "explode"}
    codec.thread_count = 1
    frames: list[VideoFrame] = [*codec.decode(av.Packet(data)), *codec.decode(None)]
    if not frames or (frames[0].width, frames[0].height) != claimed[1:]:
        raise ValueError("the picture is not what its header says")
    return frames[0]


def _fitted(width: int, height: int, size: int) -> tuple[int, int]:
    scale = min(1.0, size / max(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))


def _opaque(frame: VideoFrame) -> VideoFrame:
    if not any(component.is_alpha for component in frame.format.components):
        return frame
    pixels = frame.to_ndarray(format="rgba")
    alpha = pixels[..., 3:].astype(np.uint16)
    over = (pixels[..., :3] * alpha + _WHITE * (255 - alpha)) // 255
    return VideoFrame.from_ndarray(np.ascontiguousarray(over.astype(np.uint8)), format="rgb24")


def _encoded(frame: VideoFrame, mime: str) -> bytes:
    codec, pixels, options = (
        ("libwebp", "yuv420p", {"quality": "80"})
        if mime == WEBP
        else ("mjpeg", "yuvj420p", {"qmin": "3", "qmax": "3"})
    )
    target = BytesIO()
    with av.open(target, "w", format="webp" if mime == WEBP else "image2pipe") as container:
        stream: Any = container.add_stream(codec, rate=1, options=options)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixels
        span = ColorRange.MPEG if mime == WEBP else ColorRange.JPEG
        container.mux(stream.encode(frame.reformat(format=pixels, dst_color_range=span)))
        container.mux(stream.encode(None))
    return target.getvalue()
