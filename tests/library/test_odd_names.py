"""Names as disks really hold them, from the folder to the search and back."""

from __future__ import annotations

import os
from pathlib import Path

from library_sounds import tone

from radio.library import catalog
from radio.library.playlists import matched, read, written
from radio.library.query import parse
from radio.library.scan import Scanner, ScanReport
from radio.library.search import Search, search
from radio.store import Store

LONG = "é" * 125 + "x.wav"


async def test_every_file_is_an_item_or_has_a_reason(store: Store, root: Path, scanner: Scanner) -> None:
    sound = tone(root / "plain.wav").read_bytes()
    odd = (
        "new\nline.wav",
        "tab\tand 'quotes\".wav",
        LONG,
        "🎺 ُ\u202ertl.wav",
        "%s%n [bold] --x.wav",
        "a;b`c$d.wav",
    )
    for number, name in enumerate(odd):
        (root / name).write_bytes(sound + bytes(number + 1))
    (root / os.fsdecode(b"caf\xe9.wav")).write_bytes(sound)
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "round.wav").symlink_to(root / "round.wav")
    report = await scanner.scan()
    assert (report.added, report.rejected) == (1 + len(odd), 2)
    items = await store.read(catalog.load_items)
    assert {item.path for item in items} == {"plain.wav", *odd}
    assert len(os.fsencode(LONG)) == 255
    reasons = {file.path: file.reason for file in await store.read(catalog.load_rejected)}
    assert set(reasons) == {"caf\\xe9.wav", "round.wav"}
    assert all(reasons.values())
    assert await scanner.scan() == ScanReport(unchanged=len(items) + len(reasons))
    for text in ("line", "quotes", "é" * 125, "rtl", "bold", "path:plain"):
        page = await store.read(search, Search(query=parse(text)))
        assert page.total == 1, text
    for form in ("m3u", "xspf", "jspf"):
        assert list(matched(read(form, written(form, items).encode()), items).items) == items


async def test_a_file_put_in_anothers_place_with_its_time_and_size_is_noticed(
    store: Store, root: Path, scanner: Scanner
) -> None:
    first = tone(root / "a.wav")
    await scanner.scan()
    (before,) = await store.read(catalog.load_items)
    other = tone(root.parent / "b.wav", hz=300)
    assert other.stat().st_size == first.stat().st_size
    os.utime(other, ns=(1, before.mtime_ns))
    os.replace(other, first)
    assert await scanner.scan() == ScanReport(changed=1)
    (after,) = await store.read(catalog.load_items)
    assert after.id == before.id
    assert after.content_hash != before.content_hash
