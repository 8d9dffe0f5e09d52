"""Licences by their texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.package.gathered.licences import licence_in

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
