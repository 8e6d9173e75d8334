"""One thread, one bounded queue: order, back-pressure, and failures that reach the owner."""

from __future__ import annotations

import threading
import time

import pytest

from pipeline.stage import Stage
from tests.processes import PATIENCE_S


def test_items_are_worked_in_order_and_all_of_them_before_the_stage_closes() -> None:
    done: list[int] = []

    with Stage("append", done.append, capacity=2) as stage:
        for number in range(50):
            stage.put(number)

    assert done == list(range(50))


def test_a_failure_reaches_who_puts_next() -> None:
    failed = threading.Event()

    def work(number: int) -> None:
        failed.set()
        raise ValueError(f"cannot do {number}")

    def put_until_it_raises() -> None:
        with Stage("fail", work, capacity=1) as stage:
            for number in range(100):
                stage.put(number)

    with pytest.raises(ValueError, match="cannot do 0"):
        put_until_it_raises()
    assert failed.is_set()


def test_a_failure_on_the_last_item_is_raised_on_closing() -> None:
    def work(number: int) -> None:
        raise ValueError(f"cannot do {number}")

    with pytest.raises(ValueError, match="cannot do 7"), Stage("fail", work, capacity=4) as stage:
        stage.put(7)


def test_a_full_queue_makes_the_producer_wait() -> None:
    release = threading.Event()
    started = threading.Event()

    def work(_: int) -> None:
        started.set()
        release.wait(PATIENCE_S)

    with Stage("slow", work, capacity=1) as stage:
        stage.put(1)
        assert started.wait(PATIENCE_S)
        stage.put(2)
        third = threading.Thread(target=stage.put, args=(3,))
        third.start()
        third.join(0.3)
        was_waiting = third.is_alive()
        release.set()
        third.join(PATIENCE_S)

    assert was_waiting
    assert not third.is_alive()


def test_items_put_just_before_closing_are_worked() -> None:
    for _ in range(20):
        done: list[int] = []

        with Stage("late", done.append, capacity=8) as stage:
            time.sleep(0.19)  # the worker is about to look again
            stage.put(1)
            stage.put(2)

        assert done == [1, 2]
