"""One request at a time to a sandbox in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import httpx

from reconciler.sandbox import Sandbox

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HEADERS = {"Authorization": "Basic c2FuZGJveA=="}
KEY = "0b7a8f56-4c1d-4c4e-9a25-5f0d8a1f6e01"
OTHER_KEY = "0b7a8f56-4c1d-4c4e-9a25-5f0d8a1f6e02"
NOBODY = "00000000-0000-4000-8000-000000000000"


class Api:
    """What a client sees of a sandbox, and short cuts to where a test wants to begin."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.answers: list[httpx.Response] = []

    def __call__(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **query: Any
    ) -> httpx.Response:
        return self.at_once([(method, path, body, key)], **query)[0]

    def at_once(
        self, requests: Iterable[tuple[str, str, Any, str | None]], **query: Any
    ) -> list[httpx.Response]:
        """The answers to requests that are on their way at the same time."""

        async def send() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app=self.sandbox)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://sandbox", headers=HEADERS
            ) as client:
                return await asyncio.gather(
                    *(
                        client.request(
                            method,
                            path,
                            content=body if isinstance(body, bytes) else None,
                            json=None if isinstance(body, bytes) else body,
                            params=query or None,
                            headers={"Idempotency-Key": key} if key else None,
                        )
                        for method, path, body, key in requests
                    )
                )

        answers = asyncio.run(send())
        self.answers += answers
        return answers

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of an answer that must be a success."""
        response = self(method, path, body, **options)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def company(self, **fields: Any) -> str:
        """The id of a new company."""
        return str(self.ok("POST", "/companies", {"name": "Acme", **fields})["id"])

    def connection(self, company_id: str, platform: str = "qhyg") -> str:
        """The path of a new connection, PendingAuth."""
        made = self.ok("POST", f"/companies/{company_id}/connections", {"platformKey": platform})
        return f"/companies/{company_id}/connections/{made['id']}"

    def linked(self, company_id: str, platform: str = "qhyg") -> str:
        """The path of a new connection, Linked."""
        path = self.connection(company_id, platform)
        self.ok("PUT", f"{path}/authorization", {"accessToken": "first"})
        return path

    def names(self, **query: Any) -> list[str]:
        """The names in one page of companies."""
        return [result["name"] for result in self.ok("GET", "/companies", **query)["results"]]

    def status(self, connection: str) -> str:
        """A connection's status."""
        return str(self.ok("GET", connection)["status"])


def id_of(path: str) -> str:
    """The id at the end of a path."""
    return path.rsplit("/", 1)[1]


def invalid(response: httpx.Response) -> set[str]:
    """What a 400 complains of."""
    assert response.status_code == 400, response.text
    return {error["itemId"] for error in response.json().get("validation", {}).get("errors", [])}
