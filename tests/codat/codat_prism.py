"""Prism, which makes answers of Codat's OpenAPI document and judges requests by it.

By hand, where node is there: ``npm install --prefix DIR @stoplight/prism-cli``, then
``CODAT_SYNC_PRISM=DIR/node_modules/.bin/prism python tests/codat/codat_prism.py`` has it answer the requests
of the client anew, and writes what it said to ``prism_answers.json``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import httpx

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from codat_calls import CALLS, Call
from codat_wire import talk

from reconciler.codat.errors import ApiError

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = ROOT.parent / "shared" / "codat" / "Codat-Platform.openapi.json"
RECORDED: Final = Path(__file__).parent / "prism_answers.json"
NAMED: Final = "CODAT_SYNC_PRISM"
"""The variable that says where Prism is, if it is neither on the PATH nor in the checkout's node_modules."""
LISTENS: Final = re.compile(r"Prism is listening on (http://\S+)")
VIOLATIONS: Final = "sl-violations"
"""The header in which Prism says what of a request or of its own answer is not as documented."""
OWN: Final = "application/problem+json"
"""The type of an answer that is not the document's, but Prism's."""
KEPT: Final = ("content-type", "retry-after")
"""The headers of an answer that the client may look at, and that are not of Prism's own making."""


@dataclass(frozen=True, slots=True)
class Run:
    """One start of Prism: the seed of what it makes up, and whether from the document as ``told``."""

    seed: str = "1"
    is_told: bool = False


AS_WRITTEN: Final = Run()
TOLD: Final = (Run("1", is_told=True), Run("2", is_told=True))


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to have Prism answer: what the request prefers, and which run is asked."""

    name: str
    prefer: str
    run: Run = AS_WRITTEN

    @property
    def is_refusal(self) -> bool:
        """Whether Codat refuses the request."""
        return self.name.startswith("refused")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as it is kept."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @classmethod
    def of(cls, response: httpx.Response) -> Answer:
        """The part of a response that is kept."""
        headers = {name: response.headers[name] for name in KEPT if name in response.headers}
        return cls(response.status_code, headers, response.json() if response.content else None)

    def response(self) -> httpx.Response:
        """It, as it comes over the wire."""
        content = b"" if self.body is None else json.dumps(self.body).encode()
        return httpx.Response(self.status, headers=self.headers, content=content)


def document() -> dict[str, Any] | None:
    """Codat's document, where it lies beside the checkout."""
    return json.loads(DOCUMENT.read_bytes()) if DOCUMENT.exists() else None


def find() -> str | None:
    """Prism's command, where there is one."""
    beside = ROOT / "node_modules" / ".bin" / "prism"
    return os.environ.get(NAMED) or shutil.which("prism") or (str(beside) if beside.exists() else None)


def told(written: Mapping[str, Any]) -> dict[str, Any]:
    """The document with what it says of dates and pages in words alone, so that what is made up has sense.

    A date is text in the document. A count has no bounds, and it and the link to the next page have
    nothing to do with the rows; here there are no more rows than those shown.
    """
    document = deepcopy(dict(written))
    schemas = document["components"]["schemas"]
    schemas["DateTime"]["format"] = "date-time"
    paging = schemas["PagingInfo"]
    paging["properties"]["pageNumber"]["minimum"] = paging["properties"]["pageSize"]["minimum"] = 1
    paging["properties"]["totalResults"] |= {"minimum": 0, "maximum": 0}
    del paging["definitions"]["links"]["properties"]["next"]
    return document


def kinds(document: Mapping[str, Any], call: Call) -> Iterator[Kind]:
    """Every example of an operation's success, answers that are made up, and every refusal."""
    responses = document["paths"][call.path][call.method]["responses"]
    success, *refusals = sorted(responses)
    media = responses[success].get("content", {}).get("application/json")
    yield Kind("static", f"code={success}")
    if media:
        for example in list(media.get("examples", {}))[1:]:
            yield Kind(f"static, {example}", f'code={success}, example="{example}"')
        yield Kind("dynamic", f"code={success}, dynamic=true")
        for run in TOLD:
            yield Kind(f"dynamic, dates told, {run.seed}", f"code={success}, dynamic=true", run)
    yield from (Kind(f"refused, {status}", f"code={status}") for status in refusals)


@contextmanager
def serving(command: str, document: Mapping[str, Any], seed: str) -> Iterator[str]:
    """The URL at which Prism answers by the document while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        asked = [command, "mock", "--host", "127.0.0.1", "--port", port, "--seed", seed, file.name]
        running = subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            yield _listening(running)
        finally:
            running.terminate()
            running.communicate(timeout=10)


def _listening(running: subprocess.Popen[str]) -> str:
    """The URL that Prism says; what it says later nobody reads, and must not fill the pipe."""
    assert running.stdout is not None
    said: list[str] = []
    for line in running.stdout:
        said.append(line)
        if found := LISTENS.search(line):
            threading.Thread(target=running.stdout.read, daemon=True).start()
            return found[1]
    raise RuntimeError(f"Prism does not start: {''.join(said[-5:])}")


@dataclass
class ToPrism(httpx.AsyncBaseTransport):
    """Lets each request of the client's ask Prism, and keeps what it said."""

    http: httpx.Client
    kind: Kind
    answers: list[Answer] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    """What Prism finds wrong with a request of ours."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Prism's answer, for which nothing else in this loop waits."""
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        response = self.http.request(
            request.method,
            request.url.raw_path.decode(),
            content=await request.aread(),
            headers=headers | {"Prefer": self.kind.prefer},
        )
        self.violations += _violations(response)
        self.answers.append(Answer.of(response))
        return self.answers[-1].response()


def _violations(response: httpx.Response) -> list[str]:
    """What Prism finds wrong with the request, which it says in a header, or in an answer of its own."""
    found = json.loads(response.headers.get(VIOLATIONS, "[]"))
    if response.headers.get("content-type", "").startswith(OWN):
        found += response.json().get("validation", [])
    return [each["message"] for each in found if each["location"][0] == "request"]


def refusal(call: Call, transport: httpx.AsyncBaseTransport) -> str:
    """How the client refuses what is answered; empty where it takes it for what the operation returns."""
    try:
        returned = talk(transport, call.do)
    except ApiError as error:
        return f"{type(error).__name__}: {error}"
    assert call.returns is None or isinstance(returned, call.returns), type(returned)
    return ""


@dataclass(frozen=True, slots=True)
class Played:
    """An operation, how Prism was asked, what it answered, what it found wrong, how the client refused."""

    operation: str
    kind: Kind
    answer: Answer
    violations: tuple[str, ...]
    refusal: str


def play(command: str, document: Mapping[str, Any], runs: Iterable[Run]) -> Iterator[Played]:
    """What comes of each operation and kind that these runs are asked."""
    for run in runs:
        served = told(document) if run.is_told else document
        with serving(command, served, run.seed) as url, httpx.Client(base_url=url, timeout=30) as http:
            for name, call in CALLS.items():
                for kind in kinds(document, call):
                    if kind.run == run:
                        prism = ToPrism(http, kind)
                        refused = refusal(call, prism)
                        yield Played(name, kind, prism.answers[0], tuple(prism.violations), refused)


# --- what is kept ------------------------------------------------------------------------------


def recorded() -> dict[str, dict[str, Answer]]:
    """Every answer that is kept, by operation and kind."""
    kept = json.loads(RECORDED.read_text())
    return {
        operation: {
            kind: Answer(answer["status"], answer["headers"], kept["bodies"][answer["body"]])
            for kind, answer in kinds.items()
        }
        for operation, kinds in kept["answers"].items()
    }


def record(command: str, document: Mapping[str, Any]) -> None:
    """Write what Prism answers now; equal bodies once, and of equal refusals the first."""
    bodies: dict[str, Any] = {}
    answers: dict[str, dict[str, Any]] = {}
    refusals: set[tuple[int, str]] = set()
    for played in play(command, document, (AS_WRITTEN, *TOLD)):
        answer = played.answer
        name = hashlib.sha256(json.dumps(answer.body).encode()).hexdigest()[:10]
        if played.kind.is_refusal and (answer.status, name) in refusals:
            continue
        refusals.add((answer.status, name))
        bodies[name] = answer.body
        kept = {"status": answer.status, "headers": answer.headers, "body": name}
        answers.setdefault(played.operation, {})[played.kind.name] = kept
    RECORDED.write_text(_text(_origin(command, document), bodies, answers))


def _origin(command: str, document: Mapping[str, Any]) -> dict[str, str]:
    version = subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout
    return {
        "what": "made by Prism from Codat's OpenAPI document, not recorded from Codat",
        "how": "tests/codat/codat_prism.py",
        "prism": f"@stoplight/prism-cli {version.strip()}",
        "document": f"{document['info']['title']} {document['info']['version']}",
        "sha256": hashlib.sha256(DOCUMENT.read_bytes()).hexdigest(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def _text(
    origin: Mapping[str, str], bodies: Mapping[str, Any], answers: Mapping[str, Mapping[str, Any]]
) -> str:
    """JSON of a line for each body and answer, so that a change shows which."""
    lines = {name: _block(parts) for name, parts in (("origin", origin), ("bodies", bodies))}
    lines["answers"] = (
        "{\n" + ",\n".join(f'"{name}": {_block(parts)}' for name, parts in answers.items()) + "\n}"
    )
    return "{\n" + ",\n".join(f'"{name}": {text}' for name, text in lines.items()) + "\n}\n"


def _block(parts: Mapping[str, Any]) -> str:
    rows = (f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in parts.items())
    return "{\n" + ",\n".join(rows) + "\n}"


if __name__ == "__main__":
    prism, written = find(), document()
    if prism is None or written is None:
        sys.exit(f"needs Prism ({NAMED}=…/prism, or on the PATH) and Codat's document, as {DOCUMENT}")
    record(prism, written)
