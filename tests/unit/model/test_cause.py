"""Why an array index has not completed."""

from sciflow.model.cause import Cause


def test_a_cause_is_written_as_it_is_typed() -> None:
    """As text it is what stands on the command line; its words are those of people."""
    assert str(Cause.OUT_OF_MEMORY) == f"{Cause.OUT_OF_MEMORY}" == "out_of_memory"
    assert Cause("launch_failure").words == "launch failure"
