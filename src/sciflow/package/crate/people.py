"""Who made it, and under which licence, as a crate has it."""

from __future__ import annotations

import re

from sciflow.package import layout
from sciflow.package.crate.graph import ROOT, Graph, Reference, fragment
from sciflow.package.gathered.people import Author, People

NOT_STATED = "#not-stated"
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


def add_people(graph: Graph, people: People) -> None:
    """Say on the crate who made it, and how it may be used."""
    authors = [_author(graph, one) for one in people.authors] or [not_stated(graph)]
    graph.say(ROOT, author=authors, license=_licence(graph, people.license), publisher=not_stated(graph))


def agent(graph: Graph, people: People) -> Reference:
    """Whoever made the run: by their login name, which is what a run knows; else its only author."""
    if people.user:
        about = "the user account that made the run"
        return graph.add(fragment("user", people.user), "Person", name=people.user, description=about)
    return _author(graph, people.authors[0]) if len(people.authors) == 1 else not_stated(graph)


def not_stated(graph: Graph) -> Reference:
    """Who stands for a publisher or an affiliation that nobody stated, without which a crate is not complete."""
    return graph.add(
        NOT_STATED,
        "Organization",
        name="not stated",
        description="Stands where a publisher, an author or an affiliation belongs, and none was stated.",
        url={"@id": layout.README},
    )


def _author(graph: Graph, author: Author) -> Reference:
    id = author.orcid or fragment("author", author.name)
    if not (author.given or author.family or author.orcid):
        return graph.add(id, "Organization", name=author.name, email=author.email, url={"@id": layout.README})
    affiliation = not_stated(graph)
    if author.affiliation:
        address = {"@id": layout.README}
        where = fragment("organisation", author.affiliation)
        affiliation = graph.add(where, "Organization", name=author.affiliation, url=address)
    return graph.add(
        id,
        "Person",
        name=author.name,
        givenName=author.given,
        familyName=author.family,
        email=author.email,
        affiliation=affiliation,
    )


def _licence(graph: Graph, said: str) -> Reference:
    if not said:
        name = "no licence was stated: all rights reserved"
        about = "Nobody stated a licence: whoever wants to use this for more than checking it has to ask its authors."
        return graph.add("#no-licence", "CreativeWork", name=name, description=about)
    about = "The licence of the code and of the results, as it was stated."
    if said.startswith(("http://", "https://")):
        return graph.add(said, "CreativeWork", name=said, description=about, url=said)
    if _SPDX.fullmatch(said):
        address = f"https://spdx.org/licenses/{said}"
        return graph.add(address, "CreativeWork", name=said, identifier=said, description=about, url=address)
    return graph.add("#licence", "CreativeWork", name=said, description=about)
