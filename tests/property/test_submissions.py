"""Whatever happens to submissions, in whatever order, each index has the rounds that a simple model gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sciflow.store.rounds import Round
from sciflow.store.submissions import Submissions
from sciflow_shim.files import format_ranges, parse_ranges

COUNT, PACK = 6, 2
ELEMENTS = range(COUNT // PACK)
Event = dict[str, Any]


@dataclass
class Model:
    """One element or index, looked at alone: its rounds as lists of names, what is due, and what was cancelled."""

    rounds: dict[int, list[tuple[list[str], set[int] | None]]] = field(default_factory=dict)
    links: dict[str, int] = field(default_factory=dict)
    due: dict[int, tuple[str, set[int] | None]] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    cancelled: set[int] = field(default_factory=set)

    def hear(self, event: Event, is_packed: bool) -> None:
        """Take in an event."""
        kind, places = event["event"], list(parse_ranges(event.get("indices", "")))
        if kind == "intent" and event["name"] not in self.names:
            self.names.append(event["name"])
            self.links[event["name"]] = event["link"]
            for element in places:
                rounds = self.rounds.setdefault(element, [])
                if element in self.due:
                    rounds.append(([event["name"]], self.due.pop(element)[1]))
                elif not rounds or event["link"] == 1:
                    rounds.append(([event["name"]], None))
                else:
                    earlier = [name for name in rounds[-1][0] if self.links[name] < event["link"]]
                    rounds[-1] = ([*earlier, event["name"]], rounds[-1][1])
        elif kind == "submitted" and event["name"] in self.names:
            self.jobs[event["name"]] = event["job"]
        elif kind == "cancel":
            self.cancelled |= set(places)
        elif kind == "retry":
            self.cancelled -= set(places)
            for element in {place // PACK for place in places} if is_packed else places:
                variant, known = self.due.get(element, ("", None))
                is_same = is_packed and known is not None and variant == event["variant"]
                only = set(places) | (known if is_same and known else set())
                self.due[element] = (event["variant"], only if is_packed else None)


def names_of(found: Round | None) -> list[str]:
    """Return the names of a round's submissions."""
    return [] if found is None else [one.name for one in found.links]


def subsets(numbers: range) -> st.SearchStrategy[str]:
    """Return texts of some of these numbers, at least one."""
    return st.sets(st.sampled_from(numbers), min_size=1).map(lambda found: format_ranges(sorted(found)))


NAMES = st.sampled_from([f"a.{number}" for number in range(8)])
INTENTS = st.builds(
    lambda name, indices, link: {"event": "intent", "array": "a.0", "name": name, "indices": indices, "link": link},
    NAMES,
    subsets(ELEMENTS),
    st.integers(1, 3),
)
SUBMITTED = st.builds(lambda name: {"event": "submitted", "array": "a.0", "name": name, "job": f"job of {name}"}, NAMES)
CANCELLED = st.builds(lambda indices: {"event": "cancel", "array": "a.0", "indices": indices}, subsets(range(COUNT)))


def retries(is_packed: bool) -> st.SearchStrategy[Event]:
    """Return decisions to try something again."""

    def made(indices: str, variant: str) -> Event:
        facts = {"memory": 0, "seconds": 0, "cause": "lost", "error": "", "counts": True, "why": ""}
        event = {"event": "retry", "array": "a.0", "indices": indices, "variant": variant, **facts}
        if is_packed:
            event["elements"] = format_ranges(sorted({place // PACK for place in parse_ranges(indices)}))
        return event

    return st.builds(made, subsets(range(COUNT) if is_packed else ELEMENTS), st.sampled_from(["", "r1", "r2"]))


def check(events: list[Event], is_packed: bool) -> None:
    """Let both hear of the same, and compare all that can be asked."""
    found, model = Submissions(), Model()
    for second, event in enumerate(events):
        found.hear({"time": float(second), **event})
        model.hear(event, is_packed)
    assert list(found.by_name) == model.names
    assert {one.name: one.job for one in found.by_name.values() if one.job} == model.jobs
    assert [one.name for one in found.open] == [name for name in model.names if name not in model.jobs]
    assert {index for _, index in found.cancelled} == model.cancelled
    for element in ELEMENTS:
        rounds = model.rounds.get(element, [])
        assert names_of(found.round_of("a.0", element)) == (rounds[-1][0] if rounds else [])
        due, expected = found.due("a.0", element), model.due.get(element)
        assert (due is None) == (expected is None)
        if due is not None and expected is not None:
            assert (due.variant, set(due.indices) if is_packed else None) == expected
        for index in range(element * PACK, (element + 1) * PACK) if is_packed else [element]:
            own = [names for names, only in rounds if only is None or index in only]
            last = found.round_of("a.0", element, index)
            assert names_of(last) == (own[-1] if own else [])
            last_job = next((model.jobs[n] for n in reversed(own[-1]) if n in model.jobs), "") if own else ""
            assert (last.last_job if last is not None else "") == last_job


@given(st.lists(st.one_of(INTENTS, SUBMITTED, CANCELLED, retries(is_packed=False)), max_size=25))
def test_each_element_has_its_rounds(events: list[Event]) -> None:
    """Chains, second tries and what is due are those of each element, though neighbours share what they are held in."""
    check(events, is_packed=False)


@given(st.lists(st.one_of(INTENTS, SUBMITTED, CANCELLED, retries(is_packed=True)), max_size=25))
def test_each_of_several_in_an_element_has_its_rounds(events: list[Event]) -> None:
    """Of a packed element only some may be tried again: the others keep the round before."""
    check(events, is_packed=True)
