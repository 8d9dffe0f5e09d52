"""What errors have in common."""

import pytest

from sciflow.run.signatures import LONGEST, normalised


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ("loss is 3.5e-3 after 17 steps", "loss is N after N steps"),
        ("ended with exit code 3; the last it printed: M=32", "ended with exit code 3; the last it printed: M=N"),
        ("was killed by signal 9 (SIGKILL)", "was killed by signal 9 (SIGKILL)"),
        ("it has left no record (exit code 0:53)", "it has left no record (exit code 0:53)"),
        ("[Errno 28] No space left: '/scratch/u/run_17.dat'", "[Errno 28] No space left: '…/run_N.dat'"),
        ("bad pointer 0x7fff0012, id deadbeef01", "bad pointer N, id N"),
        ("facade and added are words", "facade and added are words"),
        ("`loss < 96` does not hold", "`loss < 96` does not hold"),
        ("`/home/u/run_3/out.json` cannot be read", "`…/out.json` cannot be read"),
        ("could not convert 'x1' and \"y2\"", "could not convert 'xN' and \"yN\""),
        ("one line\nand 2 more", "one line"),
        ("a/b and 1/2", "a/b and N/N"),
        ("", ""),
    ],
)
def test_what_differs_from_index_to_index_is_left_out(text: str, signature: str) -> None:
    """Numbers become N and paths their last part; codes, signals, and what is in backticks stay."""
    assert normalised(text) == signature


def test_a_signature_is_short() -> None:
    """What is longer is cut, and says so."""
    assert len(normalised("x " * 200)) == LONGEST
    assert normalised("x " * 200).endswith("…")
