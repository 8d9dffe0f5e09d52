from sciflow.schedulers.fake.clock import VirtualClock


def test_what_is_to_happen_happens_in_its_order() -> None:
    """By time, and at the same time by the order in which it was said; the clock shows the time of each."""
    clock, seen = VirtualClock(100.0), []
    for seconds, name in ((5, "b"), (1, "a"), (5, "c")):
        clock.after(seconds, lambda name=name: seen.append((name, clock())))
    assert clock.next_event == 101.0
    clock.sleep(10)
    assert seen == [("a", 101.0), ("b", 105.0), ("c", 105.0)]
    assert clock() == 110.0
    assert not clock.step()


def test_what_happens_may_sleep() -> None:
    """Others go on meanwhile."""
    clock, seen = VirtualClock(0.0), []
    clock.after(1, lambda: (clock.sleep(10), seen.append(("sleeper", clock()))))
    clock.after(5, lambda: seen.append(("other", clock())))
    clock.sleep(20)
    assert seen == [("other", 5.0), ("sleeper", 11.0)]
    assert clock() == 20.0
