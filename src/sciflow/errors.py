"""Every exception that sciflow raises on purpose.

::

    SciflowError
    ├── WorkflowError        the workflow or its parameter space is wrong
    │   ├── WorkflowFileError    … in a file: which file, line and field
    │   └── ExpressionError      … in an expression
    ├── ProfileError         a cluster profile is wrong or missing
    ├── PlanError            the request cannot run there
    │   └── NotConfirmedError    … without somebody saying so: it asks for more than the profile's `ask_above`
    ├── TemplateError        a job template is wrong or missing
    ├── SchedulerError       the scheduler said no
    │   ├── QueueFullError       … since as much is queued as may be
    │   └── UnreadableAnswerError  … or said something that cannot be understood
    ├── TransportError       a command could not be run where the scheduler is, or did not answer
    ├── RunError             the run directory: missing, damaged, of a newer format
    │   └── BusyError            … or somebody else is at it
    ├── ResultError          a question that the results cannot answer
    └── PackageError         a package cannot be made, read or trusted
        └── DamagedError         … since its bytes are not those that were packed, or it reaches out of its folder

    SciflowWarning           what was changed or noticed without being asked (a UserWarning)
"""

from __future__ import annotations


class SciflowError(Exception):
    """The root of the tree.

    Parameters
    ----------
    message
        What is wrong, naming the value and where it came from.
    hint
        The way out, where there is one.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class WorkflowError(SciflowError):
    """The workflow or its parameter space is wrong."""


class WorkflowFileError(WorkflowError):
    """A workflow file is wrong: which file, line and field."""


class ExpressionError(WorkflowError):
    """An expression of the workflow cannot be read, or reaches for what it may not have."""


class ProfileError(SciflowError):
    """A cluster profile is wrong or missing."""


class PlanError(SciflowError):
    """The request cannot run on this profile."""


class DeadlineError(PlanError):
    """A deadline cannot be met."""


class NotConfirmedError(PlanError):
    """What would be submitted asks for more than the profile says without asking."""


class TemplateError(SciflowError):
    """A job template is wrong or missing."""


class SchedulerError(SciflowError):
    """The scheduler refused, or its answer cannot be understood."""


class QueueFullError(SchedulerError):
    """As much is queued as this user may have: later there is room again."""


class UnreadableAnswerError(SchedulerError):
    """An answer cannot be understood: what was asked for may have been done."""


class TransportError(SciflowError):
    """A command could not be run where the scheduler is, or did not answer in time: nothing is known."""


class RunError(SciflowError):
    """A run directory is missing, busy, damaged or of a newer format."""


class BusyError(RunError):
    """Another process is at the run."""


class ResultError(SciflowError):
    """A question that the results cannot answer."""


class PackageError(SciflowError):
    """A package cannot be made, or is no package, or is of a newer format."""


class DamagedError(PackageError):
    """A package's bytes are not those that were packed, or it would write outside its folder."""


class SciflowWarning(UserWarning):
    """What was changed or noticed without being asked; it is in the run's manifest as well."""
