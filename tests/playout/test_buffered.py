"""Decks that are read ahead, and the helpers that read them: disks that hang, files that lie."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sources import row

from radio.audio.pcm import Pcm
from radio.errors import LimitReached, UnknownItem
from radio.playout.buffered import LEAST, PIECE, UNREAD, BufferedDeck
from radio.playout.helpers import Helpers
from radio.playout.loader import OpenDeck, ThreadLoader


class Counting:
    """A deck whose samples are numbered; it can be made to hang before a read."""

    def __init__(self, samples: int, failed: str | None = None) -> None:
        self.samples = samples
        self.ends_with = failed
        self.failed: str | None = None
        self.at = 0
        self.reads = 0
        self.may_read = threading.Event()
        self.may_read.set()
        self.closed = 0

    def read(self, n: int) -> Pcm:
        self.reads += 1
        self.may_read.wait(10)
        n = min(n, self.samples - self.at)
        self.at += n
        if self.at >= self.samples:
            self.failed = self.ends_with
        return np.repeat(np.arange(self.at - n, self.at, dtype=np.float32)[:, None], 2, axis=1)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def helpers() -> Iterator[Helpers]:
    made = Helpers("test")
    yield made
    made.close()


def until(holds: Callable[[], object]) -> None:
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.005)
    raise AssertionError("never came")


@settings(max_examples=30, deadline=None)
@given(samples=st.integers(0, 300_000), sizes=st.lists(st.integers(1, 60_000), min_size=1, max_size=5))
def test_what_is_read_is_the_decks_own_sound_in_blocks_of_any_size(samples: int, sizes: list[int]) -> None:
    helpers = Helpers("test")
    deck = BufferedDeck.filled(Counting(samples), helpers)
    blocks, turn = [], 0
    while len(block := deck.read(sizes[turn % len(sizes)])):
        blocks.append(block)
        turn += 1
    heard = np.concatenate(blocks)[:, 0] if blocks else np.zeros(0)
    assert np.array_equal(heard, np.arange(samples))
    assert deck.failed is None
    helpers.close()


def test_what_is_held_is_bounded_and_fetched_in_large_pieces(helpers: Helpers) -> None:
    source = Counting(10_000_000)
    deck = BufferedDeck.filled(source, helpers)
    until(lambda: deck.held >= LEAST)
    for _ in range(300):
        deck.read(4_032)
        until(lambda: deck.held >= LEAST)
        assert deck.held <= LEAST + PIECE
    assert source.reads <= 300 * 4_032 / PIECE + 4


def test_a_read_that_hangs_fails_after_the_patience_and_closes_when_it_comes_back(helpers: Helpers) -> None:
    source = Counting(10_000_000)
    deck = BufferedDeck.filled(source, helpers, patience_s=0.1)
    until(lambda: deck.held >= LEAST)
    source.may_read.clear()
    began = time.monotonic()
    heard = 0
    while len(block := deck.read(4_032)):
        heard += len(block)
    assert heard >= LEAST
    assert deck.failed == UNREAD
    assert time.monotonic() - began < 2
    deck.close()
    assert source.closed == 0
    source.may_read.set()
    until(lambda: source.closed == 1)


def test_many_short_waits_are_one_patience(helpers: Helpers) -> None:
    deck = BufferedDeck(Counting(10_000_000), Helpers("none", most=0), patience_s=0.1)
    began = time.monotonic()
    assert all(len(deck.read(100)) == 0 for _ in range(50))
    assert deck.failed == UNREAD
    assert time.monotonic() - began < 1


def test_one_that_hangs_holds_no_other_up_and_the_number_of_threads_is_bounded() -> None:
    helpers = Helpers("test", most=3)
    hang, done = threading.Event(), threading.Event()
    for _ in range(2):
        assert helpers.submit(lambda: hang.wait(10) and None)
    assert helpers.submit(done.set)
    assert done.wait(2)
    for _ in range(5):
        helpers.submit(lambda: hang.wait(10) and None)
    assert helpers.threads == 3
    hang.set()
    again = threading.Event()
    helpers.submit(again.set)
    assert again.wait(2)
    helpers.close()
    assert not helpers.submit(done.set)
    until(lambda: helpers.threads == 0)


def test_jobs_beyond_the_bound_are_refused() -> None:
    helpers, hang = Helpers("test", most=1), threading.Event()
    taken = sum(helpers.submit(lambda: hang.wait(10) and None) for _ in range(200))
    assert 64 <= taken <= 66
    hang.set()
    helpers.close()


def test_a_reason_is_told_once_all_that_was_read_before_is_heard(helpers: Helpers) -> None:
    deck = BufferedDeck.filled(Counting(50_000, failed="error budget spent"), helpers)
    assert len(deck.read(40_000)) == 40_000
    assert len(deck.read(40_000)) == 10_000
    assert deck.failed == "error budget spent"


def test_a_deck_that_is_closed_gives_nothing_and_closes_its_file_once(helpers: Helpers) -> None:
    source = Counting(10_000_000)
    deck = BufferedDeck.filled(source, helpers)
    until(lambda: deck.held >= LEAST)
    deck.close()
    deck.close()
    assert len(deck.read(100)) == 0
    until(lambda: source.closed == 1)


def test_a_loader_says_what_it_cannot_open(tmp_path: Path) -> None:
    loader = ThreadLoader(lambda _: None, "test")
    opened: Future[OpenDeck] = loader.open(row("one", 0, 1_000), 0)
    assert isinstance(opened.exception(timeout=5), UnknownItem)
    loader.close()
    assert isinstance(loader.open(row("one", 0, 1_000), 0).exception(timeout=1), LimitReached)
