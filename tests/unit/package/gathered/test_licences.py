"""Licences by their texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.package.gathered.licences import doubts_of, is_text_of, licence_in

_ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007", "GPL-3.0-only"),
        ("GNU LESSER GENERAL PUBLIC LICENSE\n   Version 2.1, February 1999", "LGPL-2.1-only"),
        ("Creative Commons Attribution-ShareAlike 4.0 International", "CC-BY-SA-4.0"),
        ("Redistribution and use in source and binary forms, with or without …\n Neither the name of", "BSD-3-Clause"),
        ("Redistribution and use in source and binary forms, with or without …", "BSD-2-Clause"),
        ("SPDX-License-Identifier: EUPL-1.2\nwhatever", "EUPL-1.2"),
        ("All rights reserved.", ""),
        ("", ""),
    ],
)
def test_a_licence_is_known_by_what_stands_in_it(text: str, name: str) -> None:
    """Line breaks and letters do not matter; what is not known has no name."""
    assert licence_in(text) == name


def test_the_licence_of_this_project_is_known() -> None:
    """A whole text is known as well as its first lines."""
    assert licence_in((_ROOT / "LICENSE").read_text(encoding="utf-8")) == "Apache-2.0"


@pytest.mark.parametrize(("license", "is_doubted"), [("MIT", False), ("MIT OR CC-BY-4.0", False), ("Foo Bar", True)])
def test_a_licence_that_spdx_does_not_list_is_told(license: str, is_doubted: bool) -> None:
    """It is taken all the same; addresses, and no licence at all, are nothing to tell of."""
    assert bool(doubts_of(license)) == is_doubted
    assert doubts_of("https://example.org/licence") == doubts_of("") == []


@pytest.mark.parametrize(
    ("said", "of_text", "fits"),
    [
        ("GPL-3.0-or-later", "GPL-3.0-only", True),
        ("MIT OR Apache-2.0", "Apache-2.0", True),
        ("https://example.org/terms", "MIT", True),
        ("Foo", "", True),
        ("GPL-3.0-or-later", "MIT", False),
        ("MIT-0", "MIT", False),
    ],
)
def test_a_text_is_held_against_what_is_said(said: str, of_text: str, fits: bool) -> None:
    """Endings of one licence are the same text; another licence is another text."""
    assert is_text_of(said, of_text) is fits
