import sys
import time
from collections.abc import Callable
from types import ModuleType

from sciflow.schedulers.slurm import SlurmScheduler
from sciflow.testing import MovableClock
from sciflow.testing.virtual_time import virtual_time


def test_sciflow_tells_virtual_time_while_it_lasts() -> None:
    """In the middle of it and by the defaults of its functions; afterwards all is as it was."""
    clock, began = MovableClock(5.0), time.monotonic()
    before = SlurmScheduler.__init__.__defaults__
    with virtual_time(clock):
        assert SlurmScheduler.__init__.__defaults__ == (clock,)
        time.sleep(3600.0)
        assert (time.time(), time.monotonic(), clock()) == (3605.0, 3605.0, 3605.0)
    assert SlurmScheduler.__init__.__defaults__ == before == (time.time,)
    assert 0.0 <= time.monotonic() - began < 600.0


def test_what_is_loaded_meanwhile_does_not_keep_it() -> None:
    """A module that was loaded in virtual time tells the real one afterwards."""
    name = "sciflow.loaded_meanwhile"
    module = ModuleType(name)
    try:
        with virtual_time(MovableClock()):
            sys.modules[name] = module
            exec("import time\ndef tell(clock=time.time): return clock()", vars(module))
        tell: Callable[[], float] = module.tell
        assert tell.__defaults__ == (time.time,)
    finally:
        del sys.modules[name]


def test_a_clock_moves_what_depends_on_it() -> None:
    """In seconds, minutes, hours and days; a cluster goes along."""
    clock, moved = MovableClock(0.0), []
    clock.advance(1, minutes=1, hours=1, days=1)
    assert clock() == 90_061.0
    clock.move = moved.append
    clock.advance(hours=2)
    clock.sleep(3)
    assert (moved, clock()) == ([7200.0, 3], 90_061.0)
