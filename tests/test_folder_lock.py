"""Two services on one data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radio.app.folder_lock import FolderLock
from radio.errors import AddressInUse


def test_a_folder_has_one_service_at_a_time(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "data"), FolderLock(tmp_path / "data")
    first.take()
    with pytest.raises(AddressInUse, match=rf"process {os.getpid()}.*--takeover"):
        second.take()
    first.release()
    second.take()
    second.release()


async def test_who_takes_over_waits_for_the_folder(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.take()
    first.release()
    await second.take_when_free()
    with pytest.raises(AddressInUse):
        first.take()
    second.release()
