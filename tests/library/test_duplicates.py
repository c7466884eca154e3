from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from library_items import item
from library_sounds import tone
from numpy.typing import NDArray

from radio.audio.fingerprint import keys, similarity
from radio.audio.measure import measure
from radio.library import catalog
from radio.library.catalog import Batch
from radio.library.details import Details
from radio.library.duplicates import duplicates
from radio.library.near_pairs import COMMON, near_pairs
from radio.library.scan import Scanner
from radio.library.sound import Sound
from radio.store import Store


def encoded(path: Path, samples: NDArray[np.int16]) -> Path:
    """Mono at 48 kHz in the format of the name; MP3 has 64 kbit/s."""
    codec, layout = ("libmp3lame", "s16p") if path.suffix == ".mp3" else ("pcm_s16le", "s16")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000)
        stream.bit_rate = 64_000
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


def tune(path: Path, seed: int, *, gain: float = 0.4, lead_s: float = 0.0) -> Path:
    """Twelve seconds of changing chords that no other seed has."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(48_000 * 0.4)) / 48_000
    chords = [
        sum(np.sin(2 * np.pi * hz * time_s) for hz in rng.uniform(200, 2_500, 4)) / 4 for _ in range(30)
    ]
    wave = np.concatenate([np.zeros(int(48_000 * lead_s)), *chords]) * gain
    samples = (wave * 32_000).astype(np.int16)
    return encoded(path, samples)


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
    shared = sound.pop("keys", ())
    fields = {**{field: getattr(Sound.of(one), field) for field in Sound.__struct_fields__}, **sound}
    return Details(item=one, sound=Sound(**fields), keys=shared)  # type: ignore[arg-type]


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


def sound_of(path: Path, seconds: float) -> NDArray[np.int16]:
    """The start of a file, as mono at 48 kHz."""
    resampler = av.AudioResampler("s16", "mono", 48_000)
    with av.open(str(path)) as container:
        pieces = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    samples = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    return samples[: int(48_000 * seconds)]


def library_of(count: int) -> list[bytes]:
    """Fingerprints in which a bit changes from frame to frame as often as in music and speech."""
    rng = np.random.default_rng(1)
    made = []
    for _ in range(count):
        flips = rng.random((int(rng.integers(30, 600)), 16)) < 0.14
        bits = np.packbits(flips, axis=1, bitorder="little").view("<u2")[:, 0]
        made.append(
            (np.bitwise_xor.accumulate(bits) | (rng.integers(1 << 16) & 0xF00F)).astype("<u2").tobytes()
        )
    return made


def as_arrays(prints: list[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    found = [sorted(keys(one)) for one in prints]
    owners = np.repeat(np.arange(len(found)), [len(one) for one in found])
    return np.array([key for one in found for key in one], dtype=np.int64), owners


FIXTURES = Path(__file__).parents[2] / "audio_fixtures"
SOUNDS = (
    ("harbor/news/oyster-season.mp3", 10.0),
    ("harbor/idents/all-day.mp3", 3.2),
    ("lowtide/idents/made-here.flac", 9.0),
    ("lowtide/music/paper-boats.opus", 10.0),
    ("meridian/music/canon-in-d.opus", 10.0),
)


def test_real_copies_are_found_among_five_thousand_others(tmp_path: Path) -> None:
    prints = library_of(5_000)
    wanted = set()
    for number, (name, seconds) in enumerate(SOUNDS):
        sound = sound_of(FIXTURES / name, seconds)
        lead = np.zeros(int(48_000 * (0.5 + 0.37 * number)), dtype=np.int16)
        files = [encoded(tmp_path / f"{number}.wav", np.concatenate((lead, sound)))]
        files += [encoded(tmp_path / f"{number}.mp3", (sound * 0.4).astype(np.int16))]
        first = len(prints)
        prints += [measure(file).fingerprint for file in files]
        assert similarity(prints[first], prints[first + 1]) > 0.75
        wanted.add((first, first + 1))
    found = near_pairs(*as_arrays(prints), limit=2_000)
    assert wanted <= {(pair.one, pair.other) for pair in found}
    assert len(found) < 1_000
    assert found == sorted(found, reverse=True)


def test_pairs_have_a_bound_and_an_order() -> None:
    numbers = np.arange(40, dtype=np.int64)
    shared, owners = np.tile(numbers, 30), np.repeat(np.arange(30), 40)
    found = near_pairs(shared, owners, limit=100)
    assert len(found) == 100
    assert {pair.share for pair in found} == {1.0}
    assert found == near_pairs(shared[::-1], owners[::-1], limit=100)
    assert near_pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), 5) == []
    assert near_pairs(numbers, numbers, 5) == []
