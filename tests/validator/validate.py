"""Validates crates, in the environment of the validator: `python validate.py CONTEXTS CACHE CRATE…`.

It prints one JSON document: crate → what was found, each as severity, check, entity and message. One process for all of
them, because the validator takes longer to start than to validate.
"""

# pyright: reportMissingImports=false, reportMissingModuleSource=false

import io
import json
import sys
from pathlib import Path

import requests
from requests_cache import CachedSession
from rocrate_validator import services
from rocrate_validator.models import Severity
from urllib3 import HTTPResponse

CONTEXTS = {
    "https://w3id.org/ro/crate/1.1/context": "ro-crate-1.1.jsonld",
    "https://w3id.org/ro/terms/workflow-run/context": "workflow-run.jsonld",
}
# "The id of an application, source code or workflow SHOULD be an absolute URI": what lies in a crate has a path there,
# as RO-Crate wants it, which is no address before the crate is published at one. No crate in a folder satisfies this.
NOT_FOR_FILES = "process-run-crate-0.5_5.1"


def warm(cache: Path, contexts: Path) -> None:
    """Put the contexts where the validator looks when it has no network."""
    session = CachedSession(cache_name=str(cache), backend="sqlite", expire_after=-1)
    for url, name in CONTEXTS.items():
        body = (contexts / name).read_bytes()
        headers = {"Content-Type": "application/ld+json"}
        response = requests.Response()
        response.status_code, response.url, response._content = 200, url, body
        response.headers.update(headers)
        asks = {"Accept": "application/ld+json, application/json, */*;q=0.1"}
        response.request = requests.Request("GET", url, headers=asks).prepare()
        response.raw = HTTPResponse(
            io.BytesIO(body), headers, 200, preload_content=False, request_method="GET", request_url=url
        )
        response.raw._request_url = url
        session.cache.save_response(response)


def found_in(crate: str, cache: Path) -> list[dict[str, str]]:
    """What the validator finds in a crate, REQUIRED and RECOMMENDED, by all profiles that it says it conforms to."""
    is_of_run = "https://w3id.org/ro/wfrun/provenance/" in Path(crate, "ro-crate-metadata.json").read_text()
    settings = services.ValidationSettings(
        rocrate_uri=crate,
        profile_identifier="provenance-run-crate" if is_of_run else "workflow-ro-crate",
        requirement_severity=Severity.RECOMMENDED,
        skip_checks=[NOT_FOR_FILES],
        offline=True,
        cache_path=cache,
    )
    return [
        {
            "severity": issue.severity.name,
            "check": issue.check.name,
            "entity": str(issue.violatingEntity or ""),
            "message": issue.message or "",
        }
        for issue in services.validate(settings).get_issues()
    ]


def main() -> None:
    """Validate the crates that are named."""
    contexts, cache, *crates = sys.argv[1:]
    warm(Path(cache), Path(contexts))
    found = {crate: found_in(crate, Path(cache)) for crate in crates}
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
