"""Templates and profiles: which file wins."""

from pathlib import Path

import pytest

from sciflow import assets


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project without templates, for a user without a configuration."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def put(path: Path, text: str) -> Path:
    """Write a file where there may be no folder yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_is_bundled_is_there() -> None:
    """The templates and profiles that come along are found, wherever sciflow is installed."""
    assert (assets.bundled("templates") / "local" / "array.sh.j2").is_file()
    assert (assets.bundled("cluster_profiles") / "local.yaml").is_file()


def test_an_installed_package_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a wheel they are inside the package, which then counts."""
    monkeypatch.setattr(assets, "_PACKAGE", tmp_path / "sciflow")
    put(tmp_path / "sciflow" / "_bundled" / "templates" / "x.j2", "")
    assert assets.bundled("templates") == tmp_path / "sciflow" / "_bundled" / "templates"


def test_the_nearest_wins(project: Path) -> None:
    """The project's file comes before the user's, and that before the bundled one."""
    name = "local/array.sh.j2"
    [bundled] = [found for found in [assets.find("templates", name, project)] if found]
    assert bundled == assets.bundled("templates") / name
    users = put(assets.user_configuration() / "templates" / name, "user")
    assert assets.find("templates", name, project) == users
    own = put(project / "templates" / name, "project")
    assert assets.find("templates", name, project) == own
    assert assets.read_template(project, name) == ("project", str(own))


def test_a_template_extends_the_bundled_one(project: Path) -> None:
    """`bundled/<name>` is the one that comes along, whatever the project has; else it is a name like any other."""
    put(project / "templates" / "local" / "array.sh.j2", "project")
    found = assets.read_template(project, "bundled/local/array.sh.j2")
    assert found is not None
    assert found[1] == str(assets.bundled("templates") / "local" / "array.sh.j2")
    put(project / "templates" / "bundled" / "own.j2", "own")
    assert assets.read_template(project, "bundled/own.j2") == ("own", str(project / "templates" / "bundled" / "own.j2"))


def test_what_is_not_there_is_none(project: Path) -> None:
    """A missing file and a folder of that name are no template."""
    (project / "templates" / "folder").mkdir(parents=True)
    for name in ("nothing.j2", "folder", "bundled/nothing.j2"):
        assert assets.read_template(project, name) is None
        assert assets.find("templates", name, project) is None


def test_profiles_are_known_by_name(project: Path) -> None:
    """Every profile once, by the file that wins; other files are no profiles."""
    assert assets.profile_names(project)["local"] == assets.bundled("cluster_profiles") / "local.yaml"
    own = put(project / "cluster_profiles" / "local.yaml", "")
    users = put(assets.user_configuration() / "cluster_profiles" / "mine.yaml", "")
    put(project / "cluster_profiles" / "notes.txt", "")
    known = assets.profile_names(project)
    assert (known["local"], known["mine"]) == (own, users)
    assert "notes" not in known


def test_the_users_folder_is_where_it_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """`XDG_CONFIG_HOME`, or `.config` at home."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/somewhere")
    assert assets.user_configuration() == Path("/somewhere/sciflow")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert assets.user_configuration() == Path("/home/someone/.config/sciflow")
