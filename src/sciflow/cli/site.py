"""Verbs on the site: profile, template."""

from __future__ import annotations

from pathlib import Path

import click

from sciflow.cli.output import DONE, SOME_FAILED, emit, json_option, say, table


@click.group()
def profile() -> None:
    """List, show and find out what clusters want."""


@profile.command(name="list")
@json_option
def list_(as_json: bool) -> None:
    """List the profiles that can be named here, and the file that each comes from."""
    from sciflow.assets import profile_names
    from sciflow.loading import load_profile

    here = Path.cwd()
    rows = [(load_profile(name, here), path) for name, path in sorted(profile_names(here).items())]
    document = [{"name": path.stem, "scheduler": one.scheduler, "file": str(path)} for one, path in rows]
    text = table(("profile", "scheduler", "file"), [(path.stem, one.scheduler, path) for one, path in rows])
    emit(as_json, document, text)


@profile.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show what the profile NAME says, with all that it leaves to its defaults left out."""
    import yaml

    from sciflow.loading import load_profile

    document = load_profile(name, Path.cwd()).model_dump(mode="json", exclude_defaults=True)
    emit(as_json, document, yaml.safe_dump(document, sort_keys=False, allow_unicode=True).rstrip())


@profile.command()
@click.option("--name", default="detected", show_default=True, help="What to call it.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it to this new file.")
@json_option
def detect(name: str, output: Path | None, as_json: bool) -> None:
    """Ask the scheduler that is here for its partitions or queues, limits and accounts, and make a profile of them."""
    import yaml

    from sciflow.schedulers.sites import detect_site
    from sciflow.transport.local import LocalTransport

    found, notes = detect_site(LocalTransport(), name)
    for note in notes:
        say(f"note: {note}")
    document = found.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True).rstrip()
    if output is not None:
        _write_new(output, text + "\n")
        say(f"wrote {output}")
    emit(as_json, document, text)


@profile.command()
@click.argument("name")
@json_option
@click.pass_context
def check(context: click.Context, name: str, as_json: bool) -> None:
    """Ask the scheduler that is here, and say where the profile NAME promises more than there is."""
    from sciflow.loading import load_profile
    from sciflow.schedulers.site_check import differences
    from sciflow.schedulers.sites import detect_site
    from sciflow.transport.local import LocalTransport

    found, notes = detect_site(LocalTransport(), name)
    for note in notes:
        say(f"note: {note}")
    lines = differences(load_profile(name, Path.cwd()), found)
    text = "\n".join(lines) or f"profile `{name}` promises nothing that {found.description} does not have"
    emit(as_json, {"profile": name, "site": found.description, "differences": lines}, text)
    context.exit(SOME_FAILED if lines else DONE)


@profile.command(name="record")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Keep it without being asked.")
@json_option
def record_(directory: Path, yes: bool, as_json: bool) -> None:
    """Write into DIRECTORY what the scheduler that is here answers, without the names in it, to be shown to others.

    Harmless questions are asked, and of jobs only about yours. All is shown before anything is kept.
    """
    from sciflow.schedulers.recording import record, replaced, write
    from sciflow.schedulers.stand_ins import StandIns
    from sciflow.transport.local import LocalTransport

    names = StandIns()
    found = record(LocalTransport(), names)
    for one in found:
        document = one.document()
        say(f"== {one.name}: `{document['command']}` ended with {one.answer.code}\n{one.answer.out}{one.answer.err}")
    say(f"stand-ins: {replaced(names)}")
    if not yes:
        click.confirm(f"Keep these {len(found)} answers in `{directory}`?", abort=True, err=True)
    paths = write(found, directory)
    emit(as_json, {"written": [str(path) for path in paths]}, "\n".join(f"wrote {path}" for path in paths))


@click.group()
def template() -> None:
    """Copy job templates, to be changed."""


@template.command()
@click.argument("scheduler")
@click.argument("directory", default="templates", type=click.Path(path_type=Path))
@json_option
def export(scheduler: str, directory: Path, as_json: bool) -> None:
    """Write the template of SCHEDULER into DIRECTORY, as one that extends the bundled one block by block."""
    from sciflow.assets import bundled
    from sciflow.errors import TemplateError
    from sciflow.model.nearest import nearest
    from sciflow.planning.render import extension_of

    known = sorted(path.parent.name for path in bundled("templates").glob("*/array.sh.j2") if path.parent.name != "job")
    if scheduler not in known:
        raise TemplateError(f"there is no template for `{scheduler}`", hint=nearest(scheduler, known))
    target = directory / scheduler / "array.sh.j2"
    bundled_text = (bundled("templates") / scheduler / "array.sh.j2").read_text(encoding="utf-8")
    _write_new(target, extension_of(scheduler, bundled_text))
    emit(as_json, {"written": str(target)}, f"wrote {target}")


def _write_new(path: Path, text: str) -> None:
    from sciflow.errors import SciflowError

    if path.exists():
        raise SciflowError(f"`{path}` is there already", hint="give another place, or remove it first")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
