import time

from hypothesis import given
from hypothesis import strategies as st

from sciflow.package.secrets.documents import clean_text
from sciflow.package.secrets.suspects import _COMMON, RARE, is_suspect, replaced, suspects
from sciflow_shim import redaction
from sciflow_shim.redaction import REDACTED, redact
from shim.test_redaction import ORDINARY, SECRETS

LINES = st.sampled_from([text for text, _ in SECRETS if "\n" not in text] + ORDINARY + ["İ ß ŉ", "", "x" * 300])


@given(st.lists(LINES, max_size=8))
def test_what_is_found_in_a_long_text_is_what_is_found_line_by_line(lines: list[str]):
    """Looking closely at few lines misses nothing that looking at all of them finds."""
    cleaned, count = clean_text("\n".join(lines))
    assert cleaned == "\n".join(redact("\n".join(lines)).split("\n"))
    assert count == cleaned.count(REDACTED) - "\n".join(lines).count(REDACTED)


def test_every_shape_of_a_secret_is_looked_for():
    """Each known secret is suspect by itself: a shape that is added there is also looked for here."""
    for text, secret in SECRETS:
        assert is_suspect(text), text
        assert secret not in clean_text(text)[0]
    parts = {part for one, _, _ in redaction._SHAPES for part in one}
    looked_for = (*RARE, *_COMMON, "private key")
    assert [part for part in sorted(parts) if not any(one in part for one in looked_for)] == []


def test_a_secret_that_goes_over_lines_is_found_whole():
    """A private key within a log is one secret, whatever comes before and after."""
    key = next(text for text, _ in SECRETS if "OPENSSH" in text)
    text = "start\n" * 1000 + key + "\nend\n" * 1000
    assert clean_text(text) == (text.replace(key, REDACTED), 1)


def test_a_file_of_one_line_is_looked_at_in_parts():
    """What stands far into a line of a million signs is found, and quickly."""
    text = "0.125 " * 200_000 + "password=hunter2 " + "0.125 monkey " * 100_000
    before = time.process_time()
    cleaned, count = clean_text(text)
    assert (count, "hunter2" in cleaned) == (1, False)
    assert time.process_time() - before < 2


def test_places_of_secrets_are_told_in_order():
    """More than one in a line, and those that were taken out before."""
    line = "password=hunter2 token=[redacted] api_key='abc' x"
    assert [line[first:last] for first, last in replaced(line)] == ["hunter2", "abc"]
    assert list(suspects("a\n" + line + "\nb")) == [(2, 2 + len(line))]


def test_large_logs_take_seconds():
    """Megabytes of lines with words such as `key` in each are looked through in a second or two."""
    lines = (f"12:00:{i % 60:02d} INFO step {i} loss=0.{i * 7919} monkey pass {i} token\n" for i in range(60_000))
    text = "".join(lines)
    before = time.process_time()
    assert clean_text(text) == (text, 0)
    assert time.process_time() - before < 2 * len(text) / 10e6
