"""Signals to stop, noted when they come and acted upon between two steps.

An exception that a signal's handler raises may come up where Python drops it, as in the clean-up of a generator: the
signal would be lost.
"""

from __future__ import annotations

import os
import selectors
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While the block runs, a first signal to stop is noted and wakes the selector; a second one acts at once.

    Only signals for which somebody has set a handler, and only in the main thread, where alone they arrive.

    Parameters
    ----------
    selector
        What is waited with; the data of its key for this is None.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.selector = selector
        self.number = 0
        self._before: dict[int, Any] = {}
        self._pipe: tuple[int, int] | None = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._pipe = os.pipe()
            self.selector.register(self._pipe[0], selectors.EVENT_READ, None)
            for number in _SIGNALS:
                before = signal.getsignal(number)
                if callable(before):
                    self._before[number] = before
                    signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        if self._pipe is not None:
            self.selector.unregister(self._pipe[0])
            for end in self._pipe:
                os.close(end)

    def check(self) -> None:
        """Do what the signal's own handler does, if one has come."""
        if self.number > 0 and self._pipe is not None:
            number, self.number = self.number, -1
            os.read(self._pipe[0], 1)
            self._before[number](number, None)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            self._before[number](number, frame)
            return
        self.number = number
        assert self._pipe is not None
        os.write(self._pipe[1], b"x")
