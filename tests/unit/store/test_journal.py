"""The journal: order, times, torn lines."""

from pathlib import Path

import pytest

from sciflow.store.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Return a journal whose clock stands at 12.3456 s."""
    return Journal(tmp_path / "journal.jsonl", clock=lambda: 12.3456)


def test_events_come_back_in_order_with_their_time(journal: Journal) -> None:
    """What was appended is read back in order, each event with the time to the millisecond."""
    journal.append([{"event": "started", "index": 3}, {"event": "ended", "index": 3}])
    journal.append([{"event": "started", "index": 4}])
    assert [(one["event"], one["index"], one["time"]) for one in journal.events()] == [
        ("started", 3, 12.346),
        ("ended", 3, 12.346),
        ("started", 4, 12.346),
    ]


def test_a_journal_that_is_not_there_has_no_events(journal: Journal) -> None:
    """A run that has not started has no journal, which is no error."""
    assert list(journal.events()) == []


def test_nothing_to_append_makes_no_file(journal: Journal) -> None:
    """An empty batch leaves no trace."""
    journal.append([])
    assert not journal.path.exists()


def test_a_torn_last_line_is_passed_over(journal: Journal) -> None:
    """A writer that was killed in the middle of a line loses that line only."""
    journal.append([{"event": "started", "index": 1}, {"event": "ended", "index": 1}])
    data = journal.path.read_bytes()
    for length in range(len(data)):
        journal.path.write_bytes(data[:length])
        whole = data[:length].count(b"\n") + (data[:length].endswith(b"}") and 1)
        assert len(list(journal.events())) == whole, length


def test_an_event_after_a_torn_line_is_kept(journal: Journal) -> None:
    """The next writer starts a line of its own."""
    journal.path.write_bytes(b'{"event": "started", "ind')
    journal.append([{"event": "ended", "index": 2}])
    assert [one["index"] for one in journal.events()] == [2]


def test_lines_that_are_no_events_are_passed_over(journal: Journal) -> None:
    """Whatever else stands in the file does not stop the reader."""
    journal.path.write_bytes(b'\n[1]\n"text"\n{"no": "event"}\n\xff\xfe\n\x00\x00\n{"event": "ended"}\n')
    assert [one["event"] for one in journal.events()] == ["ended"]


@pytest.mark.parametrize("text", ["Müller\u2028", 'a "quote"\nand a line', "half a pair: \ud800", "not utf-8: \udc80"])
def test_any_text_can_be_journalled(journal: Journal, text: str) -> None:
    """Errors of users' programs hold anything, and none of it breaks the journal."""
    journal.append([{"event": "ended", "error": text}])
    assert [one["error"] for one in journal.events()] == [text]
    assert journal.path.read_bytes().count(b"\n") == 1


def test_what_is_committed_is_on_the_disk_before_anything_else_is_done(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are all in the file when the disk is told to keep them; appending tells it nothing."""
    kept: list[bytes] = []
    monkeypatch.setattr("os.fsync", lambda _descriptor: kept.append(journal.path.read_bytes()))
    journal.append([{"event": "started"}])
    assert kept == []
    journal.commit({"event": "intent", "name": "a.1"})
    assert kept == [journal.path.read_bytes()]
    assert [event["event"] for event in journal.events()] == ["started", "intent"]


def test_a_disk_that_does_not_keep_it_is_an_error(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever commits must know."""

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        journal.commit({"event": "intent"})
