"""An ordinary user: whose jobs run, and as whom the `sciflow` command is typed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from live.account_python import python_for
from live.warm import WarmPython

# The first of these that exists is taken when the tests run as root.
CANDIDATES = ("nobody",)
GROUP_AND_OTHERS_READ = 0o022


@dataclass(frozen=True)
class Account:
    """One user, with a home of its own and an environment as after a login."""

    name: str
    uid: int
    gid: int
    home: Path
    python: Path
    """An interpreter that this user can run and that has sciflow; `sciflow` lies beside it and is on PATH."""
    more: Mapping[str, str] = field(default_factory=dict)
    """What the environment has beside that of a login, such as where the cluster is."""
    warm: WarmPython | None = field(default=None, compare=False, repr=False)
    """What runs the commands that tests type again and again, none of which then loads all of sciflow."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment of all that this user starts; nothing of the tests' own gets in."""
        return {
            "PATH": f"{self.python.parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "USER": self.name,
            "LOGNAME": self.name,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            **self.more,
        }

    def on(self, environment: Mapping[str, str]) -> "Account":
        """Return the same user with more variables, such as `SlurmCluster.environment`."""
        return replace(self, more={**self.more, **environment})

    def folder(self, name: str) -> Path:
        """Make a new directory in the home, owned by this user, and return it."""
        made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.home))
        os.chown(made, self.uid, self.gid)
        return made

    def write(self, path: Path, text: str, mode: int = 0o644) -> Path:
        """Write a file of this user, and return its path."""
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        os.chown(path, self.uid, self.gid)
        return path

    def run(
        self,
        *argv: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        timeout: float = 120,
        check: bool = True,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program as this user, and return what it said.

        Parameters
        ----------
        *argv
            The program, found on this user's PATH, and its arguments.
        cwd
            The home, if not given.
        env
            More variables.
        input
            What it reads; nothing, if not given.
        timeout
            Seconds after which it is killed, with an error.
        check
            Whether it is an error, with all that was printed, if it fails.
        """
        process = self.popen(*argv, cwd=cwd, env=env)
        try:
            out, err = process.communicate(input or "", timeout=timeout)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        done = subprocess.CompletedProcess([*map(str, argv)], process.returncode, out, err)
        if check and done.returncode:
            raise AssertionError(f"{done.args} ended with {done.returncode}\n{out}{err}")
        return done

    def type(self, program: str | Path, *words: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """Run `sciflow`, or a Python program by its path, as `run` does and ten times as quickly; it may fail."""
        assert self.warm is not None
        path = shutil.which(program, path=self.environment["PATH"]) or program
        return self.warm.run([str(path), *map(str, words)], cwd, self.environment, timeout=300)

    def popen(
        self, *argv: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start a program as this user, with pipes for all that goes in and out."""
        environment = {**self.environment, **(env or {})}
        program = shutil.which(str(argv[0]), path=environment["PATH"]) or str(argv[0])
        # Without root there is nobody else to become.
        become = {"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.Popen(
            [program, *map(str, argv[1:])],
            cwd=cwd or self.home,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            umask=GROUP_AND_OTHERS_READ,
            start_new_session=True,
            **become,
        )


@contextmanager
def ordinary_account() -> Iterator[Account]:
    """Give an account without privileges, with a home that is removed in the end.

    For root it is one that every system has; else it is the current user.
    """
    entry = pwd.getpwuid(os.geteuid())
    if entry.pw_uid == 0:
        entry = next(pwd.getpwnam(name) for name in CANDIDATES)
    home = Path(tempfile.mkdtemp(prefix="sciflow-home-", dir="/tmp"))
    try:
        home.chmod(0o755)
        os.chown(home, entry.pw_uid, entry.pw_gid)
        account = Account(entry.pw_name, entry.pw_uid, entry.pw_gid, home, Path("/usr/bin/python3"))
        account = replace(account, python=python_for(account.run, home))
        with closing(WarmPython(account.popen)) as warm:
            yield replace(account, warm=warm)
    finally:
        shutil.rmtree(home)
