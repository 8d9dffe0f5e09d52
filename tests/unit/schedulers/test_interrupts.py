"""Signals to stop are noted when they come, and acted upon between two steps."""

from __future__ import annotations

import os
import selectors
import signal
import threading
from collections.abc import Iterator

import pytest

from sciflow.schedulers.interrupts import Interrupts


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    """Return a selector that waits for nothing else."""
    made = selectors.DefaultSelector()
    yield made
    made.close()


def test_a_signal_wakes_and_is_acted_upon_when_asked(selector: selectors.BaseSelector) -> None:
    """Nothing is raised where it comes; `check` does what its own handler does, once."""
    with Interrupts(selector) as interrupts:
        interrupts.check()
        os.kill(os.getpid(), signal.SIGINT)
        [(key, _)] = selector.select(10)
        assert key.data is None
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        interrupts.check()
        assert selector.select(0) == []


def test_a_second_signal_acts_at_once(selector: selectors.BaseSelector) -> None:
    """Whoever asks twice does not want to wait."""
    with Interrupts(selector):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_are_as_they_were_in_the_end(selector: selectors.BaseSelector) -> None:
    """So is the selector; a signal that nobody handles keeps its default meaning all the time."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGHUP)
    default = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with Interrupts(selector):
            assert signal.getsignal(signal.SIGINT) is not before[0]
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, default)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGHUP)) == before
    assert not selector.get_map()


def test_in_another_thread_signals_are_left_alone(selector: selectors.BaseSelector) -> None:
    """They arrive in the main thread, whose affair they are."""
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with Interrupts(selector) as interrupts:
            interrupts.check()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
