"""What to ask for the next time, in words and as a document."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from sciflow.analysis.advice.advise import CHANCES, RunAdvice, TaskAdvice, Trade
from sciflow.analysis.advice.choose import FEWEST
from sciflow.analysis.advice.law import Law
from sciflow.analysis.advice.needed import OWN
from sciflow.analysis.advice.proposals import Proposal
from sciflow.analysis.advice.sized import Sized
from sciflow.analysis.advice.terms import Levels, Power, Term
from sciflow.analysis.advice.trust import notes_of
from sciflow.cli.output import table
from sciflow.model.units import format_duration, format_memory

EXPRESSIONS = ("memory_gb", "max_runtime_hours")  # they are text that has to be quoted
_WORTH = 0.95  # of what all hold when they ask for the same: what is not less than that is no saving


def advice_document(found: RunAdvice) -> dict[str, Any]:
    """Advice as JSON has it; what is not known is null."""
    return {
        "run": found.run,
        "chance": found.chance,
        "tasks": {task: _document(one) for task, one in found.tasks.items()},
        "proposals": [
            {"kind": one.kind, "tasks": one.tasks, "change": one.change, "why": one.why, "saves": one.saves}
            for one in found.proposals
        ],
    }


def _document(one: TaskAdvice) -> dict[str, Any]:
    memory, seconds = one.whole()
    return {
        "instances": one.needs.count,
        "states": {state.value: count for state, count in one.needs.states.items()},
        "chance_shown": one.shown(one.chance) if one.is_known else None,
        "ask": {
            "memory_bytes": memory or None,
            "runtime_seconds": seconds or None,
            "cpu_cores": one.cores.ask or None if one.cores else None,
        },
        "resources": one.request(),
        "expressions": one.formulas,
        "memory": _law_document(one, one.memory),
        "walltime": _law_document(one, one.seconds),
        "cores": None if one.cores is None else {**vars(one.cores)},
        "trade": [vars(one.trade(chance)) for chance in _chances(one)] if one.is_known else [],
        "notes": notes_of(one),
    }


def _law_document(one: TaskAdvice, sized: Sized | None) -> dict[str, Any] | None:
    if sized is None:
        return None
    law = sized.law
    document: dict[str, Any] = {
        "method": "power law" if isinstance(law, Law) else "order statistics",
        "measured": sized.measured.known,
        "at_least": len(sized.measured) - sized.measured.known,
        "would_have_fitted": law.fitting(one.each(one.chance)),
        "depends_on": list(law.names),
    }
    if isinstance(law, Law):
        document["base"] = math.exp(float(law.coefficients[-1])) if law.has_base else 0
        document["exponents"] = {
            term.name: dict(zip(("value", "low", "high"), law.exponent(term), strict=True))
            for term in law.terms
            if isinstance(term, Power) and not term.is_curved
        }
        document["factors"] = {
            term.name: [{"value": value, "factor": factor} for value, factor in law.effects(term).items()]
            for term in law.terms
            if isinstance(term, Levels)
        }
    return document


def describe_advice(found: RunAdvice, name: str) -> str:
    """Advice in words, task by task, and what to type next."""
    lines = [f"run {found.run}: what to ask for, so that {found.chance:.12g} of all are done within it"]
    for task, one in found.tasks.items():
        lines += ["", *_task(task, one)]
    if found.proposals:
        lines += ["", "proposals:", *(line for one in found.proposals for line in _wrapped(_proposal(one)))]
    if any(one.is_known for one in found.tasks.values()):
        lines += ["", f"next: sciflow plan WORKFLOW --learn-from {name}"]
    return "\n".join(lines)


def _task(task: str, one: TaskAdvice) -> list[str]:
    needs = one.needs
    states = ", ".join(f"{count} {state}" for state, count in needs.states.items())
    lines = [f"{task}: {states}"]
    if not one.is_known:
        return [*lines, *(f"  {note}" for note in notes_of(one))]
    lines += [f"  {line}" for line in table(["", "asked", "used: half, most", "ask for"], _rows(one)).splitlines()]
    if one.memory is not None:
        lines += _wrapped(f"memory {_law_text(one, one.memory, 'memory')}")
    if one.seconds is not None:
        lines += _wrapped(f"walltime {_law_text(one, one.seconds, 'walltime')}")
    for note in notes_of(one):
        lines += _wrapped(note)
    lines += ["  in the workflow:", *_yaml(one.request())]
    if one.formulas:
        lines += [f"  or each combination for itself{_saved(one)}:", *_yaml(one.request(is_each=True))]
    trades = [one.trade(chance) for chance in _chances(one)]
    header = ["chance", "memory up to", "walltime up to", f"fail of {needs.count}", "GB-hours", "core-hours"]
    lines += [f"  by chance{', each for itself' if one.names else ''}, with what fails and is tried again:"]
    lines += [f"    {line}" for line in table(header, map(_trade_row, trades)).splitlines()]
    if not all(trade.is_shown for trade in trades):
        lines.append("    ? more than so few can show")
    return lines


def _rows(one: TaskAdvice) -> list[list[str]]:
    memory, seconds = one.whole()
    given = [tried.given for tried in one.needs.tried]
    rows = []
    if one.memory is not None:
        asked = _range([each.memory for each in given], format_memory)
        rows.append(["memory", asked, _used(one.memory, format_memory, _own(one)), format_memory(memory)])
    if one.seconds is not None:
        asked = _range([each.seconds for each in given], format_duration)
        rows.append(["walltime", asked, _used(one.seconds, format_duration), format_duration(seconds)])
    if one.cores is not None:
        asked = _range([each.cores for each in given], str)
        used = f"{one.cores.busy:.2f}, {one.cores.most_busy:.2f}"
        rows.append(["cores", asked, used, str(one.cores.ask or "see below")])
    return rows


def _range(values: Sequence[float], spell: Callable[[float], str]) -> str:
    low, high = min(values, default=0), max(values, default=0)
    if not high:
        return "nothing"
    return spell(high) if low == high else f"{spell(low) if low else 'nothing'} to {spell(high)}"


def _used(sized: Sized, spell: Callable[[float], str], less: float = 0.0) -> str:
    known = sorted(sized.measured.values[~sized.measured.is_least].tolist())
    largest = float(sized.measured.values.max())
    above = "> " if largest > known[-1] else ""
    return f"{spell(known[len(known) // 2] - less)}, {above}{spell(largest - less)}"


def _own(one: TaskAdvice) -> float:
    """What was added to what was measured, and is not shown: what sciflow holds itself."""
    return 0 if any(tried.is_of_job for tried in one.needs.tried) else OWN


def _law_text(one: TaskAdvice, sized: Sized, what: str) -> str:
    law, known = sized.law, sized.measured.known
    fitting = law.fitting(one.each(one.chance))
    left_out = "" if math.isnan(fitting) else f", of which {fitting:.0%} would have fitted (each left out in turn)"
    if not isinstance(law, Law):
        why = "depends on no parameter that can be seen" if known >= FEWEST else "may depend on anything"
        return f"{why}; order statistics of {known}{left_out}"
    parts = [_term_text(law, term) for term in law.terms]
    spell = format_memory if what == "memory" else format_duration
    base = math.exp(float(law.coefficients[-1])) - (_own(one) if what == "memory" else 0) if law.has_base else 0.0
    above = f", above {spell(base)}" if base > 0 else ""
    return f"{' and '.join(parts)}{above}; least squares of logarithms over {known}{left_out}"


def _term_text(law: Law, term: Term) -> str:
    if isinstance(term, Levels):
        effects = law.effects(term)
        if len(effects) > 4:
            return f"depends on `{term.name}`, by a factor of up to {max(effects.values()) / min(effects.values()):.3g}"
        return f"depends on `{term.name}` ({', '.join(f'{v}: × {f:.3g}' for v, f in effects.items())})"
    value, low, high = law.exponent(term)
    if term.is_curved:
        return f"grows with `{term.name}`, by a power that changes: about {value:.2f} in the middle"
    grows = "grows" if value > 0 else "falls"
    return f"{grows} like {term.name}^{value:.2f} ({low:.2f} to {high:.2f})"


def _yaml(request: dict[str, Any]) -> list[str]:
    said = [f'{key}: "{value}"' if key in EXPRESSIONS else f"{key}: {value}" for key, value in request.items()]
    return ["    resources:", *(f"      {line}" for line in said)]


def _saved(one: TaskAdvice) -> str:
    each, same = one.gigabyte_hours(), one.gigabyte_hours(is_same=True)
    return f" ({1 - each / same:.0%} fewer GB-hours)" if each < _WORTH * same else ""


def _chances(one: TaskAdvice) -> list[float]:
    return sorted({*CHANCES, one.chance})


def _trade_row(trade: Trade) -> list[str]:
    return [
        f"{trade.chance:.12g}{'' if trade.is_shown else ' ?'}",
        format_memory(trade.memory_bytes[1]) if trade.memory_bytes[1] else "unknown",
        format_duration(trade.runtime_seconds[1]) if trade.runtime_seconds[1] else "unknown",
        "" if math.isnan(trade.failures) else f"{'≤ ' if trade.is_most else ''}{_few_digits(trade.failures, 2)}",
        "" if math.isnan(trade.gigabyte_hours) else _few_digits(trade.gigabyte_hours, 3),
        "" if math.isnan(trade.core_hours) else _few_digits(trade.core_hours, 3),
    ]


def _few_digits(value: float, digits: int) -> str:
    return f"{value:,.0f}" if value >= 10**digits else f"{value:.{digits}g}"


def _proposal(one: Proposal) -> str:
    return f"{', '.join(one.tasks)}: `{one.change}` saves {one.saves} waits in the queue: {one.why}"


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
