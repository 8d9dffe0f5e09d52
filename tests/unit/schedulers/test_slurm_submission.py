"""How Slurm is given array jobs and small jobs: each call of `sbatch`, and what is made of its answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sciflow.errors import SchedulerError, TransportError
from sciflow.model.options import Options
from sciflow.model.plan import ArrayJob
from sciflow.model.resources import GIB, Resources
from sciflow.schedulers.base import After, Errand, Submission
from sciflow.schedulers.slurm_submission import (
    errand_command,
    postpone_command,
    read_job_id,
    read_throttled,
    submit_command,
    throttle_command,
)
from sciflow.transport.base import Answer

RUN = Path("/home/sci/runs/w/1")
ARRAY = ArrayJob("train.0", "train", 4, Resources(2, GIB))
ALL = dict.fromkeys(range(4), 1)
WHAT = "array job `train.0` of task `train` (2 cores, 1 GB)"


def submission(attempts: dict[int, int] = ALL, after: tuple[After, ...] = ()) -> Submission:
    """Make a submission of four indices, or of some of them."""
    return Submission(ARRAY, RUN / "scripts" / "train.0.sh", attempts, "train.0.1.1", after)


# --- array jobs


def test_some_indices_are_named() -> None:
    """Only where it is not all of them."""
    assert "--array=0,2-3" in submit_command(submission({3: 2, 0: 1, 2: 1}), RUN)
    assert not any(word.startswith("--array") for word in submit_command(submission(), RUN))


def test_of_some_indices_as_many_run_at_once_as_of_all() -> None:
    """The script says so of all of them; a list of its own takes that away."""
    some = replace(submission({3: 2, 0: 1, 2: 1}), at_once=2)
    assert "--array=0,2-3%2" in submit_command(some, RUN)
    assert not any(word.startswith("--array") for word in submit_command(replace(submission(), at_once=2), RUN))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ((After("7", "element"),), "--dependency=aftercorr:7"),
        ((After("7", "whole"), After("8", "whole")), "--dependency=afterany:7:8"),
        (
            (After("7", "whole"), After("8", "element"), After("9", "element")),
            "--dependency=aftercorr:8:9,afterany:7",
        ),
    ],
)
def test_jobs_before_it_are_waited_for(after: tuple[After, ...], expected: str) -> None:
    """Index by index for `element`, until all has ended for `whole`."""
    assert submit_command(submission(after=after), RUN)[-2:] == [expected, "scripts/train.0.sh"]


def test_without_a_unique_name_it_has_that_of_the_array_job() -> None:
    """A job always has a name."""
    assert "--job-name=train.0" in submit_command(Submission(ARRAY, RUN / "s.sh", ALL), RUN)


def test_a_percent_sign_in_the_folder_is_no_pattern() -> None:
    """Slurm reads the folder as part of the pattern of the logs; written twice, the sign stands for itself."""
    folder = Path("/data/50%A/r")
    made = Submission(ARRAY, folder / "scripts" / "train.0.sh", ALL)
    assert submit_command(made, folder)[-2:] == [
        "--output=/data/50%%A/r/logs/train.0/%a.%A.job",
        "scripts/train.0.sh",
    ]
    assert not any("--output" in word for word in submit_command(submission(), RUN))


def test_a_variant_is_submitted_by_its_own_script() -> None:
    """Under the same kind of name: what is tried again belongs to the same array job."""
    made = replace(submission({2: 3}), array=replace(ARRAY, variant="r1"), script=RUN / "scripts" / "train.0@r1.sh")
    assert submit_command(made, RUN)[2:] == ["--job-name=train.0.1.1", "--array=2", "scripts/train.0@r1.sh"]


def test_a_packed_array_job_is_whole_when_all_of_its_elements_are_there() -> None:
    """Seven in threes are three of Slurm's indices."""
    packed = ArrayJob("train.0", "train", 7, Resources(), pack=3)
    made = Submission(packed, RUN / "s.sh", dict.fromkeys(range(3), 1))
    assert not any(word.startswith("--array") for word in submit_command(made, RUN))
    assert "--array=0-1" in submit_command(replace(made, attempts={0: 1, 1: 2}), RUN)


def test_another_time_than_that_of_the_script_is_told_in_seconds() -> None:
    """`uts` is Slurm's word for seconds since the epoch: no time zone can be mistaken."""
    assert "--begin=uts2000000000" in submit_command(replace(submission(), begin=2_000_000_000.9), RUN)
    assert not any(word.startswith("--begin") for word in submit_command(submission(), RUN))


def test_nodes_that_are_avoided_are_excluded() -> None:
    """All of them in one list."""
    assert "--exclude=n1,n[7-8]" in submit_command(replace(submission(), avoided=("n1", "n[7-8]")), RUN)
    assert not any(word.startswith("--exclude") for word in submit_command(submission(), RUN))


@pytest.mark.parametrize("directive", ["--exclude=n3,n4", "--exclude n3,n4", "-x n3,n4", "-x  n3,n4"])
def test_nodes_that_the_script_excludes_stay_excluded(directive: str) -> None:
    """An option of the call takes the place of the script's own, which is therefore repeated."""
    options = Options(directives=("--comment=x", directive, "--exclusive"))
    made = replace(submission(), array=replace(ARRAY, options=options))
    assert "--exclude=n3,n4,n1" in submit_command(replace(made, avoided=("n1",)), RUN)
    assert not any(word.startswith("--exclude") for word in submit_command(made, RUN))


def test_an_array_job_is_described_with_what_it_asks_for() -> None:
    """And where; for messages."""
    asked = replace(ARRAY, options=Options(partition="short"))
    assert submission().describe() == WHAT
    assert replace(submission(), array=asked).describe() == f"{WHAT[:-1]}, partition short)"


# --- small jobs


def test_a_small_job_is_no_array() -> None:
    """Its script, under its unique name; it starts as soon as the first of several jobs has ended, however."""
    errand = Errand(RUN / "scripts" / "tend.sh", "tend.1.9")
    assert errand_command(errand, RUN) == ["sbatch", "--parsable", "--job-name=tend.1.9", "scripts/tend.sh"]
    waiting = replace(errand, after=("7", "8"), begin=2_000_000_000.0)
    assert errand_command(waiting, RUN)[3:] == [
        "--dependency=afterany:7?afterany:8",
        "--begin=uts2000000000",
        "scripts/tend.sh",
    ]


def test_the_log_of_a_small_job_has_a_place_in_any_folder() -> None:
    """A percent sign in the folder is written twice, as for array jobs."""
    folder = Path("/data/50%A/r")
    errand = Errand(folder / "scripts" / "tend.sh", "tend.1.9")
    assert errand_command(errand, folder)[3:] == ["--output=/data/50%%A/r/logs/tend.1.9.%j.out", "scripts/tend.sh"]


# --- waiting longer


def test_a_job_that_waits_is_told_for_what_else() -> None:
    """All of it at once: the new list takes the place of the old one."""
    after = (After("9", "whole"), After("8", "element"), After("7", "whole"))
    assert postpone_command("12", after) == [
        *("scontrol", "update", "JobId=12", "Dependency=aftercorr:8,afterany:9:7"),
    ]


def test_a_job_that_has_nothing_to_wait_for_any_more_is_free() -> None:
    """An empty list is how Slurm is told so."""
    assert postpone_command("12", ())[-1] == "Dependency="


# --- answers


@pytest.mark.parametrize(
    "answer", ["616\n", "616;lab\n", "Welcome to Lab 9!\n616\nhave a nice day\n", "sbatch: verbose\n616", "\n616\n\n"]
)
def test_a_job_id_stands_on_a_line_of_its_own(answer: str) -> None:
    """Greetings around it are passed over."""
    assert read_job_id(Answer(0, answer, ""), WHAT) == "616"


@pytest.mark.parametrize("answer", ["", "Submitted\n", "616\n617\n", "id 616\n", "-616\n"])
def test_an_answer_without_one_job_id_is_an_error(answer: str) -> None:
    """None, or several: which it is, nobody guesses; what was said is shown."""
    with pytest.raises(SchedulerError) as caught:
        read_job_id(Answer(0, answer, ""), WHAT)
    assert f"`sbatch` answered {answer!r} for {WHAT}, which holds no job id" == caught.value.message
    assert "looks for the job before it submits anything again" in caught.value.hint


def test_a_refusal_without_a_word_says_its_code() -> None:
    """A job-submit plugin may refuse in silence."""
    with pytest.raises(SchedulerError, match=r"\(2 cores, 1 GB\): it ended with code 1 and said nothing"):
        read_job_id(Answer(1, "", ""), WHAT)


# --- how many run at once


def test_another_throttle_than_that_of_the_script_is_told() -> None:
    """Also where all indices are meant; that of the script counts where nothing else is said."""
    fewer = replace(submission(), at_once=100, throttle=2)
    assert "--array=0-3%2" in submit_command(fewer, RUN)
    assert not any(word.startswith("--array") for word in submit_command(replace(fewer, throttle=None), RUN))
    assert "--array=1%100" in submit_command(replace(submission({1: 1}), at_once=100), RUN)


def test_a_throttle_is_changed_by_scontrol() -> None:
    """Of the whole job."""
    assert throttle_command("7", 20) == ["scontrol", "update", "JobId=7", "ArrayTaskThrottle=20"]
    assert read_throttled(Answer(0, "", ""), "7")


@pytest.mark.parametrize(
    "said",
    [
        "578_1-9: Job has already finished",
        "slurm_update error: Invalid job id specified",
        "Job is already completing or completed",
    ],
)
def test_a_job_that_is_over_needs_none(said: str) -> None:
    """That is no error."""
    assert not read_throttled(Answer(1, "", f"{said}\n"), "578")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("7: Access/permission denied", SchedulerError),
        ("slurm_update error: Unable to contact slurm controller (connect failure)", TransportError),
        ("slurm_update error: Socket timed out on send/recv operation", TransportError),
    ],
)
def test_a_refusal_is_told_from_silence(said: str, kind: type[Exception]) -> None:
    """With the job and Slurm's own words."""
    with pytest.raises(kind) as caught:
        read_throttled(Answer(1, "", f"{said}\n"), "7")
    assert type(caught.value) is kind
    assert "throttle of job 7" in str(caught.value)
