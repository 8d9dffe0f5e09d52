"""Options that profiles and tasks give."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import ProfileError
from sciflow.model.options import Options
from sciflow.model.profile import ClusterProfile
from sciflow.model.request import ResourceRequest
from sciflow.model.site_options import SetUp, SiteOptions, joined
from sciflow.model.validation import validated


def said(**options: Any) -> SiteOptions:
    """Make options as a profile does."""
    return validated(SiteOptions, options, "profile", ProfileError)


@pytest.mark.parametrize(
    "word",
    [
        "short",
        "short,long",
        "a100:2",
        "avx512&(fast|new)",
        "[rack1*2]",
        "user@lab",
        "lic%1",
        "x86-64~1",
        "!gpu",
        "a/b",
        "a+b",
    ],
)
def test_words_that_schedulers_use(word: str) -> None:
    """Lists, alternatives and counts can be named."""
    assert said(constraint=word).constraint == word


@pytest.mark.parametrize(
    "word", ["", "two words", "it's", 'a"b', "a\nb", "#a", "$HOME", "`id`", "a;b", "a\\b", "é", "a\n"]
)
def test_what_would_end_a_directive_is_refused(word: str) -> None:
    """Blanks, quotes, line breaks and comments; the value is shown."""
    with pytest.raises(ProfileError) as caught:
        said(partition=word)
    assert "partition" in caught.value.message
    assert f"{word!r} cannot stand in a scheduler's directive" in caught.value.message


@pytest.mark.parametrize("name", ["partition", "account", "qos", "reservation", "constraint", "licenses", "gpu_type"])
def test_each_word_is_checked(name: str) -> None:
    """None of them reaches the job script unchecked."""
    with pytest.raises(ProfileError, match="cannot stand in a scheduler's directive"):
        said(**{name: "a b"})


def test_directives_are_options_of_the_scheduler() -> None:
    """One text is a list of one; blanks are allowed here."""
    assert said(directives="--exclusive").directives == ("--exclusive",)
    assert said(directives=["--mail-type=FAIL", "-x n1"]).directives == ("--mail-type=FAIL", "-x n1")


@pytest.mark.parametrize("text", ["exclusive", "", "--a\n#SBATCH --b", "-x\tn1", " --exclusive"])
def test_what_is_no_directive_is_refused(text: str) -> None:
    """What does not start with `-`, and what is more than one line."""
    with pytest.raises(ProfileError, match="is no directive; write one option of the scheduler, like `--exclusive`"):
        said(directives=[text])


def test_later_words_override_earlier_ones_and_lists_are_joined() -> None:
    """The site's, the request's, the task's, in this order."""
    profile = ClusterProfile(
        name="site",
        scheduler="slurm",
        partition="long",
        account="project",
        directives=("--exclusive",),
        modules=("gcc",),
        setup=("a",),
    )
    request = ResourceRequest(partition="short", directives=("--nice",))
    task = SetUp(modules=("openmpi",), setup=("b",))
    assert joined(profile, request, task) == Options(
        partition="short",
        account="project",
        directives=("--exclusive", "--nice"),
        modules=("gcc", "openmpi"),
        setup=("a", "b"),
    )
    assert joined() == Options()
