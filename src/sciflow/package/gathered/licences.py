"""Licences by their texts, as SPDX calls them."""

from __future__ import annotations

import re

# What stands in the text of each, in small letters and with single spaces; the first that fits is meant.
_SAID: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Apache-2.0", ("apache license version 2.0",)),
    ("AGPL-3.0-only", ("gnu affero general public license version 3",)),
    ("LGPL-3.0-only", ("gnu lesser general public license version 3",)),
    ("LGPL-2.1-only", ("gnu lesser general public license version 2.1",)),
    ("GPL-3.0-only", ("gnu general public license version 3",)),
    ("GPL-2.0-only", ("gnu general public license version 2",)),
    ("MPL-2.0", ("mozilla public license version 2.0",)),
    ("EUPL-1.2", ("european union public licence v. 1.2",)),
    ("CC0-1.0", ("cc0 1.0 universal",)),
    ("CC-BY-SA-4.0", ("creative commons attribution-sharealike 4.0",)),
    ("CC-BY-4.0", ("creative commons attribution 4.0",)),
    ("Unlicense", ("this is free and unencumbered software released into the public domain",)),
    ("ISC", ("permission to use, copy, modify, and/or distribute this software for any purpose with or without fee",)),
    ("MIT", ("permission is hereby granted, free of charge, to any person obtaining a copy", "the above copyright")),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms",)),
)
_HEAD = 3000  # characters: later on, licences name others


def licence_in(text: str) -> str:
    """Which licence a text is, by SPDX's name; empty for one that is not known here."""
    head = re.sub(r"[\s,]*\n\s*|\s+", " ", text.strip().lower().replace("version 2.0,", "version 2.0"))[:_HEAD]
    named = re.search(r"spdx-license-identifier: *([\w.+-]+)", text[:_HEAD], re.IGNORECASE)
    if named:
        return named[1]
    return next((name for name, said in _SAID if all(part in head for part in said)), "")


def is_text_of(license: str, of_text: str) -> bool:
    """Whether a text of licence `of_text` may be that of a licence as somebody has named it; so it may be if unknown.

    The text of the GPL is the same whether later versions may be taken or not.
    """
    if not of_text or license.startswith(("http://", "https://")):
        return True
    names = {_without_ending(name) for name in re.findall(r"[\w.+-]+", license)}
    return _without_ending(of_text) in names


def _without_ending(name: str) -> str:
    return re.sub(r"(-only|-or-later|\+)$", "", name.casefold())


def doubts_of(license: str) -> list[str]:
    """What there is to say of a licence as somebody has named it: not all that there are stand in the list of SPDX."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if not license or license.startswith(("http://", "https://")):
        return []
    try:
        canonicalize_license_expression(license)
    except InvalidLicenseExpression:
        return [f"licence `{license}` is no name that SPDX has, such as `MIT` or `CC-BY-4.0`: programs do not know it"]
    return []
