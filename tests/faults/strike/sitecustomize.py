"""Lets something go wrong, once, when a Python process opens, renames or removes a certain file.

Python imports this module at its start where its folder is on PYTHONPATH. `TRAP` says what happens, as JSON: at which
``event`` about a path that matches ``path``, in processes whose command line matches ``who``, and where a file
``beside`` it is there already; ``how`` is as for `striking.strike`.
"""

import json
import os
import re
import sys
from pathlib import Path


def install() -> None:
    """Put the trap in place, if there is one for this process."""
    text = os.environ.get("TRAP")
    if not text:
        return
    trap = json.loads(text)
    command = Path("/proc/self/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    if not re.search(trap["who"], command):
        return
    place = 1 if trap["event"] == "os.rename" else 0

    def hook(event: str, arguments: tuple) -> None:
        if event != trap["event"] or not re.search(trap["path"], str(arguments[place])):
            return
        if event == "open" and not set(str(arguments[1])) & set("wax+"):
            return
        if "beside" in trap and not Path(arguments[place]).with_name(trap["beside"]).exists():
            return
        from striking import once, strike

        if once():
            strike(trap["how"])

    sys.addaudithook(hook)


install()
