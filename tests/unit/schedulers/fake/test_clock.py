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


def test_what_is_called_off_does_not_happen() -> None:
    """And is not waited for; once more, or too late, changes nothing."""
    clock, seen = VirtualClock(0.0), []
    kept, gone = clock.after(5, lambda: seen.append("kept")), clock.after(1, lambda: seen.append("gone"))
    for _ in range(2):
        gone.call_off()
    assert clock.next_event == 5.0
    assert clock.step()
    kept.call_off()
    assert (seen, clock.is_quiet, clock.next_event) == (["kept"], True, None)


def test_what_is_aside_is_waited_for_by_nobody() -> None:
    """It happens if time passes, and does not keep the clock from being quiet."""
    clock, seen = VirtualClock(0.0), []
    clock.after(5, lambda: seen.append("aside"), is_aside=True)
    assert clock.is_quiet
    event = clock.after(1, lambda: None)
    assert not clock.is_quiet
    event.call_off()
    clock.sleep(5.0)
    assert seen == ["aside"]
