from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from library_items import item
from library_sounds import tone

from radio.library import catalog
from radio.library.catalog import Batch
from radio.library.details import Details
from radio.library.duplicates import COMMON, duplicates
from radio.library.scan import Scanner
from radio.library.sound import Sound
from radio.store import Store


def tune(path: Path, seed: int, *, gain: float = 0.4, lead_s: float = 0.0) -> Path:
    """Twelve seconds of changing chords that no other seed has."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(48_000 * 0.4)) / 48_000
    chords = [
        sum(np.sin(2 * np.pi * hz * time_s) for hz in rng.uniform(200, 2_500, 4)) / 4 for _ in range(30)
    ]
    wave = np.concatenate([np.zeros(int(48_000 * lead_s)), *chords]) * gain
    samples = (wave * 32_000).astype(np.int16)
    codec, layout = ("libmp3lame", "s16p") if path.suffix == ".mp3" else ("pcm_s16le", "s16")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000)
        stream.codec_context.layout = "mono"
        stream.codec_context.format = layout
        size = stream.codec_context.frame_size or 1152
        for start in range(0, len(samples), size):
            frame = av.AudioFrame.from_ndarray(
                samples[None, start : start + size], format=layout, layout="mono"
            )
            frame.sample_rate = 48_000
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


async def test_the_same_recording_is_found_in_other_formats_and_gains(
    store: Store, root: Path, scanner: Scanner
) -> None:
    tune(root / "a.wav", 1)
    tune(root / "b.mp3", 1, gain=0.2, lead_s=0.5)
    tune(root / "c.wav", 2)
    (root / "d.wav").write_bytes((root / "a.wav").read_bytes() + bytes(20))
    await scanner.scan()
    groups = await store.read(duplicates)
    exact, near = groups
    assert (exact.kind, [one.path for one in exact.items]) == ("exact", ["a.wav", "d.wav"])
    assert near.kind == "near"
    assert {one.path for one in near.items} >= {"a.wav", "b.mp3"}
    assert "c.wav" not in {one.path for group in groups for one in group.items}
    (other,) = [one for one in await store.read(catalog.load_items) if one.path == "c.wav"]
    assert await store.read(duplicates, item_id=other.id) == []
    assert await store.read(duplicates, roots=["/elsewhere"]) == []


def known(name: str, **sound: object) -> Details:
    one = item(name)
    keys = sound.pop("keys", ())
    fields = {**{field: getattr(Sound.of(one), field) for field in Sound.__struct_fields__}, **sound}
    return Details(item=one, sound=Sound(**fields), keys=keys)  # type: ignore[arg-type]


async def put(store: Store, *found: Details) -> None:
    batch = Batch(items=[one.item for one in found], details={one.item.id: one for one in found})
    await store.write(catalog.apply, batch)


async def test_a_key_that_everything_has_compares_nothing(store: Store) -> None:
    await put(store, *(known(str(number), keys=(7,), fingerprint=b"abcd") for number in range(COMMON + 1)))
    assert await store.read(duplicates) == []


@pytest.mark.parametrize("pcm_hash", [None, ""])
async def test_what_was_not_measured_is_like_nothing(store: Store, pcm_hash: str | None) -> None:
    await put(store, known("a", pcm_hash=pcm_hash), known("b", pcm_hash=pcm_hash))
    assert await store.read(duplicates) == []


async def test_what_left_the_library_is_no_duplicate(store: Store, root: Path, scanner: Scanner) -> None:
    tone(root / "a.wav")
    (root / "b.wav").write_bytes((root / "a.wav").read_bytes())
    await scanner.scan()
    assert len(await store.read(duplicates)) == 1
    (root / "b.wav").unlink()
    await scanner.scan()
    assert await store.read(duplicates) == []
