"""The office against its own OpenAPI document: odd requests, within the schema and outside of it.

Every answer must have a status, a content type and a body of the document; what does not fit the document is
refused; without its tokens no call is answered; nothing is an error of the office. `make contract` asks far
more of the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from office_hall import Hall, served
from schemathesis import Case, HookContext, SerializationContext
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from back_office.app import paths
from back_office.cli import main

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "3"))
SEED = int(os.environ.get("CONTRACT_SEED", "20261122"))

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"

REFUSED = [
    "400",
    "401",
    "403",
    "404",
    "405",
    "409",
    "410",
    "412",
    "413",
    "415",
    "416",
    "422",
    "423",
    "429",
    "460",
]
"""A request outside the schema: whichever refusal of the document comes first, but no success."""

FITS = [
    "2xx",
    "304",
    "401",
    "403",
    "404",
    "409",
    "410",
    "412",
    "413",
    "415",
    "416",
    "422",
    "423",
    "429",
    "460",
]
"""A request within the schema may still be of another window, epoch, day or key: that no schema can say.
Left is what a request that fits must never be: not understood at all (400, 405), or an error (500)."""

CHECKS = {
    "negative_data_rejection": {"expected-statuses": REFUSED},
    "missing_required_header": {"expected-statuses": REFUSED},
    "positive_data_acceptance": {"expected-statuses": FITS},
}


@pytest.fixture
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with served(tmp_path_factory.mktemp("office") / "data") as one:
        yield one


@schemathesis.hook
def before_call(_context: HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """A wait that is right waits its time, which shows nothing more: it is cut short.

    The tool fills a header that is not asked about with "0", whatever its pattern: that one is left out.
    """
    if case.headers and case.headers.get("Upload-Checksum") == "0":
        del case.headers["Upload-Checksum"]
    if case.operation.path == "/v1/sync/wait" and case.query:
        try:
            asked = float(case.query.get("seconds", 25))
        except (TypeError, ValueError):
            return
        if 0 <= asked <= 50:
            case.query["seconds"] = asked / 1000


@schemathesis.serializer("application/offset+octet-stream")
def chunk(_context: SerializationContext, value: Any) -> bytes:
    """The bytes of a page."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def _config(device: str, clerk: str) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "continue-on-failure": True,
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
            "auth": {"openapi": {"device": {"bearer": device}, "clerk": {"api_key": clerk}}},
            "checks": CHECKS,
            "phases": {"stateful": {"enabled": False}},
        }
    )


def _told(event: events.ScenarioFinished) -> Iterator[str]:
    for case, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                spoken = event.recorder.interactions[case]
                asked, answer = spoken.request, spoken.response
                what = "" if answer is None else f"{answer.status_code} {answer.content[:200]!r}"
                yield (
                    f"{event.label} {check.name}: {check.failure_info.failure}\n"
                    f"{asked.method} {asked.uri} {asked.headers} {asked.body!r} -> {what}"
                )


def test_the_office_is_what_its_document_says(hall: Hall) -> None:
    station = hall.workstation()
    config = _config(station.device.token, station.session)
    schema = schemathesis.openapi.from_url(f"{hall.url}/openapi.json", config=config)
    failures: list[str] = []
    phases: dict[str, int] = {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            phases[event.phase.name] = phases.get(event.phase.name, 0) + len(event.recorder.cases)
            failures += _told(event)
        elif isinstance(event, events.NonFatalError):
            failures.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    station.close()
    assert not failures, f"{len(failures)} of {phases}\n\n" + "\n\n".join(failures[:20])
    assert phases["COVERAGE"] > 500
    assert phases["FUZZING"] >= 20 * EXAMPLES


def test_the_document_in_the_docs_is_the_office_s(capsys: pytest.CaptureFixture[str]) -> None:
    """An integrator reads it without running anything. `back-office openapi > docs/openapi.json`"""
    assert main(["openapi"]) == 0
    printed = capsys.readouterr().out
    assert printed == DOCUMENT.read_text(encoding="utf-8")
    assert json.loads(printed) == json.loads(json.dumps(paths().openapi()))


def test_every_refusal_of_the_document_is_a_problem() -> None:
    document = paths().openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            for status, response in operation["responses"].items():
                if int(status) < 400:
                    continue
                assert response["description"].startswith("OFFICE-"), (method, path, status)
                if method != "head":
                    schema = response["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}, (method, path, status)
