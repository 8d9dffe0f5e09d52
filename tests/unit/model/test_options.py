"""What a site's scheduler and the job script are told beyond amounts."""

from __future__ import annotations

import json

from sciflow.model.options import Options

FULL = Options(
    partition="short",
    account="project",
    qos="long",
    reservation="course",
    constraint="avx512&(fast|new)",
    licenses="matlab:2",
    gpu_type="a100",
    directives=("--exclusive",),
    modules=("gcc", "openmpi"),
    setup=("ulimit -s unlimited",),
)


def test_options_come_back_from_their_document() -> None:
    """All that is said, as JSON has it; lists are tuples again."""
    assert Options.from_document(json.loads(json.dumps(FULL.to_document()))) == FULL
    assert hash(Options.from_document(FULL.to_document())) == hash(FULL)


def test_what_is_not_said_is_not_written() -> None:
    """No options make an empty document."""
    assert Options().to_document() == {}
    assert Options(qos="long").to_document() == {"qos": "long"}
    assert Options.from_document({}) == Options()


def test_what_decides_where_it_runs_is_told() -> None:
    """In words; modules and lines of set-up are not."""
    assert FULL.described() == [
        "partition short",
        "account project",
        "qos long",
        "reservation course",
        "constraint avx512&(fast|new)",
        "licenses matlab:2",
    ]
    assert Options(modules=("gcc",)).described() == []
