"""Crates of packages, as an independent validator sees them."""

import subprocess
from pathlib import Path


def test_crates_conform_to_all_profiles_and_one_that_lacks_something_does_not(
    found: dict[str, list[dict[str, str]]],
) -> None:
    """The validator finds nothing that is required or recommended, but would find an action without an instrument.

    One test for all, because tests may be shared out to processes, and each would make and validate the packages.
    """
    mutant = found.pop("mutant")
    assert found == {"complete": [], "partial": [], "sweep": [], "not-begun": []}
    assert any("The Action MUST have an instrument property" in one["message"] for one in mutant)


def test_bagit_validates_packages(validator: Path, packages: dict[str, Path]) -> None:
    """`bagit.py --validate` accepts packages."""
    bags = [bag for name, bag in packages.items() if name != "complete"]  # to that a verdict was added
    answer = subprocess.run([validator / "bagit.py", "--validate", *bags], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr.count("is valid") == len(bags)
