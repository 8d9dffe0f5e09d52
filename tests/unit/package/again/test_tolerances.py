"""Tolerances: what may differ by how much."""

from __future__ import annotations

import pytest

from sciflow.errors import PackageError
from sciflow.package.again.tolerances import Rule, Tolerances


def test_what_a_person_writes_is_read() -> None:
    """A number alone is relative; `rel:` and `abs:` say which, together either is enough; `exact` and `ignore`."""
    texts = ("a=1e-3", "b=rel:1e-6", "c=abs:0.01", "d=rel:1e-6,abs:1e-9", "e=exact", "f=ignore")
    rules = dict(Tolerances.of(texts).rules)
    assert rules == {
        "a": Rule(1e-3),
        "b": Rule(1e-6),
        "c": Rule(0.0, 0.01),
        "d": Rule(1e-6, 1e-9),
        "e": Rule(),
        "f": Rule(is_ignored=True),
    }
    assert [str(rule) for rule in rules.values()] == [
        "rel 0.001",
        "rel 1e-06",
        "abs 0.01",
        "rel 1e-06 or abs 1e-09",
        "exact",
        "ignored",
    ]


def test_the_last_rule_that_fits_a_name_counts() -> None:
    """A rule is for a name, for that of one task alone, or for all that fit wildcards; the last one counts."""
    rules = Tolerances.of(["*=abs:1", "loss=abs:2", "train.loss=abs:3", "*.png=ignore"])
    assert rules.rule("test", "accuracy").absolute == 1
    assert rules.rule("test", "loss").absolute == 2
    assert rules.rule("train", "loss").absolute == 3
    assert rules.rule("train", "curve.png").is_ignored


@pytest.mark.parametrize(
    "text", ["loss", "loss=", "=1e-3", "loss=much", "loss=rel:-1", "loss=nan", "loss=norm:1", "loss=inf"]
)
def test_what_cannot_be_read_is_refused_with_the_forms_there_are(text: str) -> None:
    """A tolerance that says nothing, or nothing that can be a tolerance, is refused by its text."""
    with pytest.raises(PackageError, match="cannot be read") as refused:
        Tolerances.of([text])
    assert f"`{text}`" in refused.value.message
    assert "abs:0.01" in refused.value.hint


def test_a_rule_for_what_is_not_there_is_refused() -> None:
    """A name that no value has is refused with the nearest that there is, and so are wildcards that fit nothing."""
    known = [("train", "loss"), ("test", "accuracy")]
    Tolerances.of(["loss=1e-3", "test.accuracy=1e-3", "*=1e-3"]).check(known)
    with pytest.raises(PackageError, match="`acuracy`: that is no value of the package") as refused:
        Tolerances.of(["acuracy=1e-3"]).check(known)
    assert refused.value.hint == "did you mean `accuracy`?"
    with pytest.raises(PackageError, match=r"`\*\.png`: that fits no value"):
        Tolerances.of(["*.png=ignore"]).check(known)
