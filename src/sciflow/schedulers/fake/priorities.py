"""Who comes first: partition tiers, and within them points for age, size and a user's fair share, less `nice`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sciflow.schedulers.fake.jobs import Job

DAY = 86_400.0


@dataclass(frozen=True)
class Priorities:
    """How many points a job gets for what; times in seconds.

    Attributes
    ----------
    age, oldest
        For having waited as long as counts, and how long that is; for less, in proportion.
    size
        For asking for all cores of a node of 100 cores; wide jobs come first where it is positive.
    fair_share
        For a user who has used nothing; half of it for one who has used `share` core-seconds, and so on.
    share, half_life
        See there; and after what time of what was used half is forgotten.
    every
        How often priorities are worked out anew.
    """

    age: float = 1_000.0
    oldest: float = 7 * DAY
    size: float = 0.0
    fair_share: float = 0.0
    share: float = 1_000 * 3_600.0
    half_life: float = 7 * DAY
    every: float = 300.0


@dataclass
class User:
    """What one user has: indices queued and running, cores, and core-seconds used until some time."""

    queued: int = 0
    running: int = 0
    cores: int = 0
    used: float = 0.0
    since: float = 0.0


@dataclass
class Users:
    """What each user has, and has used.

    Attributes
    ----------
    priorities
        How what was used counts.
    """

    priorities: Priorities
    by_name: dict[str, User] = field(default_factory=lambda: defaultdict(User))

    def add(self, name: str, core_seconds: float, now: float) -> None:
        """Take in what a user has used."""
        user = self.by_name[name]
        user.used, user.since = self.used(name, now) + core_seconds, now

    def used(self, name: str, now: float) -> float:
        """The core-seconds that a user has used, as far as they are not forgotten."""
        user = self.by_name[name]
        return user.used * 0.5 ** ((now - user.since) / self.priorities.half_life)

    def points(self, job: Job, now: float) -> float:
        """The priority of a job now."""
        rules, request = self.priorities, job.request
        since = now if job.eligible is None else max(job.eligible, request.begin)
        points = rules.age * min(1.0, max(0.0, now - since) / rules.oldest) - request.nice
        points += rules.size * request.cores / 100
        if rules.fair_share:
            points += rules.fair_share * 0.5 ** (self.used(job.user, now) / rules.share)
        return points
