"""The `sciflow` command: its verbs, and errors turned into messages and exit codes."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any

import click

from sciflow.cli.output import ERROR, INTERRUPTED, USAGE, report, say

# Verb → where it is, and what it does; modules are imported when a verb is used.
_VERBS = {
    "init": ("workflows", "Make a small experiment that runs."),
    "plan": ("workflows", "Show what would run; with -o, write it down for review."),
    "run": ("workflows", "Run a workflow here to the end."),
    "submit": ("cluster", "Hand a workflow to a cluster's scheduler."),
    "status": ("runs", "Show how far a run is, and what failed why."),
    "why": ("waiting", "Say why what waits waits, and what would change it."),
    "logs": ("runs", "Print what an index printed."),
    "retry": ("recovery", "Try again what has failed, by cause."),
    "tend": ("recovery", "Retry, submit what did not fit, and collect, once."),
    "exec": ("runs", "Run one index of a run again, here and now."),
    "cancel": ("cluster", "Cancel what is not over of a run, or some of it."),
    "collect": ("answers", "Join all records into results.h5."),
    "best": ("optimum", "Show the combination with the best value of a metric."),
    "suggest": ("suggest", "Say which combinations to try next, and add them to the workflow."),
    "statistics": ("statistics", "Say what a metric depends on, and how much."),
    "plot": ("plot", "Draw figures of what was measured."),
    "summary": ("summary", "Show metrics in numbers, and how many of how many values there are."),
    "report": ("report", "Write all that a run has shown into one file."),
    "methods": ("publication", "Write a paragraph on how a run was made, for a paper."),
    "package": ("package", "Pack a run with all that it takes to check and to repeat it."),
    "verify": ("verify", "Check a package: every byte, what it promises, and how this machine differs."),
    "reproduce": ("reproduce", "Run a package again, and compare."),
    "efficiency": ("advice", "Show how much of what was asked for was used."),
    "advise": ("advice", "Say what to ask for the next time."),
    "profile": ("site", "List, show and find out what clusters want."),
    "template": ("site", "Copy job templates, to be changed."),
}


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        return getattr(importlib.import_module(f"sciflow.cli.{_VERBS[cmd_name][0]}"), cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_, text) in _VERBS.items()])


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "SCIFLOW"})
@click.version_option(package_name="sciflow", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--runs", metavar="DIR", help="The folder of all runs.  [default: sciflow-runs]")
@click.pass_context
def cli(context: click.Context, debug: bool, runs: str | None) -> None:
    """Turn a workflow and a parameter grid into job arrays, follow them, and keep what happened."""
    context.obj = {"debug": debug, "runs": runs}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under `nohup`
            signal.signal(number, _terminated)
    warnings.showwarning = _in_words(warnings.showwarning)
    try:
        code = cli.main(arguments, prog_name="sciflow", standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nstopped; the same command goes on from here", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ERROR
    except Exception as error:
        if "--debug" in arguments:
            raise
        _explain(error, "--json" in arguments)
        code = ERROR
    sys.exit(code if isinstance(code, int) else 0)


def _in_words(otherwise: Callable[..., None]) -> Callable[..., None]:
    """Show warnings of sciflow as people read them, and all others as before."""

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        from sciflow.errors import SciflowWarning

        if issubclass(category, SciflowWarning):
            say(f"warning: {message}")
        else:
            otherwise(message, category, *place, **more)

    return show


def _explain(error: Exception, as_json: bool) -> None:
    from sciflow.errors import SciflowError

    if isinstance(error, SciflowError):
        report(error, error.hint, as_json)
    elif isinstance(error, OSError) and error.strerror:
        where = f": `{error.filename}`" if error.filename else ""
        report(OSError(f"{error.strerror}{where}"), "", as_json)
    else:
        named = RuntimeError(f"{type(error).__name__}: {error}")
        report(named, "this is a mistake in sciflow: run it again with `sciflow --debug …` and report it", as_json)


def _terminated(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
